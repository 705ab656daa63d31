import { describe, expect, test } from 'vitest';
import { objectSettings } from '../../../src/app/config/objects.ts';
import { type CronTimes, cronTimes } from '../../../src/app/daemon/cron-times.ts';
import { DUE, schemaCheckAt, sweepsAt } from '../../../src/app/daemon/due.ts';
import type { OffsetAt } from '../../../src/app/daemon/local-time.ts';
import { timeOfDay } from '../../../src/app/daemon/reconcile-schedule.ts';
import { changesOf, YEAR_2026, ZONES, zoneOffset } from '../../support/zone.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const EVERY_MINUTE = objectSettings({ objects: {}, exclude: [] }, 'person').pull;

function* instants(times: CronTimes, { fromMs, toMs } = YEAR_2026): Generator<number> {
  for (let at = times.after(fromMs - 1); at !== null && at < toMs; at = times.after(at)) yield at;
}

/** All of them, and the gaps between them, which are too many to keep. */
function paced(times: CronTimes): { readonly count: number; readonly gaps: readonly number[] } {
  let [count, before] = [0, Number.NaN];
  const gaps = new Set<number>();
  for (
    let at = times.after(YEAR_2026.fromMs - 1);
    at !== null && at < YEAR_2026.toMs;
    at = times.after(at)
  ) {
    if (count > 0 && !gaps.has(at - before)) gaps.add(at - before);
    count += 1;
    before = at;
  }
  return { count, gaps: [...gaps] };
}

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** Minute by minute: when the clocks first show these minutes of the day, or have passed them. */
function watched(minutesOfDay: readonly number[], offsetAt: OffsetAt): number[] {
  const due: number[] = [];
  const { fromMs, toMs } = YEAR_2026;
  let furthest = fromMs - MINUTE_MS + offsetAt(fromMs - MINUTE_MS);
  for (let at = fromMs; at < toMs; at += MINUTE_MS) {
    const shown = at + offsetAt(at);
    let isDue = false;
    for (let local = furthest + MINUTE_MS; local <= shown; local += MINUTE_MS) {
      isDue ||= minutesOfDay.includes((local / MINUTE_MS) % 1_440);
    }
    if (isDue) due.push(at);
    furthest = Math.max(furthest, shown);
  }
  return due;
}

describe.each(ZONES)('a year in %s', (zone) => {
  const offsetAt = zoneOffset(zone);

  test.each([
    [EVERY_MINUTE, MINUTE_MS],
    ...new Map([
      [DUE.schemaCheck, 5 * MINUTE_MS],
      [DUE.users, 5 * MINUTE_MS],
    ]),
    [DUE.sweeps, 15_000],
    [sweepsAt(43), 15_000],
    [schemaCheckAt(43), 5 * MINUTE_MS],
    ['43 * * * * *', MINUTE_MS],
    [DUE.recordings, MINUTE_MS],
    [DUE.waits, MINUTE_MS],
    ['*/30 * * * * *', 30_000],
    ['7 */20 * * * *', 20 * MINUTE_MS],
    ['30 * * * *', HOUR_MS],
    ['@hourly', HOUR_MS],
  ])('%s is an interval', (expression, intervalMs) => {
    const { count, gaps } = paced(cronTimes(expression, offsetAt));
    expect(gaps).toEqual([intervalMs]);
    expect(count).toBe((YEAR_2026.toMs - YEAR_2026.fromMs) / intervalMs);
  });

  test.each([
    [DUE.housekeeping, [197]],
    ['0 0 * * *', [0]],
    ['15 1 * * *', [75]],
    ['45 1 * * *', [105]],
    ['30 2 * * *', [150]],
    ['0 0,30 2,14 * * *', [120, 150, 840, 870]],
    ['59 23 * * *', [1439]],
    ...['person', 'company', 'deal'].map((object) => {
      const expression = timeOfDay('installation', object);
      const [minute, hour] = expression.split(' ').map(Number);
      return [expression, [(hour ?? 0) * 60 + (minute ?? 0)]] as const;
    }),
  ] as const)('%s is due once a day, whatever the clocks do', (expression, minutes) => {
    const found = [...instants(cronTimes(expression, offsetAt))];
    expect(found.map(iso)).toEqual(watched(minutes, offsetAt).map(iso));
    if (minutes.length === 1) expect(found.length).toBeGreaterThanOrEqual(365);
  });

  test.each([
    ['0 */2 * * *', 2],
    ['30 */6 * * *', 6],
    ['0 0 */12 * * *', 12],
  ])('%s never pauses longer than that, and goes by the clocks', (expression, hours) => {
    const times = cronTimes(expression, offsetAt);
    const { count, gaps } = paced(times);
    expect(Math.max(...gaps)).toBe(hours * HOUR_MS);
    expect(Math.abs(count - (365 * 24) / hours)).toBeLessThanOrEqual(2);
    const byTheClocks = [...instants(times)].filter((at) => {
      const hour = Math.floor((at + offsetAt(at)) / HOUR_MS);
      return hour % hours === 0;
    });
    expect(count - byTheClocks.length).toBeLessThanOrEqual(2);
  });

  test('a window does not stand still where its minutes are shown twice', () => {
    const times = cronTimes('*/10 0-6 * * 0-6', offsetAt);
    for (const change of changesOf(zone)) {
      const around = { fromMs: change - HOUR_MS, toMs: change + 2 * HOUR_MS };
      const found = [...instants(times, around)];
      const gaps = found.slice(1).map((at, n) => at - (found[n] ?? at));
      expect([...new Set(gaps)]).toEqual([10 * MINUTE_MS]);
    }
  });

  test('from any instant on, what comes next is the same', () => {
    for (const expression of ['30 2 * * *', '45 1 * * *', '*/20 1-3 * * *', '5 1-3 * * *']) {
      const times = cronTimes(expression, offsetAt);
      for (const change of changesOf(zone)) {
        const around = { fromMs: change - 30 * HOUR_MS, toMs: change + 30 * HOUR_MS };
        const found = [...instants(times, around)];
        for (let at = around.fromMs; at < change + 3 * HOUR_MS; at += 450_000) {
          expect(iso(times.after(at))).toBe(iso(found.find((each) => each > at) ?? null));
        }
      }
    }
  });
});

