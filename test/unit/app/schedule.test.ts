import { describe, expect, test } from 'vitest';
import { objectSettings } from '../../../src/app/config/objects.ts';
import { DUE } from '../../../src/app/daemon/due.ts';
import { timeOfDay } from '../../../src/app/daemon/reconcile-schedule.ts';
import { Schedule } from '../../../src/app/daemon/schedule.ts';
import { turnedClock } from '../../support/turned-clock.ts';
import { changesOf, ZONES, zoneOffset } from '../../support/zone.ts';

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000];

/** Every schedule of the program, and two that a user may have set, with how often each is due. */
const INTERVALS = {
  [objectSettings({ objects: {}, exclude: [] }, 'person').pull]: MINUTE_MS,
  '*/30 * * * * *': MINUTE_MS / 2,
  '*/5 * * * *': 5 * MINUTE_MS,
  [DUE.sweeps]: MINUTE_MS / 4,
  [DUE.recordings]: MINUTE_MS,
  [DUE.waits]: MINUTE_MS,
} as const;
const DAILY = [DUE.housekeeping, '30 2 * * *', timeOfDay('installation', 'person')];
const EXPRESSIONS = [...new Set([...Object.keys(INTERVALS), ...DAILY, DUE.schemaCheck, DUE.users])];

/** A schedule at work, and when its jobs ran. */
function scheduled(startMs: number, zone: string) {
  const clock = turnedClock(startMs, zoneOffset(zone));
  const runs = new Map<string, number[]>(EXPRESSIONS.map((expression) => [expression, []]));
  const jobs = EXPRESSIONS.map((expression) => ({
    name: expression,
    expression,
    run: async () => void runs.get(expression)?.push(clock.nowMs()),
  }));
  const schedule = new Schedule(jobs, { clock });
  schedule.start();
  return { clock, schedule, runsOf: (expression: string) => runs.get(expression) ?? [] };
}

// Where no clocks are changed, any two days are as good.
describe.each(ZONES)('where clocks are changed in %s', (zone) => {
  const changes = changesOf(zone);
  test.each(changes.length > 0 ? changes : [Date.UTC(2026, 2, 29, 1)])(
    'at %i, every schedule keeps its pace',
    async (change) => {
      const { clock, schedule, runsOf } = scheduled(change - 30 * HOUR_MS, zone);
      const said = new Map(DAILY.map((name) => [name, new Set<number>()]));
      for (let hour = 0; hour < 48; hour += 1) {
        for (const name of DAILY) said.get(name)?.add(schedule.next(name)?.at.getTime() ?? 0);
        await clock.pass(HOUR_MS);
      }
      await schedule.stop();
      const paces = Object.entries(INTERVALS).map(([expression, intervalMs]) => ({
        expression,
        runs: runsOf(expression).length,
        // One more at the start.
        expected: (48 * HOUR_MS) / intervalMs + 1,
      }));
      expect(paces.filter(({ runs, expected }) => runs !== expected)).toEqual([]);
      const [first = [], ...days] = [0, 1, 2].map((n) => DAILY.map((name) => runsOf(name).at(n)));
      expect(first).toEqual(DAILY.map(() => change - 30 * HOUR_MS));
      expect(days).toEqual(
        [0, 1].map((n) => DAILY.map((name) => [...(said.get(name) ?? [])].at(n))),
      );
      expect(DAILY.map((name) => runsOf(name).length)).toEqual(DAILY.map(() => 3));
    },
  );
});

test('after a sleep every schedule has run once, and none in a burst', async () => {
  const { clock, schedule, runsOf } = scheduled(Date.UTC(2026, 5, 10, 12), 'Europe/Oslo');
  await clock.pass(1);
  clock.sleep(3 * DAY_MS);
  await clock.pass(10_000);
  await schedule.stop();
  expect(EXPRESSIONS.map((expression) => runsOf(expression).length)).toEqual(
    EXPRESSIONS.map(() => 2),
  );
});

test('a job that runs when its time comes is not started again', async () => {
  const clock = turnedClock(Date.UTC(2026, 5, 10, 12), zoneOffset('UTC'));
  let runs = 0;
  let end = () => {};
  const run = () => {
    runs += 1;
    return runs > 1 ? Promise.resolve() : new Promise<void>((resolve) => (end = resolve));
  };
  const schedule = new Schedule([{ name: 'slow', expression: '* * * * *', run }], { clock });
  schedule.start();
  await clock.pass(HOUR_MS);
  expect(runs).toBe(1);
  end();
  await clock.pass(HOUR_MS);
  expect(runs).toBe(61);
  await schedule.stop();
});

test('what comes due while this process may not work is done once, as soon as it may', async () => {
  const clock = turnedClock(Date.UTC(2026, 5, 10, 12), zoneOffset('UTC'));
  let leads = true;
  let runs = 0;
  const run = async () => void (runs += 1);
  const jobs = ['* * * * *', '17 3 * * *'].map((name) => ({ name, expression: name, run }));
  const schedule = new Schedule(jobs, { clock, mayRun: () => leads });
  schedule.start();
  leads = false;
  await clock.stand(3 * DAY_MS);
  await clock.pass(10 * MINUTE_MS);
  expect(runs).toBe(2);
  leads = true;
  await clock.pass(2_000);
  expect(runs).toBe(4);
  leads = false;
  await clock.pass(HOUR_MS);
  await schedule.stop();
  leads = true;
  await clock.pass(HOUR_MS);
  expect(runs).toBe(4);
});
