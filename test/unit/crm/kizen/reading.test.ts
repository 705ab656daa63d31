import { expect, test } from 'vitest';
import { ExactNumber } from '../../../../src/domain/json.ts';
import type { PageRequest } from '../../../../src/domain/remote.ts';
import { push, type Reply } from '../clarify/scripted-server.ts';
import { fieldId, optionId, record, rows, stages, withKizen } from './scripted-kizen.ts';

const pull = { priority: 'pull', signal: new AbortController().signal } as const;
const page = { orderBy: 'position', direction: 'asc', offset: 0, limit: 1_000 } as const;

async function read(object: string, item: object, include: readonly string[] = []) {
  return await withKizen(
    () => rows([item]),
    async ({ remote, of }) => {
      const { records } = await remote.readPage({ object: of(object), ...page, include }, pull);
      return records[0];
    },
  );
}

test('values are read by the uuid of their field, and what is left out is blank', async () => {
  const told = await read(
    'deal',
    record('deal', 'd-1', {
      name: 'One',
      stage: { id: stages[1]?.id, name: 'Talking', status: 'open', order: 1 },
      plan: { id: optionId('plan', 'Pro'), code: '', name: 'Pro' },
      likes: { id: optionId('likes', 'Maybe'), code: 'maybe', name: 'Maybe' },
      colors: [
        { id: optionId('colors', 'Red'), code: '', name: 'Red' },
        { id: optionId('colors', 'Blue') },
      ],
      choice: { id: optionId('choice', 'One'), code: '', name: 'One' },
      score: { id: optionId('score', '5'), code: '5', name: '5' },
      hot: true,
      closes: '2026-05-01',
      seen: '2026-03-31T23:27:20.152070-05:00',
      owner: { id: 'e-1', deleted: false, first_name: 'Ada', last_name: 'L', email: 'a@b.c' },
      parent: { id: 'd-2', name: 'Two' },
    }),
  );
  expect(told).toEqual({
    id: 'd-1',
    createdAt: '2026-03-01T14:00:00.000001Z',
    updatedAt: '2026-03-31T17:27:20.152070Z',
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: {},
    fields: {
      name: 'One',
      stage: 'Talking',
      plan: 'Pro',
      likes: 'Maybe',
      colors: ['Red', 'Blue'],
      choice: ['One'],
      score: 5,
      hot: true,
      closes: '2026-05-01',
      seen: '2026-04-01T04:27:20.152070Z',
      owner: 'e-1',
      parent: 'd-2',
      display_name: null,
      note: null,
      twin: null,
      unseen: null,
    },
  });
});

test('numbers come as numbers or texts, wrapped or not, and lose no digit', async () => {
  const told = await read(
    'company',
    record(
      'company',
      'c-1',
      {
        size: { value: 12 },
        ratio: '12345678901234567890.123456789',
        revenue: { currency: 'USD', symbol: '$', amount: '10.50' },
        cents: '0.10',
        rocket: { any: ['thing', 1] },
      },
      'thin',
    ),
  );
  expect(told?.fields).toMatchObject({
    size: 12,
    ratio: new ExactNumber('12345678901234567890.123456789'),
    revenue: 10.5,
    cents: 0.1,
    rocket: { any: ['thing', 1] },
    name: null,
  });
});

test('fields that are deleted or hidden from the key are not told, an unknown one is kept', async () => {
  const item = record('company', 'c-1', { gone: 'x', secret: 'y' });
  const told = await read('company', {
    ...item,
    fields: { ...item.fields, 'new-uuid': { id: 'new-uuid', name: 'fresh', value: 'z' } },
  });
  expect(told?.fields).toMatchObject({ fresh: 'z' });
  expect(told?.fields).not.toHaveProperty('gone');
  expect(told?.fields).not.toHaveProperty('secret');
});

