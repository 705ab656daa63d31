import { expect, test } from 'vitest';
import { createClarifyRemote } from '../../../../src/crm/clarify/remote.ts';
import type { Priority } from '../../../../src/domain/remote.ts';
import { page, person, pull, type Reply, startServer, withRemote } from './scripted-server.ts';

const list = (offset: number) =>
  ({ object: person, orderBy: 'updated', direction: 'asc', offset, limit: 500 }) as const;
const limited = (remaining: number, resetS: number, more: Reply = {}): Reply => ({
  body: page([]),
  headers: {
    'x-ratelimit-limit': '100',
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(resetS),
  },
  ...more,
});

test('push goes before pull, pull before backfill', () =>
  withRemote(
    () => limited(90, 60),
    async (remote, { seen }) => {
      const order: Priority[] = ['backfill', 'backfill', 'pull', 'push', 'pull', 'push'];
      await Promise.all(
        order.map((priority, at) => remote.readPage(list(at), { ...pull, priority })),
      );
      // The first was on its way before the others came.
      const offsets = seen.map(({ query }) => Number(query.get('page[offset]')));
      expect(offsets).toEqual([0, 3, 5, 2, 4, 1]);
    },
    { concurrency: 1 },
  ));

test('what is used up waits for the window, and a waiting call obeys its signal', async () => {
  const server = await startServer(() => limited(20, 60));
  const remote = createClarifyRemote({
    baseUrl: server.url,
    workspace: 'acme',
    apiKey: 'k',
    allowancePercent: 80,
  });
  try {
    await remote.readPage(list(0), pull);
    const aborting = new AbortController();
    const waiting = remote.readPage(list(1), { ...pull, signal: aborting.signal });
    const ended = waiting.catch((error: unknown) => error);
    expect(remote.stats()).toMatchObject([
      {
        endpoint: 'GET /objects/person/resources',
        requests: 1,
        byStatus: { 200: 1 },
        limit: 100,
        remaining: 20,
        waiting: 1,
      },
    ]);
    aborting.abort('enough');
    expect(await ended).toBe('enough');
    expect(server.seen).toHaveLength(1);
  } finally {
    await remote.stop();
    await server.close();
  }
});

test('a refusal stops everyone at the endpoint, and nobody elsewhere', () =>
  withRemote(
    ({ path }, count) =>
      count === 1 && path.includes('person')
        ? { status: 429, headers: { 'retry-after': '30' } }
        : limited(90, 60),
    async (remote, { seen }, clock) => {
      const startMs = clock.nowMs();
      await remote.readPage(list(0), pull);
      expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(30_000);
      expect(seen).toHaveLength(2);
    },
  ));

test('a server that wants more patience than a call should have gets an error instead', () =>
  withRemote(
    () => ({ status: 429, headers: { 'retry-after': '3600' } }),
    async (remote, { seen }) => {
      const refused = { code: 'remote-rate-limited', disposition: 'retry', status: 429 };
      await expect(remote.readPage(list(0), pull)).rejects.toMatchObject(refused);
      await expect(remote.readPage(list(0), pull)).rejects.toMatchObject({
        ...refused,
        retryAfterMs: expect.any(Number),
      });
      expect(seen).toHaveLength(1);
    },
  ));

test('many calls run, no more at once than allowed', () => {
  let running = 0;
  let most = 0;
  return withRemote(
    async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return { body: page([]) };
    },
    async (remote) => {
      const calls = Array.from({ length: 60 }, (_, at) => remote.readPage(list(at), pull));
      expect(await Promise.all(calls)).toHaveLength(60);
      expect(most).toBeLessThanOrEqual(4);
      expect(most).toBeGreaterThan(1);
    },
    { concurrency: 4 },
  );
});

const other = { ...person, object: 'company' };
const held = (retryAfter: string, more: Record<string, string> = {}): Reply => ({
  status: 429,
  headers: { 'retry-after': retryAfter, ...more },
});
const refused = { code: 'remote-rate-limited', disposition: 'retry', status: 429 };

test.each([429, 503])(
  'an hour asked for by a %s holds that endpoint alone, and is told',
  (status) => {
    const told: unknown[] = [];
    return withRemote(
      ({ path }) => (path.includes('person') ? { ...held('3600'), status } : limited(90, 60)),
      async (remote, _server, clock) => {
        remote.watchHolds((change) => told.push(change));
        const startMs = clock.nowMs();
        await expect(remote.readPage(list(0), pull)).rejects.toMatchObject({ status });
        await expect(remote.readPage(list(0), pull)).rejects.toMatchObject({
          ...refused,
          message: expect.stringMatching(/until \d{4}-\d\d-\d\dT/),
        });
        expect(await remote.readPage({ ...list(0), object: other }, pull)).toBeDefined();
        expect(clock.nowMs() - startMs).toBeLessThan(5_000);
        const untilMs = remote.stats()[0]?.heldUntilMs ?? 0;
        expect(Math.round((untilMs - startMs) / 60_000)).toBe(60);
        expect(told).toEqual([{ endpoint: 'GET /objects/person/resources', untilMs }]);
        expect(remote.stats()[1]).toMatchObject({ heldUntilMs: null });
      },
    );
  },
);

