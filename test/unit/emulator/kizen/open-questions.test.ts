import { expect, test } from 'vitest';
import { at, idOf, idsOf, kizen, type Told, valuesOf } from './client.ts';

// What no source settles: each answer can be had.

const SECOND_MS = 1_000;

function names({ body }: Told): unknown[] {
  const results = at(body, 'results');
  return Array.isArray(results) ? results.map((each: unknown) => valuesOf(each)['name']) : [];
}

function rows(count: number) {
  return Array.from({ length: count }, (_, index) => ({ name: `C${index}` }));
}

test('1: a page_size above the cap is cut down or refused, and the cap may be low', async () => {
  const { store, search, switches } = await kizen();
  store.import('companies', rows(1_001));
  expect(idsOf(await search('companies', {}, 'page_size=2000'))).toHaveLength(1_000);
  switches.pageMax = 30;
  const page = await search('companies', {}, 'page_size=1000&page=2');
  expect(idsOf(page)).toEqual(store.ids('companies').slice(30, 60));
  expect(idsOf(await search('companies'))).toHaveLength(30);
  switches.pageOver = 'refuse';
  expect(await search('companies', {}, 'page_size=101')).toMatchObject({
    status: 400,
    body: { page_size: [expect.any(String)] },
  });
  expect((await search('companies', {}, 'page_size=100')).status).toBe(200);
  expect((await search('companies')).status).toBe(200);
});

test('1: a page may be short with more behind it', async () => {
  const { store, search, switches } = await kizen({ switches: { hiddenRecords: 'gap' } });
  const ids = store.import('companies', rows(6));
  store.hide('companies', [ids[0] ?? '', ids[1] ?? '', ids[2] ?? '']);
  const first = await search('companies', {}, 'page_size=3');
  expect(first.body).toMatchObject({ count: 3, results: [], next: expect.any(String) });
  expect(idsOf(await search('companies', {}, 'page_size=3&page=2'))).toEqual(ids.slice(3));
  switches.hiddenRecords = 'absent';
  expect((await search('companies', {}, 'page_size=3')).body).toMatchObject({ next: null });
});

test('2: an ordering may be ignored, and equal values come in any order', async () => {
  const { store, search, switches } = await kizen();
  store.import('companies', rows(40), { at: Date.UTC(2026, 0, 1) });
  store.create('companies', { name: 'first' }, { at: Date.UTC(2025, 0, 1) });
  const shown = async () => names(await search('companies', {}, 'ordering=updated'));
  const stable = await shown();
  expect(stable[0]).toBe('first');
  expect(await shown()).toEqual(stable);
  for (const tieOrder of ['reversed', 'shuffled'] as const) {
    switches.tieOrder = tieOrder;
    const [one, two] = [await shown(), await shown()];
    expect(one).not.toEqual(two);
    expect([one[0], two[0]]).toEqual(['first', 'first']);
    expect(new Set(one)).toEqual(new Set(stable));
  }
  switches.ordering = 'ignored';
  expect((await shown()).at(-1)).toBe('first');
  switches.unordered = 'newest';
  expect((await shown())[0]).toBe('first');
  switches.unordered = 'shuffled';
  expect(await shown()).not.toEqual(await shown());
});

test.each([
  ['microseconds', '2026-01-02T03:04:05.006Z', 1],
  ['microseconds', '2026-01-02T03:04:05.007Z', 0],
  ['milliseconds', '2026-01-02T03:04:05.006Z', 0],
  ['seconds', '2026-01-02T03:04:05.900Z', 0],
  ['seconds', '2026-01-02T03:04:04.900Z', 1],
  ['days', '2026-01-02T00:00:00.000Z', 0],
  ['days', '2026-01-01T23:59:59.999Z', 1],
  ['business days', '2026-01-01T06:00:00.000Z', 0],
  ['business days', '2026-01-01T05:59:59.999Z', 1],
] as const)('3: filters compare %s: > %s finds %i', async (timeFilters, value, count) => {
  const { store, search } = await kizen({ switches: { timeFilters } });
  store.create('companies', { name: 'A' }, { at: Date.UTC(2026, 0, 2, 3, 4, 5, 6) });
  const filter = { type: 'fields', subtype: 'non_custom', field: 'updated', condition: '>', value };
  const query = [{ id: 'query-0', and: true, filters: [filter] }];
  expect((await search('companies', { query })).body).toMatchObject({ count });
});