test('links are listed, empty where they are left out, and counted where they are too many', async () => {
  const deals = record('deal', 'd-1', {
    contacts: [{ id: 'p-1', first_name: 'A' }, { id: 'p-2' }, { id: 'p-1' }],
  });
  expect((await read('deal', deals, ['contacts', 'children']))?.links).toEqual({
    contacts: { ids: ['p-1', 'p-2'], total: 2 },
    children: { ids: [], total: 0 },
  });
  const many = record('deal', 'd-1');
  const told = await read(
    'deal',
    {
      ...many,
      fields: {
        ...many.fields,
        [fieldId('deal', 'contacts')]: { name: 'contacts', value_summary: { count: 140 } },
      },
    },
    ['contacts'],
  );
  expect(told?.links).toEqual({ contacts: { ids: [], total: 140 } });
});

test('a value of another form than its type is passed on as it is', async () => {
  const told = await read('deal', record('deal', 'd-1', { plan: 7, colors: [3], hot: 'perhaps' }));
  expect(told?.fields).toMatchObject({ plan: 7, colors: [3], hot: 'perhaps' });
});

test('changes are asked for by the default field updated, and counted', async () => {
  await withKizen(
    () => rows([record('deal', 'd-1')], { count: 40, next: 'https://evil.example/?page=9' }),
    async ({ remote, of, seen }) => {
      const changedSince = '2026-03-31T12:00:00.000Z';
      const told = await remote.readPage({ object: of('deal'), ...page, changedSince }, pull);
      expect(told).toMatchObject({ total: 40, more: true, offset: 0 });
      expect(seen[0]).toMatchObject({ method: 'POST', path: '/api/records/deal/search' });
      expect(Object.fromEntries(seen[0]?.query ?? [])).toEqual({
        page: '1',
        page_size: '1000',
        ordering: 'updated',
      });
      const filter = {
        type: 'fields',
        subtype: 'non_custom',
        field: 'updated',
        condition: '>=',
        value: changedSince,
      };
      expect(seen[0]?.body).toEqual({
        query: [{ id: 'query-0', and: true, filters: [filter] }],
        and: true,
      });
    },
  );
});

test('a part of a page told as 400 is read again, and is no page', async () => {
  let count = 0;
  await withKizen(
    () => {
      count += 1;
      const whole = { count: 1, next: null, previous: null, results: [], errors: [] };
      return count < 3
        ? { status: 400, body: { ...whole, errors: [{ message: 'shard 3 is away' }] } }
        : rows([record('deal', 'd-1')]);
    },
    async ({ remote, of, seen }) => {
      const { records } = await remote.readPage({ object: of('deal'), ...page }, pull);
      expect(records).toHaveLength(1);
      expect(seen.map(({ query }) => query.get('page_size'))).toEqual(['1000', '1000', '1000']);
    },
  );
  await withKizen(
    () => ({ status: 400, body: { count: 9, next: null, results: [1], errors: ['no'] } }),
    async ({ remote, of }) => {
      await expect(remote.readPage({ object: of('deal'), ...page }, pull)).rejects.toMatchObject({
        disposition: 'retry',
      });
      expect(remote.limits.pageSize).toBe(1_000);
    },
  );
});

test('a page size that is refused becomes the default, once', async () => {
  await withKizen(
    ({ query }) =>
      Number(query.get('page_size')) > 100
        ? { status: 400, body: { page_size: ['Ensure this value is at most 100.'] } }
        : rows([record('deal', 'd-1')]),
    async ({ remote, of, seen }) => {
      await remote.readPage({ object: of('deal'), ...page }, pull);
      await remote.readPage({ object: of('deal'), ...page }, pull);
      expect(seen.map(({ query }) => query.get('page_size'))).toEqual(['1000', '100', '100']);
    },
  );
});

/** A list of so many, of which a page holds at most `cap` whatever is asked for. */
function capped(total: number, cap: number, past: Reply) {
  return ({ query }: { query: URLSearchParams }): Reply => {
    const size = Math.min(cap, Number(query.get('page_size')));
    const from = (Number(query.get('page')) - 1) * size;
    if (from >= total) return past;
    const ids = Array.from({ length: Math.min(size, total - from) }, (_, n) => `d-${from + n}`);
    const next = from + size < total ? 'more' : null;
    return rows(
      ids.map((name) => record('deal', name)),
      { count: total, next },
    );
  };
}

