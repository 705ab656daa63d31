import type { Switches } from './switches.ts';

/**
 * An instant as the API writes it: UTC with nine decimals. Two compare as their texts do, and no
 * digit is lost as it would be in a Date.
 */
export type Instant = string;

const ISO =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

export function instantAt(ms: number, below = 0): Instant {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(below).padStart(6, '0')}Z`;
}

/** Epoch milliseconds, rounded down. */
export function instantMs(instant: Instant): number {
  return Date.parse(`${instant.slice(0, 23)}Z`);
}

/** ISO text, taken for UTC unless an offset says otherwise; null for any other. */
export function parseInstant(text: string): Instant | null {
  const match = ISO.exec(text.trim());
  if (match === null) return null;
  const [, year = '', month = '01', day = '01', hour = '00', minute = '00', second = '00'] = match;
  const fraction = (match[7] ?? '').padEnd(9, '0');
  const zone = match[8] ?? 'Z';
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // A Date takes the 31st of February for a day of March.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(8, 10) !== day) return null;
  const moved = new Date(ms - offsetMinutes(zone) * 60_000).toISOString();
  return `${moved.slice(0, 20)}${fraction}Z`;
}

function offsetMinutes(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const [, sign = '+', hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** `YYYY-MM-DD`: the time cut off, once an offset has moved it to UTC. */
export function parseDate(text: string): string | null {
  return parseInstant(text)?.slice(0, 10) ?? null;
}

/** The part of an instant that a filter looks at. */
export function coarsened(instant: Instant, switches: Pick<Switches, 'timeFilters'>): string {
  const { timeFilters } = switches;
  const digits = timeFilters === 'nanoseconds' ? 29 : timeFilters === 'milliseconds' ? 23 : 19;
  return instant.slice(0, digits);
}

/** Instants of a clock that never gives the same one twice, where they are finer than milliseconds. */
export function createStamper(
  now: () => number,
  switches: Pick<Switches, 'precision'>,
): (atMs?: number) => Instant {
  let last = { ms: Number.NEGATIVE_INFINITY, count: 0 };
  return (atMs = now()) => {
    last = { ms: atMs, count: atMs === last.ms ? (last.count + 1) % 1_000 : 0 };
    if (switches.precision === 'ms') return instantAt(atMs);
    // Microseconds end in three zeros.
    return instantAt(atMs, switches.precision === 'us' ? last.count * 1_000 : 123_000 + last.count);
  };
}
