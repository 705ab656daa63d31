import { describe, expect, test } from 'vitest';
import { connect, newPerson, standingClock, textOf } from './api-client.ts';

const NOON = '2026-03-10T12:00:00.000Z';
const LIST = '/objects/task/resources';
const byUpdate = { 'sortOrder[column]': '_updated_at', 'sortOrder[dir]': 'ASC' };

describe('1, 2: what date-time filters compare', () => {
  test('instants or whole UTC days, with or without the value itself', async () => {
    const { emulator, ids } = await connect();
    const { store, switches } = emulator;
    const at = (iso: string) => store.create('task', { title: iso }, { at: iso });
    const before = at('2026-03-10T11:59:59.999Z');
    const exactly = at(NOON);
    const tomorrow = at('2026-03-11T00:00:00.000Z');
    const find = (operator: string) => ids(LIST, { [`filter[_updated_at][${operator}]`]: NOON });
    expect(await find('Is on or after')).toEqual([exactly, tomorrow]);
    expect(await find('Is on or before')).toEqual([before, exactly]);
    expect(await find('Is after')).toEqual([tomorrow]);
    switches.isAfter = 'inclusive';
    expect(await find('Is after')).toEqual([exactly, tomorrow]);
    switches.dateFilters = 'days';
    expect(await find('Is on or after')).toEqual([before, exactly, tomorrow]);
    expect(await find('Is on or before')).toEqual([before, exactly]);
    expect(await find('Is')).toEqual([before, exactly]);
    expect(await find('Is before')).toEqual([]);
    switches.isAfter = 'strict';
    expect(await find('Is after')).toEqual([tomorrow]);
  });
});

describe('3: order among equal timestamps', () => {
  test('stable, turned round on every second page, or new on every page', async () => {
    const { emulator, ids } = await connect();
    const { store, switches } = emulator;
    const made = Array.from({ length: 40 }, (_, i) => store.create('task', { title: String(i) }));
    store.stampMany('task', made.slice(5), NOON);
    const list = () => ids(LIST, byUpdate);
    const first = await list();
    expect(await list()).toEqual(first);
    switches.tieOrder = 'reversed';
    const [even, odd] = [await list(), await list()];
    expect(even).not.toEqual(odd);
    expect([...odd].toSorted()).toEqual([...made].toSorted());
    switches.tieOrder = 'shuffled';
    const [one, two] = [await list(), await list()];
    expect(one).not.toEqual(two);
    expect([...one].toSorted()).toEqual([...made].toSorted());
  });

  test('pages through a shuffled tie repeat some records and miss others', async () => {
    const { emulator, ids } = await connect({ switches: { tieOrder: 'shuffled' } });
    const { store } = emulator;
    const made = Array.from({ length: 60 }, (_, i) => store.create('task', { title: String(i) }));
    store.stampMany('task', made, NOON);
    const pages: string[] = [];
    for (let offset = 0; offset < 60; offset += 10) {
      pages.push(...(await ids(LIST, { ...byUpdate, 'page[limit]': 10, 'page[offset]': offset })));
    }
    expect(pages).toHaveLength(60);
    expect(new Set(pages).size).toBeLessThan(60);
  });
});

test('4: `_updated_at` has no value before the first edit, and no filter finds it', async () => {
  const { emulator, get, ids } = await connect();
  const { store, switches } = emulator;
  const untouched = store.create('task', { title: 'Untouched' });
  const edited = store.create('task', { title: 'Edited' });
  store.update('task', edited, { title: 'Edited again' });
  const attributes = async () =>
    (await get(`/objects/task/records/${untouched}`)).record.attributes;
  const since = { 'filter[_updated_at][Is on or after]': '2000-01-01T00:00:00.000Z' };
  expect(await attributes()).toHaveProperty(
    '_updated_at',
    store.get('task', untouched)?.attributes._created_at,
  );
  expect(await ids(LIST, since)).toEqual([untouched, edited]);
  switches.updatedAtUntilEdit = 'null';
  expect(await attributes()).toHaveProperty('_updated_at', null);
  expect(await ids(LIST, since)).toEqual([edited]);
  expect(await ids(LIST, { ...byUpdate, ...since })).toEqual([edited]);
  expect(await ids(LIST, byUpdate)).toEqual([edited, untouched]);
  expect(await ids(LIST, { 'filter[_updated_at][Is empty]': '' })).toEqual([untouched]);
  switches.updatedAtUntilEdit = 'absent';
  expect(await attributes()).not.toHaveProperty('_updated_at');
  switches.updatedAtUntilEdit = 'set';
  expect(await ids(LIST, { ...byUpdate, ...since })).toEqual([untouched, edited]);
});

