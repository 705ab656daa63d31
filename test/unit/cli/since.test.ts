import { expect, test } from 'vitest';
import { instant } from '../../../src/cli/syntax/backfill.ts';

test.each([
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31 09:30', '2026-01-31T09:30:00.000Z'],
  ['2026-01-31T09:30:15.5Z', '2026-01-31T09:30:15.500Z'],
  ['2026-01-31T09:30+02:00', '2026-01-31T07:30:00.000Z'],
])('%s is %s', (given, meant) => {
  expect(instant(given)).toBe(meant);
});

test.each(['yesterday', '2026-02-30', '2026-13-01', '31.01.2026', '2026-01-31T25:00', ''])(
  '%j is no date',
  (given) => {
    expect(() => instant(given)).toThrow('It is no date');
  },
);
