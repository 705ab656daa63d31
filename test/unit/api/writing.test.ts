import { describe, expect, it } from 'vitest';
import { checkExchange } from '../../api/clarify/check-exchange.ts';
import { acme, ada, classicPerson, errors, exchange, person, told } from './exchanges.ts';

const one = `/objects/person/records/${ada}`;
const many = '/objects/person/records';
const attributes = { job_title: 'Countess' };
const update = { type: 'person', id: ada, attributes };
const workspace = told();

const sent = (call: string, body: unknown, answer: unknown, status = 200) =>
  checkExchange(exchange(call, { body, answer, status, workspace }));
const refused = (call: string, body: unknown, status = 422) =>
  sent(call, body, errors(status), status);

describe('a write', () => {
  it.each([
    [
      `POST ${many}`,
      { data: { type: 'person', attributes }, match_on: 'email_addresses' },
      201,
      { data: person },
    ],
    [`POST ${many}?silent=true`, { data: { type: 'person', attributes } }, 201, { data: person }],
    [`POST ${many}/bulk`, { data: [{ type: 'person', attributes }] }, 201, { data: [person] }],
    [`PATCH ${one}`, { data: update }, 200, { data: person }],
    [
      `PATCH ${many}`,
      { data: [update], meta: { email_addresses: { collection: 'append' } } },
      200,
      { data: [person] },
    ],
    [
      `PATCH /objects/c_x/records`,
      { data: [{ ...update, type: 'c_x' }] },
      200,
      { data: [{ ...person, type: 'c_x' }] },
    ],
    [`DELETE ${one}`, undefined, 200, {}],
    [`DELETE ${many}`, { items: [ada] }, 200, {}],
    [
      `POST ${one}/merges`,
      { data: { type: 'person', attributes: { sources: [acme] } } },
      204,
      undefined,
    ],
    [`PATCH ${one}/relationships/deals`, { data: [{ type: 'deal', id: acme }] }, 200, { data: [] }],
    [
      `PATCH ${one}/relationships/company_id`,
      { data: [{ type: 'company', id: null }] },
      204,
      undefined,
    ],
    [`DELETE ${one}/relationships/deals`, { data: [{ type: 'deal', id: acme }] }, 204, undefined],
    ['POST /comments', { _id: ada, text: 'Hello' }, 201, { _id: ada }],
  ])('is %s', (call, body, status, answer) => {
    expect(sent(call, body, answer, status)).toEqual([]);
  });

  it.each([
    [
      'an id in a create',
      `POST ${many}`,
      { data: { type: 'person', id: ada, attributes } },
      'data.id',
    ],
    ['another key of an item', `PATCH ${many}`, { data: [{ ...update, meta: {} }] }, 'meta'],
    ['another key on top', `PATCH ${many}`, { data: [update], match_on: 'name' }, 'match_on'],
    [
      'an unknown way to merge',
      `PATCH ${one}`,
      { data: update, meta: { tags: { collection: 'merge' } } },
      'meta.tags',
    ],
    [
      'a system field',
      `PATCH ${one}`,
      { data: { ...update, attributes: { _updated_at: 'now' } } },
      '_updated_at',
    ],
    [
      'a bare array',
      `PATCH ${one}`,
      { data: { ...update, attributes: { email_addresses: ['a@b.c'] } } },
      'email_addresses',
    ],
    [
      'a bare multi-select',
      `PATCH ${one}`,
      { data: { ...update, attributes: { tags: ['a'] } } },
      'tags',
    ],
    [
      'a to-many link',
      `PATCH ${one}`,
      { data: { ...update, attributes: { deals: { items: [acme] } } } },
      'deals',
    ],
    [
      'rich text as a string',
      `PATCH ${one}`,
      { data: { ...update, attributes: { about: 'Hi' } } },
      'about',
    ],
    ['no type', `POST ${many}`, { data: { attributes } }, 'data.type'],
    ['another type', `PATCH ${many}`, { data: [{ ...update, type: 'deal' }] }, 'data[0].type'],
    ['another id', `PATCH ${one}`, { data: { ...update, id: acme } }, 'data.id'],
    ['no id', `PATCH ${many}`, { data: [{ type: 'person', attributes }] }, 'data[0].id'],
    ['one item bare', `POST ${many}/bulk`, { data: { type: 'person', attributes } }, 'data'],
    ['no item', `DELETE ${many}`, { items: [] }, 'items'],
    ['numbers for ids', `DELETE ${many}`, { items: [7] }, 'items[0]'],
    ['resources for ids', `DELETE ${many}`, { data: [{ id: ada }] }, 'items'],
    ['a body where none is', `DELETE ${one}`, { data: update }, 'request.body'],
    ['sources at the top', `POST ${one}/merges`, { sources: [acme] }, 'data'],
    [
      'one link bare',
      `PATCH ${one}/relationships/deals`,
      { data: { type: 'deal', id: acme } },
      'data',
    ],
    ['a silence that is none', `PATCH ${one}?silent=1`, { data: update }, 'silent'],
    ['another parameter', `PATCH ${one}?notify=false`, { data: update }, 'notify'],
  ])('deviates with %s', (_name, call, body, at) => {
    const found = refused(call, body);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((each) => each.includes(': request.'))).toBe(true);
    expect(found.join('\n')).toContain(at);
  });

  it('never goes to a custom object by itself, and is answered 500 there', () => {
    const call = `PATCH /objects/c_x/records/${ada}`;
    const body = { data: { ...update, type: 'c_x' } };
    expect(refused(call, body, 500)).toHaveLength(1);
    expect(sent(call, body, { data: { ...person, type: 'c_x' } })).toHaveLength(2);
  });

  it('is at most 25 records in classic', () => {
    const call = (dialect: 'current' | 'classic', record: { readonly id: string }) => {
      const data = Array.from({ length: 26 }, () => ({ ...update, id: record.id }));
      const answer = { data: data.map(() => record) };
      return checkExchange(exchange(`PATCH ${many}`, { dialect, body: { data }, answer }));
    };
    expect(call('current', person)).toEqual([]);
    expect(call('classic', classicPerson)).toHaveLength(2);
  });
});

