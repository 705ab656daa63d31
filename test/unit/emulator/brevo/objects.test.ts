import { expect, test } from 'vitest';
import { at, brevo, column, NOON } from './client.ts';

const records = (told: { readonly body: unknown }) => at(told.body, 'records');

test('an upsert is accepted, and what it did is seen in the list alone', async () => {
  const { upsert, get, records: list } = await brevo({ clock: () => NOON });
  const accepted = await upsert('vehicle', {
    identifiers: { ext_id: 'VIN1' },
    attributes: { plate: 'AB-1', seats: 5 },
  });
  expect(accepted).toMatchObject({
    status: 202,
    body: { processId: 1, message: expect.any(String) },
  });
  const { body: job } = await get('/processes/1');
  expect(job).toEqual({ id: 1, name: expect.any(String), status: 'completed' });
  expect((await list('vehicle')).body).toEqual({
    count: 1,
    records: [
      {
        identifiers: { id: 1, ext_id: 'VIN1' },
        attributes: { plate: 'AB-1', seats: 5 },
        createdAt: '2026-06-01T12:00:00.000Z',
        updatedAt: '2026-06-01T12:00:00.000Z',
      },
    ],
  });
});

test('ext_id creates or updates, id only updates, neither always creates, and id wins', async () => {
  const { upsert, records: list } = await brevo();
  const plates = async () => column(records(await list('vehicle')), 'attributes', 'plate');
  await upsert('vehicle', { identifiers: { ext_id: 'a' }, attributes: { plate: 'A', seats: 2 } });
  await upsert('vehicle', { identifiers: { ext_id: 'a' }, attributes: { plate: 'A2' } });
  expect(records(await list('vehicle'))).toMatchObject([{ attributes: { plate: 'A2', seats: 2 } }]);
  expect(
    (await upsert('vehicle', { identifiers: { id: 99 }, attributes: { plate: 'X' } })).status,
  ).toBe(202);
  expect(await plates()).toEqual(['A2']);
  const nobody = { attributes: { plate: 'B' } };
  await upsert('vehicle', nobody);
  await upsert('vehicle', nobody);
  expect(await plates()).toEqual(['A2', 'B', 'B']);
  await upsert('vehicle', { identifiers: { id: 2, ext_id: 'a' }, attributes: { plate: 'C' } });
  expect(await plates()).toEqual(['A2', 'C', 'B']);
});

test('an update by ext_id brings a deleted record back, one by id does not', async () => {
  const { upsert, post, records: list, switches } = await brevo();
  await upsert('vehicle', { identifiers: { ext_id: 'a' }, attributes: { plate: 'A', seats: 2 } });
  const remove = () => post('/objects/vehicle/batch/delete', { identifiers: { ids: [1] } });
  expect(await remove()).toMatchObject({ status: 202, body: { processId: 2 } });
  expect((await list('vehicle')).body).toEqual({ count: 0, records: [] });
  await upsert('vehicle', { identifiers: { id: 1 }, attributes: { plate: 'B' } });
  expect((await list('vehicle')).body).toMatchObject({ count: 0 });
  switches.revived = 'same';
  await upsert('vehicle', { identifiers: { ext_id: 'a' }, attributes: { plate: 'B' } });
  expect(records(await list('vehicle'))).toMatchObject([
    { identifiers: { id: 1, ext_id: 'a' }, attributes: { plate: 'B', seats: 2 } },
  ]);
  await remove();
  switches.revived = 'new';
  await upsert('vehicle', { identifiers: { ext_id: 'a' }, attributes: { plate: 'C' } });
  expect(records(await list('vehicle'))).toMatchObject([{ identifiers: { id: 2, ext_id: 'a' } }]);
  expect(column(records(await list('vehicle')), 'attributes')).toEqual([{ plate: 'C' }]);
});

test('what does not fit is ignored without a word', async () => {
  const { upsert, get, records: list } = await brevo();
  await upsert('vehicle', {
    identifiers: { ext_id: 'a' },
    attributes: {
      plate: 'A',
      Plate: 'label',
      nothing: 1,
      seats: 'five',
      electric: 1,
      colour: 'Red',
      features: ['sunroof', 'Tow bar'],
      registered_at: 'yesterday',
      dimensions: 'long',
    },
    associations: [
      { object_type: 'contact', records: [{ identifiers: { id: 7 } }] },
      { object_type: 'deal', records: [{ identifiers: { ext_id: 'x' } }] },
      { object_type: 'contacts', records: [{ identifiers: { id: 1 } }] },
    ],
  });
  expect(at((await get('/processes/1')).body, 'status')).toBe('completed');
  expect(records(await list('vehicle', '&association=true'))).toMatchObject([
    { attributes: { plate: 'A' }, associations: [] },
  ]);
  expect(column(records(await list('vehicle')), 'attributes')).toEqual([{ plate: 'A' }]);
});

test('values by type: option keys, lists of keys, dates with a time of day, JSON', async () => {
  const { upsert, records: list } = await brevo();
  const attributes = {
    plate: 'A',
    seats: 5,
    price: 12.5,
    electric: false,
    registered_at: '2020-03-15T00:00:00Z',
    colour: 'red',
    features: ['sunroof', 'tow_bar'],
    dimensions: { length: 400, parts: [1, 2] },
  };
  await upsert('vehicle', { attributes });
  expect(column(records(await list('vehicle')), 'attributes')).toEqual([attributes]);
});

