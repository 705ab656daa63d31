/** What the clocks of a place show, less UTC, at an instant; all in milliseconds. */
export type OffsetAt = (atMs: number) => number;

/** The place of this process: `TZ`, or what the machine is set to. */
export const localOffset: OffsetAt = (atMs) => new Date(atMs).getTimezoneOffset() * -60_000;

/** Clocks are never changed twice within two days, and are a day apart at most. */
const NEAR_MS = 86_400_000;

/** When the clocks change, where they do so once between the two: the first instant of the new time. */
function changeBetween(fromMs: number, toMs: number, offsetAt: OffsetAt): number {
  const before = offsetAt(fromMs);
  let [last, first] = [fromMs, toMs];
  while (first - last > 1) {
    const middle = Math.floor((last + first) / 2);
    if (offsetAt(middle) === before) last = middle;
    else first = middle;
  }
  return first;
}

/**
 * When the clocks first show a time, or have passed it: one that is skipped is reached where the
 * gap ends, and of one that comes twice the first counts. A local time is written as the epoch
 * milliseconds that it would be in UTC.
 */
export function reached(localMs: number, offsetAt: OffsetAt): number {
  const [before, after] = [offsetAt(localMs - NEAR_MS), offsetAt(localMs + NEAR_MS)];
  for (const offset of [before, after]) {
    if (offsetAt(localMs - offset) === offset) return localMs - offset;
  }
  return changeBetween(localMs - NEAR_MS, localMs + NEAR_MS, offsetAt);
}

/** The latest time that the clocks have shown up to an instant: none before it is reached later. */
export function furthestShown(atMs: number, offsetAt: OffsetAt): number {
  const [before, now] = [offsetAt(atMs - NEAR_MS), offsetAt(atMs)];
  if (before <= now) return atMs + now;
  const changeMs = changeBetween(atMs - NEAR_MS, atMs, offsetAt);
  return Math.max(atMs + now, changeMs + before - 1);
}

/** Clocks that are set back: from then on they show once more what lies between the two times. */
export interface SetBack {
  readonly atMs: number;
  readonly fromLocalMs: number;
  readonly toLocalMs: number;
  readonly offsetMs: number;
}

/** Within a day of an instant; null where clocks are not set back then. */
export function setBackNear(atMs: number, offsetAt: OffsetAt): SetBack | null {
  const [before, after] = [offsetAt(atMs - NEAR_MS), offsetAt(atMs + NEAR_MS)];
  if (before <= after) return null;
  const changeMs = changeBetween(atMs - NEAR_MS, atMs + NEAR_MS, offsetAt);
  return {
    atMs: changeMs,
    fromLocalMs: changeMs + after,
    toLocalMs: changeMs + before,
    offsetMs: after,
  };
}
