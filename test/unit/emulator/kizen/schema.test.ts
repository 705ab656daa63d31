import { expect, test } from 'vitest';
import { at, idsOf, kizen } from './client.ts';

async function fieldsOf({ ask }: Pick<Awaited<ReturnType<typeof kizen>>, 'ask'>, object: string) {
  const { body } = await ask('GET', `/custom-objects/${object}/fields`);
  const list: unknown[] = Array.isArray(body) ? body : [];
  return new Map(list.map((field) => [String(at(field, 'name')), field]));
}

test('objects are paged, and contacts are among them only with custom_only=false', async () => {
  const { ask } = await kizen();
  const all = await ask('GET', '/custom-objects?custom_only=false&page=1&page_size=3');
  expect(all.body).toMatchObject({
    count: 4,
    next: expect.stringMatching(/^https:.*page=2/),
    previous: null,
    errors: [],
    access: {},
    results: [
      {
        name: 'client_client',
        object_name: 'Contacts',
        entity_name: 'Contact',
        object_type: 'standard',
        is_custom: false,
      },
      { name: 'companies', is_custom: true },
      { name: 'deals', object_type: 'pipeline' },
    ],
  });
  const last = await ask('GET', '/custom-objects?custom_only=false&page=2&page_size=3');
  expect(last.body).toMatchObject({ next: null, previous: expect.any(String) });
  expect((await ask('GET', '/custom-objects')).body).toMatchObject({ count: 3 });
});

test('an object and its fields are found by name or by id', async () => {
  const { ask } = await kizen();
  const { body } = await ask('GET', '/custom-objects/deals');
  const id = String(at(body, 'id'));
  expect((await ask('GET', `/custom-objects/${id}`)).body).toEqual(body);
  const fields = await ask('GET', '/custom-objects/deals/fields');
  expect((await ask('GET', `/custom-objects/${id}/fields`)).body).toEqual(fields.body);
  expect((await ask('GET', `/custom-objects/${id}/fields/settings-search`)).body).toEqual(
    fields.body,
  );
  expect((await ask('GET', '/custom-objects/ghosts')).status).toBe(404);
});

test('every type of field is there, in a bare array', async () => {
  const { ask } = await kizen();
  const types = new Set<unknown>();
  for (const object of ['client_client', 'companies', 'deals', 'projects']) {
    for (const field of (await fieldsOf({ ask }, object)).values())
      types.add(at(field, 'field_type'));
  }
  const known =
    'text longtext email phonenumber integer decimal money date datetime checkbox checkboxes dropdown ' +
    'radio status choices selector rating yesnomaybe dynamictags relationship team_selector timezone files';
  expect([...types]).toEqual(expect.arrayContaining(known.split(' ')));
});

test('default fields are those of the page, and contacts have no name', async () => {
  const { ask } = await kizen();
  const contacts = await fieldsOf({ ask }, 'client_client');
  const named =
    'first_name last_name full_name email email_status mobile_phone business_phone home_phone titles tags ' +
    'birthday timezone owner created updated display_name';
  expect([...contacts.keys()]).toEqual(expect.arrayContaining(named.split(' ')));
  expect(contacts.has('name')).toBe(false);
  const deals = await fieldsOf({ ask }, 'deals');
  expect(deals.get('name')).toMatchObject({ is_required: true, is_default: true });
  for (const name of ['created', 'updated', 'display_name', 'stage']) {
    expect(deals.get(name)).toMatchObject({ is_read_only: true });
  }
  const pipeline =
    'stage entity_value estimated_close_date actual_close_date percentage_chance_to_close';
  expect([...deals.keys()]).toEqual(expect.arrayContaining(pipeline.split(' ')));
});

