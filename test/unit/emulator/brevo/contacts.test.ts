import { expect, test } from 'vitest';
import { at, brevo, column, NOON } from './client.ts';

const contactsOf = (told: { readonly body: unknown }) => at(told.body, 'contacts');

test('attributes come with their category and type, values of a category as text too', async () => {
  const { body } = await (await brevo()).get('/contacts/attributes');
  const named = (name: string): unknown => {
    const all = at(body, 'attributes');
    return Array.isArray(all) ? all.find((each: unknown) => at(each, 'name') === name) : undefined;
  };
  expect(named('FIRSTNAME')).toEqual({ name: 'FIRSTNAME', category: 'normal', type: 'text' });
  expect(named('SMS')).toMatchObject({ type: 'text' });
  expect(named('EXT_ID')).toMatchObject({ type: 'text' });
  expect(named('INTERESTS')).toMatchObject({
    type: 'multiple-choice',
    multiCategoryOptions: expect.arrayContaining(['Music']),
  });
  expect(named('TIER')).toEqual({
    name: 'TIER',
    category: 'category',
    enumeration: expect.arrayContaining([{ value: 2, valueStr: '2', label: 'Customer' }]),
  });
  // Zero where it is no number.
  expect(at(named('LANGUAGE'), 'enumeration', 0)).toEqual({
    value: 0,
    valueStr: 'en',
    label: 'English',
  });
  expect(named('ORDERS_SUM')).toMatchObject({ category: 'calculated' });
  expect(named('ORDERS_SUM')).toHaveProperty('calculatedValue');
});

test('a create needs an identifier, and answers an id', async () => {
  const { post, get } = await brevo();
  expect(await post('/contacts', { attributes: { FIRSTNAME: 'Ada' } })).toMatchObject({
    status: 400,
    body: { code: 'missing_parameter' },
  });
  for (const body of [
    { email: 'ada@mail.example' },
    { ext_id: 'a-1' },
    { attributes: { SMS: '+33612345678' } },
  ]) {
    expect(await post('/contacts', body)).toMatchObject({
      status: 201,
      body: { id: expect.any(Number) },
    });
  }
  const { body } = await get('/contacts?sort=asc');
  expect(body).toMatchObject({
    count: 3,
    contacts: [
      { id: 1, email: 'ada@mail.example', emailBlacklisted: false, listIds: [], attributes: {} },
      { id: 2, attributes: { EXT_ID: 'a-1' } },
      { id: 3, attributes: { SMS: '33612345678' } },
    ],
  });
  expect(at(body, 'contacts', 1)).not.toHaveProperty('email');
});

test('unknown keys, keys in lower case and values of a wrong type are ignored', async () => {
  const { post, get } = await brevo();
  const attributes = {
    FIRSTNAME: 'Ada',
    lastname: 'Lovelace',
    NOBODY: 'x',
    BIRTHDAY: '10/12/1815',
    SCORE: 'many',
    NEWSLETTER: 'yes',
    INTERESTS: ['Music', 'Mathematics'],
    TIER: 'Customer',
    ORDERS_SUM: 5,
    ALL_ORDERS: 5,
    ORDER_ID: 'o-1',
  };
  await post('/contacts', { email: 'ada@mail.example', attributes });
  const one = '/contacts/ada%40mail.example?identifierType=email_id';
  expect(at((await get(one)).body, 'attributes')).toEqual({ FIRSTNAME: 'Ada' });
});

test('values come back by type, a number of a category as a number', async () => {
  const { post, get, switches } = await brevo();
  const attributes = {
    BIRTHDAY: '1815-12-10',
    SCORE: 9.5,
    NEWSLETTER: false,
    INTERESTS: ['Music'],
    TIER: '2',
    LANGUAGE: 'fr',
  };
  await post('/contacts', { email: 'ada@mail.example', attributes });
  expect(at(contactsOf(await get('/contacts')), 0, 'attributes')).toEqual({
    ...attributes,
    TIER: 2,
  });
  switches.categoryForm = 'text';
  expect(at(contactsOf(await get('/contacts')), 0, 'attributes')).toEqual(attributes);
});

test.each([
  ['a taken e-mail', { email: 'ADA@mail.example' }, ['email']],
  ['a taken ext_id', { email: 'new@mail.example', ext_id: 'a-1' }, ['ext_id']],
  ['a taken number', { attributes: { SMS: '0033612345678' } }, ['SMS']],
])('%s is refused, and the clash is named', async (_, body, clash) => {
  const { post } = await brevo();
  await post('/contacts', {
    email: 'ada@mail.example',
    ext_id: 'a-1',
    attributes: { SMS: '33612345678' },
  });
  expect(await post('/contacts', body)).toMatchObject({
    status: 400,
    body: { code: 'duplicate_parameter', metadata: { duplicate_identifiers: clash } },
  });
});

