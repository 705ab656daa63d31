import { expect, test } from 'vitest';
import { at, brevo, column, NOON } from './client.ts';

// What the API leaves open. Budgets are tried in transport.test.ts, times in times.test.ts, jobs in
// jobs.test.ts.

test('the hundred is one budget, or one for each endpoint', async () => {
  const { get, switches } = await brevo({ switches: { othersPerHour: 1 } });
  expect((await get('/companies')).status).toBe(200);
  expect((await get('/crm/deals')).status).toBe(429);
  switches.budgetScope = 'endpoint';
  expect((await get('/companies')).status).toBe(200);
  expect((await get('/crm/deals')).status).toBe(200);
  expect((await get('/objects/vehicle/records?limit=1&page_num=1')).status).toBe(200);
  expect((await get('/objects/trip/records?limit=1&page_num=1')).status).toBe(429);
});

test('a window ends as a whole, or rolls', async () => {
  let ms = 0;
  const { get, switches } = await brevo({
    monotonicMs: () => ms,
    switches: { othersPerHour: 2, budgetWindow: 'rolling' },
  });
  await get('/companies');
  ms = 1_800_000;
  await get('/companies');
  ms = 3_600_000;
  const left = async () => (await get('/companies')).headers.get('x-sib-ratelimit-remaining');
  expect(await left()).toBe('0');
  expect((await get('/companies')).status).toBe(429);
  switches.budgetWindow = 'fixed';
  expect(await left()).toBe('1');
});

test('records are sorted by creation, or by update', async () => {
  const { store, records, switches } = await brevo();
  for (const plate of ['a', 'b', 'c']) store.create('vehicle', { plate }, { at: NOON });
  store.touch('vehicle', '1', { at: NOON + 1_000 });
  const ids = async () =>
    column(at((await records('vehicle')).body, 'records'), 'identifiers', 'id');
  expect(await ids()).toEqual([1, 2, 3]);
  switches.recordSort = 'updated';
  expect(await ids()).toEqual([2, 3, 1]);
});

test('linking moves the time of change of nobody, of one, or of both', async () => {
  let now = NOON;
  const { store, patch, get, switches } = await brevo({ clock: () => now });
  const company = store.create('companies', { name: 'Acme' });
  const deal = store.create('deals', { deal_name: 'Deal' });
  const path = `/companies/link-unlink/${company}`;
  const moved = async (body: object) => {
    now += 1_000;
    await patch(path, body);
    const since = `modifiedSince=${new Date(now).toISOString()}`;
    const found = [await get(`/companies?${since}`), await get(`/crm/deals?${since}`)];
    return found.map(({ body: told }) => column(at(told, 'items'), 'id').length);
  };
  expect(await moved({ linkDealsIds: [deal] })).toEqual([0, 0]);
  switches.linksMove = 'owner';
  expect(await moved({ unlinkDealsIds: [deal] })).toEqual([1, 0]);
  expect(await moved({ unlinkDealsIds: [deal] })).toEqual([0, 0]);
  switches.linksMove = 'both';
  expect(await moved({ linkDealsIds: [deal] })).toEqual([1, 1]);
  now += 1_000;
  await patch(`/companies/${company}`, { linkedDealsIds: [] });
  expect(at((await get(`/crm/deals/${deal}`)).body, 'attributes', 'last_updated_date')).toBe(
    new Date(now).toISOString(),
  );
});

test('a link moves the time of change of a record, or does not', async () => {
  let now = NOON;
  const { store, upsert, records, switches } = await brevo({
    clock: () => now,
    switches: { bareRecords: 'take' },
  });
  store.create('contacts', { EMAIL: 'a@mail.example' });
  store.create('vehicle', { seats: 1 });
  const link = (action: string) =>
    upsert('vehicle', {
      identifiers: { id: 1 },
      associations: [{ object_type: 'contact', action, records: [{ identifiers: { id: 1 } }] }],
    });
  const updated = async () => at((await records('vehicle')).body, 'records', 0, 'updatedAt');
  now += 1_000;
  await link('link');
  expect(await updated()).toBe(new Date(NOON).toISOString());
  switches.recordLinksMove = true;
  await link('unlink');
  expect(await updated()).toBe(new Date(now).toISOString());
});

const cleared = [
  ['both', { empty: undefined, null: undefined }],
  ['empty', { empty: undefined, null: 'held' }],
  ['null', { empty: '', null: undefined }],
] as const;

