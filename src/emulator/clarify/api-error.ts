import { ApiError } from '../kernel/api-error.ts';

/** What a validation error says about one place in the request. */
export interface Problem {
  /** JSON pointer into the request body, such as `/data/3/attributes/email_addresses`. */
  readonly pointer: string;
  readonly message: string;
}

/** `title` and `source` come on validation errors alone. */
export function refuse(status: number, detail: string): ApiError {
  return new ApiError(status, { errors: [{ status: String(status), detail }] });
}

export function invalid(problems: readonly Problem[]): ApiError {
  return new ApiError(422, {
    errors: problems.map(({ pointer, message }) => ({
      status: '422',
      title: 'Invalid input',
      detail: `${pointer}: ${message}`,
      source: { pointer },
    })),
  });
}

/** The form that comes from the framework below the API, for routes it does not know. */
export function frameworkError(status: number, message: string, error: string): ApiError {
  return new ApiError(status, { statusCode: status, message, error });
}

export function notFound(what: string): ApiError {
  return refuse(404, `${what} not found`);
}
