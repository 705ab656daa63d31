import { type ServerResponse, STATUS_CODES } from 'node:http';
import { stringifyJson } from '../domain/json.ts';
import { frameworkError, refuse } from './api-error.ts';
import type { Fault } from './faults.ts';
import type { RateVerdict } from './rate-limit.ts';

/** An answer as it goes over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly text: string | Buffer;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/** The page of whatever stands in front of the API: a firewall's refusal, a gateway's excuse. */
function htmlPage(status: number): string {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`;
  return `<html><head><title>${title}</title></head><body><center><h1>${title}</h1></center></body></html>\n`;
}

export function rateHeaders(rate: RateVerdict): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(rate.limit),
    'X-RateLimit-Remaining': String(rate.remaining),
    'X-RateLimit-Reset': String(rate.resetSeconds),
    ...(rate.allowed ? {} : { 'Retry-After': String(rate.resetSeconds) }),
  };
}

type AnsweringFault = Extract<Fault, { kind: 'status' | 'html' | 'empty' | 'answer' }>;

/** What a fault answers instead of what the route would. */
export function faultAnswer(fault: AnsweringFault, nowMs: number): WireAnswer {
  switch (fault.kind) {
    case 'html': {
      const { status = 502 } = fault;
      return { status, text: htmlPage(status), contentType: 'text/html', headers: {} };
    }
    case 'empty':
      return { status: fault.status ?? 502, text: '', contentType: JSON_TYPE, headers: {} };
    case 'answer': {
      const { status, body, contentType = JSON_TYPE, headers = {} } = fault;
      const text = typeof body === 'string' ? body : stringifyJson(body ?? {});
      return { status, text, contentType, headers };
    }
    case 'status':
      return errorAnswer(fault, nowMs);
  }
}

function errorAnswer(fault: Extract<Fault, { kind: 'status' }>, nowMs: number): WireAnswer {
  const { status, retryAfter, retryAfterForm, form } = fault;
  const wait =
    retryAfter === undefined
      ? null
      : retryAfterForm === 'date'
        ? new Date(nowMs + retryAfter * 1000).toUTCString()
        : String(retryAfter);
  const detail = DETAILS[status] ?? 'Something went wrong';
  const error =
    form === 'gateway'
      ? frameworkError(status, detail, STATUS_CODES[status] ?? 'Error')
      : refuse(status, detail);
  const text = JSON.stringify(error.body);
  const headers: Record<string, string> = wait === null ? {} : { 'Retry-After': wait };
  return { status, text, contentType: JSON_TYPE, headers };
}

const DETAILS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  402: 'Payment required',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Schema is being modified by another request',
  429: 'Too many requests',
  503: 'Service unavailable',
};

/** `cut` sends half of the body under the full length, then hangs up. */
export function sendAnswer(
  response: ServerResponse,
  answer: WireAnswer,
  { nowMs, cut = false }: { readonly nowMs: number; readonly cut?: boolean },
): void {
  const body = typeof answer.text === 'string' ? Buffer.from(answer.text) : answer.text;
  const headers: Record<string, string | number> = {
    Date: new Date(nowMs).toUTCString(),
    ...answer.headers,
  };
  if (answer.status !== 204) {
    headers['Content-Type'] = answer.contentType;
    headers['Content-Length'] = body.length;
  }
  response.sendDate = false;
  response.setHeaders(new Map(Object.entries(headers)));
  response.writeHead(answer.status);
  if (!cut) {
    response.end(answer.status === 204 ? undefined : body);
    return;
  }
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}
