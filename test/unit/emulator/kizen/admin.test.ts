import { expect, test } from 'vitest';
import { startKizen } from '../../../../src/emulator/kizen/emulator.ts';
import { at, idOf, idsOf, kizen, valuesOf } from './client.ts';

test('people create, edit, archive and bring back in the app, by label and by stage', async () => {
  const { steer, store, search } = await kizen();
  const made = await steer('create', {
    object: 'deals',
    fields: { name: 'One', channel: 'Web', stage: 'Proposal' },
    at: '2026-01-02T03:04:05Z',
  });
  const id = String(at(made, 'id'));
  expect(valuesOf(store.get('deals', id))).toMatchObject({
    channel: { name: 'Web' },
    stage: { name: 'Proposal' },
    updated: expect.stringMatching(/^2026-01-01T21:04:05/),
  });
  await steer('edit', { object: 'deals', id, fields: { stage: 'Won', channel: null } });
  expect(valuesOf(store.get('deals', id))).not.toHaveProperty('channel');
  await steer('archive', { object: 'deals', ids: [id] });
  expect(idsOf(await search('deals'))).toEqual([]);
  await steer('unarchive', { object: 'deals', ids: [id] });
  expect(idsOf(await search('deals'))).toEqual([id]);
});

test('an import and a bulk edit give all one `updated`', async () => {
  const { steer, store } = await kizen();
  const rows = [{ name: 'A' }, { name: 'B' }, { name: 'C' }];
  const { ids } = Object(await steer('import', { object: 'companies', rows }));
  const stamps = () => new Set(store.all('companies').map((each) => valuesOf(each)['updated']));
  expect(stamps().size).toBe(1);
  const [imported] = stamps();
  await steer('bulk-edit', { object: 'companies', ids, fields: { employees: 5 } });
  expect(stamps().size).toBe(1);
  expect(stamps()).not.toContain(imported);
});

test('fields come, go and change, options and stages are renamed', async () => {
  const { steer, ask, store, add } = await kizen();
  await steer('add-field', {
    object: 'companies',
    field: { name: 'tier', type: 'dropdown', options: ['Gold', 'Silver'] },
  });
  const id = idOf(await add('companies', { name: 'A', tier: { name: 'Gold' } }));
  const tier = store.fieldId('companies', 'tier');
  await steer('option', { object: 'companies', field: 'tier', name: 'Gold', rename: 'Platinum' });
  expect(valuesOf(store.get('companies', id))).toMatchObject({ tier: { name: 'Platinum' } });
  await steer('option', { object: 'companies', field: 'tier', name: 'Platinum', removed: true });
  expect(valuesOf(store.get('companies', id))).not.toHaveProperty('tier');
  await steer('change-field', {
    object: 'companies',
    name: 'tier',
    rename: 'level',
    display: 'Level',
  });
  const { body } = await ask('GET', '/custom-objects/companies/fields');
  expect(body).toContainEqual(
    expect.objectContaining({ id: tier, name: 'level', display_name: 'Level' }),
  );
  await steer('option', { object: 'deals', field: 'stage', name: 'Lead', rename: 'New' });
  const deal = store.create('deals', { name: 'D' });
  expect(valuesOf(store.get('deals', deal))).toMatchObject({ stage: { name: 'New' } });
});

test('objects and relations come, with a mirror each', async () => {
  const { steer, ask, store } = await kizen();
  await steer('add-object', {
    name: 'sites',
    singular: 'Site',
    plural: 'Sites',
    fields: [{ name: 'city', type: 'text' }],
    stages: [['Open', 'open', 50]],
  });
  await steer('add-relation', {
    one: { object: 'sites', field: 'company' },
    other: { object: 'companies', field: 'sites' },
    cardinality: 'many_to_one',
  });
  const company = store.create('companies', { name: 'A' });
  const site = store.create('sites', { name: 'S', city: 'Oslo', company });
  expect(valuesOf(store.get('companies', company))).toMatchObject({ sites: [{ id: site }] });
  const { body } = await ask('GET', '/custom-objects/sites');
  expect(body).toMatchObject({ object_type: 'pipeline', is_custom: true });
});

test('what makes no sense is a 400 or a 404, and nothing happens', async () => {
  const { adminUrl } = await kizen();
  const status = async (name: string, body: object) =>
    (await fetch(`${adminUrl}/${name}`, { method: 'POST', body: JSON.stringify(body) })).status;
  expect(await status('create', { object: 'ghosts', fields: {} })).toBe(404);
  expect(await status('create', { object: 'deals', fields: { ghost: 1 } })).toBe(404);
  expect(await status('create', { object: 'deals', fields: { name: 'A', discount: 'x' } })).toBe(
    400,
  );
  expect(await status('edit', { object: 'deals', id: 'x', fields: {} })).toBe(404);
  const again = { object: 'deals', field: { name: 'name', type: 'text' } };
  expect(await status('add-field', again)).toBe(400);
});

test('sample data is whole: every relation has its mirror, and none lies in the future', async () => {
  const emulator = await startKizen({ sizes: { companies: 30, client_client: 60 } });
  try {
    const { store } = emulator;
    expect(store.count('companies')).toBe(30);
    const holders = store.all('client_client').flatMap((each) => {
      const company = at(valuesOf(each)['company'], 'id');
      return typeof company === 'string' ? [[at(each, 'id'), company] as const] : [];
    });
    expect(holders.length).toBeGreaterThan(20);
    for (const [contact, company] of holders) {
      const contacts = valuesOf(store.get('companies', company))['contacts'];
      expect(contacts).toContainEqual(expect.objectContaining({ id: contact }));
    }
    for (const object of store.objects()) {
      for (const each of store.all(object)) {
        const { created, updated } = valuesOf(each);
        expect(Date.parse(String(updated))).toBeGreaterThanOrEqual(Date.parse(String(created)));
        expect(Date.parse(String(updated))).toBeLessThan(Date.now());
      }
    }
  } finally {
    await emulator.stop();
  }
});

test.each([
  ['reset-before-write', 0],
  ['reset-after-write', 1],
] as const)('%s: no answer, and %i written', async (kind, written) => {
  const { add, faults, store } = await kizen();
  faults.add({ kind, method: 'POST' });
  await expect(add('companies', { name: 'A' })).rejects.toThrow('fetch failed');
  expect(store.count('companies')).toBe(written);
});

test('faults speak the language of the API', async () => {
  const { add, ask, search, faults, store, read } = await kizen();
  const id = idOf(await add('companies', { name: 'A' }));
  faults.add({ kind: 'status', status: 409, count: 1 });
  expect(await read('companies', id)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  faults.add({ kind: 'status', status: 429, retryAfter: 3, count: 1 });
  const wait = await read('companies', id);
  expect([wait.status, wait.headers.get('retry-after')]).toEqual([429, '3']);
  faults.add({ kind: 'html', count: 1 });
  expect(await read('companies', id)).toMatchObject({ status: 502, body: /<html>/ });
  const field = store.fieldId('companies', 'name');
  faults.add({ kind: 'attribute', attribute: field, count: 2 });
  expect(valuesOf((await read('companies', id)).body)).not.toHaveProperty('name');
  expect(valuesOf(at((await search('companies')).body, 'results', 0))).not.toHaveProperty('name');
  faults.add({ kind: 'malformed', count: 1 });
  expect(typeof (await ask('GET', '/business/mine')).body).toBe('string');
});
