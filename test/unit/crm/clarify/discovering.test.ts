import { expect, test } from 'vitest';
import { page, pull, push, type Reply, withRemote } from './scripted-server.ts';

const base = 'https://getclarify.ai/schemas';
const ref = (name: string) => ({ $ref: `${base}/core/${name}` });
const orNull = (schema: object) => ({ oneOf: [schema, { type: 'null' }] });
const collection = (items: object) => ({
  type: 'object',
  properties: { items: { type: 'array', items } },
});
const entity = (slug: string, properties: object, more: object = {}) => ({
  type: 'schema',
  id: `${base}/entities/${slug}`,
  attributes: {
    $id: `${base}/entities/${slug}`,
    title: slug,
    type: 'object',
    xClarifyNamespace: 'objects',
    xClarifyLabel: { singular: `One ${slug}`, plural: `Many ${slug}` },
    properties,
    ...more,
  },
});
const core = (slug: string, schema: object) => ({
  type: 'schema',
  id: `${base}/core/${slug}`,
  attributes: { $id: `${base}/core/${slug}`, ...schema },
});

const valueTypes = [
  core('emailAddresses', collection({ type: 'string', format: 'email' })),
  core('domains', collection({ type: 'string' })),
  core('phoneNumbers', collection({ type: 'string' })),
  core('personName', {
    type: 'object',
    properties: {
      first_name: { type: ['string', 'null'] },
      age: { type: 'integer' },
      nested: { type: 'object' },
    },
  }),
  core('ratings', collection({ type: 'object', properties: { stars: { type: 'number' } } })),
  core('currency', { type: 'string' }),
];

const properties = {
  _id: { type: 'string' },
  _created_at: { type: 'object', format: 'date-time' },
  name: orNull(ref('personName')),
  email_addresses: { ...orNull(ref('emailAddresses')), xClarifyUnique: true },
  phones: ref('phoneNumbers'),
  unlisted: ref('collectionOfStrings'),
  unknown: ref('somethingElse'),
  ratings: ref('ratings'),
  currency: ref('currency'),
  text: { type: ['string', 'null'], title: 'A text' },
  amount: { type: ['number', 'null'] },
  count: { type: 'integer' },
  active: { type: ['boolean', 'null'] },
  stage: { enum: ['won', 'lost', null] },
  born: { type: ['date', 'null'] },
  due: { type: ['string', 'null'], format: 'date' },
  met: { type: ['object', 'null'], format: 'date-time' },
  colours: { ...collection({ type: 'string', enum: ['red'] }), type: ['object', 'null'] },
  options: { items: ['a', 'b'] },
  tags: { type: ['array', 'null'], items: { type: 'string' } },
  numbers: { type: 'array', items: { type: 'number' } },
  anything: {},
  mixed: { type: ['string', 'number'] },
  nonsense: true,
  address: { type: 'object', properties: { city: { type: 'string' } } },
  notes: { type: 'object', properties: { type: { type: 'string' }, content: { type: 'array' } } },
  company_id: {
    type: ['string', 'null'],
    xClarifyRelationship: { kind: 'many-to-one', entity: 'company', field: 'people' },
  },
  deals: {
    ...ref('collectionOfIds'),
    xClarifyRelationship: { kind: 'many-to-many', entity: `${base}/entities/deal` },
  },
};
const hostile = JSON.parse(
  '{"__proto__":{"type":"string"},"select \\"x\\"":{"type":"string"},"_synced_at":{"type":"string"},"_updated_at":{"format":"date-time"}}',
);

const kinds = {
  name: 'json',
  email_addresses: 'texts',
  phones: 'texts',
  unlisted: 'texts',
  unknown: 'json',
  ratings: 'json',
  currency: 'text',
  text: 'text',
  amount: 'number',
  count: 'number',
  active: 'boolean',
  stage: 'text',
  born: 'date',
  due: 'date',
  met: 'timestamp',
  colours: 'texts',
  options: 'texts',
  tags: 'texts',
  numbers: 'json',
  anything: 'json',
  mixed: 'json',
  nonsense: 'json',
  address: 'json',
  notes: 'json',
  company_id: 'reference',
  deals: 'references',
};