test('4: a move, an unarchive and a write of what stands move `updated`, or do not', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { add, ask, patch, store, switches } = await kizen({ clock: () => now });
  const id = idOf(await add('deals', { name: 'One' }));
  const stages = at((await ask('GET', '/custom-objects/deals')).body, 'id');
  const stage = at((await ask('GET', `/pipelines/${String(stages)}/stages`)).body, 1, 'id');
  const moved = async (act: () => Promise<unknown>): Promise<boolean> => {
    const before = valuesOf(store.get('deals', id))['updated'];
    now += SECOND_MS;
    await act();
    return valuesOf(store.get('deals', id))['updated'] !== before;
  };
  const move = () => ask('PATCH', `/records/deals/${id}/move`, { stage_id: stage });
  const comeback = async () => {
    await ask('DELETE', `/records/deals/${id}`);
    await ask('PATCH', `/records/deals/${id}/unarchive`);
  };
  const again = () => patch('deals', id, { name: 'One' });
  expect([await moved(move), await moved(comeback), await moved(again)]).toEqual([
    true,
    true,
    true,
  ]);
  Object.assign(switches, { moveBumps: false, unarchiveBumps: false, equalBumps: false });
  expect([await moved(move), await moved(comeback), await moved(again)]).toEqual([
    false,
    false,
    false,
  ]);
});

test('5: a write shows in search after a while, an archive after longer; reads by id at once', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { add, patch, ask, read, search } = await kizen({
    clock: () => now,
    switches: { visibilityDelayMs: 5_000, archiveDelayMs: 2_000 },
  });
  const id = idOf(await add('companies', { name: 'Old' }));
  expect(idsOf(await search('companies'))).toEqual([]);
  expect((await read('companies', id)).status).toBe(200);
  now += 5_000;
  expect(names(await search('companies'))).toEqual(['Old']);
  await patch('companies', id, { name: 'New' });
  expect(names(await search('companies'))).toEqual(['Old']);
  now += 5_000;
  expect(names(await search('companies'))).toEqual(['New']);
  await ask('DELETE', `/records/companies/${id}`);
  expect((await read('companies', id)).status).toBe(404);
  now += 6_999;
  expect(idsOf(await search('companies'))).toEqual([id]);
  now += 1;
  expect(idsOf(await search('companies'))).toEqual([]);
});

test('6: past the last page there is a 404 or an empty page', async () => {
  const { search, switches } = await kizen();
  expect(await search('companies', {}, 'page=2')).toMatchObject({
    status: 404,
    body: { detail: 'Invalid page.' },
  });
  switches.pastEnd = 'empty';
  expect(await search('companies', {}, 'page=2')).toMatchObject({
    status: 200,
    body: { count: 0, next: null, results: [] },
  });
});

test('8: the name of an archived record is taken or free, refused with 400 or 409', async () => {
  const { add, ask, upsert, patch, switches } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme' }));
  const other = idOf(await add('companies', { name: 'Other' }));
  await ask('DELETE', `/records/companies/${id}`);
  const refused = { detail: expect.stringContaining('archived'), archived_record: { id } };
  expect(await add('companies', { name: 'acme' })).toMatchObject({ status: 400, body: refused });
  expect(await upsert('companies', 'Acme')).toMatchObject({ status: 400, body: refused });
  switches.archivedRefusal = '409';
  expect(await patch('companies', other, { name: 'Acme' })).toMatchObject({
    status: 409,
    body: { code: 'conflict', ...refused },
  });
  switches.archivedRefusal = '400 entry';
  expect(await add('companies', { employees: 1, name: 'Acme' })).toMatchObject({
    status: 400,
    body: { fields: [{}, { value: [expect.stringContaining('archived')] }] },
  });
  switches.archivedNames = 'free';
  expect((await add('companies', { name: 'Acme' })).status).toBe(201);
  expect(await ask('PATCH', `/records/companies/${id}/unarchive`)).toMatchObject({ status: 409 });
});

test('8: whoever asks for it brings the archived record back, or takes its name', async () => {
  const { add, ask, upsert, store } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme' }));
  await ask('DELETE', `/records/companies/${id}`);
  const back = await add('companies', { name: 'Acme', employees: 7 }, { unarchive: 'unarchive' });
  expect(back).toMatchObject({ status: 201, body: { id, action: 'unarchived' } });
  await ask('DELETE', `/records/companies/${id}`);
  const again = await upsert('companies', 'Acme', {}, { oncreate_unarchive: 'unarchive' });
  expect(again).toMatchObject({ status: 201, body: { id, action: 'unarchived' } });
  await ask('DELETE', `/records/companies/${id}`);
  const fresh = await upsert('companies', 'Acme', {}, { oncreate_unarchive: 'overwrite' });
  expect(fresh).toMatchObject({ status: 201, body: { action: 'created' } });
  expect(idOf(fresh)).not.toBe(id);
  expect(store.ids('companies')).toEqual([idOf(fresh)]);
});

