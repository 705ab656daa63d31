import { expect, test } from 'vitest';
import { connect } from './api-client.ts';

test('come in a list with opaque ids, and one by one', async () => {
  const { get } = await connect();
  const { body } = await get('/users', { 'page[limit]': 2 });
  expect(body.meta.total_records).toBe(3);
  const [kim] = body.data;
  expect(kim).toMatchObject({
    type: 'user',
    id: 'user_01HXKEYOWNER0000000000000',
    attributes: {
      _id: 'user_01HXKEYOWNER0000000000000',
      name: { first_name: 'Kim', last_name: 'Keyes' },
      roles: { items: ['admin'] },
      email: 'kim@demo.example',
      profile_picture: null,
      last_active_at: expect.any(String),
      _created_at: expect.any(String),
      _updated_at: expect.any(String),
    },
  });
  const path = `/users/${encodeURIComponent('google-oauth2|104211700000000000001')}`;
  expect((await get(path)).record.attributes.email).toBe('ola@demo.example');
});

test('whoever acts without being one is not found among them', async () => {
  const { get } = await connect();
  for (const actor of ['system', 'agent', 'rep']) {
    expect((await get(`/users/${actor}`)).status).toBe(404);
  }
});

test('are listed among the schemas like an object, and have no resources', async () => {
  const { get, emulator } = await connect({ switches: { schemaPageSize: 100 } });
  const listed = async () => {
    const { body } = await get('/schemas');
    return body.data.filter(({ id }) => id.endsWith('/user'));
  };
  expect(await listed()).toMatchObject([
    { attributes: { title: 'user', xClarifyNamespace: 'objects' } },
  ]);
  expect((await get('/objects/user/resources')).status).toBe(404);
  emulator.switches.userObject = 'absent';
  expect(await listed()).toEqual([]);
});
