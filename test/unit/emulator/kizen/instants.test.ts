import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantAt, isDay, zoneClock } from '../../../../src/emulator/kizen/instants.ts';

const zones = ['America/Chicago', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC'];

test('what a zone’s clock shows is the instant again, to the microsecond', () => {
  const ms = fc.integer({ min: Date.UTC(1925, 0, 1), max: Date.UTC(2100, 0, 1) });
  const below = fc.integer({ min: 0, max: 999 });
  fc.assert(
    fc.property(fc.constantFrom(...zones), ms, below, (zone, at, micros) => {
      const clock = zoneClock(zone);
      const instant = instantAt(at, micros);
      const shown = clock.show(instant);
      expect(clock.read(shown)).toBe(instant);
      expect(Date.parse(shown)).toBe(at);
      expect(isDay(clock.day(instant))).toBe(true);
    }),
  );
});

test.each([
  ['2026-03-08T08:00:00.000000Z', '2026-03-08T03:00:00.000000-05:00'],
  ['2026-11-01T06:30:00.000000Z', '2026-11-01T01:30:00.000000-05:00'],
  ['2026-11-01T07:30:00.000000Z', '2026-11-01T01:30:00.000000-06:00'],
  // Local mean time, before there were zones.
  ['1850-01-01T00:00:00.000001Z', '1849-12-31T18:09:24.000001-05:50:36'],
])('in Chicago %s is %s', (instant, shown) => {
  expect(zoneClock('America/Chicago').show(instant)).toBe(shown);
});

test.each([
  ['2026-01-01T00:00:00', '2026-01-01T06:00:00.000000Z'],
  ['2026-07-01 00:00:00.5', '2026-07-01T05:00:00.500000Z'],
  ['2026-07-01T00:00:00+0200', '2026-06-30T22:00:00.000000Z'],
  ['2026-07-01T00:00Z', '2026-07-01T00:00:00.000000Z'],
  ['2026-02-30T00:00:00Z', null],
  ['2026-01-01', null],
  ['soon', null],
])('%s is read as %s, by the business’s own time where it has no offset', (text, instant) => {
  expect(zoneClock('America/Chicago').read(text)).toBe(instant);
});
