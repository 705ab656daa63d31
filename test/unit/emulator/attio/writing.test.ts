import { expect, test } from 'vitest';
import { at, attio, column, idOf } from './client.ts';

const owner = 'kim@demo.example';
const location = {
  line_1: '1 Mill Lane',
  line_2: null,
  line_3: null,
  line_4: null,
  locality: 'Oslo',
  region: null,
  postcode: '0150',
  country_code: 'NO',
  latitude: null,
  longitude: null,
};

test.each([
  [
    'people',
    { email_addresses: ['Ada@Mail.Example'] },
    { email_address: 'ada@mail.example', email_root_domain: 'mail.example' },
  ],
  [
    'people',
    { phone_numbers: ['+1 (415) 555-0101'] },
    { phone_number: '+14155550101', country_code: 'US' },
  ],
  [
    'people',
    { phone_numbers: [{ original_phone_number: '0151 23456789', country_code: 'DE' }] },
    { phone_number: '+4915123456789' },
  ],
  [
    'people',
    { name: 'Lovelace, Ada' },
    { first_name: 'Ada', last_name: 'Lovelace', full_name: 'Ada Lovelace' },
  ],
  ['people', { name: 'Ada' }, { first_name: 'Ada', last_name: '' }],
  ['people', { primary_location: location }, location],
  ['companies', { domains: ['https://www.acme.example/about?x=1'] }, { domain: 'acme.example' }],
  ['companies', { foundation_date: '2023' }, { value: '2023-01-01' }],
  ['companies', { foundation_date: '2023-01-01T23:30:00-05:00' }, { value: '2023-01-02' }],
  ['companies', { categories: ['Energy'] }, { option: { title: 'Energy', is_archived: false } }],
  [
    'projects',
    { kickoff: '2026-01-01T01:00:00.123456789+01:00' },
    { value: '2026-01-01T00:00:00.123456789Z' },
  ],
  ['projects', { budget: 12.3456 }, { currency_value: 12.3456, currency_code: 'EUR' }],
  ['projects', { budget: { currency_value: 3 } }, { currency_value: 3 }],
  ['projects', { active: 'true' }, { value: true }],
  ['projects', { priority: 5 }, { value: 5 }],
  ['projects', { lead: owner }, { referenced_actor_type: 'workspace-member' }],
  ['projects', { hours: { value: 1.5 } }, { value: 1.5 }],
])('%s %j is kept as %j', async (object, values, kept) => {
  const { create } = await attio();
  const [slug = ''] = Object.keys(values);
  const more = object === 'projects' ? { name: 'x' } : {};
  const { body } = await create(object, { ...more, ...values });
  expect(at(body, 'data', 'values', slug)).toMatchObject([kept]);
});

test.each([
  ['people', { email_addresses: ['no address'] }, 'validation_type'],
  ['people', { email_addresses: 'ada@mail.example' }, 'validation_type'],
  ['people', { phone_numbers: ['0151 1'] }, 'validation_type'],
  ['people', { name: { first_name: 'Ada' } }, 'validation_type'],
  ['people', { primary_location: { locality: 'Oslo' } }, 'validation_type'],
  ['people', { avatar_url: 'x' }, 'immutable_value'],
  ['people', { record_id: 'x' }, 'immutable_value'],
  ['people', { ghost: 'x' }, 'value_not_found'],
  ['companies', { name: ['a', 'b'] }, 'validation_type'],
  ['companies', { name: [{ value: 'a', active_from: '2026-01-01' }] }, 'validation_type'],
  ['companies', { categories: ['Ghosts'] }, 'value_not_found'],
  ['projects', { name: 'x', priority: 6 }, 'validation_type'],
  ['projects', { name: 'x', budget: 1.23456 }, 'validation_type'],
  ['projects', { name: 'x', kickoff: '2026-02-30T00:00:00Z' }, 'validation_type'],
  ['projects', { name: 'x', lead: 'ghost@demo.example' }, 'value_not_found'],
  ['projects', {}, 'missing_value'],
  ['deals', { name: 'x', stage: 'Lead' }, 'missing_value'],
])('%s %j is refused as %s, and stores nothing', async (object, values, code) => {
  const { create, store } = await attio();
  expect(await create(object, values)).toMatchObject({
    status: 400,
    body: { status_code: 400, type: 'invalid_request_error', code },
  });
  expect(store.count(object)).toBe(0);
});

