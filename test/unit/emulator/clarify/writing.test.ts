import { describe, expect, test } from 'vitest';
import { connect, newPerson } from './api-client.ts';

const PEOPLE = '/objects/person/records';

describe('create', () => {
  test('inserts, and refuses a taken unique value without regard to case', async () => {
    const { call } = await connect();
    const made = await call('POST', PEOPLE, { data: newPerson('ann@x.example') });
    expect(made.status).toBe(201);
    expect(made.record.attributes).toMatchObject({
      email_addresses: { items: ['ann@x.example'] },
      name: null,
      _created_by: 'user_01HXKEYOWNER0000000000000',
    });
    const again = await call('POST', PEOPLE, { data: newPerson('ANN@x.example') });
    expect(again.status).toBe(400);
    expect(Object.keys(again.body.errors[0] ?? {})).toEqual(['status', 'detail']);
    const deal = { data: { type: 'deal', attributes: { name: 'Big' } } };
    expect((await call('POST', '/objects/deal/records', deal)).status).toBe(201);
    expect((await call('POST', '/objects/deal/records', deal)).status).toBe(400);
    const task = { data: { type: 'task', attributes: { title: 'Same' } } };
    expect((await call('POST', '/objects/task/records', task)).status).toBe(201);
    expect((await call('POST', '/objects/task/records', task)).status).toBe(201);
  });

  test('match_on updates the one that matches by any item, and says nothing of it', async () => {
    const { call, emulator } = await connect();
    const ann = emulator.store.create('person', {
      email_addresses: { items: ['ann@x.example', 'ann@y.example'] },
      job_title: 'Old',
      lead_score: 7,
    });
    const answer = await call('POST', `${PEOPLE}/bulk`, {
      data: [newPerson('ANN@y.example', { job_title: 'New' }), newPerson('bob@x.example')],
      match_on: 'email_addresses',
    });
    expect(answer.status).toBe(201);
    expect(answer.body.data).toHaveLength(2);
    expect(answer.body.data[0]).toMatchObject({
      id: ann,
      attributes: {
        job_title: 'New',
        lead_score: 7,
        email_addresses: { items: ['ann@x.example', 'ann@y.example'] },
      },
    });
    const again = { data: newPerson('bob@x.example'), match_on: 'email_addresses' };
    expect((await call('POST', PEOPLE, again)).record.id).toBe(answer.body.data[1]?.id);
  });

  test('match_on that fits several records, or names no unique field, is refused', async () => {
    const { call, emulator } = await connect();
    for (const email of ['a@x.example', 'b@x.example']) {
      emulator.store.create('person', { email_addresses: { items: [email] } });
    }
    const both = {
      type: 'person',
      attributes: { email_addresses: { items: ['a@x.example', 'b@x.example'] } },
    };
    expect((await call('POST', PEOPLE, { data: both, match_on: 'email_addresses' })).status).toBe(
      400,
    );
    expect((await call('POST', PEOPLE, { data: both, match_on: 'job_title' })).status).toBe(400);
    expect(emulator.store.count('person')).toBe(2);
  });

  test('a bulk call is all or nothing, also where two of its own records collide', async () => {
    const { call, emulator } = await connect();
    const data = [newPerson('a@x.example'), newPerson('b@x.example'), newPerson('A@x.example')];
    expect((await call('POST', `${PEOPLE}/bulk`, { data })).status).toBe(400);
    expect(emulator.store.count('person')).toBe(0);
    const upsert = await call('POST', `${PEOPLE}/bulk`, { data, match_on: 'email_addresses' });
    expect(upsert.status).toBe(201);
    expect(emulator.store.count('person')).toBe(2);
  });

  test('several bad records are told one by one, with pointers', async () => {
    const { call, emulator } = await connect();
    const data = [
      newPerson('a@x.example'),
      newPerson('no address'),
      newPerson('c@x.example', { lead_score: 'x' }),
    ];
    const answer = await call('POST', `${PEOPLE}/bulk`, { data });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([
      {
        status: '422',
        title: 'Invalid input',
        detail: '/data/1/attributes/email_addresses: has an invalid item',
        source: { pointer: '/data/1/attributes/email_addresses' },
      },
      {
        status: '422',
        title: 'Invalid input',
        detail: '/data/2/attributes/lead_score: must be number',
        source: { pointer: '/data/2/attributes/lead_score' },
      },
    ]);
    expect(emulator.store.count('person')).toBe(0);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a system attribute', { _created_at: '2026-01-01T00:00:00.000Z' }, '_created_at'],
    ['another case of an option', { lifecycle: 'lead' }, 'lifecycle'],
    ['a bare array for a collection', { phone_numbers: ['1'] }, 'phone_numbers'],
    ['a bare array for a multi-select', { interests: ['Security'] }, 'interests'],
    ['a to-many link', { deals: [] }, 'deals'],
    ['a link to nobody', { company_id: 'nobody' }, 'company_id'],
    ['a date that is none', { birthday: '2026-02-30' }, 'birthday'],
    ['a day for an instant', { last_contacted_at: '2026-02-03' }, 'last_contacted_at'],
    ['text for a yes or no', { do_not_contact: 'yes' }, 'do_not_contact'],
    ['half a score', { lead_score: 1.5 }, 'lead_score'],
    ['an unknown field', { shoe_size: 44 }, 'shoe_size'],
    ['text for a name', { name: 'Ann' }, 'name'],
  ])('%s is refused', async (_what, attributes, field) => {
    const { call } = await connect();
    const answer = await call('POST', PEOPLE, { data: { type: 'person', attributes } });
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0]?.source?.pointer).toBe(`/data/attributes/${field}`);
  });

  test('rich text as a string, a bad domain, an id and another type are refused', async () => {
    const { call } = await connect();
    const company = (attributes: Record<string, unknown>, more = {}) =>
      call('POST', '/objects/company/records', {
        data: { type: 'company', attributes, ...more },
      });
    expect((await company({ description: 'text' })).status).toBe(422);
    expect((await company({ domains: { items: ['not a domain'] } })).status).toBe(422);
    const withId = await company({}, { id: 'mine' });
    expect(withId.body.errors[0]?.source?.pointer).toBe('/data/id');
    const wrongType = await company({}, { type: 'person' });
    expect(wrongType.body.errors[0]?.source?.pointer).toBe('/data/type');
  });

  test('numbers keep sixteen digits and four decimals; beyond is a 400 without a pointer', async () => {
    const { emulator, call } = await connect();
    const url = `${emulator.url}/workspaces/demo/objects/deal/records`;
    const post = async (amount: string) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: 'api-key demo-key', 'user-agent': 'test' },
        body: `{"data":{"type":"deal","attributes":{"name":"${amount}","amount":${amount}}}}`,
      });
      return { status: response.status, text: await response.text() };
    };
    expect((await post('999999999999.9999')).text).toContain('"amount":999999999999.9999');
    expect((await post('-123456789012.3457')).text).toContain('"amount":-123456789012.3457');
    expect((await post('1.00005')).text).toContain('"amount":1.0001');
    const over = await post('1000000000000');
    expect(over.status).toBe(400);
    expect(JSON.parse(over.text).errors[0]).not.toHaveProperty('source');
    const list = await call('GET', '/objects/deal/resources');
    expect(list.text).toContain('999999999999.9999');
  });
});