test('a batch has its limits', async () => {
  const { upsert, post } = await brevo();
  const many = Array.from({ length: 1_001 }, () => ({ attributes: { seats: 1 } }));
  expect((await upsert('vehicle', ...many.slice(1))).status).toBe(202);
  expect((await upsert('vehicle', ...many)).status).toBe(400);
  expect((await upsert('vehicle')).status).toBe(400);
  const large = { attributes: { plate: 'x'.repeat(1_000_000) } };
  expect((await upsert('vehicle', large)).status).toBe(413);
  const wide = Object.fromEntries(many.slice(0, 501).map((_, i) => [`a${i}`, 1]));
  expect((await upsert('vehicle', { attributes: wide })).status).toBe(400);
  const linked = (count: number, action = 'link') => ({
    attributes: { seats: 1 },
    associations: [
      {
        object_type: 'contact',
        action,
        records: Array.from({ length: count }, (_, i) => ({ identifiers: { id: i + 1 } })),
      },
    ],
  });
  expect((await upsert('vehicle', linked(10))).status).toBe(202);
  expect((await upsert('vehicle', linked(11))).status).toBe(400);
  const [entry] = linked(1).associations;
  const entries = (count: number) => Array.from({ length: count }, () => entry);
  const wideLinks = { attributes: { seats: 1 }, associations: entries(11) };
  expect((await upsert('vehicle', wideLinks)).status).toBe(400);
  const both = (count: number) => ({
    attributes: { seats: 1 },
    associations: [...linked(count).associations, ...linked(count, 'unlink').associations],
  });
  expect((await upsert('vehicle', both(5))).status).toBe(202);
  expect((await upsert('vehicle', both(6))).status).toBe(400);
  const deletes = (identifiers: object) => post('/objects/vehicle/batch/delete', { identifiers });
  expect((await deletes({ ids: [1], ext_ids: ['a'] })).status).toBe(400);
  expect((await deletes({})).status).toBe(400);
  expect((await deletes({ ids: many.map((_, i) => i + 1) })).status).toBe(400);
  expect((await deletes({ ext_ids: ['nobody'] })).status).toBe(202);
});

test('pages need a limit and a number, from 1, and tell how many there are', async () => {
  const { get, store, switches } = await brevo();
  for (let i = 0; i < 5; i += 1) store.create('vehicle', { seats: i });
  const page = (query: string) => get(`/objects/vehicle/records?${query}`);
  const seats = async (query: string) => column(records(await page(query)), 'attributes', 'seats');
  expect(await page('limit=2')).toMatchObject({ status: 400, body: { code: 'missing_parameter' } });
  expect((await page('page_num=1')).status).toBe(400);
  expect((await page('limit=2&page_num=0')).status).toBe(400);
  expect(await seats('limit=2&page_num=1')).toEqual([4, 3]);
  expect(await seats('limit=2&page_num=3')).toEqual([0]);
  expect(await page('limit=2&page_num=4')).toMatchObject({ body: { count: 5, records: [] } });
  expect(await seats('limit=2&page_num=2&sort=asc')).toEqual([2, 3]);
  store.delete('vehicle', '1');
  expect(await seats('limit=2&page_num=2&sort=asc')).toEqual([3, 4]);
  expect((await page('limit=2&page_num=1&sort=up')).status).toBe(400);
  expect((await page('limit=2&page_num=1&association=yes')).status).toBe(400);
  switches.recordsPageMax = 3;
  expect((await page('limit=4&page_num=1')).status).toBe(400);
  switches.limitOver = 'cut';
  expect(await seats('limit=4&page_num=2')).toEqual([1]);
});

test('standard types are 403, unknown ones 404 or 400, one without a primary attribute 424', async () => {
  const { get, upsert, post, admin, switches } = await brevo();
  const list = (type: string) => get(`/objects/${type}/records?limit=1&page_num=1`);
  expect((await list('contact')).status).toBe(403);
  expect((await upsert('company', { attributes: { name: 'x' } })).status).toBe(403);
  expect((await post('/objects/deal/batch/delete', { identifiers: { ids: [1] } })).status).toBe(
    403,
  );
  expect((await list('boat')).status).toBe(404);
  switches.unknownObject = '400';
  expect((await list('boat')).status).toBe(400);
  expect((await list('Boat!')).status).toBe(400);
  await admin('add-object', { type: 'boat', attributes: [{ name: 'name' }], primary: null });
  expect(await list('boat')).toMatchObject({
    status: 424,
    body: { message: 'primary attribute not found' },
  });
  expect((await upsert('boat', { attributes: { name: 'Argo' } })).status).toBe(202);
  switches.objectErrors = 'none';
  expect(await list('boat')).toMatchObject({ status: 424, body: undefined });
});

test('no call lists objects, attributes or options', async () => {
  const { get } = await brevo();
  for (const path of ['/objects', '/objects/vehicle', '/objects/vehicle/attributes']) {
    expect((await get(path)).status).toBe(404);
  }
});
