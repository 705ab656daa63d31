import { expect, test } from 'vitest';
import { contactsSchema } from '../../../../src/crm/brevo/fields.ts';
import { createBrevoRemote } from '../../../../src/crm/brevo/remote.ts';
import type { PageRequest } from '../../../../src/domain/remote.ts';
import { startServer } from '../clarify/scripted-server.ts';
import { contact, describe, headers, pull, withBrevo } from './scripted-brevo.ts';

const page: Omit<PageRequest, 'object'> = {
  orderBy: 'position',
  direction: 'asc',
  offset: 0,
  limit: 1_000,
};

test('the account tells whose key it is, and schemas come from where each object has them', () =>
  withBrevo(
    () => ({ status: 500 }),
    async ({ remote, schema, server }) => {
      expect(remote.workspace).toBe('brevo:org-1');
      expect(server.seen.every(({ headers: sent }) => sent['api-key'] === 'key-1')).toBe(true);
      const kinds = schema('contacts').fields.map(({ name, kind }) => [name, kind]);
      expect(kinds).toEqual([
        ['email', 'text'],
        ['ext_id', 'text'],
        ['sms', 'text'],
        ['email_blacklisted', 'boolean'],
        ['sms_blacklisted', 'boolean'],
        ['list_ids', 'texts'],
        ['FIRSTNAME', 'text'],
        ['BORN', 'date'],
        ['SCORE', 'number'],
        ['VIP', 'boolean'],
        ['HOBBIES', 'texts'],
        ['PLAN', 'text'],
        ['ORDERS', 'number'],
      ]);
      const readOnly = schema('contacts').fields.filter((field) => field.readOnly === true);
      expect(readOnly.map(({ name }) => name)).toEqual(['ORDERS']);
      expect(schema('vehicle').fields.map(({ name, kind }) => [name, kind])).toEqual([
        ['ext_id', 'text'],
        ['plate', 'text'],
        ['seats', 'number'],
        ['bought', 'date'],
        ['sold_at', 'timestamp'],
        ['extras', 'texts'],
        ['owner', 'references'],
        ['buyer', 'references'],
      ]);
    },
  ));

test('a contact comes with its identifiers, its times in UTC, and labels for options', () =>
  withBrevo(
    () => ({
      body: {
        count: 2,
        contacts: [
          contact(7, {
            FIRSTNAME: 'Ada',
            BORN: '1815-12-10',
            SCORE: 1.5,
            VIP: true,
            HOBBIES: ['chess'],
            PLAN: 'pro-x',
            SMS: '4915112345678',
            EXT_ID: 'crm-7',
            NEW_ONE: 'x',
          }),
          contact(8, { PLAN: 1, FIRSTNAME: '', VIP: null }, { email: undefined }),
        ],
      },
    }),
    async ({ remote, schema, asked }) => {
      const object = schema('contacts');
      const changedSince = '2026-07-01T00:00:00.000Z';
      const read = await remote.readPage({ ...page, object, changedSince }, pull);
      expect(read).toMatchObject({ total: 2, more: false });
      expect(asked[0]?.query.get('modifiedSince')).toBe(changedSince);
      expect(asked[0]?.query.get('sort')).toBe('asc');
      expect(read.records[0]).toMatchObject({
        id: '7',
        createdAt: '2026-02-09T19:33:59.705Z',
        updatedAt: '2026-06-30T18:30:00.000Z',
      });
      expect(read.records[0]?.fields).toEqual({
        email: 'c7@example.com',
        ext_id: 'crm-7',
        sms: '4915112345678',
        email_blacklisted: false,
        sms_blacklisted: false,
        list_ids: ['3', '12'],
        FIRSTNAME: 'Ada',
        BORN: '1815-12-10',
        SCORE: 1.5,
        VIP: true,
        HOBBIES: ['chess'],
        PLAN: 'Pro',
        ORDERS: null,
        NEW_ONE: 'x',
      });
      expect(read.records[1]?.fields).toMatchObject({
        email: null,
        FIRSTNAME: null,
        VIP: null,
        PLAN: 'free',
        BORN: null,
      });
    },
  ));

test('a page of contacts that is cut in silence goes on where it was cut', () =>
  withBrevo(
    ({ query }) => {
      const offset = Number(query.get('offset'));
      const ids = Array.from({ length: Math.min(500, 700 - offset) }, (_, at) => offset + at + 1);
      return { body: { count: 700, contacts: ids.map((id) => contact(id)) } };
    },
    async ({ remote, schema }) => {
      const object = schema('contacts');
      expect(await remote.readPage({ ...page, object }, pull)).toMatchObject({ more: true });
      const rest = await remote.readPage({ ...page, object, offset: 500 }, pull);
      expect(rest).toMatchObject({ more: false, total: 700 });
    },
  ));

