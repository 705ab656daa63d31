import { expect, test } from 'vitest';
import {
  field,
  page,
  person,
  push,
  type Reply,
  resource,
  type Seen,
  withRemote,
} from './scripted-server.ts';

const ids = (count: number) => Array.from({ length: count }, (_, at) => `r${at}`);
const records = (count: number) => ids(count).map((id) => ({ job_title: id }));
const updates = (count: number) => ids(count).map((id) => ({ id, fields: { job_title: id } }));
const refuse = (status: number, pointer?: string): Reply => ({
  status,
  body: {
    errors: [
      {
        status: String(status),
        detail: 'no',
        ...(pointer === undefined ? {} : { source: { pointer } }),
      },
    ],
  },
});
const length = ({ body }: Seen, key = 'data') =>
  ((body as Record<string, unknown[]>)[key] ?? []).length;

test('creates and updates go in bulk, silently, lists wrapped and links left out', () =>
  withRemote(
    ({ method }) => ({
      status: method === 'POST' ? 201 : 200,
      body: page([resource('b'), resource('a')]),
    }),
    async (remote, { seen }) => {
      const created = await remote.create(
        {
          object: person,
          records: [{ email_addresses: ['A@b.c'], job_title: null, deals: ['d1'] }],
          matchOn: 'email_addresses',
        },
        push,
      );
      expect(created.map(({ id }) => id)).toEqual(['b', 'a']);
      await remote.update(
        { object: person, records: [{ id: 'a', fields: { email_addresses: null } }] },
        push,
      );
      expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'POST /objects/person/records/bulk',
        'PATCH /objects/person/records',
      ]);
      expect(seen.every(({ query }) => query.get('silent') === 'true')).toBe(true);
      expect(seen.map(({ body }) => body)).toEqual([
        {
          data: [
            {
              type: 'person',
              attributes: { email_addresses: { items: ['A@b.c'] }, job_title: null },
            },
          ],
          match_on: 'email_addresses',
        },
        { data: [{ type: 'person', id: 'a', attributes: { email_addresses: { items: [] } } }] },
      ]);
    },
  ));

test.each([
  ['204 and nothing', { status: 204 }],
  ['200 and {}', { body: {} }],
  ['one record', { body: { data: resource('a') } }],
])('an update is done when the answer is %s', (_name, reply: Reply) =>
  withRemote(
    () => reply,
    async (remote) => {
      const done = await remote.update({ object: person, records: updates(1) }, push);
      expect(done.length).toBeLessThanOrEqual(1);
    },
  ),
);

test('nothing to write is no request', () =>
  withRemote(
    () => ({ status: 500 }),
    async (remote, { seen }) => {
      await remote.create({ object: person, records: [] }, push);
      await remote.update({ object: person, records: [] }, push);
      await remote.delete({ object: person, ids: [] }, push);
      expect(seen).toHaveLength(0);
    },
  ));

test('a list travels in the form the server sends, and where that is not known, the one it takes', () => {
  const colours = { ...person, fields: [...person.fields, field('colours', 'texts')] };
  const wants = (request: Seen) => {
    const [first] = (request.body as { data: { attributes: Record<string, unknown> }[] }).data;
    return Array.isArray(first?.attributes.colours);
  };
  return withRemote(
    (request) => {
      if (request.method === 'GET') return { body: page([resource('a', { tags: ['x'] })]) };
      return wants(request) ? { body: {} } : refuse(422, '/data/0/attributes/colours');
    },
    async (remote, { seen }) => {
      const list = { orderBy: 'updated', direction: 'asc', offset: 0, limit: 5 } as const;
      await remote.readPage({ object: colours, ...list }, push);
      const change = { id: 'a', fields: { tags: ['y'], colours: ['red'] } };
      await remote.update({ object: colours, records: [change] }, push);
      await remote.update({ object: colours, records: [change] }, push);
      const sent = seen.filter(({ method }) => method === 'PATCH').map(({ body }) => body);
      const asSent = (attributes: object) => ({ data: [{ type: 'person', id: 'a', attributes }] });
      expect(sent).toEqual([
        asSent({ tags: ['y'], colours: { items: ['red'] } }),
        asSent({ tags: ['y'], colours: ['red'] }),
        asSent({ tags: ['y'], colours: ['red'] }),
      ]);
    },
  );
});

test('a value that no form makes right is refused after two requests, a known form after one', () =>
  withRemote(
    ({ body }) => {
      const text = JSON.stringify(body);
      return refuse(
        422,
        `/data/0/attributes/${text.includes('tags') ? 'tags' : 'email_addresses'}`,
      );
    },
    async (remote, { seen }) => {
      const send = (fields: Record<string, string[]>) =>
        remote.update({ object: person, records: [{ id: 'a', fields }] }, push);
      await expect(send({ tags: ['bad'] })).rejects.toMatchObject({ field: 'tags', culprit: 0 });
      expect(seen).toHaveLength(2);
      // The first guess stands for the next attempt.
      expect(seen.map(({ body }) => JSON.stringify(body).includes('items'))).toEqual([true, false]);
      await expect(send({ tags: ['bad'] })).rejects.toMatchObject({ code: 'remote-invalid' });
      expect(JSON.stringify(seen[2]?.body)).toContain('items');
    },
  ));

test.each([
  ['400 with the pointer of a unique field', refuse(400, '/data/2/attributes/email_addresses'), 2],
  [
    '400 with words only',
    {
      status: 400,
      body: { errors: [{ status: '400', detail: 'A person already has this value' }] },
    },
    undefined,
  ],
  ['{statusCode, message}', { status: 400, body: { message: 'duplicate key' } }, undefined],
])('a duplicate unique value: %s', (_name, reply: Reply, culprit) =>
  withRemote(
    () => reply,
    async (remote) => {
      await expect(
        remote.create({ object: person, records: records(3) }, push),
      ).rejects.toMatchObject({ code: 'remote-duplicate', disposition: 'park', culprit });
    },
  ),
);

