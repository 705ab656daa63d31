import { expect, test } from 'vitest';
import { type ApiAnswer, connect, textOf } from './api-client.ts';

/** Every event of a feed, newest first. */
function events({ body }: ApiAnswer): unknown[] {
  return body.data.flatMap(({ attributes: { data } }) => data);
}

test('newest first: who changed what, how deep it lies, and what it was before', async () => {
  let now = 1000;
  const { call, emulator, get } = await connect({ clock: () => now });
  const first = { job_title: 'A', name: { first_name: 'Ann' }, phone_numbers: { items: ['1'] } };
  const made = await call('POST', '/objects/person/records', {
    data: { type: 'person', attributes: first },
  });
  const { id } = made.record;
  now = 2000;
  const changes = {
    job_title: 'B',
    name: { first_name: 'Anna', last_name: null, full_name: 'Ann' },
    phone_numbers: { items: ['1', '2'] },
    lead_score: 5,
  };
  emulator.store.update('person', id, changes, { by: 'agent' });
  now = 3000;
  emulator.store.update('person', id, { job_title: null, phone_numbers: { items: ['2'] } });
  const feed = `/objects/person/records/${id}/activities`;
  const answer = await get(feed);
  expect(answer.body.data[1]).toEqual({
    type: 'activity',
    id: `${id}:2`,
    attributes: {
      _id: `${id}:2`,
      _created_at: '1970-01-01T00:00:02.000Z',
      aggKey: expect.stringContaining(id),
      data: [
        {
          _id: expect.any(String),
          type: 'ClarifyUpdate',
          _created_at: '1970-01-01T00:00:02.000Z',
          actor: { _id: 'agent', anonymous_id: null, entity: 'agent', source_id: null },
          object: {
            _id: id,
            anonymous_id: null,
            entity: 'person',
            diff: [
              { op: 'update', path: ['name', 'first_name'], val: 'Anna', oldVal: 'Ann' },
              { op: 'add', path: ['phone_numbers', 'items', 1], val: '2' },
              { op: 'update', path: ['job_title'], val: 'B', oldVal: 'A' },
              { op: 'add', path: ['lead_score'], val: 5 },
            ],
          },
        },
      ],
    },
  });
  expect(events(answer)).toMatchObject([
    {
      actor: { _id: 'user_01HXSALES00000000000000000', entity: 'user' },
      object: {
        diff: [
          { op: 'update', path: ['phone_numbers', 'items', 0], val: '2', oldVal: '1' },
          { op: 'delete', path: ['phone_numbers', 'items', 1], oldVal: '2' },
          { op: 'delete', path: ['job_title'], oldVal: 'B' },
        ],
      },
    },
    {},
    {
      type: 'clarify:create',
      actor: { _id: 'user_01HXKEYOWNER0000000000000' },
      object: { entity: 'person', data: { job_title: 'A' } },
    },
  ]);
  expect((await get(feed, { 'page[offset]': 2 })).body.data).toHaveLength(1);
});

test('types are spelt with a colon, as one word, or both in turn', async () => {
  const { emulator, get } = await connect();
  const id = emulator.store.create('deal', { name: 'A' });
  emulator.store.update('deal', id, { name: 'B' });
  const types = async () =>
    events(await get(`/objects/deal/records/${id}/activities`)).map((event) =>
      typeof event === 'object' && event !== null && 'type' in event ? event.type : null,
    );
  expect(await types()).toEqual(['ClarifyUpdate', 'clarify:create']);
  emulator.switches.activityTypes = 'colon';
  expect(await types()).toEqual(['clarify:update', 'clarify:create']);
  emulator.switches.activityTypes = 'pascal';
  expect(await types()).toEqual(['ClarifyUpdate', 'ClarifyCreate']);
});

test('merges name origin and target, links what was linked, without an object', async () => {
  const { emulator, get } = await connect({ switches: { activityTypes: 'pascal' } });
  const { store } = emulator;
  const [ann = '', bob = '', cy = ''] = [1, 2, 3].map(() => store.create('person', {}));
  const [one = '', two = ''] = ['A', 'B'].map((name) => store.create('deal', { name }));
  store.merge('person', ann, [bob, cy]);
  const merges = events(await get(`/objects/person/records/${ann}/activities`)).slice(0, 2);
  expect(merges).toMatchObject([
    { type: 'ClarifyMerge', origin: { _id: cy, entity: 'person' }, target: { _id: ann } },
    { type: 'ClarifyMerge', origin: { _id: bob, entity: 'person' }, target: { _id: ann } },
  ]);
  store.link('person', ann, 'deals', [one]);
  store.link('person', ann, 'deals', [two]);
  store.unlink('person', ann, 'deals', [one, two]);
  const links = events(await get(`/objects/person/records/${ann}/activities`)).slice(0, 3);
  const refs = [{ _id: one, entity: 'deal' }, { _id: two }];
  expect(links).toMatchObject([
    { type: 'ClarifySetRelationship', relationship: 'deals', refs },
    { relationship: 'deals', ref: refs[1] },
    { relationship: 'deals', ref: refs[0] },
  ]);
  for (const event of links) expect(event).not.toHaveProperty('object');
});

test('sample records have a history too, and feeds can fail for good, all or some', async () => {
  const { emulator, get } = await connect({ sizes: { person: 3 } });
  const statuses = async () => {
    const answers = emulator.store
      .ids('person')
      .map(async (id) => (await get(`/objects/person/records/${id}/activities`)).status);
    return await Promise.all(answers);
  };
  const [id = ''] = emulator.store.ids('person');
  const feed = await get(`/objects/person/records/${id}/activities`);
  expect(events(feed).at(-1)).toMatchObject({ type: 'clarify:create' });
  expect(await statuses()).toEqual([200, 200, 200]);
  emulator.switches.activities = 'some';
  expect(await statuses()).toEqual([200, 500, 200]);
  emulator.switches.activities = '500';
  expect(await statuses()).toEqual([500, 500, 500]);
});

test('what happens to the fields of an object is told the same way', async () => {
  const { emulator, get } = await connect();
  emulator.store.addField('deal', { name: 'region', form: { kind: 'text' } });
  emulator.store.changeFieldType('deal', 'region', { kind: 'boolean' }, () => null);
  emulator.store.removeField('deal', 'region');
  const answer = await get('/schemas/deal/activities', { 'page[limit]': 2 });
  expect(answer.body.meta.total_records).toBe(3);
  expect(events(answer)).toMatchObject([
    { object: { _id: 'deal', entity: 'schema', diff: [{ op: 'delete' }] } },
    { object: { diff: [{ op: 'update', path: ['properties', 'region', 'type', 0] }] } },
  ]);
  expect((await get('/schemas/nothing/activities')).status).toBe(404);
});

test('newest first also where somebody acted at a time that had passed', async () => {
  const { emulator, get } = await connect({ clock: () => 9000 });
  const id = emulator.store.create('person', {}, { at: 1000 });
  emulator.store.update('person', id, { lead_score: 2 }, { at: 5000 });
  emulator.store.update('person', id, { lead_score: 1 }, { at: 3000 });
  const { body } = await get(`/objects/person/records/${id}/activities`);
  const seconds = body.data.map(({ attributes }) => textOf(attributes._created_at).slice(17, 19));
  expect(seconds).toEqual(['05', '03', '01']);
});
