import { expect, test } from 'vitest';
import { createPlan } from '../../../../src/crm/brevo/budget.ts';
import type { Clock } from '../../../../src/crm/wire/clock.ts';
import { headers, pull, push, withBrevo } from './scripted-brevo.ts';

const page = { orderBy: 'position', direction: 'asc', offset: 0, limit: 1_000 } as const;

test('a refusal says nothing but its reset: until then nothing goes, and whoever waits is told', async () => {
  let atMs = 0;
  // Nobody wakes who sleeps.
  const stopped: Clock = {
    nowMs: () => atMs,
    monotonicMs: () => atMs,
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('awake')));
      }),
    random: () => 0.5,
  };
  await withBrevo(
    (_request, count) =>
      count === 1
        ? { status: 429, headers: headers(100, 0, 1_800), body: { message: 'rate limit' } }
        : { body: { items: [] }, headers: headers(100, 99, 3_600) },
    async ({ remote, schema, asked }) => {
      const read = (object: string) => remote.readPage({ ...page, object: schema(object) }, push);
      const refused = { code: 'remote-rate-limited', disposition: 'retry' };
      const calls = [read('companies'), read('companies'), read('deals'), read('companies')];
      for (const call of await Promise.allSettled(calls)) {
        expect(call).toMatchObject({ status: 'rejected', reason: refused });
      }
      await expect(read('deals')).rejects.toThrow(/lets no request through until/);
      expect(asked).toHaveLength(1);
      atMs += 1_800_000;
      expect((await read('deals')).records).toEqual([]);
      expect(asked).toHaveLength(2);
    },
    { clock: stopped },
  );
});

test('contacts have a budget of their own', () =>
  withBrevo(
    ({ path }) =>
      path === '/v3/contacts'
        ? { body: { contacts: [], count: 0 }, headers: headers(36_000, 35_000, 3_000) }
        : { status: 429, headers: headers(100, 0, 1_800) },
    async ({ remote, schema }) => {
      const deals = remote.readPage({ ...page, object: schema('deals') }, push);
      await expect(deals).rejects.toMatchObject({ code: 'remote-rate-limited' });
      const contacts = await remote.readPage({ ...page, object: schema('contacts') }, pull);
      expect(contacts.total).toBe(0);
    },
  ));

test.each([
  [100, 360_000],
  [600, 60_000],
  [3_600_000, 10],
])('with %i an hour the changes of companies are looked at every %i ms', (limit, everyMs) =>
  withBrevo(
    () => ({ body: { items: [] }, headers: headers(limit, limit - 1, 3_600) }),
    async ({ remote, schema }) => {
      await remote.readPage({ ...page, object: schema('companies') }, pull);
      const { changes } = remote.capabilitiesOf('companies');
      expect(changes).toEqual({ kind: 'unordered-filter', by: 'position', everyMs });
    },
  ),
);

test.each([
  ['nothing declared', 0, 0],
  ['one object of a page', 1, 1],
  ['three objects, one of them large', 3, 14],
])('an hour in which nothing happens stays within our share: %s', (_what, objects, pages) => {
  const plan = createPlan(() => [], 80);
  const hour = 3_600_000;
  const changes = (2 * hour) / plan.changesEveryMs(2);
  const schema = (2 * hour) / plan.schemaEveryMs(2);
  const each = Array.from({ length: objects }, (_, at) => (at === 0 ? pages : 1));
  const scans = each.reduce(
    (sum, requests) => sum + (requests * hour) / plan.scanEveryMs({ requests, objects }),
    0,
  );
  // The rest is for writing, and for asking what became of it.
  expect(changes + schema + scans).toBeLessThanOrEqual(80 * 0.66);
});

test('an object that nobody has is found out about once, and then asked for by one request', () =>
  withBrevo(
    () => ({ status: 400, body: { message: 'unknown object' }, headers: headers(100, 90, 3_000) }),
    async ({ remote, schema, asked }) => {
      const read = () => remote.readPage({ ...page, object: schema('vehicle') }, pull);
      await expect(read()).rejects.toMatchObject({ code: 'remote-invalid' });
      const first = asked.length;
      await expect(read()).rejects.toMatchObject({ code: 'remote-invalid' });
      expect(asked.length - first).toBe(1);
    },
  ));
