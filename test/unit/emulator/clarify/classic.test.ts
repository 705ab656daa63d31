import { expect, test } from 'vitest';
import { connect, newPerson } from './api-client.ts';

test('25 on a page, at most 1000, and no links at the ends', async () => {
  const { get } = await connect({ dialect: 'classic', sizes: { person: 1100, company: 0 } });
  const list = '/objects/person/resources';
  const first = await get(list);
  expect(first.body.data).toHaveLength(25);
  expect(first.body.links).not.toHaveProperty('prev');
  expect(first.body.links.next).toContain('/v1/workspaces/demo/objects/person/resources?');
  expect(first.body.meta).toEqual({ total_records: 1100, total_pages: 44, offset: 0, limit: 25 });
  const capped = await get(list, { 'page[limit]': 5000 });
  expect(capped.body.data).toHaveLength(1000);
  const last = await get(list, { 'page[offset]': 1090 });
  expect(last.body.links).not.toHaveProperty('next');
  const next = await fetch(String(first.body.links.next), {
    headers: { authorization: 'api-key demo-key', 'user-agent': 'test' },
  });
  expect(next.status).toBe(200);
});

test('ids have a prefix, names are plain, and `_id` is not repeated', async () => {
  const { get } = await connect({ dialect: 'classic', sizes: { person: 5 } });
  const [person] = (await get('/objects/person/resources')).body.data;
  expect(person?.id).toMatch(/^per_01HX[0-9A-Z]{22}$/);
  expect(typeof person?.attributes.name).toBe('string');
  expect(person?.attributes).toHaveProperty('title');
  expect(person?.attributes).toHaveProperty('company_name');
  expect(person?.attributes).not.toHaveProperty('_id');
});

test('every create is an upsert, and match_on means nothing', async () => {
  const { call, emulator } = await connect({ dialect: 'classic' });
  const path = '/objects/person/records';
  const first = await call('POST', path, { data: newPerson('ann@x.example', { title: 'A' }) });
  const second = await call('POST', path, {
    data: newPerson('ANN@x.example', { title: 'B' }),
    match_on: 'nonsense',
  });
  expect(second.status).toBe(201);
  expect(second.record.id).toBe(first.record.id);
  expect(emulator.store.get('person', first.record.id)?.attributes.title).toBe('B');
});

test('more than 25 in bulk is refused; a delete answers 204; there is no feed', async () => {
  const { call, emulator, get } = await connect({ dialect: 'classic' });
  const data = Array.from({ length: 26 }, (_, i) => newPerson(`${i}@x.example`));
  const path = '/objects/person/records';
  expect((await call('POST', `${path}/bulk`, { data })).status).toBe(422);
  expect((await call('POST', `${path}/bulk`, { data: data.slice(1) })).status).toBe(201);
  const [id = '', ...others] = emulator.store.ids('person');
  const one = await call('DELETE', `${path}/${id}`);
  expect([one.status, one.text]).toEqual([204, '']);
  expect((await call('DELETE', path, { items: others })).status).toBe(204);
  expect((await get('/objects/person/deleted-resources')).status).toBe(404);
});
