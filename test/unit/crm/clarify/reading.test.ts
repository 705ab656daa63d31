import { expect, test } from 'vitest';
import { skewMs } from '../../../../src/domain/clock-bounds.ts';
import { ExactNumber } from '../../../../src/domain/json.ts';
import type { PageRequest } from '../../../../src/domain/remote.ts';
import { page, person, pull, resource, withRemote } from './scripted-server.ts';

const request: PageRequest = {
  object: person,
  orderBy: 'updated',
  direction: 'asc',
  offset: 0,
  limit: 500,
};

test('a page is asked for with the English labels, the key and a name', () =>
  withRemote(
    () => ({ body: page([]) }),
    async (remote, { seen }) => {
      await remote.readPage(
        {
          ...request,
          from: '2026-01-01T00:00:00.000Z',
          to: '2026-02-01T00:00:00.000Z',
          include: ['deals', 'lists'],
          offset: 50,
        },
        pull,
      );
      const [one] = seen;
      expect(one?.path).toBe('/objects/person/resources');
      expect(Object.fromEntries(one?.query ?? [])).toEqual({
        'sortOrder[column]': '_updated_at',
        'sortOrder[dir]': 'ASC',
        'filter[_updated_at][Is on or after]': '2026-01-01T00:00:00.000Z',
        'filter[_updated_at][Is on or before]': '2026-02-01T00:00:00.000Z',
        include: 'deals,lists',
        'page[offset]': '50',
        'page[limit]': '500',
      });
      expect(one?.headers.authorization).toBe('api-key key-1');
      expect(one?.headers['user-agent']).toMatch(/^clarify-sync\/\d+\.\d+\.\d+ \(\+https:/);
    },
  ));

test('records are decoded: lists unwrapped, instants normalised, system fields apart', () =>
  withRemote(
    () => ({
      body: `{"data":[{"type":"person","id":"p1","attributes":{
        "_id":"p1","_created_at":"2026-01-01T00:00:00Z","_updated_at":null,
        "_created_by":"user_1","_updated_by":"agent","_merged_ids":["p0"],"_score":3,
        "email_addresses":{"items":["a@b.c"]},"tags":["x"],"seen_at":"2026-01-02 03:04:05+02:00",
        "name":{"full_name":"A"},"amount":12345678901234567.8901,"__proto__":"kept"},
        "relationships":{"deals":{"data":[{"type":"deal","id":"d1"}],"meta":{"count":7}}}}]}`,
    }),
    async (remote) => {
      const { records, more, total } = await remote.readPage(request, pull);
      expect({ more, total }).toEqual({ more: false, total: null });
      const [record] = records;
      expect(record).toMatchObject({
        id: 'p1',
        createdAt: '2026-01-01T00:00:00.000Z',
        updatedAt: null,
        createdBy: 'user_1',
        updatedBy: 'agent',
        mergedIds: ['p0'],
        links: { deals: { ids: ['d1'], total: 7 } },
      });
      const fields = Object.entries(record?.fields ?? {});
      expect(new Map(fields)).toEqual(
        new Map<string, unknown>([
          ['_score', 3],
          ['email_addresses', ['a@b.c']],
          ['tags', ['x']],
          ['seen_at', '2026-01-02T01:04:05.000Z'],
          ['name', { full_name: 'A' }],
          ['amount', new ExactNumber('12345678901234567.8901')],
          ['__proto__', 'kept'],
        ]),
      );
    },
  ));

test('values of another shape are passed on as they are', () =>
  withRemote(
    () => ({
      body: page([
        resource('p1', {
          email_addresses: { items: [{ value: 'a' }] },
          tags: 7,
          seen_at: 'soon',
        }),
        // Whether seconds or milliseconds nobody knows: a guess would be a silent change.
        resource('p2', { seen_at: 1_700_000_000 }),
      ]),
    }),
    async (remote) => {
      const { records } = await remote.readPage(request, pull);
      expect(records[0]?.fields).toEqual({
        email_addresses: { items: [{ value: 'a' }] },
        tags: 7,
        seen_at: 'soon',
      });
      expect(records[1]?.fields).toEqual({ seen_at: 1_700_000_000 });
    },
  ));

const two = [resource('a'), resource('b')];
test.each([
  ['a next link', page(two, 2, 'http://elsewhere:80/x'), 2, true],
  ['a total beyond the page', page(two, 9), 500, true],
  ['neither, and a full page', { data: two }, 2, true],
  ['neither, and a page not full', { data: two }, 3, false],
  ['an explicit end', { data: two, links: { next: null } }, 2, false],
  ['links absent at the end, a total', { data: two, meta: { total_records: 2 } }, 2, false],
  ['a capped page under a larger limit', { data: two, meta: { total_records: 3 } }, 500, true],
  ['an empty page, whatever it says', page([], 9, 'http://elsewhere/x'), 500, false],
])('more behind the page: %s', (_name, body, limit, more) =>
  withRemote(
    () => ({ body }),
    async (remote, { seen }) => {
      expect((await remote.readPage({ ...request, limit }, pull)).more).toBe(more);
      expect(seen).toHaveLength(1);
    },
  ),
);

test('a server that takes smaller pages only is found out once', () =>
  withRemote(
    ({ query }) =>
      Number(query.get('page[limit]')) > 100
        ? { status: 400, body: { errors: [{ status: '400', detail: 'limit' }] } }
        : { body: page([resource('a')]) },
    async (remote, { seen }) => {
      await remote.readPage(request, pull);
      expect(remote.limits.pageSize).toBe(100);
      await remote.readPage(request, pull);
      expect(seen.map(({ query }) => query.get('page[limit]'))).toEqual(['500', '100', '100']);
    },
  ));

test('a 400 that is not about the limit is told as it is', () =>
  withRemote(
    ({ query }) => (query.has('include') ? { status: 400 } : { body: page([resource('a')]) }),
    async (remote, { seen }) => {
      await remote.readPage(request, pull);
      const refused = remote.readPage({ ...request, include: ['nothing'] }, pull);
      await expect(refused).rejects.toMatchObject({ code: 'remote-invalid', status: 400 });
      expect(seen).toHaveLength(2);
      expect(remote.limits.pageSize).toBe(500);
    },
  ));

test('a page with a record that has no id is no page', () =>
  withRemote(
    (_request, count) => ({
      body: page([resource('a'), count < 3 ? { type: 'person', attributes: {} } : resource('b')]),
    }),
    async (remote, { seen }) => {
      const { records } = await remote.readPage(request, pull);
      expect(records.map(({ id }) => id)).toEqual(['a', 'b']);
      expect(seen).toHaveLength(3);
    },
  ));

test('deletions come with the instant, and a missing feed is null', () =>
  withRemote(
    ({ query, path }) =>
      path.startsWith('/objects/person/deleted')
        ? query.get('filter[_deleted_at][Greater than or equal]') === '1767225600'
          ? { body: page([resource('a', { name: null, _deleted_at: 1767225601 })], 5) }
          : { status: 500 }
        : { status: 404, body: { errors: [{ status: '404' }] } },
    async (remote) => {
      const ask = { sinceMs: 1767225600999, offset: 0, limit: 500 };
      const feed = await remote.readDeletions({ object: person, ...ask }, pull);
      expect(feed).toMatchObject({ total: 5, more: true });
      expect(feed?.deletions[0]).toMatchObject({
        deletedAtMs: 1767225601000,
        record: { id: 'a', fields: { name: null } },
      });
      expect(feed?.deletions[0]?.record.fields).not.toHaveProperty('_deleted_at');
      const other = { ...person, object: 'deal' };
      expect(await remote.readDeletions({ object: other, ...ask }, pull)).toBeNull();
    },
  ));

test('one record: found, gone, and not gone because a gateway says so', () =>
  withRemote(
    ({ path }, count) => {
      if (path.endsWith('/a b')) return { body: { data: resource('a b') } };
      if (path.endsWith('/gone')) return { status: 404, body: { errors: [{ status: '404' }] } };
      return count < 5
        ? { status: 404, body: '<html>not here</html>' }
        : { body: { data: resource('c') } };
    },
    async (remote) => {
      const read = (id: string) => remote.readRecord({ object: person, id }, pull);
      expect(await read('a b')).toMatchObject({ id: 'a b' });
      expect(await read('gone')).toBeNull();
      expect(await read('c')).toMatchObject({ id: 'c' });
      await expect(read('..')).rejects.toMatchObject({ code: 'remote-invalid' });
    },
  ));

test('links and users are read to the end', () =>
  withRemote(
    ({ path, query }) => {
      if (path.endsWith('/relationships/deals')) return { body: page([{ id: 'd1' }], 3) };
      return query.has('page[offset]')
        ? { body: page([{ id: 'u2', type: 'user', attributes: { email: 'b@c' } }], 2) }
        : { body: page([{ id: 'u1', email: 'a@c' }], 2, 'http://x/?page[offset]=1') };
    },
    async (remote) => {
      const ask = { object: person, id: 'p', field: 'deals', offset: 0, limit: 500 };
      expect(await remote.readLinks(ask, pull)).toEqual({ ids: ['d1'], total: 3, more: true });
      expect(await remote.readUsers(pull)).toEqual([
        { id: 'u1', fields: { id: 'u1', email: 'a@c' } },
        { id: 'u2', fields: { email: 'b@c' } },
      ]);
    },
  ));

test('users may come flat, and without a word of how many there are', () =>
  withRemote(
    ({ query }) => {
      const users = ['google-oauth2|1', 'user_01', 'system'].map((_id) => ({ _id, email: _id }));
      const offset = Number(query.get('page[offset]') ?? 0);
      return { body: { data: users.slice(offset, offset + 2) } };
    },
    async (remote) => {
      const users = await remote.readUsers(pull);
      expect(users.map(({ id }) => id)).toEqual(['google-oauth2|1', 'user_01', 'system']);
      expect(users[2]?.fields).toEqual({ _id: 'system', email: 'system' });
    },
  ));

test('a wrong slug is answered like a wrong key: both are named', () =>
  withRemote(
    () => ({ status: 401, body: { errors: [{ status: '401', detail: 'Invalid API key' }] } }),
    async (remote) => {
      const hint = await remote.discover(pull).catch((error: { hint?: string }) => error.hint);
      expect(hint).toMatch(/CLARIFY_API_KEY.*CLARIFY_WORKSPACE/);
    },
  ));

test('the skew of the clocks is read from the Date header', () =>
  withRemote(
    () => ({
      headers: { date: new Date(Date.now() + 300_000).toUTCString() },
      body: page([]),
    }),
    async (remote) => {
      expect(remote.clock).toBeNull();
      await remote.readPage(request, pull);
      expect(Math.abs(skewMs(remote.clock) - 300_000)).toBeLessThan(1_500);
    },
  ));
