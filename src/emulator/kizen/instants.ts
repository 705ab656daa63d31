import type { Switches } from './switches.ts';

/**
 * An instant in UTC with six decimals, as text: two compare as their texts do, and no digit is lost as
 * it would be in a Date.
 */
export type Instant = string;

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

export function instantAt(ms: number, below = 0): Instant {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(below).padStart(3, '0')}Z`;
}

/** Epoch milliseconds, rounded down. */
export function instantMs(instant: Instant): number {
  return Date.parse(`${instant.slice(0, 23)}Z`);
}

/** What clocks of one time zone show. */
export interface ZoneClock {
  /** ISO 8601 with microseconds and the zone's offset. */
  show(instant: Instant): string;
  /** `YYYY-MM-DD` */
  day(instant: Instant): string;
  /** ISO text, the zone's own time where it has no offset; null for any other. */
  read(text: string): Instant | null;
}

const HOUR_MS = 3_600_000;
const QUARTER_MS = HOUR_MS / 4;

export function zoneClock(zone: string): ZoneClock {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  /** By the quarter of an hour, in which no offset changes. */
  const known = new Map<number, string>();
  const offsetAt = (ms: number): string => {
    const quarter = Math.floor(ms / QUARTER_MS);
    const before = known.get(quarter);
    if (before !== undefined) return before;
    const parts = format.formatToParts(ms);
    const told = parts.find(({ type }) => type === 'timeZoneName')?.value.replace('GMT', '') ?? '';
    const offset = told === '' ? '+00:00' : told;
    known.set(quarter, offset);
    return offset;
  };
  const show = (instant: Instant): string => {
    const ms = instantMs(instant);
    const offset = offsetAt(ms);
    const local = new Date(ms + offsetMs(offset)).toISOString().slice(0, 23);
    return `${local}${instant.slice(23, 26)}${offset}`;
  };
  return {
    show,
    day: (instant) => show(instant).slice(0, 10),
    read(text) {
      const match = ISO.exec(text.trim());
      if (match === null) return null;
      const [, year = '', month = '', day = '', hour = '', minute = '', second = '00'] = match;
      const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
      if (!isDay(`${year}-${month}-${day}`) || Number.isNaN(ms)) return null;
      const [, , , , , , , fraction = '', given] = match;
      const utcMs = ms - offsetMs(given ?? offsetAt(ms - offsetMs(offsetAt(ms))));
      return `${new Date(utcMs).toISOString().slice(0, 20)}${fraction.padEnd(6, '0')}Z`;
    },
  };
}

function offsetMs(offset: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})?(?::(\d{2}))?$/.exec(offset);
  if (match === null) return 0;
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match;
  const ms = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
  return sign === '-' ? -ms : ms;
}

/** `YYYY-MM-DD`, of a day that there is. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** The part of an instant that a filter looks at. */
export function coarsened(
  instant: Instant,
  clock: ZoneClock,
  { timeFilters }: Pick<Switches, 'timeFilters'>,
): string {
  switch (timeFilters) {
    case 'microseconds':
      return instant;
    case 'milliseconds':
      return instant.slice(0, 23);
    case 'seconds':
      return instant.slice(0, 19);
    case 'days':
      return instant.slice(0, 10);
    case 'business days':
      return clock.day(instant);
  }
}

/** Instants of a clock that hardly ever gives the same one twice. */
export function createStamper(now: () => number): (atMs?: number) => Instant {
  let last = { ms: Number.NEGATIVE_INFINITY, count: 0 };
  return (atMs = now()) => {
    last = { ms: atMs, count: atMs === last.ms ? (last.count + 1) % 1_000 : 0 };
    return instantAt(atMs, (last.count * 7 + 152) % 1_000);
  };
}
