import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toInstant } from '../../../../src/crm/wire/instants.ts';

test('an instant in the usual form comes back as it is', () => {
  const instant = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
  fc.assert(fc.property(instant, (date) => toInstant(date.toISOString()) === date.toISOString()));
});

test.each([
  ['2026-08-20T10:00:00Z', '2026-08-20T10:00:00.000Z'],
  ['2026-08-20 10:00:00.5+02:00', '2026-08-20T08:00:00.500Z'],
  ['2026-08-20', '2026-08-20T00:00:00.000Z'],
  [1_787_220_000, '2026-08-20T10:00:00.000Z'],
  [1_787_220_000_123, '2026-08-20T10:00:00.123Z'],
])('%s is read as UTC with milliseconds', (value, instant) => {
  expect(toInstant(value)).toBe(instant);
});

test.each([
  '2026-02-30T00:00:00Z',
  '2026-02-29T00:00:00.000Z',
  '2026-04-31T00:00:00.000Z',
  '2026-00-10T00:00:00.000Z',
  '2026-13-01T00:00:00Z',
  '2026-13-01T00:00:00.000Z',
  '2026-08-20T25:00:00.000Z',
  '2026-08-20Tab:00:00.000Z',
  'yesterday',
  null,
  {},
])('%j is none, and never another day', (value) => {
  expect(toInstant(value)).toBeNull();
});