test.each(cleared)('what clears an attribute: %s', async (how, expected) => {
  const switches = { contactsClear: how, crmClear: how, recordsClear: how };
  const { store, put, patch, upsert } = await brevo({ switches });
  store.create('contacts', { EMAIL: 'a@mail.example', FIRSTNAME: 'held', LASTNAME: 'held' });
  await put('/contacts/1', { attributes: { FIRSTNAME: '', LASTNAME: null } });
  const contact = store.get('contacts', '1');
  expect(at(contact, 'attributes', 'FIRSTNAME')).toBe(expected.empty);
  expect(at(contact, 'attributes', 'LASTNAME')).toBe(expected.null);

  const company = store.create('companies', { name: 'Acme', domain: 'held', owner: 'held' });
  await patch(`/companies/${company}`, { attributes: { domain: '', owner: null } });
  const { attributes } = store.get('companies', company) ?? {};
  expect([at(attributes, 'domain'), at(attributes, 'owner')]).toEqual([
    expected.empty,
    expected.null,
  ]);

  store.create('trip', { destination: 'held' });
  const write = async (destination: unknown) => {
    await upsert('trip', { identifiers: { id: 1 }, attributes: { destination } });
    return at(store.get('trip', '1'), 'attributes', 'destination');
  };
  expect(await write(null)).toBe(expected.null);
  expect(await write('')).toBe(expected.empty);
});

test('an attribute without a value is left out, or null', async () => {
  const { store, get, records, switches } = await brevo({ switches: { noValue: 'null' } });
  store.create('contacts', { EMAIL: 'a@mail.example' });
  store.create('vehicle', { seats: 1 });
  const company = store.create('companies', { name: 'Acme' });
  const shown = async () => [
    at((await get('/contacts/1')).body, 'attributes', 'FIRSTNAME'),
    at((await get(`/companies/${company}`)).body, 'attributes', 'domain'),
    at((await records('vehicle')).body, 'records', 0, 'attributes', 'plate'),
  ];
  expect(await shown()).toEqual([null, null, null]);
  switches.noValue = 'absent';
  expect(await shown()).toEqual([undefined, undefined, undefined]);
});

test('a write shows in lists late, and in a GET as late, or at once', async () => {
  let now = NOON;
  const { post, put, get, remove, switches } = await brevo({
    clock: () => now,
    switches: { visibilityDelayMs: 5_000 },
  });
  await post('/contacts', { email: 'a@mail.example' });
  const listed = async () => at((await get('/contacts')).body, 'count');
  expect(await listed()).toBe(0);
  expect((await get('/contacts/1')).status).toBe(200);
  switches.lateGets = true;
  expect((await get('/contacts/1')).status).toBe(404);
  now += 5_000;
  expect(await listed()).toBe(1);
  // A later version does not overtake an earlier one.
  await put('/contacts/1', { attributes: { FIRSTNAME: 'one' } });
  switches.visibilityDelayMs = 0;
  await put('/contacts/1', { attributes: { FIRSTNAME: 'two' } });
  expect(at((await get('/contacts/1')).body, 'attributes')).toEqual({});
  now += 5_000;
  expect(at((await get('/contacts/1')).body, 'attributes')).toEqual({ FIRSTNAME: 'two' });
  switches.visibilityDelayMs = 5_000;
  await remove('/contacts/1');
  expect(await listed()).toBe(1);
  now += 5_000;
  expect(await listed()).toBe(0);
});

test('links show in lists late, and leave them late', async () => {
  let now = NOON;
  const { store, upsert, get, patch, switches } = await brevo({ clock: () => now });
  store.create('contacts', { EMAIL: 'a@mail.example' });
  store.create('vehicle', { seats: 1 });
  const company = store.create('companies', { name: 'Acme' });
  switches.visibilityDelayMs = 5_000;
  const link = async (action: string) => {
    const member = action === 'link' ? 'linkContactIds' : 'unlinkContactIds';
    await patch(`/companies/link-unlink/${company}`, { [member]: [1] });
    await upsert('vehicle', {
      identifiers: { id: 1 },
      attributes: { seats: 1 },
      associations: [{ object_type: 'contact', action, records: [{ identifiers: { id: 1 } }] }],
    });
  };
  const shown = async () => [
    column(at((await get('/companies')).body, 'items'), 'linkedContactsIds'),
    column(at((await get('/objects/vehicle/associated-records?id=1')).body, 'items'), 'type'),
  ];
  await link('link');
  expect(await shown()).toEqual([[[]], []]);
  expect((await get(`/companies/${company}`)).body).toMatchObject({ linkedContactsIds: [1] });
  now += 5_000;
  expect(await shown()).toEqual([[[1]], ['contact']]);
  await link('unlink');
  expect(await shown()).toEqual([[[1]], ['contact']]);
  now += 5_000;
  expect(await shown()).toEqual([[[]], []]);
});