test('10: numbers, ratings, scalars and rows come in every form', async () => {
  const { add, search, switches } = await kizen();
  const values = { name: 'P', hours: 2.5, seats: 3, budget: 7, priority: 4, active: false };
  await add('projects', values);
  const row = async () => at((await search('projects')).body, 'results', 0);
  const shown = async () => valuesOf(await row());
  expect(await shown()).toMatchObject({ hours: 2.5, seats: 3, budget: { amount: 7 } });
  switches.numbers = 'decimal strings';
  expect(await shown()).toMatchObject({ hours: '2.50', seats: 3, budget: { amount: '7.00' } });
  switches.numbers = 'strings';
  expect(await shown()).toMatchObject({ hours: '2.50', seats: '3' });
  expect(await shown()).toMatchObject({ priority: { code: '4' } });
  switches.ratings = 'number';
  expect(await shown()).toMatchObject({ priority: 4 });
  switches.scalars = 'wrapped';
  expect(await shown()).toMatchObject({
    name: { value: 'P' },
    active: { value: false },
    updated: { value: expect.any(String) },
    budget: { currency: 'EUR', amount: { value: '7.00' } },
  });
  switches.rows = 'thin';
  expect(Object.keys(Object(await row()))).toEqual(['id', 'fields']);
  expect(at(await row(), 'fields')).toMatchObject({});
  const [field] = Object.values(Object(at(await row(), 'fields')));
  expect(Object.keys(Object(field))).toEqual(['name', 'value']);
});

test('10: a field of choices holds one option, or a list', async () => {
  const { add, switches } = await kizen();
  const one = await add('projects', { name: 'A', region: { name: 'North' } });
  expect(valuesOf(one.body)['region']).toMatchObject({ name: 'North' });
  switches.choices = 'many';
  const many = await add('projects', { name: 'B', region: [{ name: 'North' }, { name: 'East' }] });
  expect(valuesOf(many.body)['region']).toMatchObject([{ name: 'North' }, { name: 'East' }]);
});

test('11: an add answers 200 or 201, a PATCH with what changed or with everything', async () => {
  const { add, patch, switches } = await kizen();
  const made = await add('companies', { name: 'A', employees: 1 });
  expect(made.status).toBe(201);
  switches.addStatus = '200';
  expect(await add('companies', { name: 'B' })).toMatchObject({
    status: 200,
    body: { action: 'created' },
  });
  const told = async () =>
    Object.keys(valuesOf((await patch('companies', idOf(made), { employees: 2 })).body)).toSorted();
  expect(await told()).toEqual(['employees', 'updated']);
  switches.writeAnswers = 'everything';
  expect(await told()).toEqual(['created', 'display_name', 'employees', 'name', 'updated']);
});

test('12: a text is cleared by null alone, or by "" alone', async () => {
  const { add, patch, switches } = await kizen();
  const id = idOf(await add('client_client', { email: 'a@mail.example', first_name: 'Ada' }));
  const statuses = async (clearing: 'null' | 'empty') => {
    switches.clearing = clearing;
    const given = [null, ''] as const;
    const told = given.map(async (first_name) => patch('client_client', id, { first_name }));
    return (await Promise.all(told)).map(({ status }) => status);
  };
  expect(await statuses('null')).toEqual([200, 400]);
  expect(await statuses('empty')).toEqual([400, 200]);
  expect((await patch('client_client', id, { company: null })).status).toBe(200);
});

test('a write keeps its record for a while: another is a 409', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { add, patch, ask } = await kizen({ clock: () => now, switches: { lockMs: 500 } });
  const id = idOf(await add('companies', { name: 'A' }));
  expect((await patch('companies', id, { employees: 1 })).status).toBe(200);
  const conflict = { status: 409, body: { code: 'conflict' } };
  expect(await patch('companies', id, { employees: 2 })).toMatchObject(conflict);
  expect(await ask('DELETE', `/records/companies/${id}`)).toMatchObject(conflict);
  now += 500;
  expect((await patch('companies', id, { employees: 2 })).status).toBe(200);
});

test('a write of an archived record is a 409, or a 404', async () => {
  const { add, patch, ask, switches } = await kizen();
  const id = idOf(await add('companies', { name: 'A' }));
  await ask('DELETE', `/records/companies/${id}`);
  expect(await patch('companies', id, { employees: 1 })).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  });
  switches.archivedWrites = '404';
  expect((await patch('companies', id, { employees: 1 })).status).toBe(404);
});
