const ZERO = 48;

/** The number that `length` decimal digits at `start` stand for; NaN where there are none. */
function digitsAt(text: string, start: number, length: number): number {
  let value = 0;
  for (let index = start; index < start + length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) {
    const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    return leap ? 29 : 28;
  }
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Whether the text begins with a day of the calendar, years 1 to 9999. */
function beginsWithDay(text: string): boolean {
  if (text[4] !== '-' || text[7] !== '-') return false;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
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
  if (!beginsWithDay(text)) return null;
  if (text.length === 24 && isCanonicalClock(text)) return text;
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

/** `THH:MM:SS.mmmZ` after the day: what nearly every timestamp looks like. */
function isCanonicalClock(text: string): boolean {
  return (
    text[10] === 'T' &&
    text[13] === ':' &&
    text[16] === ':' &&
    text[19] === '.' &&
    text[23] === 'Z' &&
    digitsAt(text, 11, 2) <= 23 &&
    digitsAt(text, 14, 2) <= 59 &&
    digitsAt(text, 17, 2) <= 59 &&
    digitsAt(text, 20, 3) >= 0
  );
}

function shiftToUtc(local: string, zone: string, micros: string): string | null {
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 23 || minutes > 59) return null;
  const offsetMs = (hours * 60 + minutes) * 60_000 * (zone.startsWith('-') ? -1 : 1);
  const utc = new Date(Date.parse(`${local}Z`) - offsetMs).toISOString();
  return beginsWithDay(utc) && utc.length === 24 ? `${utc.slice(0, 19)}${micros}Z` : null;
}