test('pages begin where they are said to, also where the server cuts them down', async () => {
  await withKizen(capped(1_000, 60, rows([])), async ({ remote, of }) => {
    for (const offset of [0, 40, 45, 300, 700, 950, 60, 59, 1]) {
      const request: PageRequest = { object: of('deal'), ...page, offset };
      const told = await remote.readPage(request, pull);
      expect(told.offset).toBeLessThanOrEqual(offset);
      expect(told.records[0]?.id).toBe(`d-${told.offset}`);
      expect((told.offset ?? 0) + told.records.length).toBeGreaterThan(offset);
    }
    expect(remote.limits.pageSize).toBe(60);
  });
});

test.each([
  ['404', { status: 404, body: { detail: 'Invalid page.' } }],
  ['an empty page', rows([])],
] as const)('behind the last page %s is no news of the object', async (_what, past) => {
  await withKizen(capped(10, 1_000, past), async ({ remote, of }) => {
    const told = await remote.readPage({ object: of('deal'), ...page, offset: 900 }, pull);
    expect(told).toMatchObject({ records: [], more: false });
  });
});

test('a list that is not there is, once it is confirmed', async () => {
  await withKizen(
    () => ({ status: 404, body: { detail: 'Not found.', code: 'not_found' } }),
    async ({ remote, of, seen }) => {
      await expect(remote.readPage({ object: of('deal'), ...page }, pull)).rejects.toMatchObject({
        code: 'remote-not-found',
        disposition: 'park',
      });
      expect(seen).toHaveLength(2);
    },
  );
});

test('a record is gone where the API says so, and not where a page of HTML does', async () => {
  await withKizen(
    () => ({ status: 404, body: { detail: 'Not found.', code: 'not_found' } }),
    async ({ remote, of, seen }) => {
      expect(await remote.readRecord({ object: of('deal'), id: 'd-1' }, pull)).toBeNull();
      expect(seen[0]?.query.get('include_hidden_fields')).toBe('true');
    },
  );
  await withKizen(
    () => ({ status: 404, body: '<!doctype html><title>404</title>' }),
    async ({ remote, of }) => {
      await expect(
        remote.readRecord({ object: of('deal'), id: 'd-1' }, pull),
      ).rejects.toMatchObject({
        code: 'remote-bad-answer',
      });
    },
  );
});

test('all linked records are read in pages of their own', async () => {
  await withKizen(
    ({ query }) => {
      const all = Array.from({ length: 130 }, (_, n) => ({ id: `p-${n}`, first_name: 'x' }));
      const size = Number(query.get('page_size'));
      const from = (Number(query.get('page')) - 1) * size;
      return rows(all.slice(from, from + size), {
        count: 130,
        next: from + size < 130 ? 'x' : null,
      });
    },
    async ({ remote, of, seen }) => {
      const request = { object: of('deal'), id: 'd-1', field: 'contacts', limit: 500 };
      const first = await remote.readLinks({ ...request, offset: 0 }, pull);
      expect(first).toMatchObject({ total: 130, more: true });
      const rest = await remote.readLinks({ ...request, offset: first.ids.length }, pull);
      expect([...first.ids, ...rest.ids]).toEqual(Array.from({ length: 130 }, (_, n) => `p-${n}`));
      expect(seen[0]?.path).toBe(`/api/records/d-1/field-values/${fieldId('deal', 'contacts')}`);
    },
  );
});

test('records of a name are found exactly, all of them', async () => {
  await withKizen(
    ({ path }) =>
      path.endsWith('/lookup')
        ? { body: record('deal', 'd-1', { name: 'Same' }) }
        : rows([
            record('deal', 'd-1', { name: 'Same' }),
            record('deal', 'd-2', { name: 'same' }),
            record('deal', 'd-3', { name: 'Same' }),
          ]),
    async ({ remote, of, seen }) => {
      const request = { object: of('deal'), field: 'name', values: ['Same'] };
      const found = await remote.findRecords(request, push);
      expect(found.map(({ id }) => id)).toEqual(['d-1', 'd-3']);
      expect(seen[0]?.query.get('identifier')).toBe('Same');
    },
  );
});
