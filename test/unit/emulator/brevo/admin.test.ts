import { expect, test } from 'vitest';
import { at, brevo, column, NOON } from './client.ts';

test('people create, edit, link, touch and delete in the app', async () => {
  const { admin, get, adminUrl } = await brevo({ clock: () => NOON });
  await admin('list', { name: 'News' });
  const made = await admin('create', {
    object: 'contacts',
    fields: { EMAIL: 'a@mail.example', ORDERS_SUM: 5 },
    extId: 'a',
    lists: [1],
    at: '2026-01-01T00:00:00Z',
  });
  expect(made).toEqual({ id: '1' });
  await admin('create', {
    object: 'vehicle',
    fields: { plate: 'A' },
    extId: 'VIN1',
    links: { contacts: ['1'] },
  });
  await admin('create', { object: 'companies', fields: { name: 'Acme' } });
  await admin('edit', {
    object: 'contacts',
    id: '1',
    fields: { FIRSTNAME: 'Ada' },
    lists: [],
    emailBlacklisted: true,
  });
  expect((await get('/contacts/1')).body).toMatchObject({
    createdAt: '2026-01-01T01:00:00.000+01:00',
    modifiedAt: '2026-06-01T14:00:00.000+02:00',
    listIds: [],
    emailBlacklisted: true,
    attributes: { EXT_ID: 'a', FIRSTNAME: 'Ada', ORDERS_SUM: 5 },
  });
  const contents = async (object: string): Promise<unknown> =>
    at(await (await fetch(`${adminUrl}/objects/${object}`)).json(), 'data');
  expect(await contents('vehicle')).toMatchObject([
    { identifiers: { ext_id: 'VIN1' }, associations: [{ object_type: 'contact', id: 1 }] },
  ]);
  await admin('unlink', { object: 'vehicle', id: '1', with: 'contacts', ids: ['1'] });
  const [company] = column(await contents('companies'), 'id');
  await admin('link', { object: 'vehicle', id: '1', with: 'companies', ids: [company] });
  expect(await contents('vehicle')).toMatchObject([
    { associations: [{ object_type: 'company', ext_id: company }] },
  ]);
  await admin('touch', { object: 'vehicle', ids: ['1'], at: NOON + 1_000 });
  expect(await contents('vehicle')).toMatchObject([{ updatedAt: '2026-06-01T12:00:01.000Z' }]);
  await admin('delete', { object: 'vehicle', ids: ['1'] });
  expect(await contents('vehicle')).toEqual([]);
  expect(await admin('create', { object: 'boat', fields: {} })).toHaveProperty('error');
  expect(await admin('edit', { object: 'contacts', id: '9' })).toHaveProperty('error');
});

test('attributes come and go, and options are renamed', async () => {
  const { admin, get, put, store, upsert, records } = await brevo();
  store.create('contacts', { EMAIL: 'a@mail.example', JOB_TITLE: 'Founder', TIER: '2' });
  await admin('remove-attribute', { object: 'contacts', name: 'JOB_TITLE' });
  await admin('add-attribute', { object: 'contacts', attribute: { name: 'CITY' } });
  await admin('add-attribute', {
    object: 'contacts',
    attribute: { name: 'SIZE', enumeration: { 1: 'Small', 2: 'Large' } },
  });
  await admin('option', { object: 'contacts', attribute: 'TIER', key: '2', label: 'Client' });
  await admin('option', { object: 'contacts', attribute: 'INTERESTS', key: 'Chess' });
  await admin('option', {
    object: 'contacts',
    attribute: 'INTERESTS',
    key: 'Music',
    removed: true,
  });
  await put('/contacts/1', { attributes: { CITY: 'Oslo', SIZE: 1, INTERESTS: ['Chess'] } });
  expect(at((await get('/contacts/1')).body, 'attributes')).toEqual({
    CITY: 'Oslo',
    SIZE: 1,
    TIER: 2,
    INTERESTS: ['Chess'],
  });
  const attributes = at((await get('/contacts/attributes')).body, 'attributes');
  expect(attributes).toContainEqual({
    name: 'TIER',
    category: 'category',
    enumeration: expect.arrayContaining([{ value: 2, valueStr: '2', label: 'Client' }]),
  });
  expect(column(attributes, 'name')).not.toContain('JOB_TITLE');

  await admin('add-attribute', {
    object: 'deals',
    attribute: { name: 'source', type: 'single-select', options: { web: 'Web' } },
  });
  await admin('option', { object: 'deals', attribute: 'source', key: 'web', label: 'Website' });
  expect((await get('/crm/attributes/deals')).body).toContainEqual(
    expect.objectContaining({
      internalName: 'source',
      attributeOptions: [{ key: 'web', value: 'Website' }],
    }),
  );

  await admin('add-object', {
    type: 'boat',
    attributes: [{ name: 'name' }, { name: 'kind', type: 'category', options: { sail: 'Sail' } }],
    associations: ['contact'],
  });
  await admin('add-attribute', { object: 'boat', attribute: { name: 'length', type: 'number' } });
  await admin('option', { object: 'boat', attribute: 'kind', key: 'motor', label: 'Motor' });
  await upsert('boat', { attributes: { name: 'Argo', length: 12, kind: 'motor' } });
  await admin('remove-attribute', { object: 'boat', name: 'length' });
  expect(column(at((await records('boat')).body, 'records'), 'attributes')).toEqual([
    { name: 'Argo', kind: 'motor' },
  ]);
  await admin('remove-object', { object: 'boat' });
  expect((await records('boat')).status).toBe(404);
});