describe('5: what moves `_updated_at`', () => {
  const stamps = async () => {
    const clock = standingClock(NOON);
    const { emulator } = await connect({ clock: clock.read });
    const { store } = emulator;
    const person = store.create('person', {});
    const deal = store.create('deal', { name: 'Deal' });
    const other = store.create('person', {});
    const moved = (act: () => void): string[] => {
      clock.advance(1000);
      act();
      const now = new Date(clock.read()).toISOString();
      return ['deal', 'person'].filter((object) =>
        store.all(object).some(({ attributes }) => attributes._updated_at === now),
      );
    };
    return { ...emulator, person, deal, other, moved };
  };

  test('links: nobody’s, the owner’s, or both ends’', async () => {
    const { store, switches, person, deal, moved } = await stamps();
    const link = () => store.link('deal', deal, 'people', [person]);
    const unlink = () => store.unlink('deal', deal, 'people', [person]);
    expect(moved(link)).toEqual([]);
    switches.linksBump = 'owner';
    expect(moved(unlink)).toEqual(['deal']);
    expect(moved(unlink)).toEqual([]);
    switches.linksBump = 'both';
    expect(moved(link)).toEqual(['deal', 'person']);
  });

  test('enrichment, merges, and updates that change nothing', async () => {
    const { store, switches, person, deal, other, moved } = await stamps();
    expect(moved(() => store.enrich('person', person, { job_title: 'A' }))).toEqual(['person']);
    switches.enrichmentBump = false;
    expect(moved(() => store.enrich('person', person, { job_title: 'B' }))).toEqual([]);
    expect(store.get('person', person)?.attributes.job_title).toBe('B');
    expect(moved(() => store.update('deal', deal, { name: 'Deal' }))).toEqual(['deal']);
    switches.noopBumps = false;
    expect(moved(() => store.update('deal', deal, { name: 'Deal' }))).toEqual([]);
    switches.mergesBump = 'none';
    expect(moved(() => store.merge('person', person, [other]))).toEqual([]);
    const third = store.create('person', {});
    switches.mergesBump = 'target';
    expect(moved(() => store.merge('person', person, [third]))).toEqual(['person']);
  });
});

describe('6: late writes', () => {
  test('stay out of lists for a while; the record itself shows them at once', async () => {
    const clock = standingClock(NOON);
    const { emulator, get, ids } = await connect({ clock: clock.read });
    const { store, switches } = emulator;
    const old = store.create('task', { title: 'old' });
    const doomed = store.create('task', { title: 'doomed' });
    await ids(LIST, byUpdate);
    clock.advance(1000);
    switches.visibilityDelayMs = 30_000;
    const late = store.create('task', { title: 'late' });
    store.update('task', old, { title: 'new' });
    store.delete('task', doomed);
    const titles = async () =>
      (await get(LIST, byUpdate)).body.data.map(({ attributes }) => textOf(attributes.title));
    expect(await titles()).toEqual(['old', 'doomed']);
    expect((await get(`/objects/task/records/${late}`)).status).toBe(200);
    expect((await get(`/objects/task/records/${doomed}`)).status).toBe(404);
    expect((await get('/objects/task/deleted-resources')).body.data).toEqual([]);
    clock.advance(10_000);
    store.update('task', old, { title: 'newer' });
    clock.advance(20_000);
    expect((await titles()).toSorted()).toEqual(['late', 'new']);
    expect((await get('/objects/task/deleted-resources')).body.data).toHaveLength(1);
    clock.advance(10_000);
    expect(await titles()).toEqual(['late', 'newer']);
    const newest = (await get(LIST, byUpdate)).body.data.at(-1)?.attributes._updated_at;
    expect(newest).toBe('2026-03-10T12:00:11.000Z');
  });

  test('a share of them overtakes the rest', async () => {
    const clock = standingClock(NOON);
    const { emulator, ids } = await connect({
      clock: clock.read,
      switches: { visibilityDelayMs: 5000, lateShare: 0.5 },
    });
    for (let i = 0; i < 40; i += 1) emulator.store.create('task', { title: String(i) });
    const shown = (await ids(LIST)).length;
    expect(shown).toBeGreaterThan(5);
    expect(shown).toBeLessThan(35);
    clock.advance(5000);
    expect(await ids(LIST)).toHaveLength(40);
  });
});

