import { RemoteError } from '../../domain/errors.ts';
import type { ObjectSchema } from '../../domain/schema.ts';

export function isNotFound(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.code === 'remote-not-found';
}

/** An id of a form that no record has. */
export function isRefused(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.status === 400;
}

/** What tells of one object is refused, and that was asked twice: of any other it says nothing. */
export function isWithheld(error: unknown): error is RemoteError {
  if (!(error instanceof RemoteError) || error.disposition !== 'park') return false;
  return error.status === 402 || error.status === 403 || error.status === 404;
}

export function gone({ object }: Pick<ObjectSchema, 'object'>): RemoteError {
  return new RemoteError(`a record of ${object} is not there`, {
    code: 'remote-not-found',
    disposition: 'park',
    status: 404,
  });
}

/** What an answer leaves out is unknown, and not empty. */
export function untold({ object }: Pick<ObjectSchema, 'object'>, field: string): RemoteError {
  return new RemoteError(`a record of ${object} does not tell its ${field}`, {
    code: 'remote-bad-answer',
    disposition: 'retry',
    status: 200,
  });
}
