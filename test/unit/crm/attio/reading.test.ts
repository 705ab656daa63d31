import { expect, test } from 'vitest';
import { ExactNumber } from '../../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../../src/domain/record.ts';
import type { Remote } from '../../../../src/domain/remote.ts';
import type { ObjectSchema } from '../../../../src/domain/schema.ts';
import { pull, type Reply, type Seen } from '../clarify/scripted-server.ts';
import { actor, record, refusal, value, withAttio } from './scripted-attio.ts';

const system = { type: 'system', id: null };

async function reading<T>(
  answer: (request: Seen, count: number) => Reply,
  use: (remote: Remote, of: (object: string) => ObjectSchema, seen: readonly Seen[]) => Promise<T>,
): Promise<T> {
  return await withAttio(answer, async (remote, server) => {
    const objects = await remote.discover(pull);
    server.seen.length = 0;
    const of = (name: string): ObjectSchema => {
      const found = objects.find(({ object }) => object === name);
      if (found === undefined) throw new Error(`no ${name}`);
      return found;
    };
    return await use(remote, of, server.seen);
  });
}

async function readOne(object: 'people' | 'companies' | 'deals', values: object) {
  return await reading(
    () => ({ body: { data: record('r-1', values, object) } }),
    async (remote, of) => {
      const found = await remote.readRecord({ object: of(object), id: 'r-1' }, pull);
      if (found === null) throw new Error('no record');
      return found;
    },
  );
}

test('every value of a person comes in the shape of its column', async () => {
  const location = {
    line_1: '1 Infinite Loop',
    line_2: null,
    line_3: null,
    line_4: null,
    locality: 'Cupertino',
    region: 'CA',
    postcode: '95014',
    country_code: 'US',
    latitude: '37.331741',
    longitude: '-122.030333',
  };
  const found = await readOne('people', {
    name: [
      value({
        first_name: 'Ada',
        last_name: 'Lovelace',
        full_name: 'Ada Lovelace',
        attribute_type: 'personal-name',
      }),
    ],
    email_addresses: [
      value({
        original_email_address: 'Ada@Acme.com',
        email_address: 'ada@acme.com',
        email_domain: 'acme.com',
        email_root_domain: 'acme.com',
        email_local_specifier: 'ada',
        attribute_type: 'email-address',
      }),
      value({ email_address: 'ada@else.com', attribute_type: 'email-address' }),
    ],
    phone_numbers: [
      value({
        country_code: 'US',
        original_phone_number: '+1 415 555 0100',
        phone_number: '+14155550100',
        attribute_type: 'phone-number',
      }),
    ],
    home: [value({ ...location, attribute_type: 'location' })],
    seen_at: [value({ value: '2026-05-15T21:46:52.967123456Z', attribute_type: 'timestamp' })],
    company: [
      value({
        target_object: 'companies',
        target_record_id: 'c-1',
        attribute_type: 'record-reference',
      }),
    ],
    associated_deals: [
      value({ target_object: 'deals', target_record_id: 'd-2' }),
      value({ target_object: 'deals', target_record_id: 'd-1' }),
    ],
    old: [value({ value: 'archived', attribute_type: 'text' })],
    last_email_interaction: [],
  });
  expect(found.fields).toEqual({
    name: { first_name: 'Ada', last_name: 'Lovelace', full_name: 'Ada Lovelace' },
    email_addresses: ['ada@acme.com', 'ada@else.com'],
    phone_numbers: ['+14155550100'],
    home: location,
    seen_at: '2026-05-15T21:46:52.967123Z',
    company: 'c-1',
    last_email_interaction: null,
  });
  expect(found.links['associated_deals']).toEqual({ ids: ['d-2', 'd-1'], total: 2 });
  expect(found).toMatchObject({
    id: 'r-1',
    // The attribute's, not the record's own a minute later.
    createdAt: '2026-05-15T21:46:52.967Z',
    createdBy: actor.id,
  });
});

test('every value of a deal comes in the shape of its column', async () => {
  const found = await readOne('deals', {
    name: [value({ value: 'Big', attribute_type: 'text' })],
    stage: [value({ status: { id: {}, title: 'Won 🎉', is_archived: false } })],
    owner: [value({ referenced_actor_type: 'workspace-member', referenced_actor_id: actor.id })],
    value: [value({ currency_value: 1234.5678, currency_code: 'USD' })],
    score: [value({ value: 4 })],
    labels: [value({ option: { id: {}, title: 'Hot' } }), value({ option: { title: 'B2B' } })],
    about: [value({ target_object: 'companies', target_record_id: 'c-1' })],
    anything: [value({ target_object: 'people', target_record_id: 'p-1' })],
  });
  expect(found.fields).toEqual({
    name: 'Big',
    stage: 'Won 🎉',
    owner: actor.id,
    value: 1234.5678,
    value__currency: 'USD',
    score: 4,
    labels: ['Hot', 'B2B'],
    about: 'c-1',
    about__object: 'companies',
    anything: [{ target_object: 'people', target_record_id: 'p-1' }],
  });
});

