import { expect, test } from 'vitest';
import { at, attio, column, idOf, idsOf } from './client.ts';

const byCreation = [{ attribute: 'created_at', direction: 'asc' }];

test('every attribute is there, a list always, with the times and authors of its values', async () => {
  const { create, read } = await attio({ clock: () => Date.UTC(2026, 4, 15, 21, 46, 52, 967) });
  const made = await create('companies', { name: 'Acme' });
  const { body } = await read('companies', idOf(made));
  expect(body).toEqual(made.body);
  expect(at(body, 'data', 'created_at')).toBe('2026-05-15T21:46:52.967000000Z');
  expect(at(body, 'data', 'values')).toMatchObject({
    name: [
      {
        value: 'Acme',
        attribute_type: 'text',
        active_from: '2026-05-15T21:46:52.967000000Z',
        active_until: null,
        created_by_actor: { type: 'api-token', id: expect.any(String) },
      },
    ],
    domains: [],
    record_id: [{ value: idOf(made), created_by_actor: { type: 'system', id: null } }],
    created_by: [{ referenced_actor_type: 'api-token' }],
  });
});

test('pages of a query tell every record once, and end short', async () => {
  const { store, query } = await attio();
  for (let i = 0; i < 7; i += 1) store.create('companies', { name: `Company ${i}` });
  const seen: string[] = [];
  for (let offset = 0; ; offset += 3) {
    const page = idsOf(await query('companies', { sorts: byCreation, limit: 3, offset }));
    seen.push(...page);
    if (page.length < 3) break;
  }
  expect(seen.toSorted()).toEqual(store.ids('companies').toSorted());
});

test('the attribute created_at sorts and filters, and can be earlier than the record', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { store, query } = await attio({ clock: () => now });
  for (let i = 0; i < 60; i += 1) {
    now += 1_000;
    store.create('companies', { name: `Company ${i}` });
  }
  const all = await query('companies', { sorts: byCreation });
  const values = column(all, 'values', 'created_at', 0, 'value').map(String);
  expect(values).toEqual(values.toSorted());
  const saved = column(all, 'created_at');
  expect(saved.filter((each, index) => each !== values[index]).length).toBeGreaterThan(5);
  const [since, first = '', last = ''] = [values[30], values[0], values.at(-1)];
  const later = { created_at: { $gte: since } };
  expect(idsOf(await query('companies', { filter: later, sorts: byCreation }))).toEqual(
    idsOf(all).slice(30),
  );
  const between = { created_at: { $gt: first, $lt: last } };
  expect(idsOf(await query('companies', { filter: between }))).toHaveLength(
    values.filter((each) => each > first && each < last).length,
  );
});

test.each([
  [{ name: 'Alpha' }, ['Alpha']],
  [{ name: { $contains: 'et' } }, ['Beta', 'Zeta']],
  [{ name: { $starts_with: 'z' } }, ['Zeta']],
  [{ name: { $in: ['Alpha', 'Zeta'] } }, ['Alpha', 'Zeta']],
  [{ $or: [{ name: 'Alpha' }, { name: 'Beta' }] }, ['Alpha', 'Beta']],
  [{ $and: [{ active: true }, { priority: { $gte: 3 } }] }, ['Beta']],
  [{ $not: { name: 'Alpha' } }, ['Beta', 'Zeta']],
  [{ tags: 'renewal' }, ['Beta']],
  [{ code: { $not_empty: true } }, ['Alpha', 'Beta']],
  [{ code: { $not_empty: false } }, ['Zeta']],
  [{ budget: { currency_value: { $lt: 10 } } }, ['Alpha']],
  [{ starts_on: { $gt: '2026-01-01' } }, ['Beta']],
  [{ kickoff: { $lte: '2026-01-01T01:00:00+01:00' } }, ['Alpha']],
])('filter %j', async (filter, names) => {
  const { create, query } = await attio();
  await create('projects', {
    name: 'Alpha',
    code: 'A',
    active: true,
    priority: 1,
    budget: 9.5,
    starts_on: '2026-01-01',
    kickoff: '2026-01-01T00:00:00Z',
  });
  await create('projects', {
    name: 'Beta',
    code: 'B',
    active: true,
    priority: 3,
    budget: 12,
    tags: ['renewal', 'on hold'],
    starts_on: '2026-02-01',
  });
  await create('projects', { name: 'Zeta', active: false });
  const found = await query('projects', { filter, sorts: byCreation });
  expect(column(found, 'values', 'name', 0, 'value')).toEqual(names);
});

