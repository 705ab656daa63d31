/** Another clock minus ours lies between these, in milliseconds. */
export interface ClockBounds {
  readonly lowMs: number;
  readonly highMs: number;
}

/**
 * What one answer tells of another clock: it showed `theirMs`, or up to `stepMs` more where it is
 * cut to that, at some moment between sending and answer by ours.
 */
export function seenClock(
  theirMs: number,
  at: { readonly sentAtMs: number; readonly answeredAtMs: number; readonly stepMs: number },
): ClockBounds {
  return { lowMs: theirMs - at.answeredAtMs, highMs: theirMs + at.stepMs - at.sentAtMs };
}

/**
 * The bounds of many answers intersect, to a few milliseconds also where each is whole seconds.
 * Bounds that contradict what was known replace it: a clock was set, or has drifted.
 */
export function narrowClock(known: ClockBounds | null, seen: ClockBounds): ClockBounds {
  if (known === null || seen.lowMs > known.highMs || seen.highMs < known.lowMs) return seen;
  return {
    lowMs: Math.max(known.lowMs, seen.lowMs),
    highMs: Math.min(known.highMs, seen.highMs),
  };
}

/** Where the bounds allow no difference there is none: clocks are mostly right. */
export function skewMs(bounds: ClockBounds | null): number {
  if (bounds === null) return 0;
  const { lowMs, highMs } = bounds;
  return lowMs <= 0 && highMs >= 0 ? 0 : Math.round((lowMs + highMs) / 2);
}

/** The one clock minus the other, both measured by ours, which therefore may show anything. */
export function clockBetween(
  one: ClockBounds | null,
  other: ClockBounds | null,
): ClockBounds | null {
  if (one === null || other === null) return one;
  return { lowMs: one.lowMs - other.highMs, highMs: one.highMs - other.lowMs };
}
