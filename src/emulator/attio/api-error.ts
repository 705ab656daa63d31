import { ApiError } from '../kernel/api-error.ts';
import type { ErrorForm, RecordForm } from '../kernel/model.ts';

const TYPES: Readonly<Record<number, string>> = {
  401: 'auth_error',
  403: 'auth_error',
  429: 'rate_limit_error',
};

/** Codes of what is refused for its status alone. */
const CODES: Readonly<Record<number, string>> = {
  400: 'validation_type',
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not_found',
  409: 'concurrent_write_conflict',
  429: 'rate_limit_exceeded',
};

/** What is wrong at one place of a body. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export function refuse(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ApiError {
  return new ApiError(status, bodyOf(status, code, message), headers);
}

function bodyOf(status: number, code: string, message: string) {
  const fallback = status >= 500 ? 'api_error' : 'invalid_request_error';
  return { status_code: status, type: TYPES[status] ?? fallback, code, message };
}

/** A body of the wrong shape. */
export function misshapen(problems: readonly Problem[]): ApiError {
  const message = 'Body payload validation error.';
  return new ApiError(400, {
    ...bodyOf(400, 'validation_type', message),
    validation_errors: problems.map((problem) => ({ code: 'invalid_type', ...problem })),
  });
}

export function invalidValue(slug: string): ApiError {
  const message = `An invalid value was passed to attribute with slug "${slug}".`;
  return refuse(400, 'validation_type', message);
}

export function valueNotFound(message: string): ApiError {
  return refuse(400, 'value_not_found', message);
}

export function notFound(message: string): ApiError {
  return refuse(404, 'not_found', message);
}

export const errorForm: ErrorForm = {
  body(status, form) {
    if (form === 'gateway') return { message: 'Upstream error' };
    return bodyOf(status, CODES[status] ?? 'internal_server_error', 'Something went wrong.');
  },
  badTarget: bodyOf(400, 'validation_type', 'The target is no path.'),
  retryAfter: 'date',
  unknownPath: ({ method, url }) =>
    notFound(`Could not find endpoint "${method} ${url.pathname}".`),
  tooLarge: () => refuse(413, 'validation_type', 'The body is too large.'),
  badJson: () => refuse(400, 'validation_type', 'The body is no valid JSON.'),
};

export const recordForm: RecordForm = {
  sentIn: ['data'],
  shownIn: ['data'],
  fieldsIn: 'values',
  idOf: ({ id }) =>
    typeof id === 'object' && id !== null && 'record_id' in id ? id.record_id : undefined,
  leftOut: () => ({}),
};
