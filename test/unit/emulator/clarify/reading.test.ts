import { describe, expect, test } from 'vitest';
import { connect } from './api-client.ts';

const LIST = '/objects/task/resources';

async function threeTasks() {
  const connection = await connect();
  const { store } = connection.emulator;
  const made = [
    store.create(
      'task',
      { title: 'Call Ann', status: 'Open', due_date: '2026-03-01' },
      { at: 1000 },
    ),
    store.create(
      'task',
      { title: 'Write Bob', status: 'Done', due_date: '2026-03-02' },
      { at: 2000 },
    ),
    store.create('task', { title: 'call Cy', due_date: null }, { at: 3000 }),
  ] as const;
  const found = async (query: Record<string, string>) =>
    (await connection.ids(LIST, query)).map((id) => made.findIndex((each) => each === id));
  return { ...connection, made, found };
}

describe('pages', () => {
  test('500 by default and at most; more is refused', async () => {
    const { get } = await connect({ sizes: { person: 501, company: 0 } });
    const page = await get('/objects/person/resources');
    expect(page.body.data).toHaveLength(500);
    expect(page.body.meta).toMatchObject({ total_records: 501, offset: 0, limit: 500 });
    const over = await get('/objects/person/resources', { 'page[limit]': 501 });
    expect(over.status).toBe(400);
    expect(over.body.errors[0]).not.toHaveProperty('title');
    expect((await get('/objects/person/resources', { 'page[limit]': 'x' })).status).toBe(400);
  });

  test('links name port 80, where nobody answers, and are null at the ends', async () => {
    const { get } = await threeTasks();
    const first = await get(LIST, { 'page[limit]': 2 });
    expect(first.body.links.prev).toBeNull();
    const next = new URL(String(first.body.links.next));
    expect(next.origin).toBe('http://127.0.0.1');
    expect(next.pathname).toBe('/v1/workspaces/demo/objects/task/resources');
    expect(next.searchParams.get('page[offset]')).toBe('2');
    const last = await get(LIST, { 'page[limit]': 2, 'page[offset]': 2 });
    expect(last.body.links.next).toBeNull();
    expect(last.body.links.prev).toContain('http://127.0.0.1/');
    expect(last.body.data).toHaveLength(1);
  });

  test('links can be followed where the switch says so', async () => {
    const { get, emulator } = await threeTasks();
    emulator.switches.nextLinks = 'followable';
    const { next } = (await get(LIST, { 'page[limit]': 2 })).body.links;
    const headers = { authorization: 'api-key demo-key', 'user-agent': 'test' };
    const followed = await fetch(String(next), { headers });
    expect(await followed.json()).toMatchObject({
      data: [{ type: 'task' }],
      links: { next: null },
    });
  });

  test('total_pages is sometimes missing', async () => {
    const { get } = await threeTasks();
    const pages = await Promise.all([get(LIST), get(LIST), get(LIST), get(LIST)]);
    const told = pages.filter(({ body }) => 'total_pages' in body.meta);
    expect(told).toHaveLength(2);
  });
});

