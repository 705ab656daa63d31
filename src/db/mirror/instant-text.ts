import { canonicalInstantMs, isDay, twoDigits } from '../../domain/calendar.ts';

/** Whether the text begins with a day of the calendar, years 1 to 9999. */
function beginsWithDay(text: string): boolean {
  if (text[4] !== '-' || text[7] !== '-') return false;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  return isDay(year, twoDigits(text, 5), twoDigits(text, 8));
}

/** `YYYY-MM-DD` that exists. Never a JavaScript Date: those have a time zone. */
export function isDateText(text: string): boolean {
  return text.length === 10 && beginsWithDay(text);
}

const CLOCK = /^[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d(?::?\d\d)?)$/;

/**
 * The instant in a form Postgres reads the same way in every session, to the microsecond; null
 * where the text is no instant, or one outside the years 1 to 9999. A day alone is its first
 * moment in UTC; a time of day without a zone could be anything and is no instant.
 */
export function instantText(text: string): string | null {
  if (!Number.isNaN(canonicalInstantMs(text))) return text;
  if (!beginsWithDay(text)) return null;
  if (text.length === 10) return `${text}T00:00:00Z`;
  const match = CLOCK.exec(text.slice(10));
  if (match === null) return null;
  const [, hour = '', minute = '', second = '00', fraction = '', zone = ''] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const micros = fraction === '' ? '' : `.${fraction.slice(0, 6)}`;
  const local = `${text.slice(0, 10)}T${hour}:${minute}:${second}`;
  if (zone === 'Z' || zone === 'z') return `${local}${micros}Z`;
  return shiftToUtc(local, zone, micros);
}

function shiftToUtc(local: string, zone: string, micros: string): string | null {
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 23 || minutes > 59) return null;
  const offsetMs = (hours * 60 + minutes) * 60_000 * (zone.startsWith('-') ? -1 : 1);
  const utc = new Date(Date.parse(`${local}Z`) - offsetMs).toISOString();
  return beginsWithDay(utc) && utc.length === 24 ? `${utc.slice(0, 19)}${micros}Z` : null;
}