test('the culprit is read from the detail where there is no pointer', () =>
  withRemote(
    () => ({
      status: 422,
      body: { errors: [{ status: '422', detail: '/data/1/attributes/job_title: too long' }] },
    }),
    async (remote) => {
      await expect(
        remote.create({ object: person, records: records(3) }, push),
      ).rejects.toMatchObject({ culprit: 1, field: 'job_title' });
    },
  ));

test('a body too large halves the batch, is not tried again at that size, and grows back', () =>
  withRemote(
    (request) => (length(request) > 30 ? { status: 413 } : { body: {} }),
    async (remote, { seen }) => {
      const send = (count: number) =>
        remote.update({ object: person, records: updates(count) }, push);
      expect(remote.limits.batchSizeOf('person')).toBe(100);
      await expect(send(100)).rejects.toMatchObject({ code: 'remote-too-large' });
      expect(remote.limits.batchSizeOf('person')).toBe(50);
      await expect(send(50)).rejects.toMatchObject({ code: 'remote-too-large' });
      expect(remote.limits.batchSizeOf('person')).toBe(25);
      await send(25);
      expect(remote.limits.batchSizeOf('person')).toBe(50);
      const before = seen.length;
      await expect(send(50)).rejects.toMatchObject({ code: 'remote-too-large' });
      expect(seen).toHaveLength(before);
      expect(remote.limits.batchSizeOf('person')).toBe(25);
    },
  ));

test('one record that is too large is parked', () =>
  withRemote(
    () => ({ status: 413, body: '<html>too large</html>' }),
    async (remote) => {
      await expect(
        remote.update({ object: person, records: updates(1) }, push),
      ).rejects.toMatchObject({ code: 'remote-too-large', disposition: 'park', culprit: 0 });
      expect(remote.limits.batchSizeOf('person')).toBe(100);
    },
  ));

test('a refusal that names no record is first taken for the classic cap', () =>
  withRemote(
    (request) => (length(request) > 25 ? refuse(422) : { body: {} }),
    async (remote, { seen }) => {
      const send = (count: number) =>
        remote.update({ object: person, records: updates(count) }, push);
      await expect(send(100)).rejects.toMatchObject({ code: 'remote-too-large' });
      await expect(send(50)).rejects.toMatchObject({ code: 'remote-too-large' });
      expect(seen).toHaveLength(1);
      await send(25);
      await send(25);
      expect(remote.limits.batchSizeOf('person')).toBe(25);
    },
  ));

test('a refusal of the list as such lowers the batch for good', () =>
  withRemote(
    (request) => (length(request) > 10 ? refuse(422, '/data') : { body: {} }),
    async (remote) => {
      const send = (count: number) =>
        remote.update({ object: person, records: updates(count) }, push);
      for (const [count, size] of [
        [100, 25],
        [25, 13],
        [13, 7],
      ] as const) {
        await expect(send(count)).rejects.toMatchObject({ code: 'remote-too-large' });
        expect(remote.limits.batchSizeOf('person')).toBe(size);
      }
      await send(7);
      expect(remote.limits.batchSizeOf('person')).toBe(7);
    },
  ));

test('a server that refuses match_on gets creates without it, which are not repeatable', () =>
  withRemote(
    ({ body }, count) => {
      if (JSON.stringify(body).includes('match_on')) return refuse(422, '/match_on');
      return count < 3 ? { status: 201, body: page([resource('a')]) } : { status: 500 };
    },
    async (remote, { seen }) => {
      const upsert = { object: person, records: records(30), matchOn: 'email_addresses' };
      await remote.create(upsert, push);
      expect(remote.limits.batchSizeOf('person')).toBe(100);
      expect(seen).toHaveLength(2);
      await expect(remote.create(upsert, push)).rejects.toMatchObject({ ambiguous: true });
      expect(seen).toHaveLength(3);
    },
  ));

test('and where small batches are refused as well, for what it is', () =>
  withRemote(
    () => refuse(422),
    async (remote) => {
      const send = (count: number) =>
        remote.update({ object: person, records: updates(count) }, push);
      await expect(send(100)).rejects.toMatchObject({ code: 'remote-too-large' });
      await expect(send(25)).rejects.toMatchObject({ code: 'remote-invalid', culprit: undefined });
      expect(remote.limits.batchSizeOf('person')).toBe(100);
      await expect(send(1)).rejects.toMatchObject({ code: 'remote-invalid', culprit: 0 });
    },
  ));

test('a create refused after an attempt that may have arrived is not decided', () =>
  withRemote(
    (_, count) => (count === 1 ? { status: 502 } : refuse(422)),
    async (remote, { seen }) => {
      const upsert = { object: person, records: records(1), matchOn: 'email_addresses' };
      await expect(remote.create(upsert, push)).rejects.toMatchObject({
        code: 'remote-invalid',
        ambiguous: true,
      });
      expect(seen).toHaveLength(2);
    },
  ));

test('an unknown id in an update is for the caller to find', () =>
  withRemote(
    () => refuse(404),
    async (remote, { seen }) => {
      await expect(
        remote.update({ object: person, records: updates(4) }, push),
      ).rejects.toMatchObject({ code: 'remote-not-found', culprit: undefined, ambiguous: false });
      expect(seen).toHaveLength(1);
    },
  ));
