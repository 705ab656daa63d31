import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SweepStanding, sweepDue } from '../../../src/domain/sweep-plan.ts';

const intervalMs = 86_400_000;
const fresh: SweepStanding = { startedAtMs: null, finishedAtMs: null, pages: 0, totalPages: null };

test('the first round begins at once, with one page; an urgent one is not spread', () => {
  const at = { nowMs: 5_000, intervalMs };
  expect(sweepDue(fresh, { ...at, urgent: false })).toEqual({ begin: true, pages: 1 });
  expect(sweepDue(fresh, { ...at, urgent: true })).toEqual({ begin: true, pages: Infinity });
  const underWay = { ...fresh, startedAtMs: 0, pages: 3, totalPages: 2_000 };
  expect(sweepDue(underWay, { ...at, urgent: true })).toEqual({ begin: false, pages: Infinity });
});

test('nothing is due right after a round', () => {
  const done = { startedAtMs: 0, finishedAtMs: 1_000, pages: 4, totalPages: 4 };
  expect(sweepDue(done, { nowMs: 2_000, intervalMs, urgent: false }).pages).toBe(0);
});

test('a clock that was set back holds up no sweep', () => {
  const at = { nowMs: 0, intervalMs, urgent: false };
  const done = { startedAtMs: 3_600_000, finishedAtMs: 3_601_000, pages: 4, totalPages: 4 };
  expect(sweepDue(done, at)).toEqual({ begin: true, pages: 1 });
  const underWay = { ...done, finishedAtMs: null, pages: 2 };
  expect(sweepDue(underWay, at)).toEqual({ begin: false, pages: 1 });
});

test('every page is read again within the interval, however often one looks', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 5, max: 60 }),
      (totalPages, looks) => {
        const stepMs = Math.floor(intervalMs / (20 * looks));
        let standing = fresh;
        const lastRead = new Map<number, number>();
        let longestMs = 0;
        for (let nowMs = 0; nowMs < 3 * intervalMs; nowMs += stepMs) {
          const { begin, pages } = sweepDue(standing, { nowMs, intervalMs, urgent: false });
          if (begin) standing = { startedAtMs: nowMs, finishedAtMs: null, pages: 0, totalPages };
          for (let left = pages; left > 0 && standing.pages < totalPages; left -= 1) {
            const before = lastRead.get(standing.pages);
            if (before !== undefined) longestMs = Math.max(longestMs, nowMs - before);
            lastRead.set(standing.pages, nowMs);
            standing = { ...standing, pages: standing.pages + 1 };
          }
          if (standing.pages >= totalPages && standing.finishedAtMs === null) {
            standing = { ...standing, finishedAtMs: nowMs };
          }
        }
        expect(lastRead.size).toBe(totalPages);
        expect(longestMs).toBeLessThanOrEqual(intervalMs);
      },
    ),
    { numRuns: 30 },
  );
});
