import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutRanges, planRanges } from '../../../src/backfill/plan-ranges.ts';
import type { RangeBounds } from '../../../src/db/backfill/ranges.ts';
import { ListedRemote, mirror } from './listed-remote.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 5);
const signal = new AbortController().signal;

const instant = fc.integer({ min: START_MS, max: START_MS + 20 * DAY_MS });

function holds({ from, before }: RangeBounds, atMs: number): boolean {
  return (
    (from === null || atMs >= Date.parse(from)) && (before === null || atMs < Date.parse(before))
  );
}

describe('ranges', () => {
  it('hold every instant once, wherever the cuts fall', () => {
    fc.assert(
      fc.property(fc.array(instant), fc.boolean(), fc.array(instant), (cuts, byDay, instants) => {
        const ranges = cutRanges(null, cuts, byDay);
        for (const atMs of [...instants, ...cuts]) {
          expect(ranges.filter((range) => holds(range, atMs))).toHaveLength(1);
        }
      }),
    );
  });

  it('begin with the day where the server compares days, and never before `since`', () => {
    const since = new Date(START_MS + 3 * DAY_MS + 5).toISOString();
    const cuts = [1, 3.5, 3.6, 4.2, 4.9].map((days) => START_MS + days * DAY_MS);
    const day = new Date(START_MS + 4 * DAY_MS).toISOString();
    expect(cutRanges(since, cuts, true)).toEqual([
      { from: since, before: day },
      { from: day, before: null },
    ]);
  });
});

describe('a plan', () => {
  const records = Array.from({ length: 1_000 }, (_, n) => START_MS + n * 600_000);
  const plan = (remote: ListedRemote, readers = 4, since: string | null = null) =>
    planRanges(remote, mirror, { since, readers, signal, priority: 'backfill' });

  it('has about as many records in each range', async () => {
    const remote = new ListedRemote(records, { pageSize: 10 });
    const { ranges, total, requests } = await plan(remote);
    expect({ ranges: ranges.length, total, requests }).toEqual({
      ranges: 12,
      total: 1_000,
      requests: 13,
    });
    for (const range of ranges) {
      const held = records.filter((atMs) => holds(range, atMs));
      expect(held.length).toBeGreaterThan(80);
      expect(held.length).toBeLessThan(87);
    }
  });

  it('begins each range with a day where the server compares days', async () => {
    const { ranges } = await plan(new ListedRemote(records, { pageSize: 10, filter: 'days' }));
    expect(ranges.length).toBeGreaterThan(4);
    for (const { from } of ranges.slice(1)) expect(from).toMatch(/T00:00:00\.000Z$/);
  });

  it.each([
    ['there is one reader', records, 1],
    ['the total is not known, and small', records.slice(0, 70), 4],
  ] as const)('is one range where %s', async (_, held, readers) => {
    const remote = new ListedRemote(held, { pageSize: 10, total: 'none' });
    const { ranges, total } = await plan(remote, readers);
    expect(ranges).toEqual([{ from: null, before: null }]);
    expect(total).toBeNull();
  });

  it('finds out about how many there are where nobody says', async () => {
    const remote = new ListedRemote(records, { pageSize: 10, total: 'none' });
    const { ranges, total, requests } = await plan(remote);
    expect(total).toBeGreaterThan(900);
    expect(total).toBeLessThan(1_000);
    expect(ranges.length).toBeGreaterThanOrEqual(8);
    expect(requests).toBeLessThan(25);
    for (const atMs of records) {
      expect(ranges.filter((range) => holds(range, atMs))).toHaveLength(1);
    }
  });

  it('is as good where the total is far too high', async () => {
    const { ranges } = await plan(new ListedRemote(records, { pageSize: 10, total: 'tenfold' }));
    for (const atMs of records) {
      expect(ranges.filter((range) => holds(range, atMs))).toHaveLength(1);
    }
  });

  it('asks for what `since` leaves alone', async () => {
    const since = new Date(START_MS + 900 * 600_000).toISOString();
    const { ranges, total } = await plan(new ListedRemote(records, { pageSize: 1 }), 4, since);
    expect(total).toBe(100);
    expect(ranges[0]?.from).toBe(since);
    expect(ranges).toHaveLength(12);
  });
});
