import { expect, test } from 'vitest';
import { at, idOf, idsOf, kizen, valuesOf } from './client.ts';

const HOUR_MS = 3_600_000;

async function business(options: Parameters<typeof kizen>[0] = {}) {
  const told = await kizen(options);
  const { store, add } = told;
  const company = async (name: string): Promise<string> => idOf(await add('companies', { name }));
  const contact = async (email: string): Promise<string> =>
    idOf(await add('client_client', { email }));
  const held = (object: string, id: string, field: string): unknown => {
    const value = valuesOf(store.get(object, id))[field];
    return Array.isArray(value) ? value.map((each: unknown) => at(each, 'id')) : at(value, 'id');
  };
  const stamp = (object: string, id: string): unknown => valuesOf(store.get(object, id))['updated'];
  return { ...told, company, contact, held, stamp };
}

test('both ends change in one act, and whoever is displaced changes too', async () => {
  const { company, contact, held, patch } = await business();
  const [acme, other] = [await company('Acme'), await company('Other')];
  const ada = await contact('ada@mail.example');
  await patch('client_client', ada, { company: { id: acme } });
  expect(held('companies', acme, 'contacts')).toEqual([ada]);
  await patch('companies', other, { contacts: [{ id: ada }] });
  expect(held('client_client', ada, 'company')).toBe(other);
  expect(held('companies', acme, 'contacts')).toBeUndefined();
  await patch('companies', other, { contacts: [] });
  expect(held('client_client', ada, 'company')).toBeUndefined();
});

test('a one-to-one goes from one to the other', async () => {
  const { add, held, patch } = await business();
  const [deal, second] = [
    idOf(await add('deals', { name: 'One' })),
    idOf(await add('deals', { name: 'Two' })),
  ];
  const project = idOf(await add('projects', { name: 'P', deal: { id: deal } }));
  expect(held('deals', deal, 'project')).toBe(project);
  await patch('deals', second, { project: { id: project } });
  expect(held('projects', project, 'deal')).toBe(second);
  expect(held('deals', deal, 'project')).toBeUndefined();
  await patch('projects', project, { deal: null });
  expect(held('deals', second, 'project')).toBeUndefined();
});

test('an object relates to itself, by a tree and by many to many', async () => {
  const { company, held, patch } = await business();
  const [acme, child] = [await company('Acme'), await company('Child')];
  await patch('companies', child, { parent_company: { id: acme }, partners: [{ id: acme }] });
  expect(held('companies', acme, 'subsidiaries')).toEqual([child]);
  expect(held('companies', acme, 'partner_of')).toEqual([child]);
  await patch('companies', acme, { parent_company: { id: acme } });
  expect(held('companies', acme, 'subsidiaries')).toEqual([child, acme]);
});

test('a list replaces the set; add_values and remove_values change it', async () => {
  const { add, contact, held, ask, store, patch } = await business();
  const [a, b, c] = [
    await contact('a@mail.example'),
    await contact('b@mail.example'),
    await contact('c@mail.example'),
  ];
  const deal = idOf(await add('deals', { name: 'One', contacts: [{ id: a }, { id: b }] }));
  await patch('deals', deal, { contacts: [{ id: b }] });
  expect(held('deals', deal, 'contacts')).toEqual([b]);
  const field = store.fieldId('deals', 'contacts');
  const change = { id: field, add_values: [{ id: c }, { id: a }], remove_values: [{ id: b }] };
  expect((await ask('PATCH', `/records/deals/${deal}`, { fields: [change] })).status).toBe(200);
  expect(held('deals', deal, 'contacts')).toEqual([c, a]);
  expect(held('client_client', b, 'deals')).toBeUndefined();
});

test('contacts are told by their names and e-mail, all else by name', async () => {
  const { add, store, company } = await business();
  const acme = await company('Acme');
  const ada = idOf(
    await add('client_client', {
      email: 'ada@mail.example',
      first_name: 'Ada',
      company: { id: acme },
    }),
  );
  expect(valuesOf(store.get('client_client', ada))['company']).toEqual({
    id: acme,
    name: 'Acme',
    display_name: 'Acme',
  });
  expect(valuesOf(store.get('companies', acme))['contacts']).toEqual([
    {
      id: ada,
      first_name: 'Ada',
      last_name: null,
      full_name: 'Ada',
      email: 'ada@mail.example',
      display_name: 'Ada',
    },
  ]);
});

