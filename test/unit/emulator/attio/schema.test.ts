import { expect, test } from 'vitest';
import { at, attio, column, idOf } from './client.ts';

test('objects come all at once, one without a slug among them', async () => {
  const { ask, store } = await attio();
  store.addObject({ slug: null, singular: 'Ghost', plural: 'Ghosts', attributes: [] });
  const objects = await ask('GET', '/objects');
  expect(column(objects, 'api_slug')).toEqual(['people', 'companies', 'deals', 'projects', null]);
  const people = at(objects.body, 'data', 0);
  expect(people).toMatchObject({ singular_noun: 'Person', plural_noun: 'People' });
  const byId = await ask('GET', `/objects/${String(at(people, 'id', 'object_id'))}`);
  expect(byId.body).toEqual({ data: people });
});

test('the attributes that every record has are attributes like others', async () => {
  const { ask } = await attio();
  const { body } = await ask('GET', '/objects/people/attributes');
  const attribute = (more: object) => expect.objectContaining({ is_writable: false, ...more });
  expect(at(body, 'data')).toEqual(
    expect.arrayContaining([
      attribute({ api_slug: 'record_id', type: 'text', is_unique: true }),
      attribute({ api_slug: 'created_at', type: 'timestamp' }),
      attribute({ api_slug: 'created_by', type: 'actor-reference' }),
    ]),
  );
});

test('a relationship is a pair of attributes, each naming the other', async () => {
  const { ask, switches, workspaceId } = await attio();
  const company = async () => (await ask('GET', '/objects/people/attributes/company')).body;
  const team = (await ask('GET', '/objects/companies/attributes/team')).body;
  const [object, attribute] = ['object_id', 'attribute_id'].map((key) =>
    at(team, 'data', 'id', key),
  );
  expect(await company()).toMatchObject({
    data: {
      relationship: {
        id: { workspace_id: workspaceId, object_id: object, attribute_id: attribute },
        object_slug: 'companies',
        api_slug: 'team',
        title: 'Team',
        is_multiselect: true,
      },
      config: { record_reference: { allowed_object_ids: [object] } },
    },
  });
  switches.relationshipForm = 'id';
  expect(at(await company(), 'data', 'relationship')).toEqual({
    id: { workspace_id: workspaceId, object_id: object, attribute_id: attribute },
  });
});

test('both parts of config are there for every type', async () => {
  const { ask } = await attio();
  const config = async (name: string) =>
    at((await ask('GET', `/objects/deals/attributes/${name}`)).body, 'data', 'config');
  expect(await config('value')).toEqual({
    currency: { default_currency_code: 'USD', display_type: 'symbol' },
    record_reference: { allowed_object_ids: null },
  });
  expect(await config('name')).toEqual({
    currency: { default_currency_code: null, display_type: null },
    record_reference: { allowed_object_ids: null },
  });
});

test('archived attributes and options come only when asked for', async () => {
  const { ask, store, create, read } = await attio();
  const id = idOf(await create('projects', { name: 'x', code: 'A', tags: ['renewal'] }));
  store.archiveAttribute('projects', 'code', true);
  store.setOption('projects', 'tags', 'renewal', { archived: true });
  const slugs = async (query: string) =>
    column(await ask('GET', `/objects/projects/attributes${query}`), 'api_slug');
  expect(await slugs('')).not.toContain('code');
  expect(await slugs('?show_archived=true')).toContain('code');
  const titles = async (query: string) =>
    column(await ask('GET', `/objects/projects/attributes/tags/options${query}`), 'title');
  expect(await titles('')).not.toContain('renewal');
  expect(await titles('?show_archived=true')).toContain('renewal');
  // The record keeps showing it, and nobody can choose it any more.
  expect(await read('projects', id)).toMatchObject({
    body: { data: { values: { tags: [{ option: { title: 'renewal', is_archived: true } }] } } },
  });
  expect(await create('projects', { name: 'y', tags: ['renewal'] })).toMatchObject({
    status: 400,
    body: { code: 'value_not_found' },
  });
  expect((await ask('GET', '/objects/deals/attributes/stage/statuses')).body).toMatchObject({
    data: [{ title: 'Lead', is_archived: false, celebration_enabled: false }, {}, {}, {}],
  });
});

test('a renamed option, attribute or object changes no value', async () => {
  const { create, read, store, patch } = await attio();
  const made = await create('projects', { name: 'x', urgency: 'Low' });
  const from = at(made.body, 'data', 'values', 'urgency', 0, 'active_from');
  const id = idOf(made);
  store.setOption('projects', 'urgency', 'Low', { title: 'Lowest' });
  store.changeAttribute('projects', 'urgency', { slug: 'pressure' });
  expect(await read('projects', id)).toMatchObject({
    body: { data: { values: { pressure: [{ active_from: from, option: { title: 'Lowest' } }] } } },
  });
  expect(await patch('projects', id, { urgency: 'Low' })).toMatchObject({
    body: { code: 'value_not_found' },
  });
});

test('members are listed', async () => {
  const { ask } = await attio();
  const { body } = await ask('GET', '/workspace_members');
  expect(body).toMatchObject({
    data: [{ first_name: 'Kim', email_address: 'kim@demo.example', access_level: 'admin' }, {}, {}],
  });
});