test('updateEnabled updates what is there, and an ext_id of ours overwrites theirs', async () => {
  const { post, get, store } = await brevo();
  const id = store.create('contacts', { EMAIL: 'ada@mail.example' }, { extId: 'theirs' });
  const sent = { email: 'ada@mail.example', ext_id: 'ours', updateEnabled: true };
  expect(await post('/contacts', sent)).toMatchObject({ status: 204, body: undefined });
  expect(at((await get(`/contacts/${id}?identifierType=contact_id`)).body, 'attributes')).toEqual({
    EXT_ID: 'ours',
  });
  expect((await get('/contacts/theirs?identifierType=ext_id')).status).toBe(404);
});

test('two contacts that share identifiers are not one, unless forceMerge deletes the older', async () => {
  let now = NOON;
  const { post, put, get, store } = await brevo({ clock: () => now });
  const first = store.create('contacts', { EMAIL: 'ada@mail.example', FIRSTNAME: 'Ada' });
  now += 1_000;
  const second = store.create('contacts', { SMS: '33612345678' }, { extId: 'a-1' });
  const both = { email: 'ada@mail.example', ext_id: 'a-1' };
  expect((await post('/contacts', { ...both, updateEnabled: true })).status).toBe(400);
  const change = { ext_id: 'a-1' };
  expect((await put(`/contacts/${first}`, change)).status).toBe(400);
  expect((await put(`/contacts/${first}`, { ...change, forceMerge: true })).status).toBe(204);
  expect((await get(`/contacts/${first}`)).status).toBe(404);
  expect((await get(`/contacts/${second}`)).body).toMatchObject({
    email: 'ada@mail.example',
    attributes: { FIRSTNAME: 'Ada', EXT_ID: 'a-1', SMS: '33612345678' },
  });
});

test('one contact by every identifier it has; without a type only some are understood', async () => {
  const { get, put, store } = await brevo();
  const id = store.create(
    'contacts',
    { EMAIL: 'ada@mail.example', SMS: '33612345678', WHATSAPP: '33700000000' },
    { extId: 'a-1' },
  );
  for (const [type, value] of [
    ['contact_id', id],
    ['email_id', 'ada%40mail.example'],
    ['ext_id', 'a-1'],
    ['phone_id', '%2B33612345678'],
    ['whatsapp_id', '33700000000'],
  ]) {
    const told = await get(`/contacts/${value}?identifierType=${type}`);
    expect(told).toMatchObject({ status: 200, body: { id: Number(id), statistics: {} } });
  }
  expect((await get('/contacts/ada%40mail.example')).status).toBe(200);
  expect((await get('/contacts/33612345678')).status).toBe(200);
  expect((await put('/contacts/33612345678', { attributes: {} })).status).toBe(404);
  expect((await get('/contacts/a-1')).status).toBe(400);
  expect((await get(`/contacts/${id}?identifierType=name`)).status).toBe(400);
  expect(await get('/contacts/9?identifierType=contact_id')).toMatchObject({
    status: 404,
    body: { code: 'document_not_found' },
  });
});

test('an update changes what is sent, "" clears, and time moves whatever is sent', async () => {
  let now = NOON;
  const { get, put, store } = await brevo({ clock: () => now });
  store.create('contacts', { EMAIL: 'ada@mail.example', FIRSTNAME: 'Ada', INTERESTS: ['Music'] });
  now += 5_000;
  const clear = { FIRSTNAME: '', INTERESTS: [], LASTNAME: null, SCORE: 1 };
  expect(await put('/contacts/1', { attributes: clear })).toMatchObject({ status: 204 });
  const contact = (await get('/contacts/1')).body;
  expect(contact).toMatchObject({ createdAt: '2026-06-01T14:00:00.000+02:00' });
  expect(at(contact, 'modifiedAt')).toBe('2026-06-01T14:00:05.000+02:00');
  expect(at(contact, 'attributes')).toEqual({ SCORE: 1 });
  now += 5_000;
  await put('/contacts/1', { attributes: { SCORE: 1 } });
  expect(at((await get('/contacts/1')).body, 'modifiedAt')).toBe('2026-06-01T14:00:10.000+02:00');
});

test('another e-mail lifts the blocklist, and the same again is refused', async () => {
  const { put, get, store, switches } = await brevo();
  store.create('contacts', { EMAIL: 'ada@mail.example' }, { emailBlacklisted: true });
  const email = (EMAIL: string) => put('/contacts/1', { attributes: { EMAIL } });
  expect(await email('Ada@Mail.example')).toMatchObject({
    status: 400,
    body: { message: 'Contact already exist' },
  });
  switches.sameEmail = 'take';
  expect((await email('Ada@Mail.example')).status).toBe(204);
  expect(at((await get('/contacts/1')).body, 'emailBlacklisted')).toBe(true);
  expect((await email('ada@other.example')).status).toBe(204);
  expect((await get('/contacts/1')).body).toMatchObject({
    email: 'ada@other.example',
    emailBlacklisted: false,
  });
  expect((await email('nobody')).status).toBe(400);
});