test('above 100 a relation is counted, and its values are told page by page', async () => {
  const { company, store, ask, search } = await business();
  const acme = await company('Acme');
  const people = Array.from({ length: 101 }, (_, i) => ({ email: `p${i}@x.example` }));
  const ids = store.import('client_client', people);
  const field = store.fieldId('companies', 'contacts');
  store.update('companies', acme, { contacts: ids.slice(0, 100) });
  const shown = async () => at((await search('companies')).body, 'results', 0, 'fields', field);
  expect(Object.keys(Object(await shown()))).toContain('value');
  store.update('companies', acme, { contacts: ids });
  expect(await shown()).toMatchObject({ name: 'contacts', value_summary: { count: 101 } });
  expect(await shown()).not.toHaveProperty('value');
  const values = `/records/${acme}/field-values/${field}`;
  const first = await ask('GET', `${values}?page_size=60`);
  expect(first.body).toMatchObject({ count: 101, next: expect.any(String) });
  expect(at(first.body, 'results', 0)).toMatchObject({ email: 'p0@x.example' });
  const second = await ask('GET', `${values}?page_size=60&page=2`);
  expect([...idsOf(first), ...idsOf(second)]).toEqual(ids);
  expect((await ask('GET', `/records/nobody/field-values/${field}`)).status).toBe(404);
});

test.each([
  ['both', [true, true]],
  ['written', [true, false]],
  ['none', [false, false]],
] as const)('a change of a relation moves `updated` of %s', async (relationBumps, moved) => {
  let now = Date.UTC(2026, 0, 1);
  const { company, contact, patch, stamp } = await business({
    clock: () => now,
    switches: { relationBumps },
  });
  const [acme, ada] = [await company('Acme'), await contact('ada@mail.example')];
  const before = [stamp('client_client', ada), stamp('companies', acme)];
  now += HOUR_MS;
  await patch('client_client', ada, { company: { id: acme } });
  const after = [stamp('client_client', ada), stamp('companies', acme)];
  expect(after.map((each, index) => each !== before[index])).toEqual(moved);
});

test.each([
  ['id object', (id: string) => ({ id }), (id: string) => id],
  ['bare id', (id: string) => id, (id: string) => ({ id })],
] as const)('relations are written as %s, and refused otherwise', async (form, right, wrong) => {
  const { add, company, store } = await business({ switches: { relationWrites: form } });
  const acme = await company('Acme');
  const sent = { email: 'a@mail.example', company: wrong(acme) };
  expect(await add('client_client', sent)).toMatchObject({
    status: 400,
    body: { fields: [{}, { value: [expect.any(String)] }] },
  });
  expect(store.count('client_client')).toBe(0);
  expect((await add('client_client', { ...sent, company: right(acme) })).status).toBe(201);
});

test('archived records are left out of relations or shown there, and come back', async () => {
  const { add, company, held, ask, switches } = await business();
  const acme = await company('Acme');
  const ada = idOf(await add('client_client', { email: 'a@mail.example', company: { id: acme } }));
  await ask('DELETE', `/records/companies/${acme}`);
  expect(held('client_client', ada, 'company')).toBeUndefined();
  switches.archivedTargets = 'shown';
  expect(held('client_client', ada, 'company')).toBe(acme);
  switches.archivedTargets = 'hidden';
  await ask('PATCH', `/records/companies/${acme}/unarchive`);
  expect(held('client_client', ada, 'company')).toBe(acme);
});

test('an id that resolves to nothing is refused at its entry, an archived one as well', async () => {
  const { add, ask, company, switches } = await business({ switches: { errorItems: 'objects' } });
  const acme = await company('Acme');
  await ask('DELETE', `/records/companies/${acme}`);
  for (const id of [acme, '00000000-0000-4000-8000-000000000000']) {
    expect(await add('client_client', { email: 'a@mail.example', company: { id } })).toMatchObject({
      status: 400,
      body: { fields: [{}, { value: [{ code: 'does_not_exist' }] }] },
    });
  }
  switches.errorItems = 'strings';
  expect(await add('client_client', { company: { id: acme } })).toMatchObject({
    body: { fields: [{ value: [`Invalid pk "${acme}" - object does not exist.`] }] },
  });
});
