import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createClarifyRemote } from '../../../../src/crm/clarify/remote.ts';
import { RemoteError } from '../../../../src/domain/errors.ts';
import { page, person, pull, push, type Reply, resource, withRemote } from './scripted-server.ts';

const list = {
  object: person,
  orderBy: 'updated',
  direction: 'asc',
  offset: 0,
  limit: 500,
} as const;
const create = { object: person, records: [{ job_title: 'secret title' }] };
const good: Reply = { status: 201, body: page([resource('a')]) };

const destroy: Reply = { raw: (response) => response.destroy() };
const truncate: Reply = {
  raw: (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"data":[');
    setImmediate(() => response.destroy());
  },
};
const failures: [string, Reply][] = [
  ['a 500', { status: 500, body: { errors: [{ status: '500' }] } }],
  ['a gateway page', { status: 502, body: '<html>bad gateway</html>' }],
  ['HTML with status 200', { body: '<!doctype html>' }],
  ['an empty answer', { body: '' }],
  ['half a body', { body: '{"data":[{"id":"a"' }],
  ['a body cut off', truncate],
  ['a reset', destroy],
  ['something else than a list', { body: { data: 'x' } }],
];

test.each(failures)('a read goes on after %s', (_name, failure) =>
  withRemote(
    (_request, count) => (count <= 3 ? failure : { body: page([resource('a')]) }),
    async (remote, { seen }, clock) => {
      expect((await remote.readPage(list, pull)).records).toHaveLength(1);
      expect(seen).toHaveLength(4);
      expect(clock.slept).toEqual([250, 500, 1000]);
    },
  ),
);

test('a read gives up after six attempts', () =>
  withRemote(
    () => ({ status: 503 }),
    async (remote, { seen }) => {
      await expect(remote.readPage(list, pull)).rejects.toMatchObject({
        code: 'remote-unavailable',
        disposition: 'retry',
        status: 503,
        ambiguous: false,
      });
      expect(seen).toHaveLength(6);
    },
  ));

test.each(failures)(
  'a plain create is not repeated after %s, and says it may have arrived',
  (_name, failure) =>
    withRemote(
      () => failure,
      async (remote, { seen }) => {
        await expect(remote.create(create, push)).rejects.toMatchObject({
          ambiguous: true,
          disposition: 'retry',
        });
        expect(seen).toHaveLength(1);
      },
    ),
);

test.each(failures)(
  'a create with match_on and an update are repeated after %s',
  (_name, failure) =>
    withRemote(
      (_request, count) => (count % 2 === 1 ? failure : good),
      async (remote, { seen }) => {
        await remote.create({ ...create, matchOn: 'email_addresses' }, push);
        await remote.update({ object: person, records: [{ id: 'a', fields: {} }] }, push);
        // An update that says nothing has said enough.
        expect(seen.map(({ method }) => method)).toContain('PATCH');
        expect(seen.filter(({ method }) => method === 'POST')).toHaveLength(2);
      },
    ),
);

test.each([
  ['429', { status: 429, headers: { 'retry-after': '2' } }],
  ['409', { status: 409, body: { errors: [{ status: '409' }] } }],
])('a plain create is repeated after %s: nothing was carried out', (_name, refusal: Reply) =>
  withRemote(
    (_request, count) => (count === 1 ? refusal : good),
    async (remote, { seen }) => {
      expect(await remote.create(create, push)).toHaveLength(1);
      expect(seen).toHaveLength(2);
    },
  ),
);

test('nobody listening: a plain create is repeated, and in the end not ambiguous', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await withRemote(
    () => good,
    async (remote, _server, clock) => {
      await expect(remote.create(create, push)).rejects.toMatchObject({
        code: 'remote-unreachable',
        ambiguous: false,
        status: null,
      });
      expect(clock.slept).toHaveLength(3);
    },
    { baseUrl: `http://127.0.0.1:${port}/v1` },
  );
});

test('a create that is not answered in time may have arrived', () =>
  withRemote(
    () => ({ raw: () => {} }),
    async (remote, { seen }) => {
      const call = remote.create(create, { ...push, timeoutMs: 50 });
      await expect(call).rejects.toMatchObject({ code: 'remote-timeout', ambiguous: true });
      expect(seen).toHaveLength(1);
    },
  ));

test.each([
  ['seconds', () => '7', 7_000],
  ['a date', () => new Date(Date.now() + 7_000).toUTCString(), 7_000],
])('Retry-After as %s is the least wait', (_name, retryAfter, leastMs) =>
  withRemote(
    (_request, count) =>
      count === 1 ? { status: 503, headers: { 'retry-after': retryAfter() } } : { body: page([]) },
    async (remote, _server, clock) => {
      await remote.readPage(list, pull);
      // A date has whole seconds only.
      expect(clock.slept[0]).toBeGreaterThanOrEqual(leastMs - 1_000);
      expect(clock.slept[0]).toBeLessThan(leastMs + 1_000);
    },
  ),
);