test('a company tells no count: a page as long as any may have been cut', () =>
  withBrevo(
    ({ query }) => {
      const size = Math.min(100, Number(query.get('limit')));
      const start = (Number(query.get('page')) - 1) * size;
      const items = Array.from({ length: Math.max(0, Math.min(size, 130 - start)) }, (_, at) => ({
        id: `${start + at}`.padStart(24, '0'),
        attributes: { name: `n${start + at}`, created_at: '2022-01-13T19:04:24.376+05:30' },
        linkedContactsIds: [1],
        linkedDealsIds: [],
      }));
      return { body: { items } };
    },
    async ({ remote, schema, asked }) => {
      const object = schema('companies');
      const first = await remote.readPage({ ...page, object }, pull);
      expect(first).toMatchObject({ total: null, more: true });
      expect(first.records).toHaveLength(100);
      expect(first.records[0]).toMatchObject({
        createdAt: '2022-01-13T13:34:24.376Z',
        links: { contacts: { ids: ['1'], total: 1 }, deals: { ids: [], total: 0 } },
      });
      // Numbered pages begin at multiples of their size, so the size is chosen to fit the place.
      const second = await remote.readPage({ ...page, object, offset: 75 }, pull);
      expect(asked[1]?.query.get('limit')).toBe('75');
      expect(asked[1]?.query.get('page')).toBe('2');
      expect(second.records).toHaveLength(55);
      expect(second.records[0]?.fields['name']).toBe('n75');
      expect(second.more).toBe(false);
    },
  ));

function vehicles(total: number, most: number, asked: { query: URLSearchParams }) {
  const size = Math.min(most, Number(asked.query.get('limit')));
  const start = (Number(asked.query.get('page_num')) - 1) * size;
  return Array.from({ length: Math.max(0, Math.min(size, total - start)) }, (_, at) => ({
    identifiers: { id: start + at, ext_id: `x${start + at}` },
    attributes: { plate: `P${start + at}`, colour: 'red', bought: '2020-03-15T00:00:00Z' },
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:00:00Z',
    ...(asked.query.get('association') === 'true' && {
      associations: [
        {
          object_type: 'contact',
          records: [1, 2, 3, 4, 5].map((id) => ({ identifiers: { id } })),
        },
      ],
    }),
  }));
}

test.each([
  ['cut in silence', (limit: number) => limit <= 1_000],
  ['refused', (limit: number) => limit <= 100],
])('pages of a custom object that are too long are learned where they are %s', (_how, takes) =>
  withBrevo(
    (request) =>
      takes(Number(request.query.get('limit')))
        ? { body: { count: 230, records: vehicles(230, 100, request) } }
        : { status: 400, body: { code: 'out_of_range', message: 'limit' } },
    async ({ remote, schema }) => {
      const object = schema('vehicle');
      const seen = new Set<string>();
      for (let offset = 0, more = true; more; ) {
        const read = await remote.readPage({ ...page, object, offset }, pull);
        expect(read.total).toBe(230);
        for (const { id } of read.records) seen.add(id);
        expect(read.records[0]?.id).toBe(String(read.offset ?? offset));
        offset = (read.offset ?? offset) + read.records.length - (read.more ? 20 : 0);
        more = read.more;
      }
      expect(seen.size).toBe(230);
    },
  ),
);

test('a count that is ahead of its list makes no page after it shorter', () => {
  let ahead = 1;
  return withBrevo(
    (request) => ({ body: { count: 230 + ahead, records: vehicles(230, 100, request) } }),
    async ({ remote, schema, asked }) => {
      const object = schema('vehicle');
      await remote.readPage({ ...page, object }, pull);
      const last = { ...page, object, offset: 200 };
      await expect(remote.readPage(last, pull)).rejects.toMatchObject({ disposition: 'retry' });
      ahead = 0;
      expect((await remote.readPage(last, pull)).more).toBe(false);
      expect(Number(asked.at(-1)?.query.get('limit'))).toBe(100);
    },
  );
});

