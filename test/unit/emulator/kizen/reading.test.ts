import { expect, test } from 'vitest';
import { at, idOf, idsOf, kizen, type Told, valuesOf } from './client.ts';

const now = Date.UTC(2026, 2, 31, 17, 27, 20, 152);

function names({ body }: Told): unknown[] {
  const results = at(body, 'results');
  return Array.isArray(results) ? results.map((each: unknown) => valuesOf(each)['name']) : [];
}

test('times have microseconds and the offset of the business, summer and winter', async () => {
  const { store } = await kizen({ clock: () => now });
  const id = store.create('companies', { name: 'Acme' });
  expect(valuesOf(store.get('companies', id))['created']).toMatch(
    /^2026-03-31T12:27:20\.152\d{3}-05:00$/,
  );
  const winter = store.create('companies', { name: 'Old' }, { at: '2026-01-02T03:04:05.006Z' });
  expect(valuesOf(store.get('companies', winter))['updated']).toMatch(
    /^2026-01-01T21:04:05\.006\d{3}-06:00$/,
  );
});

test('a record is keyed by field ids, and a blank field is left out', async () => {
  const { add, read, store } = await kizen();
  const id = idOf(await add('client_client', { email: 'ada@mail.example', first_name: 'Ada' }));
  const { body } = await read('client_client', id);
  const fieldId = store.fieldId('client_client', 'email');
  expect(at(body, 'fields', fieldId)).toEqual({
    id: fieldId,
    name: 'email',
    field_type: 'email',
    display_name: 'Email',
    value: 'ada@mail.example',
  });
  expect(body).toMatchObject({
    id,
    object_type: 'standard',
    client_info: { email: 'ada@mail.example' },
    access: { view: true },
  });
  const values = valuesOf(body);
  expect(values).toMatchObject({ full_name: 'Ada', display_name: 'Ada' });
  for (const name of ['last_name', 'company', 'tags', 'lead_score']) {
    expect(values).not.toHaveProperty(name);
  }
});

test('a search is paged by 100, counts truly, and only a `next` of null is its end', async () => {
  const { store, search } = await kizen();
  store.import(
    'companies',
    Array.from({ length: 250 }, (_, index) => ({ name: `C${index}` })),
  );
  const first = await search('companies');
  expect(first.body).toMatchObject({
    count: 250,
    next: expect.stringContaining('page=2'),
    previous: null,
    errors: [],
  });
  expect(idsOf(first)).toHaveLength(100);
  const cheap = await search('companies', { page_size: 5 }, 'page_size=1');
  expect(cheap.body).toMatchObject({ count: 250 });
  expect(idsOf(cheap)).toHaveLength(1);
  const seen = [idsOf(first)];
  for (const page of [2, 3]) seen.push(idsOf(await search('companies', {}, `page=${page}`)));
  expect(new Set(seen.flat()).size).toBe(250);
  expect((await search('companies', {}, 'page=3')).body).toMatchObject({ next: null });
  expect(await search('companies', {}, 'page=4')).toMatchObject({
    status: 404,
    body: { detail: 'Invalid page.' },
  });
});

test('next is a whole URL of another host', async () => {
  const { store, search, switches, url } = await kizen();
  store.import('companies', [{ name: 'A' }, { name: 'B' }]);
  const next = async () => String(at((await search('companies', {}, 'page_size=1')).body, 'next'));
  expect(new URL(await next()).host).not.toBe(new URL(url).host);
  switches.nextLinks = 'followable';
  expect(new URL(await next()).host).toBe(new URL(url).host);
});

const query = (...filters: object[]) => ({ query: [{ id: 'query-0', and: true, filters }] });
const onDefault = { type: 'fields', subtype: 'non_custom' };

