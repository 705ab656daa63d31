import { expect, test } from 'vitest';
import { isTooEarly } from '../../../src/app/daemon/due.ts';

test('changes are looked for no more often than the budget of their list allows', () => {
  const paced = { kind: 'unordered-filter', by: 'position', everyMs: 360_000 } as const;
  const well = (sinceMs: number) => ({ sinceMs, failed: false });
  expect(isTooEarly(paced, well(60_000))).toBe(true);
  expect(isTooEarly(paced, well(359_000))).toBe(false);
  expect(isTooEarly({ kind: 'unordered-filter', by: 'position' }, well(0))).toBe(false);
  expect(isTooEarly({ kind: 'ordered-filter' }, well(0))).toBe(false);
});

test('what failed is not tried more often either, or a mistake would spend the budget', () => {
  const scanned = { kind: 'full-scan', by: 'position', everyMs: 360_000 } as const;
  expect(isTooEarly(scanned, { sinceMs: 60_000, failed: true })).toBe(true);
  expect(isTooEarly(scanned, { sinceMs: 60_000, failed: false })).toBe(false);
});