test('7: merged-away ids in deleted-resources, or not; the feed present, or not', async () => {
  const { emulator, get } = await connect();
  const { store, switches } = emulator;
  const [target = '', source = ''] = [1, 2].map(() => store.create('person', {}));
  store.merge('person', target, [source]);
  const feed = '/objects/person/deleted-resources';
  expect((await get(feed)).body.data).toEqual([]);
  switches.mergedInDeletedFeed = true;
  expect((await get(feed)).body.data.map(({ id }) => id)).toEqual([source]);
  switches.deletedFeed = 'missing';
  expect((await get(feed)).status).toBe(404);
});

test('8: bulk calls that are too large, in bytes or records, and bulk DELETE that is not there', async () => {
  const { call, emulator } = await connect();
  const { switches, store } = emulator;
  const data = ['a', 'b', 'c'].map((name) => newPerson(`${name}@x.example`));
  const path = '/objects/person/records';
  switches.bulkBytesMax = 200;
  expect((await call('POST', `${path}/bulk`, { data })).status).toBe(413);
  switches.bulkBytesMax = 0;
  switches.bulkRecordsMax = 2;
  const refused = await call('POST', `${path}/bulk`, { data });
  expect(refused.status).toBe(422);
  expect(refused.body.errors[0]?.source?.pointer).toBe('/data');
  expect(store.count('person')).toBe(0);
  expect((await call('POST', `${path}/bulk`, { data: data.slice(1) })).status).toBe(201);
  for (const missing of ['404', '405'] as const) {
    switches.bulkDelete = missing;
    const answer = await call('DELETE', path, { items: store.ids('person') });
    expect(answer.status).toBe(Number(missing));
  }
  expect(store.count('person')).toBe(2);
});

test('8: the records of a bulk answer come in any order', async () => {
  const { call } = await connect({ switches: { bulkAnswerOrder: 'shuffled' } });
  const data = Array.from({ length: 20 }, (_, i) => newPerson(`${i}@x.example`));
  const answer = await call('POST', '/objects/person/records/bulk', { data });
  const emails = answer.body.data.map(({ attributes }) => attributes.email_addresses);
  const sent = data.map(({ attributes }) => attributes.email_addresses);
  expect(emails).not.toEqual(sent);
  expect(emails).toHaveLength(20);
  expect(emails).toEqual(expect.arrayContaining(sent));
});

test('9: fields without a value are left out', async () => {
  const { emulator, get } = await connect({ switches: { omitNulls: true } });
  const id = emulator.store.create('task', { title: 'One' });
  const { attributes } = (await get(`/objects/task/records/${id}`)).record;
  expect(Object.keys(attributes).toSorted()).toEqual(
    ['_created_at', '_created_by', '_id', '_updated_at', '_updated_by', 'title'].toSorted(),
  );
});

test('9: the answer to an update tells nothing of the fields that were not sent', async () => {
  const { emulator, call, get } = await connect({ switches: { omitUnsent: true } });
  const id = emulator.store.create('task', { title: 'One', status: 'To Do' });
  const path = `/objects/task/records/${id}`;
  const data = { type: 'task', id, attributes: { title: 'Two', priority: null } };
  const system = ['_created_at', '_created_by', '_id', '_merged_ids', '_updated_at', '_updated_by'];
  const expected = { title: 'Two', priority: null };
  const one = await call('PATCH', path, { data });
  const many = await call('PATCH', '/objects/task/records', { data: [data] });
  for (const record of [one.record, many.body.data[0]]) {
    expect(record?.attributes).toMatchObject(expected);
    expect(Object.keys(record?.attributes ?? {}).toSorted()).toEqual(
      [...system, ...Object.keys(expected)].toSorted(),
    );
  }
  expect((await get(path)).record.attributes).toMatchObject({ title: 'Two', status: 'To Do' });
});

