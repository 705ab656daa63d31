import { expect, test } from 'vitest';
import type { Switches } from '../../../../src/emulator/attio/switches.ts';
import { at, attio, column, idOf, idsOf } from './client.ts';

const byCreation = [{ attribute: 'created_at', direction: 'asc' }];

test.each([
  ['cut', 200, 500],
  ['refuse', 400, 0],
  ['honour', 200, 501],
] as const)('1. a limit above 500: %s', async (limitOver, status, count) => {
  const { query } = await attio({ sizes: { companies: 501 }, switches: { limitOver } });
  const page = await query('companies', { limit: 501 });
  expect(page.status).toBe(status);
  expect(idsOf(page)).toHaveLength(count);
});

test('2. order among equal times, and without any order', async () => {
  const now = Date.UTC(2026, 0, 1);
  const { create, query, switches } = await attio({
    clock: () => now,
    switches: { writesPerSecond: 1_000 },
  });
  for (let i = 0; i < 12; i += 1) await create('companies', {});
  const ask = async () => idsOf(await query('companies', { sorts: byCreation }));
  const first = await ask();
  expect(await ask()).toEqual(first);
  switches.tieOrder = 'reversed';
  expect([await ask(), await ask()]).toContainEqual(first.toReversed());
  switches.tieOrder = 'shuffled';
  expect(await ask()).not.toEqual(first);
  expect((await ask()).toSorted()).toEqual(first.toSorted());
  const unsorted = async () => idsOf(await query('companies'));
  expect(await unsorted()).toEqual(first);
  switches.unsorted = 'shuffled';
  expect(await unsorted()).not.toEqual(first);
});

test.each([
  ['nanoseconds', 0],
  ['milliseconds', 1],
  ['seconds', 1],
] as const)('3. filters compare %s', async (timeFilters, found) => {
  const { create, query } = await attio({ switches: { timeFilters } });
  await create('projects', { name: 'x', kickoff: '2026-01-01T00:00:00.123000000Z' });
  const filter = { kickoff: { $gte: '2026-01-01T00:00:00.123456000Z' } };
  expect(idsOf(await query('projects', { filter }))).toHaveLength(found);
});

test('4. a write shows late in queries, in its order, and perhaps in a GET', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { ask, create, put, read, query, switches } = await attio({
    clock: () => now,
    switches: { visibilityDelayMs: 5_000 },
  });
  const id = idOf(await create('companies', { name: 'One' }));
  expect(idsOf(await query('companies'))).toEqual([]);
  expect((await read('companies', id)).status).toBe(200);
  switches.lateGets = true;
  expect((await read('companies', id)).status).toBe(404);
  now += 1_000;
  switches.visibilityDelayMs = 0;
  // Written later and at once, it still shows no earlier than what came before.
  await put('companies', id, { name: 'Two' });
  expect(idsOf(await query('companies'))).toEqual([]);
  now += 4_000;
  expect(column(await query('companies'), 'values', 'name', 0, 'value')).toEqual(['Two']);
  switches.visibilityDelayMs = 5_000;
  await ask('DELETE', `/objects/companies/records/${id}`);
  expect(idsOf(await query('companies'))).toEqual([id]);
  now += 5_000;
  expect(idsOf(await query('companies'))).toEqual([]);
});

test('5. null clears, or is refused', async () => {
  const { create, put, switches } = await attio();
  const id = idOf(await create('companies', { name: 'x' }));
  switches.nullClears = false;
  expect(await put('companies', id, { name: null })).toMatchObject({ status: 400 });
  switches.nullClears = true;
  const { body } = await put('companies', id, { name: null });
  expect(at(body, 'data', 'values', 'name')).toEqual([]);
});

test.each([
  ['400', 'slug', /slug "code"/],
  ['409', 'id', /ID "[0-9a-f-]{36}"/],
  ['400', 'record', /record "[0-9a-f-]{36}"/],
] as const)(
  '6. a uniqueness conflict: %s, naming %s',
  async (conflictStatus, conflictNames, says) => {
    const { create } = await attio({ switches: { conflictStatus, conflictNames } });
    await create('projects', { name: 'x', code: 'A' });
    expect(await create('projects', { name: 'y', code: 'A' })).toMatchObject({
      status: Number(conflictStatus),
      body: { code: 'uniqueness_conflict', message: expect.stringMatching(says) },
    });
  },
);

test('7. values of archived attributes, or none', async () => {
  const { create, read, store, switches } = await attio();
  const id = idOf(await create('projects', { name: 'x', code: 'A' }));
  store.archiveAttribute('projects', 'code', true);
  const values = async () => at((await read('projects', id)).body, 'data', 'values');
  expect(await values()).not.toHaveProperty('code');
  switches.archivedValues = 'present';
  expect(await values()).toHaveProperty('code', [expect.objectContaining({ value: 'A' })]);
});

