import { expect, test } from 'vitest';
import { connect } from './api-client.ts';

const ROOT = 'https://getclarify.ai/schemas';

interface Item {
  readonly id: string;
  readonly type: string;
  readonly attributes: {
    readonly xClarifyNamespace?: string;
    readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
}

async function allSchemas(): Promise<Map<string, Item>> {
  const { call } = await connect();
  const found = new Map<string, Item>();
  let path = '/schemas';
  for (let page = 0; page < 10; page += 1) {
    const { text } = await call('GET', path);
    const body: { data: Item[]; links: { next: string | null }; meta?: unknown } = JSON.parse(text);
    expect(body.meta).toBeUndefined();
    for (const item of body.data) found.set(item.id, item);
    if (body.links.next === null) return found;
    const next = new URL(body.links.next);
    expect(next.port).toBe('');
    path = `/schemas${next.search}`;
  }
  throw new Error('the cursor does not end');
}

test('a cursor leads through value types, objects and a duplicate of person', async () => {
  const schemas = await allSchemas();
  const slugs = [...schemas.keys()].map((id) => id.slice(ROOT.length + 1));
  expect(slugs).toEqual(
    expect.arrayContaining([
      'core/person',
      'entities/person',
      'core/personName',
      'core/emailAddresses',
      'core/collectionOfIds',
      'entities/c_project',
      'entities/playbook',
    ]),
  );
  expect(schemas.get(`${ROOT}/core/personName`)?.attributes.xClarifyNamespace).toBeUndefined();
  expect(schemas.get(`${ROOT}/entities/deal`)).toMatchObject({
    type: 'schema',
    attributes: {
      $id: `${ROOT}/entities/deal`,
      xClarifyNamespace: 'objects',
      xClarifyLabel: { singular: 'Deal', plural: 'Deals' },
    },
  });
});

test('every property form occurs', async () => {
  const schemas = await allSchemas();
  const property = (object: string, name: string) =>
    schemas.get(`${ROOT}/entities/${object}`)?.attributes.properties[name];
  expect(property('deal', '_created_at')).toEqual({ type: 'object', format: 'date-time' });
  expect(property('deal', 'name')).toMatchObject({ xClarifyUnique: true, xClarifyPrimary: true });
  expect(property('deal', 'amount')).toEqual({ type: ['number', 'null'] });
  expect(property('deal', 'close_date')).toEqual({ type: ['date', 'null'] });
  expect(property('person', 'birthday')).toMatchObject({ format: 'date' });
  expect(property('deal', 'stage')?.enum).toContain('Won');
  expect(property('person', 'name')?.oneOf).toEqual([
    { $ref: `${ROOT}/core/personName` },
    { type: 'null' },
  ]);
  expect(property('person', 'email_addresses')).toEqual({
    $ref: `${ROOT}/core/emailAddresses`,
    xClarifyUnique: true,
  });
  expect(property('c_project', 'skills')).toHaveProperty('properties.items.items.enum');
  expect(property('deal', 'people')?.xClarifyRelationship).toEqual({
    kind: 'many-to-many',
    entity: 'person',
    field: 'deals',
  });
  expect(property('person', 'company_id')?.xClarifyRelationship).toEqual({
    kind: 'many-to-one',
    entity: 'company',
    field: 'people',
  });
  expect(property('company', 'people')?.xClarifyRelationship).toEqual({
    kind: 'one-to-many',
    entity: 'person',
    field: 'company_id',
  });
});

test('an object may be listed and still have no records', async () => {
  const { get } = await connect();
  expect((await get('/objects/playbook/resources')).status).toBe(404);
});

test('fields come, change and go while records stay', async () => {
  const { emulator, get } = await connect();
  const { store } = emulator;
  const id = store.create('c_project', { name: 'One', budget: 5 });
  const before = store.get('c_project', id)?.attributes._updated_at;
  store.addField('c_project', { name: '__proto__', form: { kind: 'text' } });
  store.addField('c_project', { name: 'Order', form: { kind: 'number' } });
  const read = async () => (await get(`/objects/c_project/records/${id}`)).text;
  expect(await read()).toContain('"__proto__":null,"Order":null');
  store.update('c_project', id, { ['__proto__']: 'kept' }, { bump: false });
  expect(await read()).toContain('"__proto__":"kept"');
  store.changeFieldType('c_project', 'budget', { kind: 'text' }, String);
  expect(await read()).toContain('"budget":"5"');
  store.removeField('c_project', 'Order');
  expect(await read()).not.toContain('Order');
  expect(store.get('c_project', id)?.attributes._updated_at).toBe(before);
  expect((await get('/schemas', { 'page[cursor]': 'x' })).status).toBe(400);
});

test('the older form is one array', async () => {
  const { call, emulator } = await connect({ dialect: 'classic' });
  const items: Item[] = JSON.parse((await call('GET', '/schemas')).text);
  expect(items.map(({ id }) => id)).toContain(`${ROOT}/entities/person`);
  emulator.switches.schemaForm = 'bare';
  const bare: { $id: string }[] = JSON.parse((await call('GET', '/schemas')).text);
  expect(bare.map(({ $id }) => $id)).toContain(`${ROOT}/core/person`);
});
