const DAY_MS = 86_400_000;

/**
 * How far before the watermark a walk begins. A write may show up to 30 s after its timestamp;
 * the other half is for the time an answer travels and for the `Date` header's whole seconds.
 */
export const OVERLAP_MS = 60_000;

/**
 * How much the server's `Date` header and its record timestamps may disagree before a quiet
 * object's watermark, which follows the clock, could pass a record it has not seen.
 */
export const CLOCK_TRUST_MS = 300_000;

/** Before any record: a filter from here on matches every record that has the timestamp. */
export const EARLIEST_MS = Date.UTC(1900, 0, 1);

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
/** With a blank, and with an offset that Postgres cuts to hours where it can: `+00`. */
const OTHER = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|([+-]\d\d)(?::?(\d\d))?)$/;

/** Epoch milliseconds (finer digits cut off), or null where the text is not an instant. */
export function parseInstant(text: string | null): number | null {
  if (text === null) return null;
  let iso = text;
  if (!ISO.test(text)) {
    const parts = OTHER.exec(text);
    if (parts === null) return null;
    const [, date, time, hours, minutes] = parts;
    iso = `${date}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes ?? '00'}`}`;
  }
  const ms = Date.parse(iso);
  return Number.isFinite(ms) ? ms : null;
}

/** ISO-8601 UTC with milliseconds. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString();
}

export function startOfUtcDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

export function startOfNextUtcDay(ms: number): number {
  return startOfUtcDay(ms) + DAY_MS;
}

/**
 * Where the next walk begins: {@link OVERLAP_MS} before the watermark, and never later than that
 * before now, so that a watermark from a clock that ran ahead skips nothing.
 *
 * @param serverNowMs the server's clock, epoch milliseconds; null where it is not known yet.
 * @returns null where there is no watermark, or none that can be read: walk from the beginning.
 */
export function overlapStart(watermark: string | null, serverNowMs: number | null): string | null {
  const watermarkMs = parseInstant(watermark);
  if (watermarkMs === null) return null;
  return formatInstant(Math.min(watermarkMs, serverNowMs ?? watermarkMs) - OVERLAP_MS);
}