test('a value that is taken is refused, on create and on update', async () => {
  const { create, put, patch } = await attio();
  await create('people', { email_addresses: ['ada@mail.example'] });
  const taken = { status: 400, body: { code: 'uniqueness_conflict' } };
  expect(await create('people', { email_addresses: ['ADA@mail.example'] })).toMatchObject(taken);
  const id = idOf(await create('people', { email_addresses: ['bob@mail.example'] }));
  expect(await put('people', id, { email_addresses: ['ada@mail.example'] })).toMatchObject(taken);
  expect(await patch('people', id, { email_addresses: ['ada@mail.example'] })).toMatchObject(taken);
});

test('PATCH puts new values in front and removes none, PUT sets what is sent', async () => {
  const { create, patch, put } = await attio();
  const id = idOf(await create('people', { email_addresses: ['a@x.example', 'b@x.example'] }));
  const after = async (answer: ReturnType<typeof put>) => {
    const list = at((await answer).body, 'data', 'values', 'email_addresses');
    return Array.isArray(list) ? list.map((each: unknown) => at(each, 'email_address')) : [];
  };
  expect(
    await after(patch('people', id, { email_addresses: ['b@x.example', 'c@x.example'] })),
  ).toEqual(['c@x.example', 'a@x.example', 'b@x.example']);
  expect(await after(patch('people', id, { email_addresses: [] }))).toHaveLength(3);
  expect(await after(put('people', id, { job_title: 'x' }))).toHaveLength(3);
  expect(await after(put('people', id, { email_addresses: ['b@x.example'] }))).toEqual([
    'b@x.example',
  ]);
  expect(await after(put('people', id, { email_addresses: [] }))).toEqual([]);
});

test('a required value cannot be cleared', async () => {
  const { create, put } = await attio();
  const id = idOf(await create('projects', { name: 'x' }));
  expect(await put('projects', id, { name: [] })).toMatchObject({
    body: { code: 'missing_value' },
  });
  expect((await put('projects', id, { active: true })).status).toBe(200);
});

test('an upsert adds to the matching list, and sets all else', async () => {
  const { ask, create, store } = await attio();
  const id = idOf(
    await create('people', {
      email_addresses: ['a@x.example', 'c@x.example'],
      phone_numbers: ['+14155550101'],
    }),
  );
  const upsert = (values: object, matching = 'email_addresses') =>
    ask('PUT', `/objects/people/records?matching_attribute=${matching}`, { data: { values } });
  const { body } = await upsert({
    email_addresses: ['A@x.example', 'b@x.example'],
    phone_numbers: ['+14155550102'],
  });
  expect(body).toMatchObject({
    data: {
      id: { record_id: id },
      values: {
        email_addresses: ['a', 'c', 'b'].map((name) => ({ email_address: `${name}@x.example` })),
        phone_numbers: [{ phone_number: '+14155550102' }],
      },
    },
  });
  expect(idOf(await upsert({ email_addresses: ['new@x.example'] }))).not.toBe(id);
  expect(store.count('people')).toBe(2);
  const code = async (answer: ReturnType<typeof upsert>) => at((await answer).body, 'code');
  expect(await code(upsert({ email_addresses: ['a@x.example', 'new@x.example'] }))).toBe(
    'multiple_match_results',
  );
  expect(await code(upsert({ job_title: 'x' }, 'job_title'))).toBe(
    'matching_attribute_definition_not_unique',
  );
  expect(await code(upsert({ job_title: 'x' }, 'ghost'))).toBe('value_not_found');
  expect(await code(upsert({ job_title: 'x' }))).toBe('missing_value');
});

test('writing one side of a relationship changes the other', async () => {
  const { create, put, read } = await attio();
  const company = async () => idOf(await create('companies', {}));
  const [acme, globex] = [await company(), await company()];
  const target = (id: string) => ({ target_object: 'companies', target_record_id: id });
  const ada = idOf(await create('people', { company: target(acme) }));
  const team = async (id: string) => {
    const list = at((await read('companies', id)).body, 'data', 'values', 'team');
    return Array.isArray(list) ? list.map((each: unknown) => at(each, 'target_record_id')) : [];
  };
  expect([await team(acme), await team(globex)]).toEqual([[ada], []]);
  // A person has one company: taken into another team, it leaves the first.
  await put('companies', globex, { team: [{ target_object: 'people', target_record_id: ada }] });
  expect([await team(acme), await team(globex)]).toEqual([[], [ada]]);
  const { body } = await read('people', ada);
  expect(at(body, 'data', 'values', 'company')).toMatchObject([target(globex)]);
  await put('people', ada, { company: [] });
  expect(await team(globex)).toEqual([]);
});

