import { expect, test } from 'vitest';
import { createClarifyRemote } from '../../../src/clarify/remote.ts';
import type { Priority } from '../../../src/domain/remote.ts';
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
