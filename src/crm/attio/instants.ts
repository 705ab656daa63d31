const NANOSECONDS = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/;

/**
 * An instant of up to nine decimals, cut to what Postgres keeps: milliseconds, or microseconds where
 * there are any. As text, for a Date would lose them. Whatever is no such instant is left as it is.
 */
export function cutInstant(text: string): string {
  const match = NANOSECONDS.exec(text);
  if (match === null) return text;
  const [, whole = '', fraction = ''] = match;
  const micros = fraction.padEnd(6, '0').slice(0, 6);
  return `${whole}.${micros.endsWith('000') ? micros.slice(0, 3) : micros}Z`;
}

/** The same instant in a form in which text sorts as time does; null where it is none. */
export function sortable(text: string): string | null {
  const match = NANOSECONDS.exec(text);
  if (match === null) return null;
  return `${match[1]}.${(match[2] ?? '').padEnd(9, '0').slice(0, 9)}`;
}

/** The last nanosecond of a millisecond: what an upper bound that counts in milliseconds includes. */
export function endOf(instant: string): string {
  const match = /^(.*T\d\d:\d\d:\d\d\.\d{3})Z$/.exec(instant);
  return match === null ? instant : `${match[1]}999999Z`;
}