test('records carry system attributes, nulls included', async () => {
  const { get, made } = await threeTasks();
  const { record } = await get(`/objects/task/resources/${made[2]}`);
  expect(record).toMatchObject({
    type: 'task',
    id: made[2],
    attributes: {
      _id: made[2],
      _created_at: '1970-01-01T00:00:03.000Z',
      _updated_at: '1970-01-01T00:00:03.000Z',
      _merged_ids: null,
      title: 'call Cy',
      due_date: null,
    },
  });
  expect((await get(`/objects/task/records/${made[2]}`)).record).toEqual(record);
  expect(made[2]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

describe('order and filters', () => {
  test('one column, either way', async () => {
    const { found, get } = await threeTasks();
    expect(await found({ 'sortOrder[column]': '_created_at', 'sortOrder[dir]': 'DESC' })).toEqual([
      2, 1, 0,
    ]);
    expect(await found({ 'sortOrder[column]': 'title', 'sortOrder[dir]': 'ASC' })).toEqual([
      0, 1, 2,
    ]);
    for (const [column, dir] of [
      ['nothing', 'ASC'],
      ['title', 'asc'],
      ['title', null],
      [null, 'ASC'],
    ]) {
      const query = {
        ...(column === null ? {} : { 'sortOrder[column]': column ?? '' }),
        ...(dir === null ? {} : { 'sortOrder[dir]': dir ?? '' }),
      };
      expect((await get(LIST, query)).status).toBe(400);
    }
  });

  test.each<[Record<string, string>, number[]]>([
    [{ 'filter[title]': 'Call Ann' }, [0]],
    [{ 'filter[title][Is not]': 'Call Ann' }, [1, 2]],
    [{ 'filter[title][Contains]': 'call' }, [0, 2]],
    [{ 'filter[title][Does not contain]': 'call' }, [1]],
    [{ 'filter[title][Starts with]': 'Write' }, [1]],
    [{ 'filter[title][Ends with]': 'Cy' }, [2]],
    [{ 'filter[title]': '*bob*' }, [1]],
    [{ 'filter[status][One of]': 'Open,Done' }, [0, 1]],
    [{ 'filter[status][Not one of]': 'Done' }, [0, 2]],
    [{ 'filter[status]': 'null' }, [2]],
    [{ 'filter[status]': '!null' }, [0, 1]],
    [{ 'filter[status]': '!=Open' }, [1, 2]],
    [{ 'filter[due_date][Is]': '2026-03-02' }, [1]],
    [{ 'filter[due_date][Is before]': '2026-03-02' }, [0]],
    [{ 'filter[due_date][Is on or before]': '2026-03-02' }, [0, 1]],
    [{ 'filter[due_date][Is after]': '2026-03-01' }, [1]],
    [{ 'filter[due_date][Is empty]': '' }, [2]],
    [{ 'filter[due_date][Is not empty]': '' }, [0, 1]],
    [{ 'filter[due_date]': '>=2026-03-02' }, [1]],
    [{ 'filter[_created_at][Is on or after]': '1970-01-01T00:00:02.000Z' }, [1, 2]],
    [{ 'filter[_created_at][Is after]': '1970-01-01T00:00:02.000Z' }, [2]],
    [{ 'filter[_created_at][Is not]': '1970-01-01T00:00:02.000Z' }, [0, 2]],
    [
      {
        'filter[_created_at][Is after]': '1970-01-01T00:00:01.000Z',
        'filter[_created_at][Is before]': '1970-01-01T00:00:03.000Z',
      },
      [1],
    ],
    [{ 'filter[_created_at]': '>1970-01-01T00:00:01.000Z', 'filter[title]': '*call*' }, [2]],
  ])('%o', async (query, expected) => {
    const { found } = await threeTasks();
    expect(await found(query)).toEqual(expected);
  });

  test('numbers, collections and ids', async () => {
    const { emulator, ids } = await connect();
    const { store } = emulator;
    const small = store.create('deal', { name: 'small', amount: 10 });
    const large = store.create('deal', { name: 'large', amount: 2000.5 });
    const find = (name: string, value: string) => ids('/objects/deal/resources', { [name]: value });
    expect(await find('filter[amount][Greater than]', '10')).toEqual([large]);
    expect(await find('filter[amount][Greater than or equal]', '10')).toEqual([small, large]);
    expect(await find('filter[amount][Less than]', '2000.5')).toEqual([small]);
    expect(await find('filter[amount]', '<11')).toEqual([small]);
    expect(await find('filter[amount]', '10')).toEqual([small]);
    expect(await find('filter[_id][Is]', large)).toEqual([large]);
    expect(await find('filter[_id][Is not]', large)).toEqual([small]);
    const ann = store.create('person', { email_addresses: { items: ['ann@x.example'] } });
    const none = store.create('person', {});
    const people = (name: string) => ids('/objects/person/resources', { [name]: 'ANN@x.example' });
    expect(await people('filter[email_addresses][Contains]')).toEqual([ann]);
    expect(await people('filter[email_addresses][Does not contain]')).toEqual([none]);
  });

  test('meetings, by when they start and who takes part', async () => {
    const { emulator, ids } = await connect();
    const meeting = (start: string, email: string) =>
      emulator.store.create('meeting', {
        start,
        participants: { items: [{ email, name: null, phone_number: null, status: 'yes' }] },
      });
    const early = meeting('2026-03-02T09:00:00.000Z', 'ann@x.example');
    const late = meeting('2026-03-03T09:00:00.000Z', 'bob@x.example');
    const find = (query: Record<string, string>) => ids('/objects/meeting/resources', query);
    expect(await find({ 'filter[start][Is on or after]': '2026-03-03T00:00:00.000Z' })).toEqual([
      late,
    ]);
    expect(
      await find({
        'filter[start][Is on or after]': '2026-03-01T00:00:00.000Z',
        'filter[start][Is on or before]': '2026-03-03T00:00:00.000Z',
      }),
    ).toEqual([early]);
    expect(await find({ 'filter[participants][Contains]': 'Bob@x.example' })).toEqual([late]);
  });

  test.each([
    'filter[title][is]',
    'filter[title][Greater than]',
    'filter[due_date][Contains]',
    'filter[_id][Greater than]',
    'filter[nothing]',
    'filter[_created_at][Is after]',
  ])('%s is refused', async (name) => {
    const { get } = await threeTasks();
    expect((await get(LIST, { [name]: 'x' })).status).toBe(400);
  });
});

describe('include', () => {
  test('lists a few links, counts them all, and refuses unknown names', async () => {
    const { emulator, get } = await connect({ switches: { linkageCap: 2 } });
    const { store } = emulator;
    const company = store.create('company', { name: 'Acme' });
    const people = [1, 2, 3].map(() => store.create('person', { company_id: company }));
    const deal = store.create('deal', { name: 'Deal', company_id: company });
    store.link('deal', deal, 'people', people);

    const answer = await get('/objects/deal/resources', { include: 'people,company_id' });
    const [listed] = answer.body.data;
    expect(listed?.relationships.people?.data).toHaveLength(2);
    expect(listed?.relationships.people?.meta.count).toBe(3);
    expect(listed?.relationships.company_id?.data).toEqual({ type: 'company', id: company });

    const owner = await get(`/objects/company/records/${company}`, { include: 'people,deals' });
    expect(owner.record.relationships.people?.meta.count).toBe(3);
    expect(owner.record.relationships.deals?.data).toEqual([{ type: 'deal', id: deal }]);
    const plain = await get('/objects/deal/resources');
    expect(plain.body.data[0]).not.toHaveProperty('relationships');
    expect(plain.body.included).toEqual([]);
    expect((await get('/objects/deal/resources', { include: 'owner' })).status).toBe(400);
    expect((await get('/objects/deal/resources', { include: 'amount' })).status).toBe(400);
  });

  test('the records they name come whole, each once, in every answer of resources', async () => {
    const { emulator, get } = await connect();
    const { store } = emulator;
    const company = store.create('company', { name: 'Acme' });
    const [ann, bob] = [1, 2].map(() => store.create('person', { company_id: company }));
    const answer = await get('/objects/person/resources', { include: 'company_id,deals' });
    expect(answer.body.data.map(({ id }) => id)).toEqual([ann, bob]);
    expect(answer.body.included).toMatchObject([
      { type: 'company', id: company, attributes: { _id: company, name: 'Acme' } },
    ]);
    const one = await get(`/objects/person/resources/${ann}`);
    expect(one.body.included).toEqual([]);
    const path = `/objects/person/records/${ann}`;
    expect((await get(path)).body).not.toHaveProperty('included');
    expect((await get(path, { include: 'company_id' })).body.included).toHaveLength(1);
  });
});

describe('deleted-resources', () => {
  test('attributes as they were, for thirty days, filtered by epoch seconds', async () => {
    let now = Date.parse('2026-05-01T00:00:00.000Z');
    const { emulator, get } = await connect({ clock: () => now });
    const { store } = emulator;
    const [early, late] = ['early', 'late'].map((title) => store.create('task', { title }));
    store.delete('task', early ?? '');
    now += 10_999;
    store.delete('task', late ?? '');
    const deletedAt = Math.floor(now / 1000);

    const feed = '/objects/task/deleted-resources';
    const { body } = await get(feed);
    expect(body.data.map(({ attributes }) => attributes.title)).toEqual(['early', 'late']);
    expect(body.data[1]?.attributes._deleted_at).toBe(deletedAt);
    expect(body.meta).toMatchObject({ total_records: 2, offset: 0, limit: 500 });
    const since = { 'filter[_deleted_at][Greater than or equal]': deletedAt };
    expect((await get(feed, since)).body.data).toHaveLength(1);
    expect((await get(feed, { 'filter[_deleted_at]': `<${deletedAt}` })).body.data).toHaveLength(1);
    for (const refused of [
      'include',
      'sortOrder[column]',
      'filter[title]',
      'filter[_deleted_at][Is after]',
    ]) {
      expect((await get(feed, { [refused]: 'people' })).status).toBe(400);
    }
    now += 30 * 86_400_000 - 5_000;
    expect((await get(feed)).body.data).toHaveLength(1);
    now += 10_000;
    expect((await get(feed)).body.data).toHaveLength(0);
  });
});
