import { expect, test } from 'vitest';
import type { RecordHistory } from '../../../../src/domain/field-write.ts';
import { page, person, pull, type Reply, withRemote } from './scripted-server.ts';

const isEnough = () => false;
const request = { object: person, id: 'p1', isEnough };

const by = { _id: 'user_1', anonymous_id: null, entity: 'user', source_id: null };

/** As the page has it: an item of a feed with one event. */
function activity(at: string, diff: unknown, more: object = {}): object {
  const object = { _id: 'p1', anonymous_id: null, entity: 'person', diff };
  const event = { _id: `e${at}`, type: 'clarify:update', actor: by, _created_at: at, object };
  const data = [{ ...event, ...more }];
  return { type: 'activity', id: at, attributes: { _id: at, _created_at: at, aggKey: 'k', data } };
}

const FIRST = '2026-01-02T00:00:00.000Z';
const SECOND = '2026-01-03T00:00:00.000Z';

/** What a feed of these items tells, without what every write of these tests has in common. */
async function told(...items: readonly object[]) {
  return await withRemote(
    () => ({ body: page(items) }),
    async (remote) => {
      const history = await remote.readHistory(request, pull);
      const writes = history?.writes.map(({ field, within, value, was, ...rest }) => {
        return { ...rest, what: [[field, ...within].join('.'), value, was] };
      });
      return { ...history, writes };
    },
  );
}

test('a feed tells who wrote which field when, newest first', async () => {
  const atMs = (at: string) => Date.parse(at);
  const history = await told(
    activity(SECOND, [
      { op: 'update', path: ['job_title'], val: 'Pilot', oldVal: 'Baker' },
      { op: 'update', path: ['name', 'first_name'], val: 'Ada', oldVal: 'Eve' },
    ]),
    activity(FIRST, [
      { op: 'add', path: ['email_addresses', 'items', 1], val: 'a@x.example' },
      { op: 'delete', path: ['tags', 'items', 0], val: 'old' },
      { op: 'add', path: ['tags'], val: { items: ['x'] } },
      { op: 'delete', path: ['seen_at'], oldVal: '2026-01-01 00:00:00+01:00' },
    ]),
  );
  const second = { by: 'user_1', atMs: atMs(SECOND), isBirth: false };
  const first = { by: 'user_1', atMs: atMs(FIRST), isBirth: false };
  expect(history).toEqual({
    writes: [
      { ...second, what: ['name.first_name', 'Ada', 'Eve'] },
      { ...second, what: ['job_title', 'Pilot', 'Baker'] },
      { ...first, what: ['seen_at', null, '2025-12-31T23:00:00.000Z'] },
      { ...first, what: ['tags', ['x'], null] },
      { ...first, what: ['tags.0', null, 'old'] },
      { ...first, what: ['email_addresses.1', 'a@x.example', null] },
    ],
    merges: [],
    newestMs: atMs(SECOND),
    isWhole: false,
  });
});

test('a path may be a text, an actor bare or with another key, a type in either spelling', async () => {
  const history = await told(
    activity(SECOND, [{ path: '/name/first_name', val: 'Ada' }], { actor: 'user_2' }),
    activity(FIRST, [{ path: '/job_title', val: 'A' }], {
      type: 'ClarifyCreate',
      actor: { id: 'agent' },
    }),
  );
  expect(history).toMatchObject({
    writes: [
      { what: ['name.first_name', 'Ada', undefined], by: 'user_2', isBirth: false },
      { what: ['job_title', 'A', undefined], by: 'agent', isBirth: true },
    ],
    isWhole: true,
  });
});

test('a creation may tell of the record instead of its differences', async () => {
  const data = { job_title: 'A', tags: { items: ['x'] }, unknown: 1 };
  const object = { _id: 'p1', entity: 'person', data };
  const { writes } = await told(activity(FIRST, [], { type: 'clarify:create', object }));
  expect(writes).toMatchObject([
    { what: ['tags', ['x'], null], isBirth: true },
    { what: ['job_title', 'A', null], isBirth: true },
  ]);
});

test('a link that was set tells of its field, and a merge of itself', async () => {
  const ref = { _id: 'c1', entity: 'company' };
  const link = { type: 'clarify:set-relationship', object: undefined };
  const history = await told(
    activity('2026-01-09T00:00:00Z', [], { type: 'ClarifyMerge', origin: {}, target: {} }),
    activity('2026-01-08T00:00:00Z', [], { ...link, relationship: 'company_id', ref: null }),
    activity('2026-01-07T00:00:00Z', [], { ...link, relationship: 'company', ref }),
    activity('2026-01-06T00:00:00Z', [], { ...link, relationship: 'deals', ref, refs: [ref] }),
  );
  expect(history).toMatchObject({
    writes: [
      { what: ['company_id', null, undefined], by: 'user_1' },
      { what: ['company_id', 'c1', undefined], by: 'user_1' },
    ],
    merges: [{ atMs: Date.parse('2026-01-09'), by: 'user_1' }],
    newestMs: Date.parse('2026-01-09'),
  });
});

