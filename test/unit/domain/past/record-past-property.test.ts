import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordPast } from '../../../../src/domain/past/record-past.ts';
import { cases, judge } from './judge.ts';

/** `PAST_RUNS=20000` for a longer look. */
const numRuns = Number(process.env.PAST_RUNS ?? 150);
const timeout = 30_000 + numRuns * 200;

test('of a feed that tells all, every field is what it was, from the creation on', {
  timeout,
}, () => {
  const seen = { records: 0, states: 0 };
  fc.assert(
    fc.property(cases(['nothing']), (history) => {
      for (const { record, untrue, isGapless, isWhole } of judge(recordPast, history)) {
        expect(untrue).toEqual([]);
        expect({ isGapless, isWhole }).toEqual({ isGapless: true, isWhole: true });
        seen.records += 1;
        seen.states += record.truth.length;
      }
    }),
    { numRuns },
  );
  expect(seen.states).toBeGreaterThan(numRuns * 10);
});

test('of a feed with gaps, nothing is told that was not so', { timeout }, () => {
  const seen = { records: 0, known: 0, unknown: 0 };
  const kinds = ['vague', 'no-birth', 'cut', 'no-was', 'one-missing'] as const;
  fc.assert(
    fc.property(cases(kinds), (history) => {
      for (const { versions, untrue, isGapless } of judge(recordPast, history)) {
        expect(untrue).toEqual([]);
        expect(isGapless).toBe(true);
        seen.records += 1;
        seen.known += versions.reduce((sum, { values }) => sum + values.size, 0);
        seen.unknown += versions.reduce((sum, { unknown }) => sum + unknown.length, 0);
      }
    }),
    { numRuns },
  );
  // Honest, and not for want of saying anything.
  expect(seen.known).toBeGreaterThan(seen.unknown);
  expect(seen.unknown).toBeGreaterThan(0);
});
