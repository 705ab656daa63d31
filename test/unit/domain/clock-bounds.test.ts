import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ClockBounds,
  clockBetween,
  narrowClock,
  seenClock,
  skewMs,
} from '../../../src/domain/clock-bounds.ts';

const START = Date.UTC(2026, 0, 1);

/** What answers tell of a clock that is `aheadMs` of ours and shows its time cut to `stepMs`. */
function observe(aheadMs: number, stepMs: number, answers = 50): ClockBounds | null {
  let bounds: ClockBounds | null = null;
  for (let n = 0; n < answers; n += 1) {
    const sentAtMs = START + n * 1_370;
    const theirMs = Math.floor((sentAtMs + aheadMs + 5) / stepMs) * stepMs;
    const seen = seenClock(theirMs, { sentAtMs, answeredAtMs: sentAtMs + 10, stepMs });
    bounds = narrowClock(bounds, seen);
  }
  return bounds;
}

test('the bounds hold the truth, and narrow to little more than an answer takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: -3_600_000, max: 3_600_000 }), (aheadMs) => {
      const bounds = observe(aheadMs, 1_000);
      expect(bounds?.lowMs).toBeLessThanOrEqual(aheadMs);
      expect(bounds?.highMs).toBeGreaterThanOrEqual(aheadMs);
      expect((bounds?.highMs ?? 0) - (bounds?.lowMs ?? 0)).toBeLessThan(100);
    }),
  );
});

test.each([-3_600_000, -30_000, 0, 400, 30_000, 3_600_000])(
  'two clocks are compared right whatever ours shows: off by %i ms',
  (oursMs) => {
    const [crm, database] = [observe(-oursMs, 1_000), observe(-oursMs, 1)];
    expect(skewMs(clockBetween(crm, database))).toBe(0);
    const later = observe(5_000 - oursMs, 1_000);
    expect(Math.abs(skewMs(clockBetween(later, database)) - 5_000)).toBeLessThan(100);
  },
);

test('a clock that was set replaces what was known', () => {
  const set = narrowClock(observe(0, 1), { lowMs: 60_000, highMs: 60_010 });
  expect(skewMs(set)).toBe(60_005);
  expect(skewMs(null)).toBe(0);
});
