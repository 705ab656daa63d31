import { expect, test } from 'vitest';
import { at, idOf, idsOf, kizen, valuesOf } from './client.ts';

test('an add answers 201 with all fields, and is found, read and looked up', async () => {
  const { add, search, read, ask } = await kizen();
  const made = await add('companies', { name: '  Acme ', employees: 12 });
  expect(made).toMatchObject({ status: 201, body: { action: 'created', object_type: 'standard' } });
  expect(valuesOf(made.body)).toMatchObject({ name: 'Acme', employees: 12 });
  const id = idOf(made);
  expect(idsOf(await search('companies'))).toEqual([id]);
  expect(valuesOf((await read('companies', id)).body)).toMatchObject({ name: 'Acme' });
  expect(idOf(await ask('GET', '/records/companies/lookup?identifier=Acme'))).toBe(id);
  expect((await ask('GET', '/records/companies/lookup?identifier=acme')).status).toBe(404);
});

test('an upsert matches in any case, and fills in the key that fields lack', async () => {
  const { upsert } = await kizen();
  const made = await upsert('client_client', 'Ada@mail.example', { first_name: 'Ada' });
  expect(made).toMatchObject({ status: 201, body: { action: 'created' } });
  const again = await upsert('client_client', 'ada@MAIL.example', { last_name: 'Berg' });
  expect(again).toMatchObject({ status: 200, body: { action: 'updated', id: idOf(made) } });
  expect(Object.keys(valuesOf(again.body)).toSorted()).toEqual(['last_name', 'updated']);
});

test('a PATCH answers with what was written and `updated`; a cleared field is left out', async () => {
  const { add, patch, ask, entries, read } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme', employees: 12 }));
  const told = await patch('companies', id, { employees: null, founded: '2020-02-29' });
  expect(valuesOf(told.body)).toEqual({ founded: '2020-02-29', updated: expect.any(String) });
  expect(valuesOf((await read('companies', id)).body)).not.toHaveProperty('employees');
  const all = await ask('PATCH', `/records/companies/${id}?return_all_fields=true`, {
    fields: entries('companies', { employees: 3 }),
  });
  expect(valuesOf(all.body)).toMatchObject({ name: 'Acme', founded: '2020-02-29', employees: 3 });
});

test('a new deal is in the first stage; a move alone changes it, and closes what is won', async () => {
  const clock = () => Date.UTC(2026, 0, 2, 3);
  const { add, patch, ask, store } = await kizen({ clock });
  const made = await add('deals', { name: 'One' });
  expect(valuesOf(made.body)).toMatchObject({ stage: { name: 'Lead', status: 'open', order: 0 } });
  const deal = idOf(made);
  const { body } = await ask('GET', '/custom-objects/deals');
  const stages = (await ask('GET', `/pipelines/${String(at(body, 'id'))}/stages`)).body;
  const won = at(stages, 3, 'id');
  expect(await patch('deals', deal, { stage: { id: won } })).toMatchObject({ status: 403 });
  const moved = await ask('PATCH', `/records/deals/${deal}/move`, { stage_id: won });
  expect(valuesOf(moved.body)).toMatchObject({ stage: { name: 'Won', status: 'won' } });
  expect(valuesOf(store.get('deals', deal))).toMatchObject({
    actual_close_date: '2026-01-01',
    percentage_chance_to_close: 100,
  });
  expect(await ask('PATCH', `/records/deals/${deal}/move`, { stage_id: 'x' })).toMatchObject({
    status: 400,
    body: { stage_id: ['Invalid pk "x" - object does not exist.'] },
  });
});

test('a DELETE archives: gone from search and by id, and back by unarchive', async () => {
  const { add, ask, search, read } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme' }));
  expect(await ask('DELETE', `/records/companies/${id}`)).toMatchObject({ status: 204, body: '' });
  expect((await ask('DELETE', `/records/companies/${id}`)).status).toBe(404);
  expect(idsOf(await search('companies'))).toEqual([]);
  expect(await read('companies', id)).toMatchObject({
    status: 404,
    body: { detail: 'Not found.', code: 'not_found' },
  });
  expect(await ask('PATCH', `/records/companies/${id}/unarchive`)).toMatchObject({ status: 200 });
  expect(idsOf(await search('companies'))).toEqual([id]);
});

test('unknown top-level keys of a PATCH are ignored without a word', async () => {
  const { add, ask, read } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme' }));
  expect((await ask('PATCH', `/records/companies/${id}`, { archived: true })).status).toBe(200);
  expect((await read('companies', id)).status).toBe(200);
});