test('a list of references comes in any order', async () => {
  const { create, read, switches } = await attio();
  const targets = [];
  for (let i = 0; i < 8; i += 1) {
    targets.push({ target_object: 'people', target_record_id: idOf(await create('people', {})) });
  }
  const id = idOf(await create('projects', { name: 'x', members: targets }));
  const members = async () => at((await read('projects', id)).body, 'data', 'values', 'members');
  expect(await members()).toMatchObject(targets);
  switches.referenceOrder = 'shuffled';
  expect(await members()).not.toMatchObject(targets);
  expect(await members()).toEqual(
    expect.arrayContaining(targets.map((target) => expect.objectContaining(target))),
  );
});

test('a filter goes through references, and by fields of a value', async () => {
  const { create, query } = await attio();
  const company = await create('companies', { name: 'Acme' });
  const target = { target_object: 'companies', target_record_id: idOf(company) };
  const ada = await create('people', { email_addresses: ['ada@Acme.example'], company: target });
  await create('people', { email_addresses: ['bob@other.example'] });
  const path = [
    ['people', 'company'],
    ['companies', 'name'],
  ];
  for (const filter of [
    { email_addresses: { email_domain: { $eq: 'acme.example' } } },
    { company: { target_record_id: { $eq: idOf(company) } } },
    { path, constraints: { $eq: 'Acme' } },
    { record_id: { $in: [idOf(ada)] } },
  ]) {
    expect(idsOf(await query('people', { filter }))).toEqual([idOf(ada)]);
  }
});

test.each([
  [{ ghost: 'x' }, 'unknown_filter_attribute_slug'],
  [{ name: { ghost: { $eq: 'x' } } }, 'invalid_filter_field'],
  [{ name: { $lt: 'x' } }, 'invalid_filter_operator'],
  [{ stage: { $in: ['Lead'] } }, 'invalid_filter_operator'],
  [{ $not: { $or: [{ name: 'x' }] } }, 'filter_error'],
  [{ created_at: { $gte: 'soon' } }, 'filter_error'],
])('filter %j is refused', async (filter, code) => {
  const { query } = await attio();
  expect(await query('deals', { filter })).toMatchObject({ status: 400, body: { code } });
});

test('a status is found by when it was given', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { create, put, query } = await attio({ clock: () => now });
  const deal = { name: 'x', stage: 'Lead', owner: 'kim@demo.example' };
  const moved = idOf(await create('deals', deal));
  await create('deals', deal);
  now += 60_000;
  await put('deals', moved, { stage: 'In Progress' });
  const filter = { stage: { active_from: { $gte: new Date(now).toISOString() } } };
  expect(idsOf(await query('deals', { filter }))).toEqual([moved]);
});

test('history is told oldest first, and not of what nobody can write', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { ask, create, put } = await attio({ clock: () => now });
  const id = idOf(await create('companies', { name: 'One' }));
  now += 1_000;
  await put('companies', id, { name: 'Two' });
  const values = `/objects/companies/records/${id}/attributes`;
  const { body } = await ask('GET', `${values}/name/values?show_historic=true`);
  expect(body).toMatchObject({
    data: [
      { value: 'One', active_until: '2026-01-01T00:00:01.000000000Z' },
      { value: 'Two', active_until: null },
    ],
  });
  expect(column(await ask('GET', `${values}/name/values`), 'value')).toEqual(['Two']);
  expect((await ask('GET', `${values}/logo_url/values?show_historic=true`)).status).toBe(400);
});

test('a hidden record is as one that is not there, and comes back as it was', async () => {
  const { create, read, query, store } = await attio();
  const made = await create('companies', { name: 'Acme', domains: ['acme.example'] });
  store.hide('companies', [idOf(made)]);
  expect((await read('companies', idOf(made))).status).toBe(404);
  expect(idsOf(await query('companies'))).toEqual([]);
  store.unhide('companies', [idOf(made)]);
  expect((await read('companies', idOf(made))).body).toEqual(made.body);
});

test('the same seed gives the same sample, and none of the future', async () => {
  const sizes = { companies: 5, people: 20, deals: 8, projects: 5 };
  const all = async (seed: number) => {
    const { store } = await attio({ sizes, seed });
    return store.objects().map((object) => store.all(object));
  };
  const [first, again, other] = [await all(7), await all(7), await all(8)];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  expect(JSON.stringify(first)).not.toContain('"active_from":"2027');
});