test('what is skipped is due where the gap ends, and what comes twice the first time', () => {
  const oslo = zoneOffset('Europe/Oslo');
  const at230 = cronTimes('30 2 * * *', oslo);
  expect(iso(at230.after(Date.parse('2026-03-28T12:00:00Z')))).toBe('2026-03-29T01:00:00.000Z');
  expect(iso(at230.after(Date.parse('2026-10-24T12:00:00Z')))).toBe('2026-10-25T00:30:00.000Z');
  expect(iso(at230.after(Date.parse('2026-10-25T00:30:00Z')))).toBe('2026-10-26T01:30:00.000Z');
});

test('a window ends when the clocks say so', () => {
  const newYork = zoneOffset('America/New_York');
  const times = cronTimes('*/20 9-10 * * 1-5', newYork);
  // A Friday in winter; the clocks are set forward on the Sunday.
  const found = instants(times, {
    fromMs: Date.parse('2026-03-06T15:30:00Z'),
    toMs: Date.parse('2026-03-09T14:00:00Z'),
  });
  expect([...found].map(iso)).toEqual([
    '2026-03-06T15:40:00.000Z',
    '2026-03-09T13:00:00.000Z',
    '2026-03-09T13:20:00.000Z',
    '2026-03-09T13:40:00.000Z',
  ]);
});

test('a day that a place leaves out is made up for as soon as it is over', () => {
  // Samoa went from the evening of 29 December 2011 to the morning of the 31st.
  const times = cronTimes('17 3 * * *', zoneOffset('Pacific/Apia'));
  const found = instants(times, {
    fromMs: Date.parse('2011-12-29T00:00:00Z'),
    toMs: Date.parse('2012-01-01T00:00:00Z'),
  });
  expect([...found].map(iso)).toEqual([
    '2011-12-29T13:17:00.000Z',
    '2011-12-30T10:00:00.000Z',
    '2011-12-30T13:17:00.000Z',
    '2011-12-31T13:17:00.000Z',
  ]);
});

test.each([
  ['0 0 L * *', '2026-01-31T00:00:00.000Z'],
  ['0 9 * * 1#2', '2026-01-12T09:00:00.000Z'],
  ['0 9 15W 2 *', '2026-02-16T09:00:00.000Z'],
  ['0 0 29 2 5', '2036-02-29T00:00:00.000Z'],
  ['0 22 * * fri-mon', '2026-01-02T22:00:00.000Z'],
  ['0 0 13 * 5', '2026-02-13T00:00:00.000Z'],
  ['0 0 30W 2 *', null],
])('%s means what node-cron says it does', (expression, expected) => {
  expect(iso(cronTimes(expression, () => 0).after(YEAR_2026.fromMs))).toBe(expected);
});