test.each([
  ['companies', 'website', '  https://a.example\n', 'https://a.example'],
  ['deals', 'next_step', ' a\nb ', 'a\nb'],
  ['companies', 'phone', '(312) 555-0123', '+13125550123'],
  ['companies', 'phone', '+49 30 1234567', '+49301234567'],
  ['companies', 'employees', 2_147_483_647, 2_147_483_647],
  ['companies', 'employees', -2_147_483_648, -2_147_483_648],
  ['companies', 'annual_revenue', 12.5, { currency: 'USD', symbol: '$', amount: 12.5 }],
  ['companies', 'customer', false, false],
  ['companies', 'founded', '2024-02-29', '2024-02-29'],
  ['deals', 'decision_at', '2026-07-01T12:00:00Z', '2026-07-01T07:00:00.000000-05:00'],
  ['deals', 'decision_at', '2026-01-01T12:00:00.123456+01:00', '2026-01-01T05:00:00.123456-06:00'],
  ['projects', 'priority', 7, { id: expect.any(String), code: '7', name: '7' }],
  ['projects', 'site_timezone', 'Asia/Kolkata', 'Asia/Kolkata'],
])('%s.%s takes %j and tells %j', async (object, field, given, told) => {
  const { add } = await kizen();
  const made = await add(object, { name: 'X', [field]: given });
  expect(valuesOf(made.body)[field]).toEqual(told);
});

test.each([
  ['companies', 'website', 'x'.repeat(256)],
  ['companies', 'website', 5],
  ['companies', 'phone', 'call me'],
  ['companies', 'employees', 2_147_483_648],
  ['companies', 'employees', -2_147_483_649],
  ['companies', 'employees', 1.5],
  ['companies', 'employees', '5'],
  ['companies', 'annual_revenue', { amount: 5, currency: 'USD' }],
  ['companies', 'customer', 'yes'],
  ['companies', 'founded', '2023-02-29'],
  ['companies', 'satisfaction', 6],
  ['companies', 'industry', { id: 'x' }],
  ['companies', 'industry', { name: 'Piracy' }],
  ['companies', 'owner', 'nobody'],
  ['deals', 'decision_at', 'soon'],
  ['projects', 'site_timezone', 'Mars/Olympus'],
  ['projects', 'plans', ['nothing']],
  ['projects', 'support_email', 'nobody'],
  ['projects', 'skills', 'Paint'],
])('%s.%s refuses %j at its entry', async (object, field, given) => {
  const { add, store } = await kizen();
  expect(await add(object, { name: 'X', [field]: given })).toMatchObject({
    status: 400,
    body: { fields: [{}, { value: [expect.any(String)] }] },
  });
  expect(store.count(object)).toBe(0);
});

test('an option is written by {"id"}, {"name"} or its id; a list may make a new tag', async () => {
  const { add, patch, store } = await kizen();
  const made = await add('companies', { name: 'Acme', industry: { name: 'Health' } });
  const industry = valuesOf(made.body)['industry'];
  expect(industry).toEqual({ id: expect.any(String), code: '', name: 'Health' });
  const id = idOf(made);
  for (const value of [{ id: at(industry, 'id') }, at(industry, 'id')]) {
    await patch('companies', id, { industry: null });
    const told = await patch('companies', id, { industry: value });
    expect(valuesOf(told.body)['industry']).toEqual(industry);
  }
  await patch('companies', id, { labels: [{ name: 'vip' }, { name: 'brand new' }] });
  expect(valuesOf(store.get('companies', id))['labels']).toEqual([
    { id: expect.any(String), code: '', name: 'vip' },
    { id: expect.any(String), code: '', name: 'brand new' },
  ]);
});

test('employees, files and answers are told as objects', async () => {
  const { add, store } = await kizen({ sizes: { companies: 1 } });
  const sample = valuesOf(store.all('companies')[0]);
  const owner = String(at(sample['owner'], 'id'));
  const made = await add('projects', { name: 'P', lead: owner, approved: { name: 'Maybe' } });
  expect(valuesOf(made.body)).toMatchObject({
    lead: { id: owner, deleted: false, first_name: expect.any(String), email: expect.any(String) },
    approved: { code: 'maybe', name: 'Maybe' },
  });
});