describe('the answer to a write', () => {
  const created = { data: [{ type: 'person', attributes }] };

  it.each([
    ['a create that says 200', `POST ${many}/bulk`, created, 200, { data: [person] }],
    ['a bulk create that holds none', `POST ${many}/bulk`, created, 201, { data: [] }],
    ['a bulk update that holds none', `PATCH ${many}`, { data: [update] }, 200, { data: [] }],
    ['half of a bulk update', `PATCH ${many}`, { data: [update] }, 207, { data: [person] }],
    [
      'errors with success',
      `PATCH ${many}`,
      { data: [update] },
      200,
      { data: [person], errors: [] },
    ],
    ['a single update that lists', `PATCH ${one}`, { data: update }, 200, { data: [person] }],
    ['a deletion of current without a body', `DELETE ${one}`, undefined, 200, undefined],
    ['a deletion of current that says 204', `DELETE ${many}`, { items: [ada] }, 204, undefined],
    [
      'a merge that says 200',
      `POST ${one}/merges`,
      { data: { type: 'person', attributes: { sources: [acme] } } },
      200,
      {},
    ],
    [
      '204 with a body',
      `DELETE ${one}/relationships/deals`,
      { data: [{ type: 'deal', id: acme }] },
      204,
      {},
    ],
  ])('deviates with %s', (_name, call, body, status, answer) => {
    const found = sent(call, body, answer, status);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((each) => each.includes(': answer.'))).toBe(true);
  });

  it.each([
    ['a system field', { _created_at: 'x' }],
    ['a bare array', { email_addresses: ['a@b.c'] }],
    ['casing of a choice', { stage: 'new' }],
    ['no e-mail', { email_addresses: { items: ['nobody'] } }],
    ['a number without bounds', { age: 1e13 }],
  ])('deviates where it takes %s', (_name, wrong) => {
    const body = { data: [{ ...update, attributes: wrong }] };
    const found = sent(`PATCH ${many}`, body, { data: [person] });
    expect(found.filter((each) => each.includes('answer.status expected 4'))).toHaveLength(1);
  });

  it('is no fault of the client where a person wrote it', () => {
    const body = { data: [{ ...update, attributes: { stage: 'new' } }] };
    expect(refused(`PATCH ${many}`, body)).toEqual([]);
  });
});
