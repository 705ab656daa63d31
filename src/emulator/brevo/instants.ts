import type { Switches } from './switches.ts';

const QUARTER_MS = 900_000;

/** RFC 3339, the offset apart. A bare `+` in an address has become a space, and is none of it. */
const RFC_3339 = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

type Formats = Map<string, Intl.DateTimeFormat>;

/** Minutes east of Greenwich in a zone at an instant; one lookup for each quarter of an hour. */
function createOffsets(): (zone: string, ms: number) => number {
  const formats: Formats = new Map();
  const known = new Map<string, number>();
  return (zone, ms) => {
    const key = `${zone} ${Math.floor(ms / QUARTER_MS)}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const format =
      formats.get(zone) ??
      new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    formats.set(zone, format);
    const text = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0'] = /([+-])(\d{2}):(\d{2})/.exec(text) ?? [];
    const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
    known.set(key, offset);
    return offset;
  };
}

const offsetOf = createOffsets();

/** What is left of an instant by the clock of the server. */
export function stampMs(ms: number, { stamps }: Pick<Switches, 'stamps'>): number {
  return stamps === 'ms' ? ms : Math.floor(ms / 1_000) * 1_000;
}

/** `…Z` */
export function inUtc(ms: number, switches: Pick<Switches, 'stamps'>): string {
  const text = new Date(stampMs(ms, switches)).toISOString();
  return switches.stamps === 'ms' ? text : text.replace('.000Z', 'Z');
}

/** In the account's zone, with its offset, which summer time moves. */
export function inZone(ms: number, switches: Pick<Switches, 'stamps' | 'zone'>): string {
  const offset = offsetOf(switches.zone, ms);
  const local = inUtc(ms + offset * 60_000, switches).slice(0, -1);
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const two = (count: number): string => String(count).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
}

/** Epoch milliseconds of RFC 3339; null for anything else. */
export function parseInstant(
  text: string,
  { zone, zonelessTimes }: Pick<Switches, 'zone' | 'zonelessTimes'>,
): number | null {
  const match = RFC_3339.exec(text);
  if (match === null) return null;
  const [, date = '', time = '', fraction = '', offset] = match;
  if (!isDate(date)) return null;
  const utc = Date.parse(`${date}T${time}${fraction}Z`);
  if (offset !== undefined) return orNull(Date.parse(`${date}T${time}${fraction}${offset}`));
  if (zonelessTimes === 'utc' || Number.isNaN(utc)) return orNull(utc);
  // The offset of then: that of an hour off is mended by looking a second time.
  const guess = utc - offsetOf(zone, utc) * 60_000;
  return utc - offsetOf(zone, guess) * 60_000;
}

/** `YYYY-MM-DD`, and a day that there is. */
export function isDate(text: string): boolean {
  if (!DATE.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function orNull(ms: number): number | null {
  return Number.isNaN(ms) ? null : ms;
}