test('null clears where nulls are allowed, "" where empty texts are, [] a list', async () => {
  const { add, patch, store } = await kizen();
  const id = idOf(
    await add('client_client', {
      email: 'a@mail.example',
      first_name: 'Ada',
      job_title: 'X',
      tags: [{ name: 'vip' }],
    }),
  );
  const statuses = async (values: Record<string, unknown>) =>
    (await patch('client_client', id, values)).status;
  expect(await statuses({ first_name: null })).toBe(400);
  expect(await statuses({ first_name: '' })).toBe(200);
  expect(await statuses({ email: '' })).toBe(400);
  expect(await statuses({ email: null })).toBe(200);
  expect(await statuses({ tags: null })).toBe(400);
  expect(await statuses({ tags: [] })).toBe(200);
  expect(Object.keys(valuesOf(store.get('client_client', id)))).toEqual([
    'created',
    'updated',
    'job_title',
  ]);
});

test('errors stand at the place of their entry, of every entry that is wrong', async () => {
  const { ask, entries, store } = await kizen();
  const fields = [
    ...entries('client_client', { first_name: 'Ada', email: 'nobody' }),
    { id: 'ghost', value: 1 },
    ...entries('client_client', { lead_score: 1 }),
  ];
  expect(await ask('POST', '/records/client_client/add', { fields })).toEqual({
    status: 400,
    headers: expect.anything(),
    body: {
      fields: [
        {},
        { value: ['Enter a valid email address.'] },
        { id: ['Invalid pk "ghost" - object does not exist.'] },
        {},
      ],
    },
  });
  expect(store.count('client_client')).toBe(0);
});

test('what only Kizen writes is refused with a 403, what is needed with a 400', async () => {
  const { add, patch, switches } = await kizen();
  switches.errorItems = 'objects';
  const id = idOf(await add('companies', { name: 'Acme' }));
  for (const values of [{ created: '2026-01-01T00:00:00Z' }, { display_name: 'x' }]) {
    expect(await patch('companies', id, values)).toMatchObject({
      status: 403,
      body: { fields: [{ value: [{ code: 'forbidden_field_write' }] }] },
    });
  }
  expect(await add('companies', { employees: 3 })).toMatchObject({
    status: 400,
    body: { non_field_errors: [{ code: 'required' }] },
  });
  for (const name of ['', null]) expect((await patch('companies', id, { name })).status).toBe(400);
});

test('a number that no double holds is kept digit for digit', async () => {
  const { url, apiKey, userId, businessId, store } = await kizen();
  const [name, revenue] = ['name', 'annual_revenue'].map((each) =>
    store.fieldId('companies', each),
  );
  const response = await fetch(`${url}/records/companies/add`, {
    method: 'POST',
    headers: { 'X-API-KEY': apiKey, 'X-USER-ID': userId, 'X-BUSINESS-ID': businessId },
    body: `{"fields":[{"id":"${name}","value":"A"},{"id":"${revenue}","value":12345678901234567.25}]}`,
  });
  expect(response.status).toBe(201);
  expect(await response.text()).toContain('"amount":12345678901234567.25');
});

test('a field that is required cannot be emptied, though nulls are allowed', async () => {
  const { add, patch, store } = await kizen({ switches: { errorItems: 'objects' } });
  store.addField('companies', { name: 'site', type: 'text', required: true, nulls: true });
  const id = idOf(await add('companies', { name: 'A', site: 'x' }));
  expect(await patch('companies', id, { site: null })).toMatchObject({
    status: 400,
    body: { fields: [{ value: [{ code: 'required' }] }] },
  });
});

test('names work instead of ids, but for a new contact', async () => {
  const { ask, switches } = await kizen();
  const byName = { fields: [{ name: 'name', value: 'Acme' }] };
  expect((await ask('POST', '/records/companies/add', byName)).status).toBe(201);
  const contact = { fields: [{ name: 'email', value: 'a@mail.example' }] };
  expect(await ask('POST', '/records/client_client/add', contact)).toMatchObject({
    status: 403,
    body: { code: 'permission_required' },
  });
  switches.contactNames = 'taken';
  expect((await ask('POST', '/records/client_client/add', contact)).status).toBe(201);
});

test('an e-mail is unique in any case, and so are names unless they are free', async () => {
  const { add, patch, switches } = await kizen({ switches: { errorItems: 'objects' } });
  const unique = { status: 400, body: { fields: [{ value: [{ code: 'unique' }] }] } };
  const ada = idOf(await add('client_client', { email: 'ada@mail.example' }));
  expect((await patch('client_client', ada, { email: 'Ada@mail.example' })).status).toBe(200);
  expect(await add('client_client', { email: 'ADA@mail.example' })).toMatchObject(unique);
  await add('companies', { name: 'Acme' });
  const other = idOf(await add('companies', { name: 'acme' }));
  expect(await add('companies', { name: 'Acme' })).toMatchObject(unique);
  expect(await patch('companies', other, { name: 'Acme' })).toMatchObject(unique);
  expect((await patch('companies', other, { name: 'acme' })).status).toBe(200);
  switches.names = 'unique in any case';
  expect(await add('companies', { name: 'ACME' })).toMatchObject(unique);
  switches.names = 'free';
  expect((await add('companies', { name: 'Acme' })).status).toBe(201);
});

