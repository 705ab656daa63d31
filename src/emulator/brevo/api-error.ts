import { ApiError } from '../kernel/api-error.ts';
import { isObject } from '../kernel/fields.ts';
import type { ErrorForm, RecordForm } from '../kernel/model.ts';

type Code =
  | 'invalid_parameter'
  | 'missing_parameter'
  | 'out_of_range'
  | 'duplicate_parameter'
  | 'document_not_found'
  | 'permission_denied'
  | 'method_not_allowed'
  | 'not_enough_credits'
  | 'unauthorized';

/** Codes of what is refused for its status alone; a 429 and all others have none. */
const CODES: Readonly<Record<number, Code>> = {
  400: 'invalid_parameter',
  401: 'unauthorized',
  402: 'not_enough_credits',
  403: 'permission_denied',
  404: 'document_not_found',
  405: 'method_not_allowed',
};

export function refuse(
  status: number,
  code: Code | null,
  message: string,
  metadata?: Readonly<Record<string, unknown>>,
): ApiError {
  return new ApiError(status, {
    ...(code === null ? {} : { code }),
    message,
    ...(metadata === undefined ? {} : { metadata }),
  });
}

export function invalid(message: string): ApiError {
  return refuse(400, 'invalid_parameter', message);
}

export function missing(name: string): ApiError {
  return refuse(400, 'missing_parameter', `${name} is missing`);
}

export function outOfRange(name: string): ApiError {
  return refuse(400, 'out_of_range', `${name} is out of range`);
}

export function notFound(message = 'Document not found'): ApiError {
  return refuse(404, 'document_not_found', message);
}

export const errorForm: ErrorForm = {
  body(status, form) {
    if (form === 'gateway') return { message: 'Upstream error' };
    const code = CODES[status];
    return { ...(code === undefined ? {} : { code }), message: 'Something went wrong' };
  },
  badTarget: { code: 'invalid_parameter', message: 'The target is no path' },
  // There is no `Retry-After`.
  retryAfter: (seconds) => ({
    'x-sib-ratelimit-remaining': '0',
    'x-sib-ratelimit-reset': String(Math.ceil(seconds)),
  }),
  unknownPath: () => refuse(404, null, 'The resource could not be found'),
  tooLarge: () => refuse(413, null, 'The body is too large'),
  badJson: () => invalid('The body is no valid JSON'),
};

export const recordForm: RecordForm = {
  sentIn: ['contacts', 'records'],
  shownIn: ['contacts', 'records', 'items'],
  fieldsIn: 'attributes',
  idOf({ id, identifiers }) {
    const own = id ?? (isObject(identifiers) ? identifiers['id'] : undefined);
    return typeof own === 'number' ? String(own) : own;
  },
  leftOut: () => ({}),
};