test('a share of the writes is late', async () => {
  const { store, get } = await brevo({
    clock: () => NOON,
    switches: { visibilityDelayMs: 5_000, lateShare: 0.5 },
  });
  for (let i = 0; i < 40; i += 1) store.create('contacts', { EMAIL: `${i}@mail.example` });
  const count = Number(at((await get('/contacts')).body, 'count'));
  expect(count).toBeGreaterThan(5);
  expect(count).toBeLessThan(35);
});

test('a record without attributes, and a bare date, are dropped or taken', async () => {
  const { upsert, records, switches } = await brevo();
  const write = async () => {
    await upsert('vehicle', { identifiers: { ext_id: 'bare' } });
    const registered = { registered_at: '2020-03-15' };
    await upsert('vehicle', { identifiers: { ext_id: 'dated' }, attributes: registered });
    return at((await records('vehicle')).body, 'records');
  };
  expect(await write()).toMatchObject([{ identifiers: { ext_id: 'dated' } }]);
  expect(column(await write(), 'attributes')).toEqual([{}]);
  Object.assign(switches, { bareRecords: 'take', bareDates: 'take' });
  expect(column(await write(), 'identifiers', 'ext_id')).toEqual(['dated', 'bare']);
  expect(column(await write(), 'attributes')).toEqual([
    { registered_at: '2020-03-15T00:00:00Z' },
    {},
  ]);
});

test('a body over the limit is 413 or 400', async () => {
  const { upsert, switches } = await brevo({ switches: { bodyMax: 200 } });
  const large = { attributes: { plate: 'x'.repeat(200) } };
  expect((await upsert('vehicle', large)).status).toBe(413);
  switches.bodyOver = '400';
  expect((await upsert('vehicle', large)).status).toBe(400);
  switches.bodyMax = 1_000_000;
  expect((await upsert('vehicle', large)).status).toBe(202);
});

test('unknown and read-only attributes of companies, and a lone stage, are ignored or refused', async () => {
  const { store, patch, get, switches } = await brevo();
  const company = store.create('companies', { name: 'Acme' });
  const odd = {
    attributes: { nothing: 1, created_at: '2020-01-01T00:00:00Z', domain: 'a.example' },
  };
  expect((await patch(`/companies/${company}`, odd)).status).toBe(200);
  expect(at(store.get('companies', company), 'attributes', 'domain')).toBe('a.example');
  switches.oddAttributes = 'refuse';
  expect((await patch(`/companies/${company}`, odd)).status).toBe(400);
  const readOnly = { attributes: { last_updated_at: '2020-01-01T00:00:00Z' } };
  expect((await patch(`/companies/${company}`, readOnly)).status).toBe(400);
  const { body: pipelines } = await get('/crm/pipeline/details/all');
  const stage = at(pipelines, 0, 'stages', 2, 'id');
  const deal = store.create('deals', { deal_name: 'Deal' });
  const alone = { attributes: { deal_stage: stage, amount: 5 } };
  expect((await patch(`/crm/deals/${deal}`, alone)).status).toBe(400);
  switches.stageAlone = 'ignore';
  expect((await patch(`/crm/deals/${deal}`, alone)).status).toBe(204);
  expect(store.get('deals', deal)).toMatchObject({ attributes: { amount: 5 } });
  expect(at(store.get('deals', deal), 'attributes')).not.toHaveProperty('deal_stage');
});

test('a link to what is not there is refused or ignored', async () => {
  const { post, get, switches } = await brevo();
  const body = { name: 'Acme', linkedContactsIds: [7] };
  expect((await post('/companies', body)).status).toBe(400);
  switches.danglingLinks = 'ignore';
  const { body: made } = await post('/companies', body);
  expect(await get(`/companies/${String(at(made, 'id'))}`)).toMatchObject({
    body: { linkedContactsIds: [] },
  });
});

test('the case of e-mails, and members that are on a list already', async () => {
  const { post, get, switches } = await brevo({ switches: { emailCase: 'kept' } });
  await post('/contacts', { email: 'Ada@Mail.example' });
  expect((await get('/contacts/ada%40mail.example')).body).toMatchObject({
    email: 'Ada@Mail.example',
  });
  expect((await post('/contacts', { email: 'ada@mail.example' })).status).toBe(400);
  await post('/contacts/lists', { name: 'News', folderId: 1 });
  const add = () => post('/contacts/lists/1/contacts/add', { ids: [1] });
  expect([(await add()).status, (await add()).status]).toEqual([201, 201]);
  switches.listRepeats = 'refuse';
  expect((await add()).status).toBe(400);
});