test('nothing is rounded', async () => {
  const body = JSON.stringify({
    data: record('r-1', { value: [value({ currency_value: 'N', currency_code: null })] }, 'deals'),
  }).replace('"N"', '12345678901234567.8901');
  await reading(
    () => ({ body }),
    async (remote, of) => {
      const found = await remote.readRecord({ object: of('deals'), id: 'r-1' }, pull);
      expect(found?.fields['value']).toEqual(new ExactNumber('12345678901234567.8901'));
    },
  );
});

test('a missing key is unknown, an empty list is empty, and what does not fit is kept', async () => {
  const found = await readOne('deals', {
    stage: [],
    owner: [value({ referenced_actor_type: 'workspace-member', referenced_actor_id: null })],
    score: [value({ value: 'five' })],
    brand_new: [value({ value: 'x', attribute_type: 'text' })],
  });
  expect(found.fields).toEqual({
    stage: null,
    owner: null,
    score: [expect.objectContaining({ value: 'five' })],
    brand_new: ['x'],
  });
});

test('the newest value tells when a record was written, to the nanosecond, and each its own', async () => {
  const found = await readOne('people', {
    name: [value({ full_name: 'A' }, '2026-06-01T00:00:00.000000001Z', { type: 'app', id: 'a-1' })],
    email_addresses: [
      value({ email_address: 'a@b.c' }, '2026-06-01T00:00:00.000000002Z', system),
      value({ email_address: 'd@b.c' }, '2026-05-31T23:59:59.999999999Z'),
    ],
    seen_at: [],
  });
  expect(found).toMatchObject({ updatedAt: '2026-06-01T00:00:00.000Z', updatedBy: null });
  expect(found.writes).toMatchObject({
    name: { atMs: Date.UTC(2026, 5, 1), by: 'a-1' },
    email_addresses: { atMs: Date.UTC(2026, 5, 1), by: null },
  });
  expect(Object.keys(found.writes ?? {})).not.toContain('seen_at');
});

test('a page is asked for by the time and then the id, and its bounds hold whole milliseconds', async () => {
  await reading(
    () => ({ body: { data: [record('r-1'), record('r-2')] } }),
    async (remote, of, seen) => {
      const request = {
        object: of('people'),
        orderBy: 'created',
        direction: 'asc',
        from: '2026-05-01T00:00:00.000Z',
        to: '2026-05-02T00:00:00.123Z',
        offset: 7,
        include: ['associated_deals'],
      } as const;
      expect(await remote.readPage({ ...request, limit: 2 }, pull)).toMatchObject({
        more: true,
        total: null,
      });
      expect(await remote.readPage({ ...request, limit: 9_999 }, pull)).toMatchObject({
        more: false,
      });
      expect(seen.map(({ path }) => path)).toEqual(
        Array.from({ length: 2 }, () => '/v2/objects/people/records/query'),
      );
      expect(seen[0]?.body).toEqual({
        filter: {
          created_at: { $gte: '2026-05-01T00:00:00.000Z', $lte: '2026-05-02T00:00:00.123999999Z' },
        },
        sorts: [
          { attribute: 'created_at', direction: 'asc' },
          { attribute: 'record_id', direction: 'asc' },
        ],
        limit: 2,
        offset: 7,
      });
      // More is cut short in silence, and would pass for the end.
      expect(seen[1]?.body).toMatchObject({ limit: 500 });
    },
  );
});

test('records that are known are read together', async () => {
  await reading(
    () => ({ body: { data: [record('r-1')] } }),
    async (remote, of, seen) => {
      const ids = Array.from({ length: 501 }, (_, n) => `r-${n}`);
      const found = await remote.readRecords?.({ object: of('people'), ids }, pull);
      expect(found).toHaveLength(2);
      expect(seen.map(({ body }) => body)).toEqual([
        { filter: { record_id: { $in: ids.slice(0, 500) } }, limit: 500, offset: 0 },
        { filter: { record_id: { $in: ['r-500'] } }, limit: 500, offset: 0 },
      ]);
    },
  );
});

