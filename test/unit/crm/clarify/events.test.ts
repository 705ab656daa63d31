import { expect, test } from 'vitest';
import type { ActivityPage } from '../../../../src/domain/activity.ts';
import { page, person, pull, withRemote } from './scripted-server.ts';

const AT = '2026-01-02T00:00:00.000Z';
const about = { _id: 'p1', anonymous_id: null, entity: 'person' };

/** An item of a feed with one event. */
function item(id: string, event: object): object {
  const data = [{ _id: id, _created_at: AT, actor: { _id: 'user_1', entity: 'user' }, ...event }];
  return { type: 'activity', id, attributes: { _id: id, _created_at: AT, aggKey: 'k', data } };
}

async function read(...items: readonly unknown[]): Promise<ActivityPage> {
  return await withRemote(
    () => ({ body: page(items) }),
    (remote) => remote.readActivities({ object: person, id: 'p1', offset: 0 }, pull),
  );
}

/** Kind, type and changes of the only event. */
async function told(event: object) {
  const { activities } = await read(item('e1', event));
  const [only] = activities;
  const changes = only?.changes.map(({ field, path, value, was, op }) => [
    field,
    path,
    value,
    was,
    op,
  ]);
  return { kind: only?.kind, type: only?.type, changes };
}

test('an update tells of each difference, in their order, fields that are unknown too', async () => {
  const diff = [
    { op: 'update', path: ['name', 'first_name'], val: 'Ada', oldVal: 'Eve' },
    { op: 'add', path: ['email_addresses', 'items', 1], val: 'a@x.example' },
    { op: 'delete', path: ['gone_field'], oldVal: 7 },
    { op: 'update', path: ['tags'], val: { items: ['x'] } },
  ];
  expect(await told({ type: 'ClarifyUpdate', object: { ...about, diff } })).toEqual({
    kind: 'update',
    type: 'update',
    changes: [
      ['name', ['first_name'], 'Ada', 'Eve', 'update'],
      ['email_addresses', [1], 'a@x.example', null, 'add'],
      ['gone_field', [], null, 7, 'delete'],
      ['tags', [], ['x'], undefined, 'update'],
    ],
  });
});

test('one that names no difference says no more than that something happened', async () => {
  const nothing = [[null, [], undefined, undefined, null]];
  const update = { type: 'clarify:update', object: { ...about, diff: [] } };
  expect(await told(update)).toMatchObject({ kind: 'update', changes: nothing });
  expect(await told({ type: 'clarify:create' })).toMatchObject({
    kind: 'create',
    changes: nothing,
  });
  expect(await told({ type: 'clarify:archive' })).toMatchObject({ kind: 'other', type: 'archive' });
});

test('a creation tells what was given, and a deletion what there was', async () => {
  const data = { job_title: 'Pilot', tags: { items: ['x'] }, name: null };
  expect(await told({ type: 'clarify:create', object: { ...about, data } })).toMatchObject({
    kind: 'create',
    changes: [
      ['job_title', [], 'Pilot', null, 'add'],
      ['tags', [], ['x'], null, 'add'],
    ],
  });
  expect(
    await told({ type: 'clarify:create', object: { ...about, data: { name: null } } }),
  ).toMatchObject({ changes: [[null, [], {}, undefined, null]] });
  expect(await told({ type: 'clarify:delete', object: { ...about, data } })).toMatchObject({
    kind: 'delete',
    changes: [[null, [], undefined, { job_title: 'Pilot', tags: ['x'], name: null }, null]],
  });
});

test('a merge tells who went into whom, and what that changed', async () => {
  const diff = [{ op: 'add', path: ['job_title'], val: 'Pilot' }];
  const origin = { _id: 'p2', anonymous_id: null, entity: 'person' };
  const event = { type: 'ClarifyMerge', origin, target: about, object: { ...about, diff } };
  expect(await told(event)).toEqual({
    kind: 'merge',
    type: 'merge',
    changes: [
      [null, [], { origin: 'p2', target: 'p1' }, undefined, null],
      ['job_title', [], 'Pilot', null, 'add'],
    ],
  });
});

test('links are told by their field; one end is an id, many are a list', async () => {
  const ref = { _id: 'c1', anonymous_id: null, entity: 'company' };
  const link = (more: object) => told({ type: 'ClarifySetRelationship', ...more });
  expect(await link({ relationship: 'company', ref })).toEqual({
    kind: 'link',
    type: 'set-relationship',
    changes: [['company_id', [], 'c1', undefined, null]],
  });
  expect(await link({ relationship: 'company_id', ref: null })).toMatchObject({
    kind: 'unlink',
    changes: [['company_id', [], null, undefined, null]],
  });
  const refs = ['d1', 'd2'].map((_id) => ({ _id, entity: 'deal' }));
  expect(await link({ relationship: 'deals', refs })).toMatchObject({
    kind: 'link',
    changes: [['deals', [], ['d1', 'd2'], undefined, null]],
  });
});

test('what is said of a record, and is not it, tells what it is', async () => {
  const comment = {
    _id: 'k1',
    anonymous_id: null,
    entity: 'https://getclarify.ai/schemas/entities/comment',
  };
  expect(await told({ type: 'clarify:comment', object: comment })).toEqual({
    kind: 'other',
    type: 'comment',
    changes: [[null, [], { entity: 'comment', id: 'k1' }, undefined, null]],
  });
});

test('events without an id are known by their item, and those of one item apart', async () => {
  const { activities } = await read({
    id: 'i1',
    attributes: { data: [{ type: 'clarify:update' }, { type: 'clarify:update' }], _created_at: AT },
  });
  expect(activities.map(({ id }) => id)).toEqual(['i1:1', 'i1:2']);
});

test('what cannot be read is left out and said; where nothing can, the feed has failed', async () => {
  const event = { type: 'clarify:create' };
  expect(await read(item('e1', event), { id: 'e2' })).toMatchObject({
    activities: [{ id: 'e1' }],
    isLegible: false,
  });
  expect(await read(item('e1', event))).toMatchObject({ isLegible: true, next: null });
  expect(await read()).toEqual({ activities: [], isLegible: true, next: null });
  await expect(read({ id: 'e2' }, 7)).rejects.toMatchObject({ code: 'remote-bad-answer' });
});