test('a record shows declared columns, what is not declared, and links that may be more', () =>
  withBrevo(
    (request) =>
      request.path.endsWith('/associated-records')
        ? {
            body: {
              has_more: request.query.get('offset') === '0',
              offset: Number(request.query.get('offset')),
              items: Array.from({ length: 20 }, (_, at) => ({
                type: 'contact',
                object: { id: Number(request.query.get('offset')) + at, attributes: {} },
              })),
            },
          }
        : { body: { count: 1, records: vehicles(1, 1, request) } },
    async ({ remote, schema, asked }) => {
      const object = schema('vehicle');
      const include = ['owner', 'buyer'];
      const read = await remote.readPage({ ...page, object, include }, pull);
      expect(asked[0]?.query.get('association')).toBe('true');
      expect(read.records[0]).toMatchObject({
        fields: { ext_id: 'x0', plate: 'P0', bought: '2020-03-15', seats: null, colour: 'red' },
        links: {
          owner: { ids: ['1', '2', '3', '4', '5'], total: 6 },
          buyer: { ids: [], total: 0 },
        },
      });
      const links = { object, id: '0', field: 'owner', offset: 0, limit: 500 };
      const all = await remote.readLinks(links, pull);
      expect(all).toMatchObject({ total: 40, more: false });
      // As long as the same are shown, those behind them are not asked for again.
      const again = await remote.readPage({ ...page, object, include }, pull);
      expect(again.records[0]?.links['owner']?.total).toBe(40);
    },
  ));

test('a list without a count, or a page of HTML, is no answer', () =>
  withBrevo(
    (_request, count) =>
      count === 1
        ? { body: '<html>hello</html>' }
        : { body: { count: 0, records: [] }, headers: headers(100, 50, 1_000) },
    async ({ remote, schema, asked }) => {
      const read = await remote.readPage({ ...page, object: schema('vehicle') }, pull);
      expect(read.records).toEqual([]);
      expect(asked).toHaveLength(2);
    },
  ));

test('a contact that is not there is told apart from a gateway that knows no path', () =>
  withBrevo(
    ({ path }) =>
      path.endsWith('/1')
        ? { status: 404, body: { code: 'document_not_found', message: 'Contact does not exist' } }
        : { status: 404, body: '<html>nginx</html>' },
    async ({ remote, schema }) => {
      const object = schema('contacts');
      expect(await remote.readRecord({ object, id: '1' }, pull)).toBeNull();
      await expect(remote.readRecord({ object, id: '2' }, pull)).rejects.toMatchObject({
        code: 'remote-bad-answer',
      });
    },
  ));

test('without what the account has no value means anything: it is asked for first', async () => {
  const server = await startServer(
    (request) => describe(request) ?? { body: { count: 1, contacts: [contact(7, { PLAN: 1 })] } },
  );
  const remote = createBrevoRemote({
    baseUrl: server.url.replace(/\/v1$/, '/v3'),
    apiKey: 'key-1',
    allowancePercent: 80,
  });
  try {
    // As where the account could not be asked when the service started.
    const object = contactsSchema([]);
    const { records } = await remote.readPage({ ...page, object }, pull);
    expect(records[0]?.fields['PLAN']).toBe('free');
  } finally {
    await remote.stop();
    await server.close();
  }
});

test.each([402, 403, 404])(
  'companies and deals whose attributes are answered with %i stop no other object',
  async (status) => {
    const refused = ['/crm/attributes/companies', '/companies/attributes', '/crm/attributes/deals'];
    await withBrevo(
      () => ({ status: 500 }),
      async ({ remote, schema }) => {
        expect(schema('vehicle').fields).not.toEqual([]);
        const found = await remote.discover(pull);
        expect(found.map(({ object }) => object)).toEqual(['contacts', 'vehicle']);
        // Where no such path is known the account has none.
        const untold = status === 404 ? [] : ['companies', 'deals'];
        expect([...(remote.undescribed?.keys() ?? [])]).toEqual(untold);
      },
      {},
      ({ path }) =>
        refused.some((one) => path.endsWith(one)) ? { status, body: { message: 'x' } } : null,
    );
  },
);

test.each([402, 403, 404])(
  'contacts whose attributes are answered with %i stop no other object, and are named',
  async (status) => {
    await withBrevo(
      () => ({ status: 500 }),
      async ({ remote }) => {
        const found = await remote.discover(pull);
        expect(found.map(({ object }) => object)).toEqual(['companies', 'deals', 'vehicle']);
        expect(remote.undescribed?.get('contacts')).toMatchObject({ status, disposition: 'park' });
      },
      {},
      ({ path }) =>
        path.endsWith('/contacts/attributes') ? { status, body: { message: 'x' } } : null,
    );
  },
);
