import type { Headers } from './transport.ts';

/** What an answer says about the rate limit; null for what it does not say. */
export interface RateHeaders {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetMs: number | null;
  /** From `Retry-After`, seconds or an HTTP date. */
  readonly retryAfterMs: number | null;
}

/** Whoever says a longer wait says nonsense; every few minutes it is asked again anyway. */
const DAY_MS = 86_400_000;
/** An epoch where seconds left were promised: a year in seconds tells the two apart. */
const YEAR_S = 31_536_000;
/** An epoch in seconds is smaller than this until the year 5138, one in milliseconds larger. */
const EPOCH_MS_FROM = 100_000_000_000;

/** @param prefix of the headers' names, for an API that has its own. */
export function readRateHeaders(
  headers: Headers,
  nowMs: number,
  prefix = 'x-ratelimit',
): RateHeaders {
  const reset = readNumber(headers[`${prefix}-reset`]);
  return {
    limit: readNumber(headers[`${prefix}-limit`]),
    remaining: readNumber(headers[`${prefix}-remaining`]),
    resetMs: reset === null ? null : msUntilReset(reset, nowMs),
    retryAfterMs: readRetryAfter(headers, nowMs),
  };
}

function msUntilReset(reset: number, nowMs: number): number {
  if (reset <= YEAR_S) return Math.ceil(reset * 1000);
  return Math.max(0, (reset < EPOCH_MS_FROM ? reset * 1000 : reset) - nowMs);
}

function readRetryAfter(headers: Headers, nowMs: number): number | null {
  const seconds = readNumber(headers['retry-after']);
  if (seconds !== null) return Math.min(DAY_MS, Math.ceil(seconds * 1000));
  const untilMs = readDate(headers['retry-after']);
  if (untilMs === null) return null;
  // A date is by the server's clock: measure it against the answer's own date where there is one.
  return Math.min(DAY_MS, Math.max(0, untilMs - (readDate(headers.date) ?? nowMs)));
}

/** `Date.parse` alone would make a date of `-5`. */
const HTTP_DATE = /^\s*[a-z]+, ?\d{1,2}[ -][a-z]{3}[ -]\d{2,4} \d{2}:\d{2}:\d{2}/i;

/** Epoch milliseconds of an HTTP date, or null. */
export function readDate(header: Headers[string]): number | null {
  const isDate = typeof header === 'string' && HTTP_DATE.test(header);
  const parsed = isDate ? Date.parse(header) : Number.NaN;
  return Number.isNaN(parsed) ? null : parsed;
}

function readNumber(header: Headers[string]): number | null {
  if (typeof header !== 'string' || header.trim() === '') return null;
  const number = Number(header);
  return Number.isFinite(number) && number >= 0 ? number : null;
}
