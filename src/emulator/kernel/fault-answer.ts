import { STATUS_CODES } from 'node:http';
import { stringifyJson } from '../../domain/json.ts';
import { JSON_TYPE, type WireAnswer } from './answer.ts';
import type { Fault } from './faults.ts';
import type { ErrorForm } from './model.ts';

type AnsweringFault = Extract<Fault, { kind: 'status' | 'html' | 'empty' | 'answer' }>;

/** What a fault answers instead of what the route would. */
export function faultAnswer(fault: AnsweringFault, errors: ErrorForm, nowMs: number): WireAnswer {
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
    case 'status': {
      const { status, retryAfter, form = 'errors' } = fault;
      const text = JSON.stringify(errors.body(status, form));
      const headers = retryAfter === undefined ? {} : waitHeaders(fault, retryAfter, errors, nowMs);
      return { status, text, contentType: JSON_TYPE, headers };
    }
  }
}

/** What tells how long to wait: `Retry-After`, or what the CRM has instead. */
function waitHeaders(
  { retryAfterForm }: Extract<Fault, { kind: 'status' }>,
  seconds: number,
  { retryAfter }: ErrorForm,
  nowMs: number,
): Readonly<Record<string, string>> {
  const form = retryAfterForm ?? retryAfter;
  if (typeof form === 'function') return form(seconds);
  return { 'Retry-After': retryAfterText(seconds, form, nowMs) };
}

/** The value of the header: so many seconds, or the date that they end at. */
export function retryAfterText(seconds: number, form: 'seconds' | 'date', nowMs: number): string {
  return form === 'date' ? new Date(nowMs + seconds * 1000).toUTCString() : String(seconds);
}

/** The page of whatever stands in front of the API: a firewall's refusal, a gateway's excuse. */
export function htmlPage(status: number): string {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`;
  return `<html><head><title>${title}</title></head><body><center><h1>${title}</h1></center></body></html>\n`;
}