test('a query is a read: it is sent again where it may have arrived', async () => {
  await reading(
    (_request, count) => (count === 1 ? { status: 502, body: '<html>' } : { body: { data: [] } }),
    async (remote, of, seen) => {
      const request = { object: of('people'), orderBy: 'created', direction: 'asc' } as const;
      const page = await remote.readPage({ ...request, offset: 0, limit: 500 }, pull);
      expect(page.records).toEqual([]);
      expect(seen).toHaveLength(2);
    },
  );
});

test('a record that is not there is null; one being merged, and a gateway’s 404, are no evidence', async () => {
  const replies = new Map<string, Reply>([
    ['gone', refusal(404, 'not_found')],
    ['odd', refusal(404, 'a_new_code')],
    ['merging', refusal(404, 'merge_in_progress')],
    ['gateway', { status: 404, body: '<html>not found</html>' }],
    ['survivor', { body: { data: record('another') } }],
  ]);
  await reading(
    ({ path }) => replies.get(path.split('/').at(-1) ?? '') ?? { status: 500 },
    async (remote, of) => {
      const read = (id: string) =>
        remote
          .readRecord({ object: of('people'), id }, { ...pull, withinMs: 1 })
          .catch((error: unknown) => error);
      expect(await read('gone')).toBeNull();
      expect(await read('odd')).toBeNull();
      expect(await read('survivor')).toBeNull();
      expect(await read('merging')).toMatchObject({ code: 'remote-busy', disposition: 'retry' });
      expect(await read('gateway')).toMatchObject({ disposition: 'retry' });
    },
  );
});

test('links of a record are pages of a set; members are users', async () => {
  const targets = ['d-1', 'd-2', 'd-2', 'd-3'].map((target_record_id) =>
    value({ target_object: 'deals', target_record_id }),
  );
  await reading(
    ({ path }) =>
      path === '/v2/workspace_members'
        ? {
            body: {
              data: [
                {
                  id: { workspace_id: 'w', workspace_member_id: 'm-1' },
                  first_name: 'Ada',
                  email_address: 'ada@acme.com',
                },
              ],
            },
          }
        : { body: { data: record('r-1', { associated_deals: targets }) } },
    async (remote, of) => {
      const request = { object: of('people'), id: 'r-1', field: 'associated_deals', limit: 2 };
      const first = await remote.readLinks({ ...request, offset: 0 }, pull);
      expect(first).toEqual({ ids: ['d-1', 'd-2'], total: 3, more: true });
      const second = await remote.readLinks({ ...request, offset: 2 }, pull);
      expect(second).toEqual({ ids: ['d-3'], total: 3, more: false });
      expect(await remote.readUsers?.(pull)).toEqual([
        { id: 'm-1', fields: { first_name: 'Ada', email_address: 'ada@acme.com' } },
      ]);
    },
  );
});

const page = { orderBy: 'created', direction: 'asc', offset: 0, limit: 500 } as const;

test('of a page whose records are recognised those alone are read that are not', async () => {
  const data = ['r-1', 'r-2', 'r-3'].map((id) => record(id, {}, 'people'));
  await reading(
    () => ({ body: { data } }),
    async (remote, of, seen) => {
      const known = new Map<string, RemoteRecord>();
      const request = { ...page, object: of('people') };
      const recognition = { basis: 'table', find: () => Promise.resolve(known) };
      const { records } = await remote.readPage({ ...request, recognition }, pull);
      const plain = await remote.readPage(request, pull);
      expect(records.map((one) => ({ ...one, trace: undefined }))).toEqual(plain.records);
      const [, second] = records;
      if (second === undefined) throw new Error('no record');
      known.set(second.trace?.digest ?? '', { ...second, isUnchanged: true });
      const again = await remote.readPage({ ...request, recognition }, pull);
      expect(again.records.map(({ isUnchanged = false }) => isUnchanged)).toEqual([
        false,
        true,
        false,
      ]);
      const other = { ...recognition, basis: 'another table' };
      const anew = await remote.readPage({ ...request, recognition: other }, pull);
      expect(anew.records.some(({ isUnchanged }) => isUnchanged)).toBe(false);
      expect(seen).toHaveLength(4);
    },
  );
});

test('a page that cannot be read record by record is asked for as a whole', async () => {
  const find = () => Promise.resolve(new Map<string, RemoteRecord>());
  const recognition = { basis: 'table', find };
  const broken = { id: { record_id: 7 }, values: {} };
  await reading(
    (_, count) => ({
      body: count === 1 ? { data: [broken] } : { data: [record('r-1', {}, 'people')] },
    }),
    async (remote, of, seen) => {
      const request = { ...page, object: of('people'), recognition };
      const { records } = await remote.readPage(request, pull);
      expect([records.map(({ id }) => id), seen.length]).toEqual([['r-1'], 2]);
    },
  );
});
