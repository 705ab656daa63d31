/** Within this time of the look at what it overwrites a change is to be sent. */
const WITHIN_MS = 1_000;
/** A claim grows by so much at a time, and no further; it is no smaller either. */
const GROWTH = 2;
const MOST = 5_000;
const LEAST = 100;

/** How many records are claimed at once, and looked at before. */
export interface Pace {
  readonly size: number;
  /** @param tookMs from before they were looked at until all of them were sent. */
  went(records: number, tookMs: number): void;
}

/**
 * Claims as large as can be sent soon after the look at what they overwrite (invariant 5), by what the
 * ones before took: each look is a request, and each wait between it and the write a chance to
 * overwrite what nobody has seen.
 */
export function createPace(first: number): Pace {
  let size = first;
  return {
    get size() {
      return size;
    },
    went(records, tookMs) {
      const soon = Math.floor((records * WITHIN_MS) / Math.max(1, tookMs));
      // One that was not full says nothing of larger ones.
      if (records < size && soon >= size) return;
      size = Math.max(Math.min(LEAST, first), Math.min(soon, size * GROWTH, MOST));
    },
  };
}
