import { expect, test } from 'vitest';
import { at, brevo, column, NOON } from './client.ts';

test('lists come ten at a time, newest first, with a count', async () => {
  const { get, post, put, remove } = await brevo();
  for (let i = 0; i < 12; i += 1) await post('/contacts/lists', { name: `List ${i}`, folderId: 1 });
  const { body } = await get('/contacts/lists');
  expect(body).toMatchObject({ count: 12, lists: expect.any(Array) });
  expect(column(at(body, 'lists'), 'id')).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  expect(column(at((await get('/contacts/lists?offset=10')).body, 'lists'), 'id')).toEqual([2, 1]);
  expect((await put('/contacts/lists/1', { name: 'News' })).status).toBe(204);
  expect((await get('/contacts/lists/1')).body).toMatchObject({
    name: 'News',
    totalSubscribers: 0,
  });
  expect((await remove('/contacts/lists/1')).status).toBe(204);
  expect((await get('/contacts/lists/1')).status).toBe(404);
});

test('to be put on a list or taken off it moves the time of change', async () => {
  let now = NOON;
  const { get, post, put, store } = await brevo({ clock: () => now });
  await post('/contacts/lists', { name: 'News', folderId: 1 });
  store.create('contacts', { EMAIL: 'a@mail.example' }, { extId: 'a' });
  store.create('contacts', { EMAIL: 'b@mail.example' });
  now += 1_000;
  const added = await post('/contacts/lists/1/contacts/add', {
    emails: ['A@mail.example', 'x@y.example'],
  });
  expect(added).toMatchObject({
    status: 201,
    body: { contacts: { success: ['A@mail.example'], failure: ['x@y.example'], total: 1 } },
  });
  expect((await get('/contacts/1')).body).toMatchObject({
    listIds: [1],
    modifiedAt: '2026-06-01T14:00:01.000+02:00',
  });
  await post('/contacts/lists/1/contacts/add', { ids: [2] });
  const members = async () =>
    column(at((await get('/contacts/lists/1/contacts')).body, 'contacts'), 'id');
  expect(await members()).toEqual([2, 1]);
  await post('/contacts/lists/1/contacts/remove', { extIds: ['a'] });
  expect(await members()).toEqual([2]);
  expect((await get('/contacts/lists/1/contacts?limit=501')).status).toBe(400);
  expect((await post('/contacts/lists/1/contacts/add', { ids: [1], emails: [] })).status).toBe(400);
  await put('/contacts/1', { listIds: [1], unlinkListIds: [] });
  expect(await members()).toEqual([2, 1]);
  await put('/contacts/2', { unlinkListIds: [1] });
  expect(await members()).toEqual([1]);
  expect((await put('/contacts/2', { listIds: [9] })).status).toBe(400);
});

test('an import knows contacts by e-mail and puts them on a list', async () => {
  const { get, post, store } = await brevo();
  await post('/contacts/lists', { name: 'News', folderId: 1 });
  const held = { EMAIL: 'a@mail.example', FIRSTNAME: 'Ada', LASTNAME: 'L', NEWSLETTER: true };
  store.create('contacts', held);
  const jsonBody = [
    {
      email: 'A@mail.example',
      attributes: { FIRSTNAME: 'Adele', LASTNAME: '', NEWSLETTER: false },
    },
    { email: 'b@mail.example', attributes: { FIRSTNAME: 'Bob' } },
    { email: 'nobody' },
  ];
  expect((await post('/contacts/import', { jsonBody })).status).toBe(400);
  const accepted = await post('/contacts/import', { jsonBody, listIds: [1] });
  expect(accepted).toMatchObject({ status: 202, body: { processId: 1 } });
  expect((await get('/processes/1')).body).toMatchObject({
    status: 'completed',
    info: { import: { invalid_emails: expect.stringMatching(/^https:/), duplicate_ext_id: null } },
  });
  // An empty value is passed over, and a boolean is not set to false.
  expect((await get('/contacts/1')).body).toMatchObject({
    listIds: [1],
    attributes: { FIRSTNAME: 'Adele', LASTNAME: 'L', NEWSLETTER: true },
  });
  expect((await get('/contacts/2')).body).toMatchObject({ email: 'b@mail.example', listIds: [1] });
  const fileBody = 'EMAIL;LASTNAME\na@mail.example;\n';
  const newList = { listName: 'Imported', folderId: 1 };
  await post('/contacts/import', { fileBody, newList, emptyContactsAttributes: true });
  const contact = (await get('/contacts/1')).body;
  expect(at(contact, 'listIds')).toEqual([1, 2]);
  expect(at(contact, 'attributes')).not.toHaveProperty('LASTNAME');
});