describe('update', () => {
  test('changes what is sent, null clears, and stamps the record', async () => {
    let now = 1000;
    const { call, emulator } = await connect({ clock: () => now });
    const id = emulator.store.create('person', { job_title: 'Old', lead_score: 1 });
    now = 5000;
    const data = { type: 'person', id, attributes: { job_title: null, lead_score: 2 } };
    const answer = await call('PATCH', `${PEOPLE}/${id}`, { data });
    expect(answer.status).toBe(200);
    expect(answer.record.attributes).toMatchObject({
      job_title: null,
      lead_score: 2,
      _created_at: '1970-01-01T00:00:01.000Z',
      _updated_at: '1970-01-01T00:00:05.000Z',
    });
    expect((await call('PATCH', `${PEOPLE}/unknown`, { data })).status).toBe(422);
    const other = { type: 'person', id: 'unknown', attributes: {} };
    expect((await call('PATCH', `${PEOPLE}/unknown`, { data: other })).status).toBe(404);
  });

  test('a single PATCH of a custom object fails; in bulk it works', async () => {
    const { call, emulator } = await connect();
    const id = emulator.store.create('c_project', { name: 'One' });
    const item = { type: 'c_project', id, attributes: { name: 'Two' } };
    const path = '/objects/c_project/records';
    expect((await call('PATCH', `${path}/${id}`, { data: item })).status).toBe(500);
    const bulk = await call('PATCH', path, { data: [item] });
    expect(bulk.status).toBe(200);
    expect(bulk.body.data[0]?.attributes.name).toBe('Two');
  });

  test('one unknown id in bulk is a 404 and nothing is applied', async () => {
    const { call, emulator } = await connect();
    const id = emulator.store.create('person', { job_title: 'Old' });
    const data = [id, 'unknown'].map((each) => ({
      type: 'person',
      id: each,
      attributes: { job_title: 'New' },
    }));
    expect((await call('PATCH', PEOPLE, { data })).status).toBe(404);
    expect((await call('DELETE', PEOPLE, { items: [id, 'unknown'] })).status).toBe(404);
    expect(emulator.store.get('person', id)?.attributes.job_title).toBe('Old');
  });

  test('a unique value that was given up can be taken in the same call', async () => {
    const { call, emulator } = await connect();
    const one = emulator.store.create('deal', { name: 'A' });
    const two = emulator.store.create('deal', { name: 'B' });
    const rename = (pairs: [string, string][]) =>
      call('PATCH', '/objects/deal/records', {
        data: pairs.map(([id, name]) => ({ type: 'deal', id, attributes: { name } })),
      });
    expect((await rename([[one, 'B']])).status).toBe(400);
    expect(
      (
        await rename([
          [two, 'C'],
          [one, 'B'],
        ])
      ).status,
    ).toBe(200);
    expect(emulator.store.get('deal', one)?.attributes.name).toBe('B');
  });

  test('meta appends, removes and merges', async () => {
    const { call, emulator } = await connect();
    const id = emulator.store.create('person', {
      name: { first_name: 'Ann', last_name: 'Lee', full_name: 'Ann Lee' },
      phone_numbers: { items: ['1', '2'] },
    });
    const change = async (attributes: object, meta: object) => {
      const data = { type: 'person', id, attributes };
      const answer = await call('PATCH', `${PEOPLE}/${id}`, { data, meta });
      return answer.record?.attributes;
    };
    const phones = (items: string[]) => ({ phone_numbers: { items } });
    expect(
      await change(phones(['2', '3']), { phone_numbers: { collection: 'append' } }),
    ).toMatchObject(phones(['1', '2', '3']));
    expect(
      await change(phones(['1', '9']), { phone_numbers: { collection: 'remove' } }),
    ).toMatchObject(phones(['2', '3']));
    expect(await change(phones([]), {})).toMatchObject(phones([]));
    expect(
      await change({ name: { first_name: 'Anna' } }, { name: { object: 'merge' } }),
    ).toMatchObject({ name: { first_name: 'Anna', last_name: 'Lee', full_name: 'Anna Lee' } });
    expect(await change({ name: { first_name: 'Ann' } }, {})).toMatchObject({
      name: { first_name: 'Ann', last_name: null, full_name: 'Ann' },
    });
    const project = emulator.store.create('c_project', { labels: ['a'] });
    const answer = await call('PATCH', '/objects/c_project/records', {
      data: [{ type: 'c_project', id: project, attributes: { labels: ['a', 'b'] } }],
      meta: { labels: { array: 'append' } },
    });
    expect(answer.body.data[0]?.attributes.labels).toEqual(['a', 'b']);
    const wrong = await call('PATCH', `${PEOPLE}/${id}`, {
      data: { type: 'person', id, attributes: {} },
      meta: { name: { object: 'explode' } },
    });
    expect(wrong.status).toBe(422);
  });
});