test('a reference may name its record by a value, and only one that is there', async () => {
  const { create } = await attio();
  const acme = idOf(await create('companies', { domains: ['acme.example'] }));
  const by = (domain: string) =>
    create('people', { company: { target_object: 'companies', domains: [domain] } });
  const { body } = await by('acme.example');
  expect(at(body, 'data', 'values', 'company', 0, 'target_record_id')).toBe(acme);
  expect(await by('ghost.example')).toMatchObject({ body: { code: 'value_not_found' } });
  const wrong = { target_object: 'people', target_record_id: acme };
  expect(await create('people', { company: wrong })).toMatchObject({
    body: { code: 'validation_type' },
  });
});

test('a delete is final', async () => {
  const { ask, create, read } = await attio();
  const id = idOf(await create('companies', { domains: ['acme.example'] }));
  const gone = () => ask('DELETE', `/objects/companies/records/${id}`);
  expect(await gone()).toMatchObject({ status: 200, body: {} });
  expect(await gone()).toMatchObject({ status: 404, body: { code: 'not_found' } });
  expect((await read('companies', id)).status).toBe(404);
  expect((await create('companies', { domains: ['acme.example'] })).status).toBe(200);
});

test('a merge leaves a new record with what both held', async () => {
  const { ask, create, read, store } = await attio();
  const person = async (values: object) => idOf(await create('people', values));
  const primary = await person({ job_title: 'Head', email_addresses: ['a@x.example'] });
  const secondary = await person({
    job_title: 'Tail',
    description: 'kept',
    email_addresses: ['b@x.example'],
  });
  const target = { target_object: 'people', target_record_id: secondary };
  const deal = idOf(
    await create('deals', { name: 'x', stage: 'Lead', owner, associated_people: [target] }),
  );
  const project = idOf(await create('projects', { name: 'x', customer: target }));
  const merge = (one: string, other: string) =>
    ask('POST', '/objects/people/records/merge', {
      data: { primary_record_id: one, secondary_record_id: other },
    });
  const { status, body } = await merge(primary, secondary);
  const id = String(at(body, 'data', 'new_record_id'));
  expect(status).toBe(200);
  expect([primary, secondary]).not.toContain(id);
  expect(await read('people', id)).toMatchObject({
    body: {
      data: {
        values: {
          job_title: [{ value: 'Head' }],
          description: [{ value: 'kept' }],
          email_addresses: [{ email_address: 'a@x.example' }, { email_address: 'b@x.example' }],
          associated_deals: [{ target_record_id: deal }],
        },
      },
    },
  });
  expect(at((await read('deals', deal)).body, 'data', 'values', 'associated_people')).toMatchObject(
    [{ target_record_id: id }],
  );
  expect(at((await read('projects', project)).body, 'data', 'values', 'customer')).toMatchObject([
    { target_record_id: id },
  ]);
  expect(store.ids('people')).toEqual([id]);
  expect((await merge(primary, secondary)).status).toBe(404);
  expect(await merge(id, id)).toMatchObject({ status: 400, body: { code: 'self_merge' } });
});

test('the server adds companies and facts of its own, a moment later, where there is nothing', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { create, read, query } = await attio({
    clock: () => now,
    switches: { enriches: true },
  });
  const ada = idOf(await create('people', { email_addresses: ['ada@acme.example'] }));
  expect(column(await query('companies'), 'created_at')).toEqual([]);
  now += 500;
  const { body } = await read('people', ada);
  expect(at(body, 'data', 'values', 'company')).toMatchObject([
    { created_by_actor: { type: 'system', id: null } },
  ]);
  now += 500;
  const [company] = column(await query('companies'), 'values');
  expect(company).toMatchObject({
    domains: [{ domain: 'acme.example' }],
    categories: [{ created_by_actor: { type: 'system' } }],
    logo_url: [{}],
  });
});