test.each(['keep', 'renew'] as const)('8. an equal value: %s', async (equalValues) => {
  let now = Date.UTC(2026, 0, 1);
  const { create, put } = await attio({ clock: () => now, switches: { equalValues } });
  const made = await create('companies', { name: 'x' });
  now += 1_000;
  const { body } = await put('companies', idOf(made), { name: 'x' });
  const from = (of: unknown) => at(of, 'data', 'values', 'name', 0, 'active_from');
  expect(from(body) === from(made.body)).toBe(equalValues === 'keep');
});

test.each([
  [{}, { survives: false, isOld: true }],
  [{ mergedCreatedAt: 'new' }, { survives: false, isOld: false }],
  [{ merged: 'primary' }, { survives: true, isOld: true }],
] as const)('9. a merge with %j', async (switches: Partial<Switches>, { survives, isOld }) => {
  let now = Date.UTC(2026, 0, 1);
  const { ask, create, read } = await attio({ clock: () => now, switches });
  const [one, other] = [idOf(await create('companies', {})), idOf(await create('companies', {}))];
  now += 60_000;
  const data = { primary_record_id: one, secondary_record_id: other };
  const { body } = await ask('POST', '/objects/companies/records/merge', { data });
  const id = String(at(body, 'data', 'new_record_id'));
  expect(id === one).toBe(survives);
  const told = (await read('companies', id)).body;
  const value = at(told, 'data', 'values', 'created_at', 0, 'value');
  expect(value).toMatch(isOld ? /^2026-01-01T00:00:00/ : /^2026-01-01T00:01:00/);
});

test('9. a merge takes its time, and what is merged is not deleted', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { ask, create, read, put } = await attio({
    clock: () => now,
    switches: { mergeMs: 2_000 },
  });
  const [one, other] = [idOf(await create('companies', {})), idOf(await create('companies', {}))];
  const data = { primary_record_id: one, secondary_record_id: other };
  const { status, body } = await ask('POST', '/objects/companies/records/merge', { data });
  expect(status).toBe(202);
  const busy = { body: { code: 'merge_in_progress' } };
  expect(await read('companies', one)).toMatchObject({ status: 404, ...busy });
  expect(await put('companies', other, {})).toMatchObject({ status: 400, ...busy });
  const id = String(at(body, 'data', 'new_record_id'));
  expect((await read('companies', id)).status).toBe(404);
  now += 2_000;
  expect((await read('companies', id)).status).toBe(200);
  expect(await read('companies', one)).toMatchObject({ status: 404, body: { code: 'not_found' } });
});

test.each([
  ['gone', 0],
  ['kept', 1],
] as const)('10. references to a deleted record: %s', async (deletedTargets, left) => {
  const { ask, create, read } = await attio({ switches: { deletedTargets } });
  const company = idOf(await create('companies', {}));
  const target = { target_object: 'companies', target_record_id: company };
  const person = idOf(await create('people', { company: target }));
  const project = idOf(await create('projects', { name: 'x', customer: target }));
  await ask('DELETE', `/objects/companies/records/${company}`);
  expect(at((await read('people', person)).body, 'data', 'values', 'company')).toHaveLength(left);
  expect(at((await read('projects', project)).body, 'data', 'values', 'customer')).toHaveLength(
    left,
  );
});

test('12. titles match with case, or without', async () => {
  const { create, switches } = await attio();
  const urgent = () => create('projects', { name: 'x', urgency: 'HIGH' });
  expect(await urgent()).toMatchObject({ body: { code: 'value_not_found' } });
  switches.titles = 'any case';
  expect(at((await urgent()).body, 'data', 'values', 'urgency')).toMatchObject([
    { option: { title: 'High' } },
  ]);
});

test.each([
  ['ms', /\.\d{3}000000Z$/],
  ['us', /\.\d{6}000Z$/],
  ['ns', /\.\d{3}123\d{3}Z$/],
] as const)('13. times as fine as %s, each its own', async (precision, form) => {
  const now = Date.UTC(2026, 0, 1);
  const { create } = await attio({ clock: () => now, switches: { precision } });
  const times = [];
  for (let i = 0; i < 3; i += 1)
    times.push(at((await create('companies', {})).body, 'data', 'created_at'));
  expect(times).toEqual(times.map(() => expect.stringMatching(form)));
  expect(new Set(times).size).toBe(precision === 'ms' ? 1 : 3);
});
