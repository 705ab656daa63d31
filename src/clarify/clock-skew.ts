/** The server's clock minus ours, estimated from `Date` headers. */
export interface ClockSkew {
  /** `dateMs` has whole seconds; the other two are ours, before and after the request. */
  observe(dateMs: number, sentAtMs: number, answeredAtMs: number): void;
  /** Milliseconds; null before the first answer. */
  readonly ms: number | null;
}

/**
 * A `Date` header says which second it was at some moment between sending and answer, so each
 * answer bounds the skew to little more than a second; the bounds of many answers intersect to a
 * few milliseconds. Where they allow no skew at all, there is none: clocks are mostly right.
 */
export function createClockSkew(): ClockSkew {
  let bounds: { lowMs: number; highMs: number } | null = null;
  return {
    observe(dateMs, sentAtMs, answeredAtMs) {
      const lowMs = dateMs - answeredAtMs;
      const highMs = dateMs + 1000 - sentAtMs;
      if (bounds === null || lowMs > bounds.highMs || highMs < bounds.lowMs) {
        // A clock was set, or has drifted out of the old bounds.
        bounds = { lowMs, highMs };
      } else {
        bounds = {
          lowMs: Math.max(bounds.lowMs, lowMs),
          highMs: Math.min(bounds.highMs, highMs),
        };
      }
    },
    get ms() {
      if (bounds === null) return null;
      const { lowMs, highMs } = bounds;
      return lowMs <= 0 && highMs >= 0 ? 0 : Math.round((lowMs + highMs) / 2);
    },
  };
}
