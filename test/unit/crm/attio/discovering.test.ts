import { expect, test } from 'vitest';
import { pull } from '../clarify/scripted-server.ts';
import { attributes, ids, schemaReply, self, withAttio } from './scripted-attio.ts';

const nothing = () => ({ status: 500 });

async function objects() {
  return await withAttio(nothing, async (remote) => {
    const found = await remote.discover(pull);
    return new Map(found.map((schema) => [schema.object, schema]));
  });
}

test('every attribute of every page is a field, but those that are system columns or archived', async () => {
  const found = await objects();
  expect([...found.keys()]).toEqual(['people', 'companies', 'deals']);
  for (const [object, { fields }] of found) {
    const names = Object.entries(attributes[object] ?? {}).flatMap(([slug, sketch]) => {
      if (['record_id', 'created_at', 'created_by'].includes(slug) || sketch.archived) return [];
      if (slug === 'value') return [slug, 'value__currency'];
      return slug === 'about' ? [slug, 'about__object'] : [slug];
    });
    expect(fields.map(({ name }) => name)).toEqual(names);
  }
});

test('relationships that tell nothing but ids name the object and the field at the other end', async () => {
  const found = await objects();
  const link = (object: string, name: string) =>
    found.get(object)?.fields.find((field) => field.name === name);
  expect(link('people', 'company')).toMatchObject({
    kind: 'reference',
    relationship: { kind: 'many-to-one', object: 'companies', field: 'team' },
  });
  expect(link('companies', 'team')).toMatchObject({
    kind: 'references',
    relationship: { kind: 'one-to-many', object: 'people', field: 'company' },
  });
  expect(link('deals', 'associated_people')).toMatchObject({
    kind: 'references',
    relationship: { kind: 'many-to-many', object: 'people', field: 'associated_deals' },
  });
  expect(link('deals', 'about')).toMatchObject({ kind: 'text', relationship: null });
  expect(link('deals', 'anything')).toMatchObject({ kind: 'json', relationship: null });
});

test('types, identities and cases are told as the columns need them', async () => {
  const found = await objects();
  const kinds = (object: string) =>
    Object.fromEntries((found.get(object)?.fields ?? []).map(({ name, kind }) => [name, kind]));
  expect(kinds('people')).toMatchObject({
    name: 'json',
    email_addresses: 'texts',
    phone_numbers: 'texts',
    home: 'json',
    seen_at: 'timestamp',
  });
  expect(kinds('deals')).toMatchObject({
    stage: 'text',
    owner: 'text',
    value: 'number',
    value__currency: 'text',
    score: 'number',
    labels: 'texts',
  });
  expect(found.get('people')?.identity).toBe('email_addresses');
  expect(found.get('companies')?.identity).toBe('domains');
  expect(found.get('deals')?.identity).toBeNull();
  const value = found.get('deals')?.fields.find(({ name }) => name === 'value');
  expect(value?.scale).toBe(4);
  const email = found.get('people')?.fields.find(({ name }) => name === 'email_addresses');
  expect(email).toMatchObject({ unique: true, caseInsensitive: true });
});

test('the workspace is known once Attio has answered', async () => {
  await withAttio(nothing, async (remote) => {
    expect(remote.workspace).toBeNull();
    await remote.discover(pull);
    expect(remote.workspace).toContain(ids.workspace);
  });
});

async function discoverWith(reply: { status?: number; body: unknown }) {
  return await withAttio(
    nothing,
    async (remote) => {
      const error: unknown = await remote.discover(pull).catch((thrown: unknown) => thrown);
      return error;
    },
    {},
    (seen) => (seen.path === '/v2/self' ? reply : schemaReply(seen)),
  );
}

test.each([
  ['revoked', { body: { active: false } }],
  ['malformed', { status: 400, body: { status_code: 400, code: 'missing_value', message: 'x' } }],
])('a key that is %s halts, by its name', async (_what, reply) => {
  expect(await discoverWith(reply)).toMatchObject({
    code: 'remote-unauthorized',
    disposition: 'halt',
    hint: expect.stringContaining('ATTIO_API_KEY'),
  });
});

test('a scope that is missing is named, and halts', async () => {
  const error = await discoverWith({ body: { ...self, scope: 'record_permission:read' } });
  expect(error).toMatchObject({
    code: 'remote-forbidden',
    disposition: 'halt',
    message: expect.stringContaining('object_configuration:read'),
    hint: expect.stringContaining('ATTIO_API_KEY'),
  });
});

test('the right to write is not asked of whoever reads, nor a scope where none are told', async () => {
  const scope = 'record_permission:read object_configuration:read-write';
  expect(await discoverWith({ body: { ...self, scope } })).toBeInstanceOf(Array);
  const { scope: _scope, ...untold } = self;
  expect(await discoverWith({ body: untold })).toBeInstanceOf(Array);
});

test.each([
  [403, { code: 'unauthorized', message: 'x' }],
  [404, { code: 'not_found', message: 'x' }],
])('an object whose attributes are answered with %i stops no other', async (status, body) => {
  let isRefused = true;
  await withAttio(
    nothing,
    async (remote) => {
      const names = async () => (await remote.discover(pull)).map(({ object }) => object);
      const untold = () =>
        [...(remote.undescribed ?? [])].map(([one, error]) => [one, error.status]);
      expect(await names()).toEqual(['people', 'companies']);
      expect(untold()).toEqual([['deals', status]]);
      isRefused = false;
      const before = await remote.discover(pull);
      expect(untold()).toEqual([]);
      isRefused = true;
      expect(await remote.discover(pull)).toEqual(before);
      expect(untold()).toEqual([['deals', status]]);
    },
    {},
    (seen) =>
      isRefused && seen.path === '/v2/objects/deals/attributes'
        ? { status, body }
        : schemaReply(seen),
  );
});

test('where no attributes can be read nothing is known', async () => {
  const error: unknown = await withAttio(
    nothing,
    (remote) => remote.discover(pull).catch((thrown: unknown) => thrown),
    {},
    (seen) =>
      seen.path.endsWith('/attributes')
        ? { status: 403, body: { code: 'unauthorized', message: 'x' } }
        : schemaReply(seen),
  );
  expect(error).toMatchObject({ code: 'remote-forbidden', status: 403 });
});