test('what tells of another record is not of this one', async () => {
  const diff = [{ op: 'update', path: ['job_title'], val: 'A' }];
  const object = { _id: 'p2', entity: 'person', diff };
  const note = { entity: 'comment', diff };
  const history = await told(
    activity(SECOND, [], { object }),
    activity(FIRST, [], { object: note }),
  );
  expect(history).toMatchObject({ writes: [], newestMs: Date.parse(SECOND) });
});

test('what does not look as it should is left out', async () => {
  const items = [
    null,
    {},
    { attributes: { data: null } },
    { attributes: { data: [null, { actor: 1 }, { object: { diff: [] } }] } },
    activity('yesterday', [{ path: ['job_title'], val: 'A' }]),
    activity(FIRST, [null, {}, { path: ['unknown'], val: 1 }, { path: [] }, { path: [{}] }], {
      actor: 7,
    }),
    activity(SECOND, [{ path: 'job_title' }], { actor: { _id: null, entity: 'user' } }),
  ];
  expect((await told(...(items as object[]))).writes).toMatchObject([
    { what: ['job_title', undefined, undefined], by: null },
  ]);
});

test('a long feed is read on, 500 at a time, until that is enough', () =>
  withRemote(
    ({ query }) => {
      const offset = Number(query.get('page[offset]'));
      const limit = Number(query.get('page[limit]'));
      const items = Array.from({ length: Math.min(limit, 1_200 - offset) }, (_, n) =>
        activity(new Date(Date.parse(SECOND) - (offset + n) * 1_000).toISOString(), [
          { op: 'update', path: [offset + n === 1_100 ? 'job_title' : 'seen_at'], val: null },
        ]),
      );
      return { body: page(items, 1_200, offset + limit < 1_200 ? 'http://elsewhere/next' : null) };
    },
    async (remote, { seen }) => {
      const holds = ({ writes }: RecordHistory) => writes.some((w) => w.field === 'job_title');
      const history = await remote.readHistory({ ...request, isEnough: holds }, pull);
      expect(history?.writes.find((w) => w.field === 'job_title')?.atMs).toBe(
        Date.parse(SECOND) - 1_100_000,
      );
      expect(seen.map(({ query }) => query.get('page[offset]'))).toEqual(['0', '500', '1000']);
      expect(seen[0]).toMatchObject({ path: '/objects/person/records/p1/activities' });
      const one = await remote.readHistory({ ...request, isEnough: () => true }, pull);
      expect(one?.writes).toHaveLength(500);
    },
  ));

test.each<[string, Reply]>([
  ['500', { status: 500, body: { message: 'Internal server error' } }],
  ['404', { status: 404, body: '' }],
  ['HTML', { body: '<html>' }],
])('a feed that answers %s is asked once, and not again for a while', (_name, reply) =>
  withRemote(
    () => reply,
    async (remote, { seen }, clock) => {
      expect(await remote.readHistory(request, pull)).toBeNull();
      expect(await remote.readHistory(request, pull)).toBeNull();
      expect(seen).toHaveLength(1);
      await clock.sleep(601_000, pull.signal);
      await remote.readHistory(request, pull);
      expect(seen).toHaveLength(2);
    },
  ),
);

test('where feed after feed fails, no further one is asked', () =>
  withRemote(
    () => ({ status: 500, body: '' }),
    async (remote, { seen }) => {
      for (let n = 0; n < 10; n += 1) {
        expect(
          await remote.readHistory({ object: person, id: `p${n}`, isEnough }, pull),
        ).toBeNull();
      }
      expect(seen).toHaveLength(3);
    },
  ));

test('one that fails among others costs nothing but its own', () =>
  withRemote(
    ({ path }) => (path.includes('/bad/') ? { status: 500, body: '' } : { body: page([]) }),
    async (remote) => {
      for (let n = 0; n < 5; n += 1) {
        expect(await remote.readHistory({ object: person, id: 'bad', isEnough }, pull)).toBeNull();
        expect(
          await remote.readHistory({ object: person, id: `p${n}`, isEnough }, pull),
        ).toMatchObject({ writes: [] });
      }
    },
  ));
