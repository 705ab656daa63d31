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

/** Nearly all instants are in the usual form already: no need to parse 100,000 a second. */
function isUsual(text: string): boolean {
  return (
    text.length === 24 &&
    text.charCodeAt(10) === 84 &&
    text.charCodeAt(19) === 46 &&
    text.charCodeAt(23) === 90 &&
    !Number.isNaN(Date.parse(text))
  );
}

function parseInstant(text: string): string | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const [, date, time = '00:00', zone = 'Z'] = match;
  // Without a zone it is UTC, and never this machine's zone.
  return formatMs(Date.parse(`${date}T${time}${zone.toUpperCase()}`));
}

function formatMs(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