test('where names are free, an upsert takes the first of them', async () => {
  const { add, upsert } = await kizen({ switches: { names: 'free' } });
  const first = idOf(await add('companies', { name: 'Acme' }));
  await add('companies', { name: 'Acme' });
  expect(idOf(await upsert('companies', 'ACME', { employees: 2 }))).toBe(first);
  expect((await upsert('companies', '  ')).status).toBe(400);
});

test('a PUT replaces all', async () => {
  const { add, ask, entries, store } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme', employees: 3 }));
  const fields = entries('companies', { name: 'Acme', customer: true });
  expect((await ask('PUT', `/records/companies/${id}`, { fields })).status).toBe(200);
  expect(valuesOf(store.get('companies', id))).not.toHaveProperty('employees');
});

test('a bulk archive is by the id of the object, done later, and mails unless told not to', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { add, ask, store, mails, stats } = await kizen({ clock: () => now });
  const ids = [
    idOf(await add('companies', { name: 'A' })),
    idOf(await add('companies', { name: 'B' })),
  ];
  const object = String(at((await ask('GET', '/custom-objects/companies')).body, 'id'));
  const bulk = (path: string, body: object) =>
    ask('POST', `/custom-objects/${path}/bulk-archive-entity-record`, body);
  const quiet = { record_ids: [ids[0], 'ghost'], send_email_notification: false };
  expect((await bulk('companies', quiet)).status).toBe(404);
  expect(await bulk(object, quiet)).toMatchObject({
    status: 200,
    body: { number_archived: 2, async: true },
  });
  expect(store.count('companies')).toBe(2);
  now += 2_000;
  expect(store.ids('companies')).toEqual([ids[1]]);
  expect([mails(), stats().loudWrites]).toEqual([0, 0]);
  await bulk(object, { record_ids: [ids[1]] });
  expect([mails(), stats().loudWrites]).toEqual([1, 1]);
});

test('a bulk change gives many records one time', async () => {
  const { ask, store, entries } = await kizen({ switches: { bulkMs: 0 } });
  const record_ids = ['A', 'B', 'C'].map((name) => store.create('companies', { name }));
  const object = String(at((await ask('GET', '/custom-objects/companies')).body, 'id'));
  const [field] = entries('companies', { employees: 9 });
  const body = { record_ids, field_id: field?.id, value: 9, send_email_notification: false };
  await ask('POST', `/custom-objects/${object}/bulk-change-field-value`, body);
  const all = store.all('companies').map(valuesOf);
  expect(all.map(({ employees }) => employees)).toEqual([9, 9, 9]);
  expect(new Set(all.map(({ updated }) => updated)).size).toBe(1);
});

test('an object is found by its id as well as by its name, wherever records are', async () => {
  const { ask, add, store } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme' }));
  const object = String(at((await ask('GET', '/custom-objects/companies')).body, 'id'));
  expect(idsOf(await ask('POST', `/records/${object}/search`))).toEqual([id]);
  expect(idOf(await ask('GET', `/records/${object}/${id}`))).toBe(id);
  expect(idOf(await ask('GET', `/records/${object}/lookup?identifier=Acme`))).toBe(id);
  expect((await ask('PATCH', `/records/${object}/${id}`, { fields: [] })).status).toBe(200);
  expect((await ask('DELETE', `/records/${object}/${id}`)).status).toBe(204);
  expect(store.count('companies')).toBe(0);
});

test('an upsert answers with everything where that is asked for', async () => {
  const { ask, entries } = await kizen();
  const body = { lookup_value: 'Acme', fields: entries('companies', { employees: 2 }) };
  const told = async (query: string) =>
    Object.keys(
      valuesOf((await ask('POST', `/records/companies/upsert${query}`, body)).body),
    ).toSorted();
  expect(await told('')).toEqual(['employees', 'updated']);
  expect(await told('?return_all_fields=true')).toEqual([
    'created',
    'display_name',
    'employees',
    'name',
    'updated',
  ]);
});

test('only what is in the archive can come back from it', async () => {
  const { add, ask } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme' }));
  expect((await ask('PATCH', `/records/companies/${id}/unarchive`)).status).toBe(400);
  expect((await ask('PATCH', '/records/companies/ghost/unarchive')).status).toBe(404);
});
