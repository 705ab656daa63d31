import { canonicalInstantMs } from '../../domain/calendar.ts';

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/** An epoch in seconds is smaller than this until the year 5138, one in milliseconds larger. */
const EPOCH_MS_FROM = 100_000_000_000;

/** ISO-8601 UTC with milliseconds; null where the value is no instant. */
export function toInstant(value: unknown): string | null {
  if (typeof value === 'string') {
    return Number.isNaN(canonicalInstantMs(value)) ? parseInstant(value) : value;
  }
  if (typeof value !== 'number') return null;
  return formatMs(Math.abs(value) < EPOCH_MS_FROM ? value * 1000 : value);
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
