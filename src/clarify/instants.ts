const INSTANT =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/** An epoch in seconds is smaller than this until the year 5138, one in milliseconds larger. */
const EPOCH_MS_FROM = 100_000_000_000;

/** ISO-8601 UTC with milliseconds; null where the value is no instant. */
export function toInstant(value: unknown): string | null {
  if (typeof value === 'string') return isUsual(value) ? value : parseInstant(value);
  if (typeof value !== 'number') return null;
  return formatMs(Math.abs(value) < EPOCH_MS_FROM ? value * 1000 : value);
}

/** By month, from 1. Whether February has a later day is for the calendar to say. */
const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Nearly all instants are in the usual form already: no need to parse 100,000 a second. */
function isUsual(text: string): boolean {
  return (
    text.length === 24 &&
    text.charCodeAt(4) === 45 &&
    text.charCodeAt(7) === 45 &&
    text.charCodeAt(10) === 84 &&
    text.charCodeAt(13) === 58 &&
    text.charCodeAt(16) === 58 &&
    text.charCodeAt(19) === 46 &&
    text.charCodeAt(23) === 90 &&
    digitsAt(text, 0, 4) >= 0 &&
    isWithin(digitsAt(text, 8, 10), 1, DAYS[digitsAt(text, 5, 7)] ?? 0) &&
    digitsAt(text, 11, 13) <= 23 &&
    digitsAt(text, 14, 16) <= 59 &&
    digitsAt(text, 17, 19) <= 59 &&
    digitsAt(text, 20, 23) >= 0
  );
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

/** NaN where there is anything but digits. */
function digitsAt(text: string, start: number, end: number): number {
  let value = 0;
  for (let index = start; index < end; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function parseInstant(text: string): string | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const [, date = '', time = '00:00', zone = 'Z'] = match;
  // February 30 would pass for a day in March.
  if (!formatMs(Date.parse(`${date}T00:00Z`))?.startsWith(date)) return null;
  // Without a zone it is UTC, and never this machine's zone.
  return formatMs(Date.parse(`${date}T${time}${zone.toUpperCase()}`));
}

function formatMs(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