test('the cursor-paged list: objects, each field’s kind, and nothing of another origin', () => {
  const pages: Record<string, Reply> = {
    '': {
      body: {
        data: [
          core('person', { type: 'object', xClarifyNamespace: 'objects', properties: {} }),
          ...valueTypes,
          entity('person', properties),
        ],
        links: { next: 'http://elsewhere.example:80/v9/schemas?page%5Bcursor%5D=two&x=1' },
      },
    },
    'page[cursor]=two&x=1': {
      body: {
        data: [
          entity('company', { domains: ref('domains') }),
          entity('deal', { name: { type: 'string', xClarifyUnique: true } }),
          entity('setting', {}, { xClarifyNamespace: 'system' }),
          entity('c_case', hostile),
        ],
        links: { next: null },
      },
    },
  };
  return withRemote(
    ({ query, path }) =>
      (path === '/schemas' && pages[decodeURIComponent(query.toString())]) || { status: 400 },
    async (remote) => {
      const objects = await remote.discover(pull);
      expect(objects.map(({ object, identity }) => [object, identity])).toEqual([
        ['person', 'email_addresses'],
        ['company', 'domains'],
        ['deal', null],
        ['c_case', null],
      ]);
      const [person, company, deal, hostileCase] = objects;
      expect(person?.label).toEqual({ singular: 'One person', plural: 'Many person' });
      const fields = new Map(person?.fields.map((found) => [found.name, found]));
      expect(Object.fromEntries([...fields].map(([name, { kind }]) => [name, kind]))).toEqual(
        kinds,
      );
      expect(fields.get('name')?.parts).toEqual([
        { name: 'first_name', kind: 'text' },
        { name: 'age', kind: 'number' },
      ]);
      expect(fields.get('address')?.parts).toEqual([{ name: 'city', kind: 'text' }]);
      expect(fields.get('notes')?.parts).toEqual([]);
      expect(fields.get('text')?.label).toBe('A text');
      expect(fields.get('email_addresses')).toMatchObject({ unique: true, caseInsensitive: true });
      expect(fields.get('phones')?.caseInsensitive).toBe(false);
      expect(company?.fields[0]?.caseInsensitive).toBe(true);
      expect(deal?.fields[0]?.unique).toBe(true);
      expect(fields.get('company_id')?.relationship).toEqual({
        kind: 'many-to-one',
        object: 'company',
        field: 'people',
      });
      expect(fields.get('deals')?.relationship).toEqual({
        kind: 'many-to-many',
        object: 'deal',
        field: null,
      });
      expect(hostileCase?.fields.map(({ name }) => name)).toEqual([
        '__proto__',
        'select "x"',
        '_synced_at',
      ]);
      expect(remote.limits.batchSizeOf('person')).toBe(100);
    },
  );
});

test('one array of bare schemas is the classic dialect, with its smaller batches', () =>
  withRemote(
    () => ({
      body: [
        { $id: 'entities/person', type: 'object', properties: { name: { type: 'string' } } },
        { $id: 'core/personName', type: 'object', properties: { first: { type: 'string' } } },
        { $id: 'core/deal', properties: { _created_at: {}, amount: { type: 'number' } } },
      ],
    }),
    async (remote) => {
      const objects = await remote.discover(pull);
      expect(objects.map(({ object }) => object)).toEqual(['person', 'deal']);
      expect(objects[0]).toMatchObject({
        label: { singular: 'person', plural: 'person' },
        identity: null,
      });
      expect(remote.limits.batchSizeOf('person')).toBe(25);
    },
  ));

test('a personName nobody describes has the parts everybody knows', () =>
  withRemote(
    () => ({ body: { data: [entity('person', { name: orNull(ref('personName')) })] } }),
    async (remote) => {
      const [person] = await remote.discover(pull);
      expect(person?.fields[0]?.parts.map(({ name }) => name)).toEqual([
        'first_name',
        'last_name',
        'full_name',
      ]);
    },
  ));

test('a cursor that comes back ends the list', () =>
  withRemote(
    () => ({ body: { data: [entity('person', {})], links: { next: 'https://x/?cursor=1' } } }),
    async (remote, { seen }) => {
      expect(await remote.discover(pull)).toHaveLength(1);
      expect(seen).toHaveLength(2);
    },
  ));

test('one without an end is refused', () => {
  let pages = 0;
  return withRemote(
    () => {
      pages += 1;
      return {
        body: { data: [entity('person', {})], links: { next: `https://x/?cursor=${pages}` } },
      };
    },
    async (remote) => {
      await expect(remote.discover(pull)).rejects.toMatchObject({ code: 'remote-bad-answer' });
      expect(pages).toBe(200);
    },
  );
});

test('a workspace without any schema is no answer, and would be no reason to drop anything', () =>
  withRemote(
    () => ({ body: { data: [] } }),
    async (remote) => {
      await expect(remote.discover(pull)).rejects.toMatchObject({ code: 'remote-bad-answer' });
    },
  ));

test('the schema suggests how a list travels', () =>
  withRemote(
    ({ method }) =>
      method === 'GET' ? { body: { data: [entity('person', properties)] } } : { body: {} },
    async (remote, { seen }) => {
      const [object] = await remote.discover(pull);
      if (object === undefined) throw new Error('no object');
      const fields = { tags: ['a'], colours: ['red'], options: ['b'], phones: ['1'] };
      await remote.update({ object, records: [{ id: 'p', fields }] }, push);
      expect(seen.at(-1)?.body).toMatchObject({
        data: [
          {
            attributes: {
              tags: ['a'],
              colours: { items: ['red'] },
              options: { items: ['b'] },
              phones: { items: ['1'] },
            },
          },
        ],
      });
    },
  ));

test.each([
  ['has records', { body: page([]) }, true],
  ['answers 404', { status: 404, body: { errors: [{ status: '404', detail: 'no' }] } }, false],
  ['is forbidden', { status: 403, body: { errors: [{ status: '403', detail: 'no' }] } }, true],
  ['fails', { status: 500, body: '' }, true],
] as const)(
  'users that are listed as an object are one unless the list answers 404: %s',
  (_case, reply, isObject) =>
    withRemote(
      ({ path }) =>
        path === '/schemas'
          ? { body: page([entity('person', {}), entity('user', {})]) }
          : { ...reply },
      async (remote, { seen }) => {
        const found = (await remote.discover(pull)).map(({ object }) => object);
        expect(found).toEqual(isObject ? ['person', 'user'] : ['person']);
        expect(seen.filter(({ path }) => path === '/objects/user/resources')).toHaveLength(1);
      },
    ),
);
