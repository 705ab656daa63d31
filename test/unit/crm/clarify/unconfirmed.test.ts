import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { page, person, pull, push, type Reply, resource, withRemote } from './scripted-server.ts';

const list = {
  object: person,
  orderBy: 'updated',
  direction: 'asc',
  offset: 0,
  limit: 500,
} as const;
const update = { object: person, records: [{ id: 'a', fields: { job_title: 'x' } }] };
const create = { object: person, records: [{ job_title: 'x' }] };
const remove = { object: person, ids: ['a'] };
const unlink = { object: person, id: 'a', field: 'deals', target: 'deal', ids: ['d'] };
const good: Reply = { body: page([resource('a')]) };
const errors = (...statuses: (string | undefined)[]) => ({
  errors: statuses.map((status) => ({ status, detail: 'no' })),
});

const noSuccess: [string, Reply][] = [
  ['errors without a status', { body: errors(undefined) }],
  ['errors of a server that failed', { body: errors('500') }],
  ['errors beside an empty list', { body: { ...errors(undefined), data: [] } }],
  ['errors that are no list', { body: { errors: { code: 'x' } } }],
  ['errors that are a text', { body: { errors: 'no' } }],
];

test.each<[string, Reply]>([
  ...noSuccess,
  ['errors beside records', { body: { ...page([resource('a')]), ...errors(undefined) } }],
  ['a part', { status: 206, body: page([resource('a')]) }],
  ['no data', { body: { meta: { total_records: 3 } } }],
  ['data that is null', { body: { data: null } }],
  ['data that is an object', { body: { data: resource('a') } }],
  ['an item without attributes', { body: page([{ type: 'person', id: 'a' }]) }],
  ['a sign-in page', { status: 301, headers: { location: '/login' } }],
  ['HTML', { headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ['broken gzip', { headers: { 'content-encoding': 'gzip' }, body: 'no gzip' }],
  [
    'gzip that ends early',
    {
      raw(response) {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(gzipSync(JSON.stringify(page([resource('a')]))).subarray(0, 30));
      },
    },
  ],
])('no page, and no reason to stop: %s', (_name, reply) =>
  withRemote(
    (_request, count) => (count === 1 ? reply : good),
    async (remote, { seen }) => {
      expect((await remote.readPage(list, pull)).records).toHaveLength(1);
      expect(seen).toHaveLength(2);
    },
  ),
);

test.each(noSuccess)('no write, and it may have arrived: %s', (_name, reply) =>
  withRemote(
    ({ method }) => (method === 'GET' ? { body: { data: resource('a') } } : reply),
    async (remote) => {
      const open = { disposition: 'retry', ambiguous: true };
      await expect(remote.update(update, push)).rejects.toMatchObject(open);
      await expect(remote.create(create, push)).rejects.toMatchObject(open);
      await expect(remote.delete(remove, push)).rejects.toMatchObject(open);
      await expect(remote.removeLinks(unlink, push)).rejects.toMatchObject(open);
      await expect(remote.setLinks(unlink, push)).rejects.toMatchObject(open);
    },
  ),
);

test('errors say by their own status what they are, whatever the status line says', () =>
  withRemote(
    () => ({
      body: {
        errors: [
          {
            status: '422',
            title: 'Invalid input',
            detail: '/data/0/attributes/job_title: too long',
            source: { pointer: '/data/0/attributes/job_title' },
          },
        ],
      },
    }),
    async (remote) => {
      const refused = { code: 'remote-invalid', disposition: 'park', status: 422, culprit: 0 };
      await expect(remote.update(update, push)).rejects.toMatchObject(refused);
      await expect(remote.create(create, push)).rejects.toMatchObject({
        ...refused,
        ambiguous: false,
      });
    },
  ));

test.each<[string, Reply, string[]]>([
  ['some of the records', { status: 207, body: page([resource('b')]) }, ['b']],
  [
    'some of them, and errors',
    { status: 207, body: { ...page([resource('b')]), ...errors('422') } },
    ['b'],
  ],
  ['an empty list', { body: page([]) }, []],
  ['{}', { body: {} }, []],
  ['null', { body: 'null' }, []],
  ['data that is null', { body: { data: null } }, []],
  ['nothing', { status: 204 }, []],
  ['not yet', { status: 202, body: {} }, []],
  ['a record without attributes', { body: page([{ id: 'a' }, resource('b')]) }, ['b']],
])('an update is taken for no more than it says: %s', (_name, reply, ids) =>
  withRemote(
    () => reply,
    async (remote, { seen }) => {
      const told = await remote.update(update, push);
      expect(told.map(({ id }) => id)).toEqual(ids);
      expect(seen).toHaveLength(1);
    },
  ),
);

test.each<[string, Reply, boolean]>([
  ['{}', { body: {} }, true],
  ['nothing', { status: 204 }, true],
  ['an empty list', { body: { data: [] } }, false],
  ['not yet', { status: 202, body: {} }, false],
])('unlinking says whether it was done: %s', (_name, reply, isSaid) =>
  withRemote(
    () => reply,
    async (remote) => {
      expect(await remote.removeLinks(unlink, push)).toBe(isSaid);
    },
  ),
);

test('records of another object are no page of this one', () => {
  const schema = (slug: string) => ({
    id: `https://getclarify.ai/schemas/entities/${slug}`,
    attributes: { xClarifyNamespace: 'objects', properties: { _created_at: {} } },
  });
  return withRemote(
    ({ path }, count) => {
      if (path === '/schemas') return { body: page([schema('person'), schema('company')]) };
      return count === 2 ? { body: page([{ ...resource('c1'), type: 'company' }]) } : good;
    },
    async (remote, { seen }) => {
      await remote.discover(pull);
      expect((await remote.readPage(list, pull)).records.map(({ id }) => id)).toEqual(['a']);
      expect(seen).toHaveLength(3);
    },
  );
});
