import { expect, test } from 'vitest';
import { pull, push } from '../clarify/scripted-server.ts';
import { record, refusal, withAttio } from './scripted-attio.ts';

const DATE = 'Tue, 23 May 2023 14:42:00 GMT';
const used = {
  ...refusal(429, 'rate_limit_exceeded'),
  headers: { date: DATE, 'retry-after': 'Tue, 23 May 2023 14:42:03 GMT' },
};

test('a refusal says until when by the server’s clock, and every read waits for it', async () => {
  await withAttio(
    (_seen, count) => (count === 1 ? used : { body: { data: record('r-1') } }),
    async (remote, server, clock) => {
      const [people] = await remote.discover(pull);
      if (people === undefined) throw new Error('no people');
      server.seen.length = 0;
      clock.slept.length = 0;
      expect(await remote.readRecord({ object: people, id: 'r-1' }, pull)).not.toBeNull();
      // Three seconds, although by our clock that was years ago.
      const waitedMs = clock.slept.reduce((sum, ms) => sum + ms, 0);
      expect(waitedMs).toBeGreaterThan(2_500);
      expect(waitedMs).toBeLessThan(3_500);
      expect(server.seen).toHaveLength(2);
    },
  );
});

test('no second sees more requests than the allowance lets, over all endpoints', async () => {
  const atMs: number[] = [];
  let now = () => 0;
  await withAttio(
    ({ method }) => {
      if (method !== 'GET') atMs.push(now());
      return { body: { data: record('r-1') } };
    },
    async (remote, _server, clock) => {
      now = () => clock.monotonicMs();
      const objects = await remote.discover(pull);
      await Promise.all(
        Array.from({ length: 60 }, async (_, n) => {
          const object = objects[n % 2];
          if (object === undefined) throw new Error('no object');
          await remote.update({ object, records: [{ id: `r-${n}`, fields: {} }] }, push);
        }),
      );
      expect(atMs).toHaveLength(60);
      const most = Math.max(
        ...atMs.map((from) => atMs.filter((at) => at >= from && at < from + 1_000).length),
      );
      // 80 percent of 25, and the server’s own way of counting.
      expect(most).toBeLessThanOrEqual(20);
    },
  );
});

test('writes do not wait for reads that are refused', async () => {
  await withAttio(
    ({ method, path }) =>
      method === 'PUT' || path.endsWith('/w') ? { body: { data: record('w') } } : used,
    async (remote, server) => {
      const [people] = await remote.discover(pull);
      if (people === undefined) throw new Error('no people');
      server.seen.length = 0;
      const stopped = new AbortController();
      const waiting = remote
        .readRecord({ object: people, id: 'r-1' }, { ...pull, signal: stopped.signal })
        .catch(() => null);
      await remote.update({ object: people, records: [{ id: 'w', fields: {} }] }, push);
      stopped.abort();
      await waiting;
      expect(server.seen.some(({ method }) => method === 'PUT')).toBe(true);
    },
  );
});