test('a key is revoked and given back', async () => {
  const { admin, get } = await brevo();
  await admin('revoke', {});
  expect((await get('/account')).status).toBe(401);
  await admin('revoke', { revoked: false });
  expect((await get('/account')).status).toBe(200);
});

test('webhooks are kept as they were made, and never called', async () => {
  const { post, get, put, remove } = await brevo({ clock: () => NOON });
  const asked = {
    url: 'https://hooks.example/brevo',
    type: 'marketing',
    events: ['contactUpdated', 'contactDeleted', 'listAddition'],
    auth: { type: 'bearer', token: 'secret' },
    headers: [{ key: 'x-from', value: 'brevo' }],
    batched: true,
  };
  expect(await post('/webhooks', asked)).toMatchObject({ status: 201, body: { id: 1 } });
  expect((await get('/webhooks/1')).body).toMatchObject(asked);
  expect(column(at((await get('/webhooks?type=marketing')).body, 'webhooks'), 'id')).toEqual([1]);
  expect((await put('/webhooks/1', { url: 'https://other.example' })).status).toBe(204);
  expect((await get('/webhooks/1')).body).toMatchObject({ ...asked, url: 'https://other.example' });
  expect((await remove('/webhooks/1')).status).toBe(204);
  expect((await get('/webhooks/1')).status).toBe(404);
  expect((await post('/webhooks', {})).status).toBe(400);
});

test('the sample workspace shows at once, however late lists are', async () => {
  const { get, post } = await brevo({
    sizes: { contacts: 3, companies: 2, deals: 0, vehicle: 1, trip: 0 },
    switches: { visibilityDelayMs: 60_000 },
  });
  expect((await get('/contacts')).body).toMatchObject({ count: 3 });
  await post('/contacts', { email: 'late@mail.example' });
  expect((await get('/contacts')).body).toMatchObject({ count: 3 });
});

test('the sample workspace keeps the rules of the API', async () => {
  const emulator = await brevo({
    sizes: { contacts: 60, companies: 20, deals: 20, vehicle: 20, trip: 10 },
  });
  const { store, get } = emulator;
  expect(store.objects().map((name) => store.count(name))).toEqual([60, 20, 20, 20, 10]);
  const { body } = await get('/contacts?limit=100');
  expect(new Set(column(at(body, 'contacts'), 'id')).size).toBe(60);
  const stages = column((await get('/crm/pipeline/details/all')).body, 'stages').flat();
  for (const deal of store.all('deals')) {
    expect(column(stages, 'id')).toContain(at(deal, 'attributes', 'deal_stage'));
  }
  expect(JSON.stringify(store.all('vehicle'))).toContain('"object_type":"contact"');
  for (const contact of store.all('contacts')) {
    const { EXT_ID, SMS } = Object(at(contact, 'attributes'));
    expect([at(contact, 'email'), EXT_ID, SMS].some((each) => each !== undefined)).toBe(true);
  }
});