test.each([
  [401, 'remote-unauthorized', 'halt', /CLARIFY_API_KEY/],
  [402, 'remote-payment-required', 'park', /plan/],
  [403, 'remote-forbidden', 'park', /key/],
  [404, 'remote-not-found', 'park', undefined],
  [301, 'remote-bad-answer', 'retry', /CLARIFY_API_URL/],
] as const)('status %s of a read is %s', (status, code, disposition, hint) =>
  withRemote(
    () => ({ status, headers: { location: 'http://127.0.0.1:1/' }, body: {} }),
    async (remote, { seen }) => {
      const error = await remote.readPage(list, pull).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code, disposition, status });
      if (hint !== undefined) expect(error).toHaveProperty('hint', expect.stringMatching(hint));
      // What concludes something is confirmed by a second call.
      expect(seen).toHaveLength(disposition === 'retry' ? 6 : 2);
    },
  ),
);

test('the reason is kept for the outbox, out of message and own properties', () =>
  withRemote(
    () => ({
      status: 422,
      body: {
        errors: [
          {
            status: '422',
            title: 'Invalid input',
            detail: '/data/1/attributes/job_title: "secret title" is too long',
            source: { pointer: '/data/1/attributes/job_title' },
          },
        ],
      },
    }),
    async (remote) => {
      const two = { object: person, records: [{ job_title: 'x' }, { job_title: 'secret title' }] };
      const error = await remote.create(two, push).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({
        code: 'remote-invalid',
        disposition: 'park',
        culprit: 1,
        field: 'job_title',
        ambiguous: false,
        reason: expect.stringContaining('too long'),
      });
      const told = `${String(error)} ${JSON.stringify(error)} ${Object.values(error ?? {}).join(' ')}`;
      expect(told).not.toContain('secret');
      expect(told).not.toContain('key-1');
    },
  ));

test('a token that has run out is replaced once', () => {
  let token = 'old';
  const asked: (string | undefined)[] = [];
  return withRemote(
    ({ headers }) =>
      headers.authorization === 'Bearer new' ? { body: page([]) } : { status: 401, body: {} },
    async (remote, { seen }) => {
      await remote.readPage(list, pull);
      expect(seen.map(({ headers }) => headers.authorization)).toEqual([
        'Bearer old',
        'Bearer new',
      ]);
      expect(asked).toContain('old');
      token = 'revoked';
      await expect(remote.readPage(list, pull)).rejects.toMatchObject({ status: 401 });
    },
    {
      apiKey: async (rejected) => {
        asked.push(rejected);
        if (rejected === 'old') token = 'new';
        return { token, headers: { authorization: `Bearer ${token}` } };
      },
    },
  );
});

test('a signal ends a backoff, a wait for the allowance, and a request', () =>
  withRemote(
    (_request, count) => (count === 1 ? { status: 503 } : { raw: () => stop.abort(why) }),
    async (remote, { seen }) => {
      await expect(remote.readPage(list, { ...pull, signal: stop.signal })).rejects.toBe(why);
      expect(seen).toHaveLength(2);
      await expect(remote.readPage(list, { ...pull, signal: stop.signal })).rejects.toBe(why);
      expect(seen).toHaveLength(2);
    },
  ));
const stop = new AbortController();
const why = new Error('stopping');

test('a write interrupted on its way may have arrived', () => {
  const stopping = new AbortController();
  return withRemote(
    () => ({ raw: () => stopping.abort() }),
    async (remote) => {
      await expect(
        remote.create(create, { ...push, signal: stopping.signal }),
      ).rejects.toMatchObject({ code: 'remote-interrupted', ambiguous: true });
    },
  );
});

test('what checks the lease is asked before each attempt and can give up', () => {
  let asked = 0;
  return withRemote(
    () => ({ status: 409, body: {} }),
    async (remote, { seen }) => {
      const beforeAttempt = (timeoutMs: number) => {
        expect(timeoutMs).toBe(8_000);
        asked += 1;
        if (asked === 3) throw new Error('lease lost');
      };
      await expect(remote.create(create, { ...push, beforeAttempt })).rejects.toThrow('lease lost');
      expect(seen).toHaveLength(2);
    },
  );
});

test('stop ends what runs, and nothing starts after it', () =>
  withRemote(
    () => ({ raw: () => arrived.resolve() }),
    async (remote) => {
      const hanging = remote.readPage(list, pull);
      const ended = hanging.catch((error: unknown) => error);
      await arrived.promise;
      await remote.stop();
      expect(await ended).toMatchObject({ code: 'remote-closed' });
      await remote.stop();
      await expect(remote.readPage(list, pull)).rejects.toMatchObject({ code: 'remote-closed' });
    },
  ));
const arrived = withResolvers();

function withResolvers() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test('a workspace that does not exist is told from a record that does not', () =>
  withRemote(
    () => ({ status: 404, body: { errors: [{ status: '404' }] } }),
    async (remote) => {
      await expect(remote.discover(pull)).rejects.toMatchObject({
        code: 'remote-workspace-not-found',
        disposition: 'halt',
      });
    },
  ));

test('the base address may end in a slash', () =>
  withRemote(
    () => ({ body: page([]) }),
    async (_remote, { url, seen }) => {
      const remote = createClarifyRemote({
        baseUrl: `${url}/`,
        workspace: 'acme',
        apiKey: 'k',
        allowancePercent: 80,
      });
      await remote.readPage(list, pull);
      await remote.stop();
      expect(seen[0]?.path).toBe('/objects/person/resources');
    },
  ));
