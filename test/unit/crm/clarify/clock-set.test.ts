import { describe, expect, test } from 'vitest';
import { serverNow } from '../../../../src/conflicts/clocks.ts';
import { page, person, pull, withRemote } from './scripted-server.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const list = {
  object: person,
  orderBy: 'updated',
  direction: 'asc',
  offset: 0,
  limit: 500,
} as const;
const used = {
  'x-ratelimit-limit': '100',
  'x-ratelimit-remaining': '20',
  'x-ratelimit-reset': '60',
};

describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
  ['forward by a year', 365 * DAY_MS],
])('a clock set %s', (_name, byMs) => {
  test('neither voids nor prolongs what the server lets through', () =>
    withRemote(
      () => ({ body: page([]), headers: used }),
      async (remote, { seen }, clock) => {
        await remote.readPage(list, pull);
        clock.set(byMs);
        const startMs = clock.monotonicMs();
        await remote.readPage(list, pull);
        expect(seen).toHaveLength(2);
        const waitedMs = clock.monotonicMs() - startMs;
        expect(waitedMs).toBeGreaterThan(50_000);
        expect(waitedMs).toBeLessThan(62_000);
      },
    ));

  test('changes nothing about how long a refusal counts', () =>
    withRemote(
      (_request, count) =>
        count === 1 ? { status: 429, headers: { 'retry-after': '30' } } : { body: page([]) },
      async (remote, _server, clock) => {
        const startMs = clock.monotonicMs();
        const reading = remote.readPage(list, pull);
        clock.set(byMs);
        await reading;
        const waitedMs = clock.monotonicMs() - startMs;
        expect(waitedMs).toBeGreaterThanOrEqual(30_000);
        expect(waitedMs).toBeLessThan(35_000);
      },
    ));

  test('does not end the attempts of a call early, nor let them go on', () =>
    withRemote(
      () => ({ status: 503 }),
      async (remote, { seen }, clock) => {
        const settled = remote.readPage(list, pull).catch((error: unknown) => error);
        for (let n = 0; n < 3; n += 1) await Promise.resolve();
        clock.set(byMs);
        expect(await settled).toMatchObject({ code: 'remote-unavailable' });
        expect(seen).toHaveLength(6);
      },
    ));

  test('lets a feed that failed alone for as long as any other', () =>
    withRemote(
      () => ({ status: 404, body: {} }),
      async (remote, { seen }, clock) => {
        const request = { object: person, id: 'p1', isEnough: () => false };
        const read = async () => {
          expect(await remote.readHistory(request, pull)).toBeNull();
          return seen.length;
        };
        const asked = await read();
        clock.set(byMs);
        expect(await read()).toBe(asked);
        await clock.sleep(600_001, pull.signal);
        expect(await read()).toBeGreaterThan(asked);
      },
    ));
});

test.each([HOUR_MS, -HOUR_MS])('the server’s time is known although ours was set by %i', (byMs) =>
  withRemote(
    () => ({ body: page([]) }),
    async (remote, _server, clock) => {
      await remote.readPage(list, pull);
      clock.set(byMs);
      const toldMs = serverNow({ remote, nowMs: clock.monotonicMs });
      expect(Math.abs(toldMs - Date.now())).toBeLessThan(2_000);
    },
  ),
);
