import { canonicalInstantMs } from '../calendar.ts';

const DAY_MS = 86_400_000;

/**
 * How far before the watermark a walk begins. A write may show up to 30 s after its timestamp;
 * the other half is for the time an answer travels and for the `Date` header's whole seconds.
 */
export const OVERLAP_MS = 60_000;

/** Before any record: a filter from here on matches every record that has the timestamp. */
export const EARLIEST_MS = Date.UTC(1900, 0, 1);

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
/** With a blank, and with an offset that Postgres cuts to hours where it can: `+00`. */
const OTHER = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|([+-]\d\d)(?::?(\d\d))?)$/;

/** Epoch milliseconds (finer digits cut off), or null where the text is not an instant. */
export function parseInstant(text: string | null): number | null {
  if (text === null) return null;
  const canonicalMs = canonicalInstantMs(text);
  if (!Number.isNaN(canonicalMs)) return canonicalMs;
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

/** How far a walk has come, as it is stored. */
export interface Watermark {
  /** Everything stamped before this was handed over. */
  readonly at: string;
  /** When it last moved, by the clock that the caller measures time with. */
  readonly movedAtMs: number;
  /** A later walk has shown that nothing came in behind it. */
  readonly confirmed: boolean;
}

/**
 * How long after the watermark moved a walk has to begin to confirm it: whatever is stamped at or
 * before the watermark was written by then, and shows within 30 s.
 */
const CONFIRM_MS = 45_000;

/**
 * Where the next walk begins: {@link OVERLAP_MS} before the watermark, and never later than that
 * before now, so that a watermark from a clock that ran ahead skips nothing. Right behind the
 * watermark once it is confirmed: a quiet object must not read its last burst of edits for ever.
 *
 * @param serverNowMs the server's clock, epoch milliseconds; null where it is not known yet.
 * @returns null where there is no watermark, or none that can be read: walk from the beginning.
 */
export function walkStart(
  watermark: Pick<Watermark, 'at' | 'confirmed'> | null,
  serverNowMs: number | null,
): string | null {
  const watermarkMs = parseInstant(watermark?.at ?? null);
  if (watermarkMs === null) return null;
  const isPast = serverNowMs === null || watermarkMs < serverNowMs;
  if (watermark?.confirmed && isPast) return formatInstant(watermarkMs + 1);
  return formatInstant(Math.min(watermarkMs, serverNowMs ?? watermarkMs) - OVERLAP_MS);
}

/** Whether a walk that began then, saw all there was and moved nothing confirms the watermark. */
export function confirms(watermark: Watermark, walkStartedAtMs: number): boolean {
  return walkStartedAtMs - watermark.movedAtMs >= CONFIRM_MS;
}