test('every few minutes one request asks whether it still stands, and may end it', () => {
  const told: (number | null)[] = [];
  let isOver = false;
  return withRemote(
    () => (isOver ? limited(90, 60) : held('3600')),
    async (remote, { seen }, clock) => {
      remote.watchHolds(({ untilMs }) => told.push(untilMs));
      const read = () => remote.readPage(list(0), pull);
      const minutes = (count: number) => clock.sleep(count * 60_000, pull.signal);
      await expect(read()).rejects.toMatchObject(refused);
      await minutes(0.5);
      await expect(read()).rejects.toMatchObject(refused);
      expect(seen).toHaveLength(1);
      await minutes(3);
      await expect(read()).rejects.toMatchObject(refused);
      expect(seen).toHaveLength(2);
      isOver = true;
      await minutes(3);
      await Promise.all([read(), read(), read()]);
      expect(seen).toHaveLength(5);
      // The hour it began with, the hour as the probe heard it, and that it is over.
      expect(told.at(-1)).toBeNull();
      expect(told.slice(0, -1).every((untilMs) => untilMs !== null)).toBe(true);
      expect(remote.stats()[0]?.heldUntilMs).toBeNull();
    },
  );
});

test('who waits already is told as well, and nobody sits through it', () =>
  withRemote(
    () => held('3600'),
    async (remote, { seen }) => {
      const calls = Array.from({ length: 20 }, (_, at) => remote.readPage(list(at), pull));
      for (const call of await Promise.allSettled(calls)) expect(call.status).toBe('rejected');
      expect(seen).toHaveLength(1);
    },
    { concurrency: 1 },
  ));

test('a limit that is used up holds all who share it, for no longer than its window', () =>
  withRemote(
    (_request, count) =>
      count === 1
        ? held('30', { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '0' })
        : limited(90, 60),
    async (remote, { seen }, clock) => {
      const startMs = clock.nowMs();
      const one = remote.readPage(list(0), pull);
      await Promise.all([one, remote.readPage({ ...list(0), object: other }, pull)]);
      expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(30_000);
      expect(seen).toHaveLength(3);
      expect(remote.stats().map(({ heldUntilMs }) => heldUntilMs)).toEqual([null, null]);
    },
  ));

test.each<[string, Record<string, string>, number]>([
  ['negative', { 'retry-after': '-5' }, 2_000],
  ['no number', { 'retry-after': 'soon' }, 2_000],
  ['empty', { 'retry-after': '' }, 2_000],
  ['a date gone by', { 'retry-after': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 2_000],
  ['a reset that is an epoch in the past', { 'x-ratelimit-reset': '1000000000' }, 2_000],
  ['a reset that is a year', { 'x-ratelimit-reset': '31000000' }, 61_000],
  ['a reset that is no number', { 'x-ratelimit-reset': 'never' }, 2_000],
])('a wait that makes no sense is none: %s', (_name, headers, mostMs) =>
  withRemote(
    (_request, count) => (count === 1 ? { status: 429, headers } : limited(90, 60)),
    async (remote, _server, clock) => {
      const startMs = clock.nowMs();
      await remote.readPage(list(0), pull);
      expect(clock.nowMs() - startMs).toBeLessThanOrEqual(mostMs);
    },
  ),
);

test.each(['1e300', '99999999999', 'Fri, 31 Dec 9999 23:59:59 GMT'])(
  'an absurd wait is a day, and asked about like any other: %s',
  (retryAfter) =>
    withRemote(
      (_request, count) => (count === 1 ? held(retryAfter) : limited(90, 60)),
      async (remote, _server, clock) => {
        await expect(remote.readPage(list(0), pull)).rejects.toMatchObject(refused);
        const leftMs = (remote.stats()[0]?.heldUntilMs ?? 0) - clock.nowMs();
        expect(leftMs).toBeLessThanOrEqual(86_400_000);
        await clock.sleep(181_000, pull.signal);
        await remote.readPage(list(0), pull);
      },
    ),
);

test('who pushes does not wait behind one endpoint', () =>
  withRemote(
    () => held('20'),
    async (remote, _server, clock) => {
      const startMs = clock.nowMs();
      const write = { object: person, records: [{ id: 'a', fields: {} }] };
      await expect(remote.update(write, { ...pull, priority: 'push' })).rejects.toMatchObject(
        refused,
      );
      expect(clock.nowMs() - startMs).toBeLessThan(1_000);
    },
  ));
