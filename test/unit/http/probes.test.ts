import { describe, expect, it } from 'vitest';
import { judgeReadiness, type ReadinessFacts } from '../../../src/http/probes.ts';
import { remembered } from '../../../src/http/snapshot.ts';

const READY: ReadinessFacts = {
  migrations: { applied: 9, total: 9 },
  leads: true,
  led: true,
  objects: [{ object: 'person', lagSeconds: 30, lastError: null }],
  nextRun: () => ({ at: new Date(0), intervalMs: 60_000 }),
};
const HOUR = { object: 'person', lagSeconds: 3_600, lastError: null };

describe('readiness', () => {
  it('holds for a leader that has read everything lately', () => {
    expect(judgeReadiness(READY).ready).toBe(true);
  });

  it.each<[string, Partial<ReadinessFacts>]>([
    ['the database is away', { migrations: null }],
    ['a migration is missing', { migrations: { applied: 8, total: 9 } }],
    ['nobody leads', { leads: false, led: false }],
    ['an object is an hour late', { objects: [HOUR] }],
  ])('does not hold where %s', (_what, facts) => {
    expect(judgeReadiness({ ...READY, ...facts }).ready).toBe(false);
  });

  it.each<[string, Partial<ReadinessFacts>]>([
    ['another process leads, whatever is late', { leads: false, objects: [HOUR] }],
    ['a newer version has migrated the database already', { migrations: 'newer' }],
    ['the first read is under way', { objects: [{ ...HOUR, lagSeconds: null }] }],
    [
      'Clarify has none of the records',
      { objects: [{ ...HOUR, lastError: 'object-unavailable' }] },
    ],
    [
      'the schedule is that slow',
      { objects: [HOUR], nextRun: () => ({ at: new Date(0), intervalMs: 3_600_000 }) },
    ],
  ])('holds where %s', (_what, facts) => {
    expect(judgeReadiness({ ...READY, ...facts }).ready).toBe(true);
  });
});

describe('what is remembered', () => {
  it('is read once for everyone, and longer kept where it took longer', async () => {
    let nowMs = 0;
    let reads = 0;
    const read = remembered(
      async () => {
        reads += 1;
        nowMs += 500;
        return reads;
      },
      { monotonicMs: () => nowMs },
    );
    expect(await Promise.all([read(), read(), read()])).toEqual([1, 1, 1]);
    nowMs += 9_999;
    expect(await read()).toBe(1);
    nowMs += 1;
    expect(await read()).toBe(2);
  });

  it('is no error', async () => {
    let fails = true;
    const read = remembered(async () => {
      if (fails) throw new Error('away');
      return 'here';
    });
    await expect(read()).rejects.toThrow('away');
    fails = false;
    expect(await read()).toBe('here');
  });
});