test('options have codes where the type has them', async () => {
  const { ask } = await kizen();
  const projects = await fieldsOf({ ask }, 'projects');
  const codes = (name: string): unknown => {
    const options = at(projects.get(name), 'options');
    return Array.isArray(options) ? options.map((each: unknown) => at(each, 'code')) : [];
  };
  expect(codes('approved')).toEqual(['yes', 'no', 'maybe']);
  expect(codes('priority')).toEqual(Array.from({ length: 10 }, (_, index) => String(index + 1)));
  expect(codes('size')).toEqual(['', '', '']);
  expect(codes('labels')).toEqual([]);
  expect(at(projects.get('budget'), 'money_options')).toEqual({ currency: 'EUR', symbol: '€' });
  const contacts = await fieldsOf({ ask }, 'client_client');
  expect(contacts.get('notes')).toMatchObject({
    field_type: 'longtext',
    meta: { is_markdown: true },
  });
});

test('a relation and its mirror name each other, also on the object itself', async () => {
  const { ask } = await kizen();
  const [contacts, companies] = [
    await fieldsOf({ ask }, 'client_client'),
    await fieldsOf({ ask }, 'companies'),
  ];
  const [company, mirror] = [contacts.get('company'), companies.get('contacts')];
  expect(company).toMatchObject({
    relation: {
      related_object_object_name: 'companies',
      related_field: at(mirror, 'id'),
      cardinality: 'many_to_one',
    },
  });
  expect(mirror).toMatchObject({
    relation: {
      related_object_object_name: 'client_client',
      related_field: at(company, 'id'),
      cardinality: 'one_to_many',
    },
  });
  expect(companies.get('parent_company')).toMatchObject({
    relation: {
      related_object_object_name: 'companies',
      related_field: at(companies.get('subsidiaries'), 'id'),
    },
  });
});

test('stages are a bare list, by the id of the object alone, and the field mirrors them', async () => {
  const { ask } = await kizen();
  const { body } = await ask('GET', '/custom-objects/deals');
  const stages = await ask('GET', `/pipelines/${String(at(body, 'id'))}/stages`);
  expect(stages.body).toMatchObject([
    { name: 'Lead', status: 'open', percentage_chance_to_close: 10, order: 0 },
    {},
    {},
    { name: 'Won', status: 'won' },
    { status: 'lost' },
    { status: 'disqualified' },
  ]);
  expect((await ask('GET', '/pipelines/deals/stages')).status).toBe(404);
  const field = (await fieldsOf({ ask }, 'deals')).get('stage');
  expect(at(field, 'options', 3)).toMatchObject({ id: at(stages.body, 3, 'id'), name: 'Won' });
});

test('tags are told elsewhere, paged and searched, of contacts at an address of their own', async () => {
  const { ask, store } = await kizen();
  const { body } = await ask('GET', '/custom-objects/companies');
  const labels = `/pipelines/${String(at(body, 'id'))}/fields/${store.fieldId('companies', 'labels')}/tags`;
  const first = await ask('GET', `${labels}?page_size=2`);
  expect(first.body).toMatchObject({
    count: 3,
    next: expect.any(String),
    results: [{ id: expect.any(String), name: 'vip' }, { name: 'renewal' }],
  });
  expect((await ask('GET', `${labels}?search=hold`)).body).toMatchObject({
    results: [{ name: 'on hold' }],
  });
  const tags = await ask('GET', `/client/fields/${store.fieldId('client_client', 'tags')}/tags`);
  expect(idsOf(tags)).toHaveLength(3);
  const notTags = `/client/fields/${store.fieldId('client_client', 'email')}/tags`;
  expect((await ask('GET', notTags)).status).toBe(404);
});

test('a deleted field is listed as such, and its values are told no more', async () => {
  const { ask, add, store, steer, switches } = await kizen();
  const made = await add('companies', { name: 'Acme', employees: 5 });
  const id = store.fieldId('companies', 'employees');
  await steer('change-field', { object: 'companies', name: 'employees', deleted: true });
  expect((await fieldsOf({ ask }, 'companies')).get('employees')).toMatchObject({
    id,
    deleted: true,
  });
  const record = store.get('companies', String(at(made.body, 'id')));
  expect(Object.keys(Object(at(record, 'fields')))).not.toContain(id);
  switches.deletedFields = 'absent';
  expect((await fieldsOf({ ask }, 'companies')).has('employees')).toBe(false);
});