describe('delete', () => {
  test('one or many, for good', async () => {
    const { call, emulator, get } = await connect();
    const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map((title) =>
      emulator.store.create('task', { title }),
    );
    const one = await call('DELETE', `/objects/task/records/${a}`);
    expect([one.status, one.text]).toEqual([200, '{}']);
    expect((await call('DELETE', `/objects/task/records/${a}`)).status).toBe(404);
    expect((await call('DELETE', '/objects/task/records', { items: [b, c] })).status).toBe(200);
    expect((await get('/objects/task/resources')).body.data).toEqual([]);
    expect((await get(`/objects/task/resources/${b}`)).status).toBe(404);
  });

  test('frees a unique value', async () => {
    const { call, emulator } = await connect();
    const id = emulator.store.create('person', { email_addresses: { items: ['a@x.example'] } });
    await call('DELETE', `${PEOPLE}/${id}`);
    expect((await call('POST', PEOPLE, { data: newPerson('a@x.example') })).status).toBe(201);
  });
});

describe('what a body must have', () => {
  test('a type, and nothing that is unknown beside the attributes', async () => {
    const { call, emulator } = await connect();
    const id = emulator.store.create('task', { title: 'One' });
    const path = '/objects/task/records';
    const attributes = { title: 'Two' };
    const pointers = async (method: string, where: string, body: unknown) =>
      (await call(method, where, body)).body.errors.map(({ source }) => source?.pointer);
    expect(await pointers('POST', path, { data: { attributes } })).toEqual(['/data/type']);
    expect(await pointers('POST', `${path}/bulk`, { data: [{ attributes }] })).toEqual([
      '/data/0/type',
    ]);
    expect(await pointers('PATCH', path, { data: [{ id, attributes }] })).toEqual(['/data/0/type']);
    const withMeta = { type: 'task', id, attributes, meta: {} };
    expect(await pointers('PATCH', path, { data: [withMeta] })).toEqual(['/data/0/meta']);
    expect(emulator.store.get('task', id)?.attributes.title).toBe('One');
  });

  test('an id to delete', async () => {
    const { call } = await connect();
    const answer = await call('DELETE', '/objects/task/records', { items: [] });
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0]?.source?.pointer).toBe('/items');
  });

  test('blocks, where it is rich text', async () => {
    const { call } = await connect();
    const create = async (description: unknown) => {
      const data = { type: 'task', attributes: { title: 'One', description } };
      return (await call('POST', '/objects/task/records', { data })).status;
    };
    expect(await create('text')).toBe(422);
    expect(await create({ type: 'doc', content: [] })).toBe(422);
    expect(await create({ text: [{ type: 'paragraph', content: [] }] })).toBe(201);
  });
});

test('resources can be posted as records can', async () => {
  const { call, emulator } = await connect();
  const data = { type: 'task', attributes: { title: 'One', status: 'To Do', priority: 'Urgent' } };
  expect((await call('POST', '/objects/task/resources', { data })).status).toBe(201);
  const open = { ...data, attributes: { ...data.attributes, status: 'to do' } };
  expect((await call('POST', '/objects/task/resources', { data: open })).status).toBe(422);
  expect(emulator.store.count('task')).toBe(1);
});

test('meetings from a calendar are read-only, those made by hand are not', async () => {
  const { call, emulator } = await connect();
  const synced = emulator.store.create('meeting', { title: 'Demo', event_id: 'cal-1' });
  const own = emulator.store.create('meeting', { title: 'Own' });
  const adhoc = emulator.store.create('meeting', { title: 'Own', event_id: 'adhoc-1' });
  const path = '/objects/meeting/records';
  const change = async (id: string) => {
    const data = [{ type: 'meeting', id, attributes: { title: 'New' } }];
    return (await call('PATCH', path, { data })).status;
  };
  expect([await change(synced), await change(own), await change(adhoc)]).toEqual([400, 200, 200]);
  expect((await call('DELETE', `${path}/${synced}`)).status).toBe(400);
});
