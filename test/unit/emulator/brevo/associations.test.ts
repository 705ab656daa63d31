import { expect, test } from 'vitest';
import { at, brevo, column } from './client.ts';

const all = (told: { readonly body: unknown }) => at(told.body, 'items');

async function linkedVehicle() {
  const emulator = await brevo();
  const { store } = emulator;
  for (let i = 1; i <= 24; i += 1) {
    store.create(
      'contacts',
      { EMAIL: `${i}@mail.example`, FIRSTNAME: `N${i}` },
      { extId: `c-${i}` },
    );
  }
  const company = store.create('companies', { name: 'Acme' });
  const vehicle = store.create('vehicle', { plate: 'A' }, { extId: 'VIN1' });
  return { ...emulator, company, vehicle };
}

test('a link has no name, needs both ends, and is there once', async () => {
  const { upsert, get, company } = await linkedVehicle();
  const link = (type: string, identifiers: object, action?: string) =>
    upsert('vehicle', {
      identifiers: { id: 1 },
      attributes: { seats: 4 },
      associations: [{ object_type: type, action, records: [{ identifiers }] }],
    });
  const linked = async () =>
    column(all(await get('/objects/vehicle/associated-records?id=1')), 'type');
  await link('contact', { id: 3 });
  await link('contact', { id: 3 });
  await link('company', { ext_id: company });
  // By the wrong kind of identifier there is nobody.
  await link('contact', { ext_id: 'c-4' });
  await link('company', { id: 1 });
  expect(await linked()).toEqual(['company', 'contact']);
  await link('contact', { id: 3 }, 'unlink');
  await link('contact', { id: 5 }, 'unlink');
  expect(await linked()).toEqual(['company']);
  await upsert('trip', {
    attributes: { destination: 'Oslo' },
    associations: [{ object_type: 'vehicle', records: [{ identifiers: { ext_id: 'VIN1' } }] }],
  });
  expect(await linked()).toEqual(['trip', 'company']);
});

test('what one request makes cannot be linked to by it, and is by the next', async () => {
  const { upsert, get, admin } = await linkedVehicle();
  await admin('add-object', {
    type: 'part',
    attributes: [{ name: 'name' }],
    associations: ['part'],
  });
  const tree = [
    { identifiers: { ext_id: 'whole' }, attributes: { name: 'whole' } },
    {
      identifiers: { ext_id: 'piece' },
      attributes: { name: 'piece' },
      associations: [{ object_type: 'part', records: [{ identifiers: { ext_id: 'whole' } }] }],
    },
  ];
  const linked = async () =>
    column(all(await get('/objects/part/associated-records?ext_id=piece')), 'object', 'ext_id');
  await upsert('part', ...tree);
  expect(await linked()).toEqual([]);
  await upsert('part', ...tree);
  expect(await linked()).toEqual(['whole']);
});

test('a list shows five of a type by id, associated-records all of them, 20 at a time', async () => {
  const { get, records, store, company, switches } = await linkedVehicle();
  const contacts = Array.from({ length: 24 }, (_, i) => String(i + 1));
  store.link('vehicle', '1', 'contacts', contacts);
  store.link('vehicle', '1', 'companies', [company]);
  const shown = async () =>
    at((await records('vehicle', '&association=true')).body, 'records', 0, 'associations');
  const five = (ids: readonly number[]) => ({
    object_type: 'contact',
    records: ids.map((id) => ({ identifiers: { id } })),
  });
  expect(await shown()).toEqual([
    five([24, 23, 22, 21, 20]),
    { object_type: 'company', records: [{ identifiers: { id: expect.any(Number) } }] },
  ]);
  switches.associationsShown = 'oldest';
  switches.standardIds = 'same';
  expect(await shown()).toEqual([
    five([1, 2, 3, 4, 5]),
    { object_type: 'company', records: [{ identifiers: { id: company } }] },
  ]);
  expect((await records('vehicle')).body).not.toHaveProperty(['records', 0, 'associations']);

  const path = '/objects/vehicle/associated-records?ext_id=VIN1';
  const first = await get(path);
  expect(first.body).toMatchObject({ has_more: true, offset: 0 });
  expect(column(all(first), 'type').slice(0, 2)).toEqual(['company', 'contact']);
  const second = await get(`${path}&offset=20`);
  expect(second.body).toMatchObject({ has_more: false, offset: 20 });
  expect(column([all(first), all(second)].flat(), 'object', 'id').slice(1)).toEqual(
    contacts.map(Number).toReversed(),
  );
  expect(at(first.body, 'items', 0)).toEqual({
    type: 'company',
    object: {
      id: expect.anything(),
      ext_id: company,
      attributes: expect.objectContaining({ name: 'Acme' }),
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    },
  });
  // Contacts in lower case, without times.
  expect(at(first.body, 'items', 1)).toEqual({
    type: 'contact',
    object: {
      id: 24,
      attributes: { email: '24@mail.example', firstname: 'N24', ext_id: 'c-24' },
    },
  });
  const some = await get(`${path}&type=company&type=trip`);
  expect(column(all(some), 'type')).toEqual(['company']);
  const six = Array.from({ length: 6 }, (_, i) => `&type=t${i}`).join('');
  expect((await get(`${path}${six}`)).status).toBe(400);
});

test('the source is named by exactly one identifier', async () => {
  const { get, store, company } = await linkedVehicle();
  store.update('contacts', '1', { SMS: '33612345678' });
  store.link('vehicle', '1', 'contacts', ['1']);
  store.link('vehicle', '1', 'companies', [company]);
  const of = (type: string, query: string) => get(`/objects/${type}/associated-records?${query}`);
  for (const query of ['id=1', 'ext_id=c-1', 'email=1@mail.example', 'sms=%2B33612345678']) {
    expect(column(all(await of('contact', query)), 'object', 'ext_id')).toEqual(['VIN1']);
  }
  expect(column(all(await of('company', `ext_id=${company}`)), 'type')).toEqual(['vehicle']);
  expect((await of('contact', '')).status).toBe(400);
  expect((await of('contact', 'id=1&email=1@mail.example')).status).toBe(400);
  expect((await of('vehicle', 'email=1@mail.example')).status).toBe(400);
  expect((await of('contact', 'id=99')).status).toBe(404);
  expect((await of('vehicle', 'ext_id=nobody')).status).toBe(404);
  expect((await of('boat', 'id=1')).status).toBe(404);
  store.delete('contacts', '1');
  expect(column(all(await of('vehicle', 'id=1')), 'type')).toEqual(['company']);
});
