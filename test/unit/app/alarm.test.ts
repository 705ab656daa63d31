import { describe, expect, test } from 'vitest';
import { Alarm } from '../../../src/app/daemon/alarm.ts';
import { turnedClock } from '../../support/turned-clock.ts';
import { zoneOffset } from '../../support/zone.ts';

const [SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS] = [1_000, 60_000, 3_600_000, 86_400_000];
const NOON = Date.parse('2026-06-10T12:00:20Z');

function alarm(expression: string, { startMs = NOON, zone = 'UTC' } = {}) {
  const clock = turnedClock(startMs, zoneOffset(zone));
  const rings: string[] = [];
  const made = new Alarm(
    expression,
    () => rings.push(new Date(clock.nowMs()).toISOString()),
    clock,
  );
  return { clock, rings, made };
}

const times = (rings: readonly string[]) => rings.map((ring) => ring.slice(11, 19));

describe('a clock that nobody sets', () => {
  test('rings when it says it will', async () => {
    const { clock, rings, made } = alarm('*/2 * * * *');
    const said: (string | undefined)[] = [];
    for (let n = 0; n < 3; n += 1) {
      said.push(made.next()?.at.toISOString());
      await clock.pass(2 * MINUTE_MS);
    }
    expect(rings).toEqual(said);
    expect(times(rings)).toEqual(['12:02:00', '12:04:00', '12:06:00']);
    expect(made.next()?.intervalMs).toBe(2 * MINUTE_MS);
  });

  test('stopped, it rings no more', async () => {
    const { clock, rings, made } = alarm('* * * * *');
    await clock.pass(MINUTE_MS);
    made.stop();
    await clock.pass(HOUR_MS);
    expect(rings).toHaveLength(1);
    expect(made.next()).toBeNull();
  });

  test('a time that is months away is waited for', async () => {
    const { clock, rings } = alarm('0 12 10 9 *');
    await clock.pass(100 * DAY_MS);
    expect(rings).toEqual(['2026-09-10T12:00:00.000Z']);
  });

  test('drifting and brought right little by little, it rings once for every time', async () => {
    const { clock, rings } = alarm('* * * * *');
    for (let n = 0; n < 600; n += 1) {
      await clock.pass(SECOND_MS);
      clock.set(n % 2 === 0 ? -7 : 6);
    }
    expect(rings).toHaveLength(10);
    expect(new Set(times(rings).map((ring) => ring.slice(0, 5))).size).toBe(10);
  });
});

describe.each(['*/30 * * * * *', '* * * * *', '*/5 * * * *', '17 * * * *', '17 3 * * *'])(
  '%s, missed',
  (expression) => {
    test('while the machine slept, is made up for once, as soon as it is awake', async () => {
      const { clock, rings } = alarm(expression);
      clock.sleep(3 * DAY_MS + 2 * MINUTE_MS);
      await clock.pass(10 * SECOND_MS);
      expect(rings).toHaveLength(1);
    });

    test('while the process stood still, is made up for once and at once', async () => {
      const { clock, rings } = alarm(expression);
      await clock.stand(3 * DAY_MS + 2 * MINUTE_MS);
      expect(rings).toHaveLength(1);
    });

    test('because the clock was set forward, is made up for once', async () => {
      const { clock, rings } = alarm(expression);
      clock.set(DAY_MS);
      await clock.pass(10 * SECOND_MS);
      expect(rings).toHaveLength(1);
    });
  },
);

describe('a clock set back', () => {
  test.each([
    ['*/30 * * * * *', 30 * SECOND_MS],
    ['* * * * *', MINUTE_MS],
    ['*/5 * * * *', 5 * MINUTE_MS],
    ['17 * * * *', HOUR_MS],
    ['0 */6 * * *', 6 * HOUR_MS],
  ])('never holds up %s', async (expression, intervalMs) => {
    for (const byMs of [HOUR_MS, HOUR_MS + 1_234, 7 * SECOND_MS, 400 * DAY_MS]) {
      const { clock, rings, made } = alarm(expression);
      const rangAt: number[] = [];
      for (let second = 0; second < (30 * intervalMs) / SECOND_MS; second += 1) {
        const before = rings.length;
        await clock.pass(SECOND_MS);
        if (rings.length > before) rangAt.push(clock.monotonicMs());
        if (second === (5 * intervalMs) / SECOND_MS) clock.set(-byMs);
      }
      const gaps = rangAt.slice(1).map((at, n) => at - (rangAt[n] ?? at));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(intervalMs + 2 * SECOND_MS);
      expect(rangAt.length).toBeLessThanOrEqual(32);
      expect((made.next()?.at.getTime() ?? 0) - clock.nowMs()).toBeLessThanOrEqual(intervalMs);
    }
  });

  test('does not make a time of day come again', async () => {
    const { clock, rings, made } = alarm('17 3 * * *');
    await clock.pass(16 * HOUR_MS);
    expect(rings).toEqual(['2026-06-11T03:17:00.000Z']);
    clock.set(-HOUR_MS - MINUTE_MS);
    await clock.pass(HOUR_MS);
    expect(made.next()?.at.toISOString()).toBe('2026-06-12T03:17:00.000Z');
    await clock.pass(DAY_MS);
    expect(rings).toEqual(['2026-06-11T03:17:00.000Z', '2026-06-12T03:17:00.000Z']);
  });

  test('brings a time of day that has not come yet when it comes', async () => {
    const { clock, rings } = alarm('17 3 * * *', { startMs: Date.parse('2026-06-10T04:00:00Z') });
    clock.set(-HOUR_MS);
    await clock.pass(HOUR_MS);
    expect(rings).toEqual(['2026-06-10T03:17:00.000Z']);
  });

  test('by a year was wrong before: times of day go by the right one', async () => {
    const { clock, rings } = alarm('17 3 * * *', { startMs: NOON + 365 * DAY_MS });
    await clock.pass(DAY_MS);
    clock.set(-365 * DAY_MS);
    await clock.pass(DAY_MS);
    expect(rings).toEqual(['2027-06-11T03:17:00.000Z', '2026-06-12T03:17:00.000Z']);
  });

  test('holds up no window', async () => {
    const { clock, rings } = alarm('*/10 9-17 * * *');
    await clock.pass(2 * HOUR_MS);
    expect(rings).toHaveLength(12);
    clock.set(-HOUR_MS);
    await clock.pass(HOUR_MS);
    expect(rings).toHaveLength(18);
  });
});

test('a clock set forward and back again does not make a time of day come twice', async () => {
  const { clock, rings } = alarm('17 3 * * *', { startMs: Date.parse('2026-06-10T03:00:00Z') });
  clock.set(HOUR_MS);
  await clock.pass(MINUTE_MS);
  clock.set(-HOUR_MS);
  await clock.pass(HOUR_MS);
  expect(rings).toHaveLength(1);
});
