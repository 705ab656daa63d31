import { expect, test } from 'vitest';
import { at, brevo, column, NOON } from './client.ts';

test.each([
  ['Europe/Paris', '2026-03-29T01:59:59.000+01:00', '2026-03-29T03:00:00.000+02:00'],
  ['Asia/Kolkata', '2026-03-29T06:29:59.000+05:30', '2026-03-29T06:30:00.000+05:30'],
  ['America/New_York', '2026-03-28T20:59:59.000-04:00', '2026-03-28T21:00:00.000-04:00'],
  ['UTC', '2026-03-29T00:59:59.000+00:00', '2026-03-29T01:00:00.000+00:00'],
] as const)('times are in the zone of the account: %s', async (zone, before, after) => {
  const { get, store, switches } = await brevo({ switches: { zone } });
  const at1 = Date.UTC(2026, 2, 29, 1);
  store.create('contacts', { EMAIL: 'a@mail.example' }, { at: at1 - 1_000 });
  store.touch('contacts', '1', { at: at1 });
  expect((await get('/contacts/1')).body).toMatchObject({ createdAt: before, modifiedAt: after });
  const company = store.create('companies', { name: 'Acme' }, { at: at1 });
  const { body } = await get(`/companies/${company}`);
  expect(at(body, 'attributes', 'created_at')).toBe(after);
  switches.stamps = 's';
  expect(at((await get('/contacts/1')).body, 'createdAt')).toBe(before.replace('.000', ''));
});

async function threeOfEach() {
  const emulator = await brevo();
  const { store } = emulator;
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    const when = { at: NOON + index * 1_000 };
    store.create('contacts', { EMAIL: `${name}@mail.example`, FIRSTNAME: name }, when);
    store.create('companies', { name }, when);
    store.create('deals', { deal_name: name }, when);
  }
  const names = async (path: string, list: string, field: string, query: string) => {
    const told = await emulator.get(`${path}?sort=asc&${query}`);
    return told.status === 200
      ? column(at(told.body, list), 'attributes', field)
      : [told.status, at(told.body, 'code')];
  };
  return {
    ...emulator,
    contacts: (query: string) => names('/contacts', 'contacts', 'FIRSTNAME', query),
    companies: (query: string) => names('/companies', 'items', 'name', query),
    deals: (query: string) => names('/crm/deals', 'items', 'deal_name', query),
  };
}

test.each(['contacts', 'companies', 'deals'] as const)(
  '%s: modifiedSince and createdSince, with the time itself or without',
  async (kind) => {
    const { store, switches, [kind]: found } = await threeOfEach();
    const [first = '', second = ''] = store.ids(kind);
    store.touch(kind, first, { at: NOON + 5_000 });
    const since = (name: string, ms: number) => found(`${name}=${new Date(ms).toISOString()}`);
    expect(await since('modifiedSince', NOON + 1_000)).toEqual(['a', 'b', 'c']);
    expect(await since('createdSince', NOON + 1_000)).toEqual(['b', 'c']);
    switches.sinceBounds = 'strict';
    expect(await since('modifiedSince', NOON + 1_000)).toEqual(['a', 'c']);
    expect(await since('createdSince', NOON + 1_000)).toEqual(['c']);
    // In seconds, what came within one has its beginning.
    store.touch(kind, second, { at: NOON + 7_900 });
    switches.stamps = 's';
    expect(await since('modifiedSince', NOON + 7_000)).toEqual([]);
    switches.sinceBounds = 'inclusive';
    expect(await since('modifiedSince', NOON + 7_000)).toEqual(['b']);
  },
);

test('a bare plus is a space, and a time without a zone is of a zone that a client does not know', async () => {
  const { contacts, switches } = await threeOfEach();
  expect(await contacts('modifiedSince=2026-06-01T14:00:01%2B02:00')).toEqual(['b', 'c']);
  for (const wrong of [
    '2026-06-01T14:00:01+02:00',
    '2026-06-01',
    'yesterday',
    '2026-02-31T00:00:00Z',
  ]) {
    expect(await contacts(`modifiedSince=${wrong}`)).toEqual([400, 'invalid_parameter']);
  }
  expect(await contacts('modifiedSince=2026-06-01T14:00:01')).toEqual(['b', 'c']);
  switches.zonelessTimes = 'utc';
  expect(await contacts('modifiedSince=2026-06-01T14:00:01')).toEqual([]);
  expect(await contacts('modifiedSince=2026-06-01T12:00:01')).toEqual(['b', 'c']);
});

test('dates of companies and deals are instants', async () => {
  const { post, get } = await brevo();
  const made = await post('/companies', { name: 'Acme', attributes: { founded: '1999-12-31' } });
  const { body } = await get(`/companies/${String(at(made.body, 'id'))}`);
  expect(at(body, 'attributes', 'founded')).toBe('1999-12-31T00:00:00.000Z');
  const wrong = { name: 'Acme', attributes: { founded: 'long ago' } };
  expect((await post('/companies', wrong)).status).toBe(400);
});
