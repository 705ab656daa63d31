import { describe, expect, test } from 'vitest';
import { connect } from './api-client.ts';

describe('from another process', () => {
  test('a person creates, edits, links, merges and deletes', async () => {
    const { admin, emulator, get } = await connect();
    const { store } = emulator;
    const create = async (object: string, fields: object) => {
      const { body } = await admin('POST', 'create', { object, fields });
      expect(body).toEqual({ id: expect.any(String) });
      return store.ids(object).at(-1) ?? '';
    };
    const ann = await create('person', { job_title: 'A' });
    const bob = await create('person', {});
    const deal = await create('deal', { name: 'Deal' });
    await admin('POST', 'edit', {
      object: 'person',
      id: ann,
      fields: { job_title: 'B' },
      by: 'rep',
      at: '2030-01-01T00:00:00.000Z',
    });
    expect((await get(`/objects/person/records/${ann}`)).record.attributes).toMatchObject({
      job_title: 'B',
      _updated_by: 'rep',
      _updated_at: '2030-01-01T00:00:00.000Z',
    });
    await admin('POST', 'link', { object: 'deal', id: deal, field: 'people', ids: [ann, bob] });
    await admin('POST', 'unlink', { object: 'deal', id: deal, field: 'people', ids: [ann] });
    expect(store.linked('deal', deal, 'people')).toEqual([bob]);
    await admin('POST', 'merge', { object: 'person', target: ann, sources: [bob] });
    expect(store.linked('deal', deal, 'people')).toEqual([ann]);
    await admin('POST', 'delete', { object: 'deal', ids: [deal] });
    expect(store.count('deal')).toBe(0);
    await admin('POST', 'hide', { object: 'person', ids: [ann] });
    expect(store.count('person')).toBe(0);
  });

  test('it tells what there is to ask', async () => {
    const { admin, emulator } = await connect();
    const { body } = await admin('GET', '');
    expect(body).toMatchObject({ GET: expect.arrayContaining(['stats']) });
    expect(body).toMatchObject({ POST: expect.arrayContaining(['create', 'faults', 'switches']) });
    expect(await (await fetch(emulator.adminUrl)).json()).toEqual(body);
  });

  test('many records get one timestamp', async () => {
    const { admin, emulator } = await connect({ sizes: { person: 30, company: 0 } });
    const at = '2030-01-01T00:00:00.000Z';
    const touched = await admin('POST', 'bulk-touch', { object: 'person', count: 20, at });
    expect(touched).toEqual({ status: 200, body: { touched: 20 } });
    const stamped = emulator.store
      .all('person')
      .filter(({ attributes }) => attributes._updated_at === at);
    expect(stamped).toHaveLength(20);
  });

  test('faults and switches are set, read and cleared', async () => {
    const { admin, get, emulator } = await connect();
    const fault = { kind: 'status', status: 503 };
    expect((await admin('POST', 'faults', fault)).body).toEqual({ ids: [1] });
    expect((await get('/users')).status).toBe(503);
    expect((await admin('GET', 'faults')).body).toMatchObject([{ id: 1, fault, hits: 1 }]);
    await admin('DELETE', 'faults/1');
    expect((await get('/users')).status).toBe(200);
    await admin('POST', 'switches', { tieOrder: 'shuffled', linkageCap: '3', omitNulls: 'true' });
    expect(emulator.switches).toMatchObject({
      tieOrder: 'shuffled',
      linkageCap: 3,
      omitNulls: true,
    });
    expect((await admin('GET', 'switches')).body).toMatchObject({ linkageCap: 3 });
  });

  test('statistics are read and reset', async () => {
    const { admin, get } = await connect();
    await get('/users');
    expect((await admin('GET', 'stats')).body).toMatchObject({ requests: 1 });
    await admin('POST', 'reset-stats');
    expect((await admin('GET', 'stats')).body).toMatchObject({ requests: 0 });
  });

  test('all records of an object, past visibility delays', async () => {
    const { admin, emulator } = await connect({ sizes: { person: 1500, company: 3 } });
    emulator.switches.visibilityDelayMs = 60_000;
    const id = emulator.store.create('person', { job_title: 'New' });
    const { body } = await admin('GET', 'objects/person');
    expect(body).toMatchObject({ meta: { total_records: 1501 } });
    expect(JSON.stringify(body)).toContain(id);
    expect(body).toHaveProperty('data.length', 1501);
    const page = await admin('GET', 'objects/person?offset=1499&limit=10');
    expect(page.body).toHaveProperty('data.length', 2);
    expect((await admin('GET', 'objects')).body).toMatchObject({ person: 1501, company: 3 });
  });

  test('the schema changes', async () => {
    const { admin, call } = await connect();
    const field = { name: 'shoe_size', form: { kind: 'number' } };
    await admin('POST', 'add-field', { object: 'person', field });
    const person = { data: { type: 'person', attributes: { shoe_size: 44 } } };
    expect((await call('POST', '/objects/person/records', person)).status).toBe(201);
    await admin('POST', 'change-field', {
      object: 'person',
      name: 'shoe_size',
      form: { kind: 'text' },
    });
    expect((await call('POST', '/objects/person/records', person)).status).toBe(422);
    await admin('POST', 'remove-field', { object: 'person', name: 'shoe_size' });
    const more = { object: 'c_site', singular: 'Site', plural: 'Sites', fields: [field] };
    await admin('POST', 'add-object', more);
    expect((await call('GET', '/objects/c_site/resources')).status).toBe(200);
    await admin('POST', 'remove-object', { object: 'c_site' });
    expect((await call('GET', '/objects/c_site/resources')).status).toBe(404);
  });
});

test('nothing is removed by adding an object that is there already', async () => {
  const { admin, emulator } = await connect({ sizes: { person: 3, company: 0 } });
  await admin('POST', 'add-object', { object: 'person', singular: 'A', plural: 'B', fields: [] });
  expect(emulator.store.count('person')).toBe(3);
});

test.each([
  ['POST', 'faults', { kind: 'flood' }, 400],
  ['POST', 'faults', { kind: 'status', status: 503, path: '(' }, 400],
  ['POST', 'switches', { tieOrder: 'sideways' }, 400],
  ['POST', 'edit', { object: 'person' }, 400],
  ['POST', 'edit', { object: 'person', id: 'unknown', fields: {} }, 404],
  ['POST', 'create', { object: 'nothing', fields: {} }, 404],
  ['POST', 'remove-field', { object: 'person', name: 'nothing' }, 404],
  ['POST', 'change-field', { object: 'person', name: 'nothing', form: { kind: 'text' } }, 404],
  ['POST', 'add-object', { object: 'person', singular: 'A', plural: 'B', fields: [] }, 400],
  ['POST', 'remove-object', { object: 'nothing' }, 404],
  ['POST', 'edit', 'nonsense', 400],
  ['DELETE', 'faults/7', undefined, 404],
  ['DELETE', 'faults/all', undefined, 404],
  ['GET', 'objects/nothing', undefined, 404],
  ['GET', 'objects/%zz', undefined, 400],
  ['GET', 'objects/person?offset=-1', undefined, 400],
  ['GET', 'objects/person?limit=few', undefined, 400],
  ['POST', 'toString', undefined, 404],
])('%s %s %o is refused', async (method, path, body, status) => {
  const { admin } = await connect();
  expect(await admin(method, path, body)).toEqual({
    status,
    body: { error: expect.stringMatching(/./) },
  });
});