test('10: unknown top-level keys are ignored, or not', async () => {
  const { call, emulator } = await connect();
  const create = () =>
    call('POST', '/objects/task/records', { data: { type: 'task', attributes: {} }, more: 1 });
  expect((await create()).status).toBe(201);
  emulator.switches.ignoresUnknownTopLevelKeys = false;
  expect((await create()).body.errors[0]?.source?.pointer).toBe('/more');
});

test('11: another workspace’s slug is not found, or its key is no good', async () => {
  const { emulator } = await connect();
  const headers = { authorization: 'api-key demo-key', 'user-agent': 'test' };
  const ask = async () => {
    const answer = await fetch(`${emulator.url}/workspaces/other/users`, { headers });
    return [answer.status, await answer.text()];
  };
  expect((await ask())[0]).toBe(404);
  emulator.switches.wrongSlug = '401';
  expect(await ask()).toEqual([401, expect.stringContaining('Invalid API key')]);
});

test('12: the page of a list without a limit', async () => {
  const { emulator, get } = await connect({ sizes: { task: 60 } });
  expect((await get(LIST)).body.data).toHaveLength(60);
  emulator.switches.pageDefault = 50;
  expect((await get(LIST)).body).toMatchObject({ meta: { limit: 50, total_records: 60 } });
});

test('13: a bare value on a collection is one of its items, or all of it', async () => {
  const { emulator, ids } = await connect();
  const person = (...items: string[]) =>
    emulator.store.create('person', { email_addresses: { items } });
  const [one, two] = [person('a@x.example'), person('a@x.example', 'b@x.example')];
  const find = () => ids('/objects/person/resources', { 'filter[email_addresses]': 'A@x.example' });
  expect(await find()).toEqual([one, two]);
  emulator.switches.bareCollection = 'is';
  expect(await find()).toEqual([one]);
});

test('an empty collection comes as it is, or as null', async () => {
  const { call, emulator } = await connect();
  const id = emulator.store.create('person', { phone_numbers: { items: ['1'] } });
  const clear = async () => {
    const data = { type: 'person', id, attributes: { phone_numbers: { items: [] } } };
    const answer = await call('PATCH', `/objects/person/records/${id}`, { data });
    return answer.record.attributes.phone_numbers;
  };
  expect(await clear()).toEqual({ items: [] });
  emulator.switches.emptyCollections = 'null';
  expect(await clear()).toBeNull();
});

test('text comes back as sent, or normalised', async () => {
  const { call, emulator } = await connect();
  const create = async (email: string, title: string) => {
    const body = { data: newPerson(email, { job_title: title }) };
    const { attributes } = (await call('POST', '/objects/person/records', body)).record;
    return [attributes.email_addresses, attributes.job_title];
  };
  expect(await create('A@X.example', ' CEO ')).toEqual([{ items: ['a@x.example'] }, ' CEO ']);
  emulator.switches.normalises = 'trim';
  expect(await create('B@X.example', ' CEO ')).toEqual([{ items: ['b@x.example'] }, 'CEO']);
  emulator.switches.normalises = 'nothing';
  expect(await create('C@X.example', ' CEO ')).toEqual([{ items: ['C@X.example'] }, ' CEO ']);
});

test('links to a deleted record stay, or become null', async () => {
  const { emulator } = await connect();
  const { store, switches } = emulator;
  const company = () => store.create('company', {});
  const [one, two] = [company(), company()];
  const ann = store.create('person', { company_id: one });
  const bob = store.create('person', { company_id: two });
  store.delete('company', one);
  expect(store.get('person', ann)?.attributes.company_id).toBe(one);
  switches.deletedTargets = 'clear';
  store.delete('company', two);
  expect(store.get('person', bob)?.attributes.company_id).toBeNull();
});

test('hidden records are not found, and nobody says they were deleted', async () => {
  const { emulator, get, ids } = await connect();
  const { store } = emulator;
  const id = store.create('task', { title: 'Private' });
  await ids(LIST);
  store.hide('task', [id]);
  expect(await ids(LIST)).toEqual([]);
  expect((await get(`/objects/task/records/${id}`)).status).toBe(404);
  expect(await ids('/objects/task/deleted-resources')).toEqual([]);
  store.unhide('task', [id]);
  expect(await ids(LIST)).toEqual([id]);
});
