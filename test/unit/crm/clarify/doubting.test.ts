import { expect, test } from 'vitest';
import {
  page,
  person,
  pull,
  push,
  type Reply,
  resource,
  type Seen,
  withRemote,
} from './scripted-server.ts';

const list = {
  object: person,
  orderBy: 'updated',
  direction: 'asc',
  offset: 0,
  limit: 500,
} as const;
const company = { ...person, object: 'company' };
const update = { object: person, records: [{ id: 'a', fields: { job_title: 'x' } }] };
const create = { object: person, records: [{ job_title: 'x' }] };
const good: Reply = { body: page([resource('a', { job_title: 'x' })]) };
const says = (status: number): Reply => ({ status, body: { errors: [{ status: `${status}` }] } });
const html = (status: number): Reply => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Access denied</title>',
});
const schemas: Reply = { body: page([{ id: 'core/x', attributes: {} }]) };
const isSchemas = ({ path }: Seen) => path === '/schemas';

/** Passes by itself: the first call about anything but the schema is answered that way. */
function once(reply: Reply, otherwise: Reply = good) {
  let told = false;
  return (request: Seen): Reply => {
    if (isSchemas(request)) return schemas;
    if (told) return otherwise;
    told = true;
    return reply;
  };
}

const passing: [string, Reply][] = [
  ...[401, 402, 403, 404].map((status): [string, Reply] => [`a ${status}`, says(status)]),
  ...[401, 402, 403, 404, 200].map((status): [string, Reply] => [`HTML, ${status}`, html(status)]),
  ['a firewall’s line of text', { status: 403, body: 'error code: 1020' }],
  ['an empty 401', { status: 401 }],
];

test.each(passing)('nothing follows from one passing answer to a read: %s', (_name, reply) =>
  withRemote(once(reply), async (remote, _server, clock) => {
    expect((await remote.readPage(list, pull)).records).toHaveLength(1);
    // Said again at once it would be the same answer.
    expect(Math.max(...clock.slept)).toBeGreaterThanOrEqual(250);
  }),
);

test.each(passing.filter(([name]) => !/ (402|404)$|200/.test(name)))(
  'nor to a write: %s',
  (_name, reply) =>
    withRemote(once(reply), async (remote) => {
      expect(await remote.update(update, push)).toHaveLength(1);
    }),
);

test.each([403, 404])('one passing %s parks no create', (status) =>
  withRemote(once(says(status)), async (remote, { seen }) => {
    expect(await remote.create(create, push)).toHaveLength(1);
    expect(seen).toHaveLength(2);
  }),
);

test('a write that has to be paid for waits, and no record of it is parked', () =>
  withRemote(
    () => says(402),
    async (remote) => {
      await expect(remote.update(update, push)).rejects.toMatchObject({
        code: 'remote-payment-required',
        disposition: 'retry',
        ambiguous: false,
      });
    },
  ));

test('a key that another endpoint does not accept either is refused, and once is enough', () =>
  withRemote(
    () => says(401),
    async (remote, { seen }, clock) => {
      const refused = { code: 'remote-unauthorized', disposition: 'halt', status: 401 };
      await expect(remote.readPage(list, pull)).rejects.toMatchObject(refused);
      expect(seen.map(({ path }) => path)).toEqual(['/objects/person/resources', '/schemas']);
      expect(clock.slept).toEqual([3_000]);
      await expect(remote.update(update, push)).rejects.toMatchObject(refused);
      expect(seen).toHaveLength(3);
    },
  ));

test('401 from one endpoint alone stops that one', () =>
  withRemote(
    (request) => (isSchemas(request) ? schemas : says(401)),
    async (remote) => {
      await expect(remote.readPage(list, pull)).rejects.toMatchObject({
        code: 'remote-forbidden',
        disposition: 'park',
        status: 401,
      });
      // What waits to be written is not to blame.
      await expect(remote.update(update, push)).rejects.toMatchObject({ disposition: 'retry' });
    },
  ));

test('401 that nobody confirms ends nothing', () =>
  withRemote(
    (request) => (isSchemas(request) ? { status: 503 } : says(401)),
    async (remote) => {
      await expect(remote.readPage(list, pull)).rejects.toMatchObject({ disposition: 'retry' });
    },
  ));

test.each([402, 403, 404])('%s of one list concerns that object alone', (status) =>
  withRemote(
    ({ path }) => (path.includes('person') ? says(status) : good),
    async (remote, { seen }) => {
      const refusal = { disposition: 'park', status };
      await expect(remote.readPage(list, pull)).rejects.toMatchObject(refusal);
      expect(seen).toHaveLength(2);
      expect((await remote.readPage({ ...list, object: company }, pull)).records).toHaveLength(1);
      // Who looks whether it still is so need not look twice.
      await expect(remote.readPage(list, pull)).rejects.toMatchObject(refusal);
      expect(seen).toHaveLength(4);
    },
  ),
);

test.each([401, 402, 403, 404])('%s of the schema, said twice, concerns everything', (status) =>
  withRemote(
    () => says(status),
    async (remote) => {
      await expect(remote.discover(pull)).rejects.toMatchObject({ disposition: 'halt', status });
    },
  ),
);

test('another refusal is no confirmation, and they do not go on for ever', () => {
  let statuses = [402, 403];
  return withRemote(
    (request) => {
      const [status] = statuses;
      statuses = statuses.slice(1);
      if (isSchemas(request)) return schemas;
      return status === undefined ? good : says(status);
    },
    async (remote) => {
      expect((await remote.readPage(list, pull)).records).toHaveLength(1);
      statuses = [402, 403, 404, 402, 403];
      await expect(remote.readPage(list, pull)).rejects.toMatchObject({ disposition: 'park' });
      expect(statuses).toEqual([403]);
    },
  );
});

test('a record is gone for certain only where that is said twice', () =>
  withRemote(
    (_request, count) => (count === 2 ? { body: { data: resource('a') } } : says(404)),
    async (remote, { seen }) => {
      const request = { object: person, id: 'a', certain: true };
      expect(await remote.readRecord(request, push)).toMatchObject({ id: 'a' });
      expect(await remote.readRecord(request, push)).toBeNull();
      expect(await remote.readRecord({ object: person, id: 'a' }, push)).toBeNull();
      expect(seen).toHaveLength(5);
    },
  ));

test('the pause before a second call obeys the signal', () => {
  const stop = new AbortController();
  const why = new Error('stopping');
  return withRemote(
    () => {
      stop.abort(why);
      return says(403);
    },
    async (remote, { seen }) => {
      await expect(remote.readPage(list, { ...pull, signal: stop.signal })).rejects.toBe(why);
      expect(seen).toHaveLength(1);
    },
  );
});