test.each([
  ['=', '2026-01-02T00:00:00.000Z', ['B']],
  ['!=', '2026-01-02T00:00:00.000Z', ['A', 'C']],
  ['<', '2026-01-02T00:00:00.000Z', ['A']],
  ['<=', '2026-01-02T00:00:00.000Z', ['A', 'B']],
  ['>', '2026-01-02T00:00:00.000Z', ['C']],
  ['>=', '2026-01-02T00:00:00.000Z', ['B', 'C']],
  ['between', ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'], ['A', 'B']],
])('created and updated: %s', async (condition, value, wanted) => {
  const { store, search, switches } = await kizen();
  switches.timeFilters = 'milliseconds';
  for (const [index, name] of ['A', 'B', 'C'].entries()) {
    store.create('companies', { name }, { at: Date.UTC(2026, 0, 1 + index) });
  }
  for (const field of ['created', 'updated']) {
    const found = await search('companies', query({ ...onDefault, field, condition, value }));
    expect(names(found)).toEqual(wanted);
  }
});

test('filters of a text, an option, a stage, blanks, and groups of them', async () => {
  const { store, search, ask } = await kizen();
  store.create('deals', { name: 'Alpha', channel: 'Web', discount: 5 });
  store.create('deals', { name: 'Beta', channel: 'Event', stage: 'Won' });
  store.create('deals', { name: 'Zeta' });
  const custom = (name: string) => ({
    type: 'fields_v2',
    subtype: 'custom',
    field: `"custom"::${store.fieldId('deals', name)}`,
  });
  const found = async (...filters: object[]) => names(await search('deals', query(...filters)));
  const name = { ...onDefault, field: 'name' };
  expect(await found({ ...name, condition: '=', value: 'Beta' })).toEqual(['Beta']);
  expect(await found({ ...name, condition: '!=', value: 'Beta' })).toEqual(['Alpha', 'Zeta']);
  expect(await found({ ...name, condition: 'contains', value: 'ET' })).toEqual(['Beta', 'Zeta']);
  expect(await found({ ...name, condition: 'starts_with', value: 'al' })).toEqual(['Alpha']);
  const fields = (await ask('GET', '/custom-objects/deals/fields')).body;
  const list: unknown[] = Array.isArray(fields) ? fields : [];
  const idOfOption = (field: string, label: string): unknown => {
    const options = at(
      list.find((each) => at(each, 'name') === field),
      'options',
    );
    return at(
      (Array.isArray(options) ? options : []).find((each: unknown) => at(each, 'name') === label),
      'id',
    );
  };
  const web = [idOfOption('channel', 'Web')];
  expect(await found({ ...custom('channel'), condition: 'is_any_of', value: web })).toEqual([
    'Alpha',
  ]);
  expect(await found({ ...custom('channel'), condition: 'is_none_of', value: web })).toEqual([
    'Beta',
    'Zeta',
  ]);
  expect(await found({ ...custom('discount'), condition: 'is_blank', value: false })).toEqual([
    'Alpha',
  ]);
  expect(await found({ ...custom('channel'), condition: 'is_blank', value: true })).toEqual([
    'Zeta',
  ]);
  const stage = {
    type: 'fields_v2',
    subtype: 'non_custom',
    field: 'stage',
    overwrite: { type: 'stage' },
    condition: 'is_any_of',
    value: [idOfOption('stage', 'Won')],
  };
  expect(await found(stage)).toEqual(['Beta']);
  const alpha = { ...name, condition: '=', value: 'Alpha' };
  const either = { query: [{ id: 'query-0', and: false, filters: [alpha, stage] }], and: true };
  expect(names(await search('deals', either))).toEqual(['Alpha', 'Beta']);
  const groups = [alpha, stage].map((each, index) => ({
    id: `query-${index}`,
    and: true,
    filters: [each],
  }));
  for (const and of [true, undefined]) {
    expect(names(await search('deals', { query: groups, and }))).toEqual([]);
  }
  expect(names(await search('deals', { query: groups, and: false }))).toEqual(['Alpha', 'Beta']);
});

test.each([
  [{ ...onDefault, field: 'updated', condition: '>=', value: null }],
  [{ ...onDefault, field: 'updated', condition: 'is_blank', value: true }],
  [{ ...onDefault, field: 'updated', condition: '>=', value: 'soon' }],
  [{ ...onDefault, field: 'created', condition: 'between', value: ['2026-01-01T00:00:00Z'] }],
  [{ ...onDefault, field: 'name', condition: '>', value: 'A' }],
  [{ ...onDefault, field: 'ghost', condition: '=', value: 'A' }],
  [{ type: 'fields_v2', subtype: 'custom', field: 'employees', condition: '=', value: 1 }],
  [{ ...onDefault, field: 'stage', condition: 'is_any_of', value: ['x'] }],
])('the filter %j is refused', async (filter) => {
  const { search } = await kizen();
  expect(await search('deals', query(filter))).toMatchObject({
    status: 400,
    body: { query: [expect.any(String)] },
  });
});

test('an ordering goes up or down, and one that is unknown is ignored', async () => {
  const { store, search } = await kizen();
  for (const [index, name] of ['B', 'A', 'C'].entries()) {
    store.create('companies', { name }, { at: Date.UTC(2026, 0, 3 - index) });
  }
  const by = async (ordering: string) =>
    names(await search('companies', {}, `ordering=${ordering}`));
  expect(await by('created')).toEqual(['C', 'A', 'B']);
  expect(await by('-updated')).toEqual(['B', 'A', 'C']);
  expect(await by('name')).toEqual(['A', 'B', 'C']);
  expect(await by('ghost')).toEqual(['B', 'A', 'C']);
  expect(names(await search('companies', {}, 'search=a'))).toEqual(['A']);
});

test('field_names narrows to exactly those; ids and labels among them match nothing', async () => {
  const { add, search, store, read } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme', employees: 4 }));
  const shown = async (body: object) =>
    Object.keys(valuesOf(at((await search('companies', body)).body, 'results', 0)));
  const employees = store.fieldId('companies', 'employees');
  expect(await shown({ field_names: ['name', 'ghost'] })).toEqual(['name']);
  expect(await shown({ field_names: ['Employees', employees] })).toEqual([]);
  expect(await shown({ field_ids: [employees] })).toEqual(['employees']);
  const narrow = await read('companies', id, `field_ids=${employees}&field_names=name`);
  expect(Object.keys(valuesOf(narrow.body))).toEqual(['name', 'employees']);
});

test('a read by id tells hidden fields only where they are asked for', async () => {
  const { add, read, search } = await kizen();
  const id = idOf(await add('client_client', { email: 'a@mail.example', internal_code: 'X' }));
  expect(valuesOf((await read('client_client', id, '')).body)).not.toHaveProperty('internal_code');
  const asked = await read('client_client', id, 'include_hidden_fields=true');
  expect(valuesOf(asked.body)).toHaveProperty('internal_code', 'X');
  const found = await search('client_client');
  expect(valuesOf(at(found.body, 'results', 0))).toHaveProperty('internal_code', 'X');
});

test('a lookup is exact, by e-mail of contacts, and wants an identifier', async () => {
  const { add, ask, store } = await kizen();
  const id = idOf(await add('client_client', { email: 'Ada@mail.example' }));
  const look = (identifier: string) =>
    ask('GET', `/records/client_client/lookup?identifier=${identifier}`);
  expect(idOf(await look('Ada@mail.example'))).toBe(id);
  expect((await look('ada@mail.example')).status).toBe(404);
  store.hide('client_client', [id]);
  expect((await look('Ada@mail.example')).status).toBe(404);
  store.unhide('client_client', [id]);
  store.archive('client_client', id);
  expect((await look('Ada@mail.example')).status).toBe(404);
  expect(await look('')).toMatchObject({
    status: 400,
    body: { identifier: ['This field is required.'] },
  });
});

test('a page that failed in part is a 400 with the envelope and errors', async () => {
  const { store, search } = await kizen({ switches: { partialShare: 1 } });
  store.import('companies', [{ name: 'A' }, { name: 'B' }]);
  const told = await search('companies');
  expect(told).toMatchObject({ status: 400, body: { count: 2, errors: [expect.anything()] } });
  expect(idsOf(told)).toHaveLength(1);
});
