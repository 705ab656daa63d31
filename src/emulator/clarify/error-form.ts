import { STATUS_CODES } from 'node:http';
import type { ErrorForm, RecordForm } from '../kernel/model.ts';
import { frameworkError, refuse } from './api-error.ts';

const DETAILS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  402: 'Payment required',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Schema is being modified by another request',
  429: 'Too many requests',
  503: 'Service unavailable',
};

export const errorForm: ErrorForm = {
  body(status, form) {
    const detail = DETAILS[status] ?? 'Something went wrong';
    return form === 'gateway'
      ? frameworkError(status, detail, STATUS_CODES[status] ?? 'Error').body
      : refuse(status, detail).body;
  },
  badTarget: frameworkError(400, 'Bad request', 'Bad Request').body,
  retryAfter: 'seconds',
  unknownPath: ({ method, url }) =>
    frameworkError(404, `Cannot ${method} ${url.pathname}`, 'Not Found'),
  tooLarge: () => frameworkError(413, 'request entity too large', 'Payload Too Large'),
  badJson: () => refuse(400, 'The body is not valid JSON'),
};

/** A call holds records in `data`, but for a bulk deletion's ids. */
export const recordForm: RecordForm = {
  sentIn: ['items', 'data'],
  shownIn: ['data'],
  fieldsIn: 'attributes',
  idOf: ({ id }) => id,
  leftOut: (pointers) => ({
    errors: pointers.map((pointer) => ({
      status: '500',
      detail: `${pointer}: Something went wrong`,
      source: { pointer },
    })),
  }),
};
