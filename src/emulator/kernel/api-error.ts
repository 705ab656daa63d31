import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from './answer.ts';

/** An answer other than success: thrown anywhere below a route, written by the server. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Goes out as JSON. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`answered ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** One whose body is a page, or nothing: what stands in front of an API speaks no JSON. */
export class PageError extends ApiError {
  readonly page: string;

  constructor(status: number, page: string, headers: Readonly<Record<string, string>> = {}) {
    super(status, page, headers);
    this.page = page;
  }
}

/** @throws whatever is no ApiError */
export function refusal(error: unknown): Answer {
  if (!(error instanceof ApiError)) throw error;
  if (error instanceof PageError) {
    const { status, page, headers } = error;
    return { status, text: page, contentType: 'text/html', headers };
  }
  return { status: error.status, text: stringifyJson(error.body), headers: error.headers };
}
