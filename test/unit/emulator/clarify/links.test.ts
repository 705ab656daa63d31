import { describe, expect, test } from 'vitest';
import { connect } from './api-client.ts';

async function dealWithPeople() {
  const connection = await connect();
  const { store } = connection.emulator;
  const [ann = '', bob = '', cy = ''] = ['ann', 'bob', 'cy'].map((name) =>
    store.create('person', { email_addresses: { items: [`${name}@x.example`] } }),
  );
  const company = store.create('company', { name: 'Acme' });
  const deal = store.create('deal', { name: 'Deal' });
  const relate = (method: string, object: string, id: string, field: string, data: unknown) =>
    connection.call(method, `/objects/${object}/records/${id}/relationships/${field}`, { data });
  const people = (...ids: string[]) => ids.map((id) => ({ type: 'person', id }));
  return { ...connection, store, ann, bob, cy, company, deal, relate, people };
}

describe('relationships', () => {
  test('a many-to-many PATCH replaces the set, and both sides see it', async () => {
    const { store, deal, ann, bob, cy, relate, people } = await dealWithPeople();
    expect((await relate('PATCH', 'deal', deal, 'people', people(ann, bob))).status).toBe(200);
    await relate('PATCH', 'deal', deal, 'people', people(bob, cy));
    expect(store.linked('deal', deal, 'people').toSorted()).toEqual([bob, cy].toSorted());
    expect(store.linked('person', ann, 'deals')).toEqual([]);
    expect(store.linked('person', cy, 'deals')).toEqual([deal]);
    await relate('DELETE', 'person', cy, 'deals', [{ type: 'deal', id: deal }]);
    expect(store.linked('deal', deal, 'people')).toEqual([bob]);
  });

  test('a one-to-many PATCH adds, DELETE unlinks, and the other side’s attribute follows', async () => {
    const { store, company, ann, bob, relate, people } = await dealWithPeople();
    await relate('PATCH', 'company', company, 'people', people(ann));
    await relate('PATCH', 'company', company, 'people', people(bob));
    expect(store.linked('company', company, 'people')).toEqual([ann, bob]);
    expect(store.get('person', ann)?.attributes.company_id).toBe(company);
    await relate('DELETE', 'company', company, 'people', people(ann));
    expect(store.get('person', ann)?.attributes.company_id).toBeNull();
    expect(store.linked('company', company, 'people')).toEqual([bob]);
  });

  test('a to-one PATCH replaces, and an id of null clears', async () => {
    const { store, company, ann, relate } = await dealWithPeople();
    await relate('PATCH', 'person', ann, 'company_id', [{ type: 'company', id: company }]);
    expect(store.get('person', ann)?.attributes.company_id).toBe(company);
    await relate('PATCH', 'person', ann, 'company_id', [{ type: 'company', id: null }]);
    expect(store.get('person', ann)?.attributes.company_id).toBeNull();
  });

  test('GET pages through full records beyond the cap of include', async () => {
    const { emulator, get, call, ids } = await connect();
    const { store } = emulator;
    const deal = store.create('deal', { name: 'Deal' });
    const people = Array.from({ length: 60 }, () => store.create('person', {}));
    store.link('deal', deal, 'people', people);
    const path = `/objects/deal/records/${deal}/relationships/people`;
    const first = await get(path, { 'page[limit]': 40 });
    expect(first.body.meta).toMatchObject({ total_records: 60, limit: 40 });
    expect(first.body.data[0]?.attributes).toHaveProperty('email_addresses');
    const rest = await ids(path, { 'page[limit]': 40, 'page[offset]': 40 });
    expect([...first.body.data.map(({ id }) => id), ...rest]).toEqual(people);
    expect((await call('GET', `/objects/deal/records/${deal}/relationships/name`)).status).toBe(
      404,
    );
  });

  test('GET lists what a to-one field holds as well', async () => {
    const { company, ann, bob, store, call } = await dealWithPeople();
    store.update('person', ann, { company_id: company });
    const list = (id: string) =>
      call('GET', `/objects/person/records/${id}/relationships/company_id`);
    const { body } = await list(ann);
    expect(body.data).toMatchObject([
      { type: 'company', id: company, attributes: { name: 'Acme' } },
    ]);
    expect(body).toMatchObject({ meta: { total_records: 1 }, links: { next: null, prev: null } });
    expect((await list(bob)).body.data).toEqual([]);
  });

  test('unknown ids and other types are refused and nothing is applied', async () => {
    const { store, deal, ann, company, relate, people } = await dealWithPeople();
    const unknown = [...people(ann), { type: 'person', id: 'unknown' }];
    expect((await relate('PATCH', 'deal', deal, 'people', unknown)).status).toBe(404);
    const wrong = [{ type: 'company', id: company }];
    const answer = await relate('PATCH', 'deal', deal, 'people', wrong);
    expect(answer.body.errors[0]?.source?.pointer).toBe('/data/0/type');
    expect(store.linked('deal', deal, 'people')).toEqual([]);
  });

  test('an object can be linked with itself', async () => {
    const { store, ann, bob } = await dealWithPeople();
    const form = { kind: 'link', relation: 'many-to-many', entity: 'person' } as const;
    store.addField('person', { name: 'friends', form: { ...form, field: 'friends' } });
    store.addField('person', { name: 'mentors', form: { ...form, field: 'mentees' } });
    store.addField('person', { name: 'mentees', form: { ...form, field: 'mentors' } });
    store.link('person', ann, 'friends', [bob]);
    expect(store.linked('person', bob, 'friends')).toEqual([ann]);
    store.link('person', ann, 'mentors', [bob]);
    expect(store.linked('person', bob, 'mentees')).toEqual([ann]);
    expect(store.linked('person', bob, 'mentors')).toEqual([]);
  });
});

describe('merges', () => {
  test('sources vanish, links move, and the target names them', async () => {
    const { call, get, store, ann, bob, cy, company, deal, people, relate } =
      await dealWithPeople();
    store.update('person', bob, { job_title: 'CEO', company_id: company });
    await relate('PATCH', 'deal', deal, 'people', people(bob, cy));
    const task = store.create('task', { title: 'Call', person_id: bob });
    const merge = (target: string, ...sources: string[]) =>
      call('POST', `/objects/person/records/${target}/merges`, {
        data: { type: 'person', attributes: { sources } },
      });
    const answer = await merge(ann, bob);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await get(`/objects/person/records/${bob}`)).status).toBe(404);
    expect(store.get('person', ann)?.attributes).toMatchObject({
      _merged_ids: { items: [bob] },
      job_title: 'CEO',
      company_id: company,
      email_addresses: { items: ['ann@x.example', 'bob@x.example'] },
    });
    expect(store.linked('deal', deal, 'people').toSorted()).toEqual([ann, cy].toSorted());
    expect(store.get('task', task)?.attributes.person_id).toBe(ann);
    expect(store.linked('company', company, 'people')).toEqual([ann]);
    await merge(cy, ann);
    expect(store.get('person', cy)?.attributes._merged_ids).toEqual({ items: [bob, ann] });
    expect((await merge(cy, cy)).status).toBe(422);
    expect((await merge(cy, bob)).status).toBe(404);
  });
});
