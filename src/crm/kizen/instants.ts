const INSTANT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * An instant in whatever zone, in UTC and cut to what Postgres keeps: milliseconds, or microseconds
 * where there are any. Not by a Date alone, which would lose them. Null where the text is no instant.
 */
export function toUtc(text: string): string | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const [, date = '', time = '', fraction = '', zone = 'Z'] = match;
  // February 30 would pass for a day in March.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date)) return null;
  const whole = new Date(`${date}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(whole.getTime())) return null;
  const micros = fraction.padEnd(6, '0').slice(0, 6);
  return `${whole.toISOString().slice(0, -5)}.${micros.endsWith('000') ? micros.slice(0, 3) : micros}Z`;
}
