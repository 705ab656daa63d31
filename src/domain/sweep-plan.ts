/** Where a rolling sweep of one object stands. Times are epoch milliseconds by one clock. */
export interface SweepStanding {
  /** When the round under way, or the last one, began; null before the first. */
  readonly startedAtMs: number | null;
  /** Null while a round is under way. */
  readonly finishedAtMs: number | null;
  /** Pages read in this round. */
  readonly pages: number;
  /** Pages the round takes, as far as known; null at its start. */
  readonly totalPages: number | null;
}

/**
 * A round has to be through, and the next one back at any page, within the interval: so each
 * takes a little less.
 */
export const SHARE_OF_INTERVAL = 0.9;

/** What to read now. */
export interface SweepDue {
  readonly begin: boolean;
  /** Pages; no limit where the round is urgent. */
  readonly pages: number;
}

/**
 * How many pages of an object are due now, so that its pages are spread evenly over the interval
 * and every one is read again within it (invariant 1). What was missed is caught up with. A round
 * is urgent where links were never read: it is not spread, and begins at once.
 */
export function sweepDue(
  standing: SweepStanding,
  options: { readonly nowMs: number; readonly intervalMs: number; readonly urgent: boolean },
): SweepDue {
  const { startedAtMs, finishedAtMs, pages, totalPages } = standing;
  const { nowMs, intervalMs, urgent } = options;
  const roundMs = Math.max(1, intervalMs * SHARE_OF_INTERVAL);
  const isUnderWay = startedAtMs !== null && finishedAtMs === null;
  if (!isUnderWay) {
    const sinceMs = startedAtMs === null ? Number.POSITIVE_INFINITY : nowMs - startedAtMs;
    // One that began later than now did so by a clock that has been set back since.
    const begin = urgent || sinceMs >= roundMs || sinceMs < 0;
    return { begin, pages: begin ? (urgent ? Number.POSITIVE_INFINITY : 1) : 0 };
  }
  if (urgent) return { begin: false, pages: Number.POSITIVE_INFINITY };
  if (nowMs < startedAtMs) return { begin: false, pages: 1 };
  const elapsed = Math.min(1, Math.max(0, nowMs - startedAtMs) / roundMs);
  // A round that takes more pages than it seemed goes on until its end all the same.
  const left = elapsed >= 1 ? Number.POSITIVE_INFINITY : 0;
  const target = Math.ceil((totalPages ?? 1) * elapsed);
  return { begin: false, pages: Math.max(left, target - pages, 0) };
}