test.each([
  ['917123456789', '917123456789'],
  ['+917123456789', '917123456789'],
  ['00917123456789', '917123456789'],
])('a number %s comes back as %s', async (given, kept) => {
  const { post, get } = await brevo();
  expect((await post('/contacts', { attributes: { SMS: given } })).status).toBe(201);
  expect(at((await get('/contacts/1')).body, 'attributes', 'SMS')).toBe(kept);
});

test('a number without its country code is refused', async () => {
  const { post } = await brevo();
  expect((await post('/contacts', { attributes: { SMS: '0612345678' } })).status).toBe(400);
  expect((await post('/contacts', { attributes: { SMS: 'call me' } })).status).toBe(400);
  expect((await post('/contacts', { attributes: { SMS: '91 7123 456 789' } })).status).toBe(400);
});

test('a deleted contact is gone, with all that it identified', async () => {
  const { remove, get, post, store } = await brevo();
  store.create('contacts', { EMAIL: 'ada@mail.example' });
  expect((await remove('/contacts/1?identifierType=contact_id')).status).toBe(204);
  expect((await remove('/contacts/1?identifierType=contact_id')).status).toBe(404);
  expect((await get('/contacts')).body).toEqual({ contacts: [], count: 0 });
  expect(await post('/contacts', { email: 'ada@mail.example' })).toMatchObject({ body: { id: 2 } });
});

test('a list is by creation, newest first, 50 at a time and 1,000 at most', async () => {
  const { get, store, switches } = await brevo();
  for (let i = 0; i < 60; i += 1) store.create('contacts', { EMAIL: `${i}@mail.example` });
  store.touch('contacts', '3');
  const first = await get('/contacts');
  expect(column(contactsOf(first), 'id').slice(0, 3)).toEqual([60, 59, 58]);
  expect(contactsOf(first)).toHaveLength(50);
  expect(column(contactsOf(await get('/contacts?offset=50')), 'id')).toHaveLength(10);
  expect(column(contactsOf(await get('/contacts?sort=asc&limit=2&offset=1')), 'id')).toEqual([
    2, 3,
  ]);
  expect((await get('/contacts?limit=1000')).status).toBe(200);
  expect(await get('/contacts?limit=1001')).toMatchObject({
    status: 400,
    body: { code: 'out_of_range' },
  });
  switches.limitOver = 'cut';
  expect((await get('/contacts?limit=1001')).status).toBe(200);
  store.delete('contacts', '60');
  expect(column(contactsOf(await get('/contacts?offset=49')), 'id')[0]).toBe(10);
});

test('ids, lists and attributes narrow a list, and its count with it', async () => {
  const { get, post, store } = await brevo();
  await post('/contacts/lists', { name: 'News', folderId: 1 });
  store.create(
    'contacts',
    { EMAIL: 'a@mail.example', FIRSTNAME: 'Ada', TIER: '2' },
    { lists: [1] },
  );
  store.create('contacts', {
    EMAIL: 'b@mail.example',
    FIRSTNAME: 'Bob',
    INTERESTS: ['Music', 'Travel'],
  });
  store.create('contacts', { EMAIL: 'c@mail.example', FIRSTNAME: 'Ada' });
  const found = async (query: string) => {
    const { body } = await get(`/contacts?sort=asc&${query}`);
    const ids = column(at(body, 'contacts'), 'id');
    expect(at(body, 'count')).toBe(ids.length);
    return ids;
  };
  expect(await found('ids=1&ids=3&ids=9')).toEqual([1, 3]);
  expect(await found('listIds=1')).toEqual([1]);
  expect(await found(`filter=${encodeURIComponent('equals(FIRSTNAME,"Ada")')}`)).toEqual([1, 3]);
  expect(await found(`filter=${encodeURIComponent('equals(TIER, "Customer")')}`)).toEqual([1]);
  expect(await found(`filter=${encodeURIComponent('equals(INTERESTS,"Music, Travel")')}`)).toEqual([
    2,
  ]);
  const many = Array.from({ length: 21 }, (_, id) => `ids=${id + 1}`).join('&');
  expect((await get(`/contacts?${many}`)).status).toBe(400);
  expect((await get('/contacts?listIds=1&segmentId=1')).status).toBe(400);
  expect((await get('/contacts?filter=FIRSTNAME')).status).toBe(400);
});

test('an old contacts/batch is gone, or still there', async () => {
  const { post, get, store, switches } = await brevo();
  store.create('contacts', { EMAIL: 'a@mail.example' });
  const body = { contacts: [{ email: 'a@mail.example', attributes: { FIRSTNAME: 'Ada' } }] };
  expect((await post('/contacts/batch', body)).status).toBe(404);
  switches.contactsBatch = 'present';
  expect((await post('/contacts/batch', body)).status).toBe(204);
  expect(at((await get('/contacts/1')).body, 'attributes')).toEqual({ FIRSTNAME: 'Ada' });
});

test('a create may come too early', async () => {
  const { post } = await brevo({ switches: { earlyShare: 1 } });
  expect((await post('/contacts', { email: 'a@mail.example' })).status).toBe(425);
});
