import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatInstant,
  parseInstant,
  startOfNextUtcDay,
  startOfUtcDay,
  walkStart,
} from '../../../src/domain/walk/instant.ts';

const NOON = '2026-09-14T12:00:00.000Z';
const NOON_MS = Date.UTC(2026, 8, 14, 12);

describe('parseInstant', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
        expect(parseInstant(formatInstant(ms))).toBe(ms);
      }),
    );
  });

  it.each([
    ['2026-09-14T12:00:00Z', NOON_MS],
    ['2026-09-14T12:00:00.1Z', NOON_MS + 100],
    ['2026-09-14T12:00:00.123999Z', NOON_MS + 123],
    ['2026-09-14T14:00:00.000+02:00', NOON_MS],
    ['2026-09-14T14:00:00.000+0200', NOON_MS],
    ['2026-09-14 12:00:00.000Z', NOON_MS],
    ['2026-09-14 12:00:00+00', NOON_MS],
    ['2026-09-14 06:30:00.25-05:30', NOON_MS + 250],
  ])('reads %s', (text, ms) => {
    expect(parseInstant(text)).toBe(ms);
  });

  it.each([
    null,
    '',
    'yesterday',
    '2026',
    '2026-09-14',
    '2026-09-14T12:00:00',
    '2026-13-14T12:00:00Z',
  ])('has no instant for %s', (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});

describe('walkStart', () => {
  it('steps back a minute', () => {
    expect(walkStart({ at: NOON, confirmed: false }, NOON_MS + 5_000)).toBe(
      '2026-09-14T11:59:00.000Z',
    );
    expect(walkStart({ at: NOON, confirmed: false }, null)).toBe('2026-09-14T11:59:00.000Z');
  });

  it('does not trust a watermark from the future', () => {
    expect(walkStart({ at: '2099-01-01T00:00:00.000Z', confirmed: false }, NOON_MS)).toBe(
      '2026-09-14T11:59:00.000Z',
    );
  });

  it('starts from the beginning without a watermark it can read', () => {
    expect(walkStart(null, NOON_MS)).toBeNull();
    expect(walkStart({ at: 'soon', confirmed: false }, NOON_MS)).toBeNull();
  });
});

describe('UTC days', () => {
  it('begin at midnight', () => {
    expect(startOfUtcDay(NOON_MS)).toBe(NOON_MS - 43_200_000);
    expect(startOfUtcDay(startOfUtcDay(NOON_MS))).toBe(startOfUtcDay(NOON_MS));
    expect(startOfNextUtcDay(NOON_MS)).toBe(NOON_MS + 43_200_000);
  });
});
