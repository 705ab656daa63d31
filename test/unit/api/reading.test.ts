import { describe, expect, it } from 'vitest';
import { checkExchange } from '../../api/clarify/check-exchange.ts';
import {
  acme,
  ada,
  classicPerson,
  errors,
  exchange,
  listing,
  page,
  person,
  system,
  told,
} from './exchanges.ts';

const included = { included: [] };
const people = page([person], included);
const workspace = told();

const get = (query: string, answer: unknown = people) =>
  checkExchange(
    exchange(`GET /objects/person/resources?page[limit]=500${query}`, { answer, workspace }),
  );
const answered = (answer: unknown) => checkExchange(exchange(listing, { answer }));
const withPerson = (attributes: Record<string, unknown>, rest = {}) =>
  page([{ ...person, attributes: { ...person.attributes, ...attributes }, ...rest }], included);

describe('a list of records', () => {
  it('is as the page says', () => {
    expect(answered(people)).toEqual([]);
    expect(answered(page([], included))).toEqual([]);
    expect(answered(withPerson({ name: null, _updated_at: null }))).toEqual([]);
    expect(
      checkExchange(
        exchange('GET /objects/person/resources?page[limit]=25', {
          dialect: 'classic',
          answer: {
            data: [classicPerson],
            links: {},
            meta: { total_records: 1, offset: 0, limit: 25, total_pages: 1 },
            included: [],
          },
        }),
      ),
    ).toEqual([]);
  });

  it.each([
    ['no prev', { ...people, links: { next: null } }, 'links.prev'],
    ['a relative next', { ...people, links: { next: '/v1/x', prev: null } }, 'links.next'],
    ['no links', { data: [], meta: people.meta, included: [] }, 'links'],
    ['no meta', { data: [], links: people.links, included: [] }, 'meta'],
    [
      'a total that is less',
      { ...people, meta: { ...people.meta, total_records: 0 } },
      'total_records',
    ],
    ['a limit of its own', { ...people, meta: { ...people.meta, limit: 100 } }, 'meta.limit'],
    ['an offset of its own', { ...people, meta: { ...people.meta, offset: 500 } }, 'meta.offset'],
    ['too few pages', { ...people, meta: { ...people.meta, total_pages: 9 } }, 'total_pages'],
    [
      'no next in the middle',
      { ...people, meta: { total_records: 900, offset: 0, limit: 500 } },
      'links.next',
    ],
    ['no included', page([person]), 'included'],
    ['something included unasked', page([person], { included: [person] }), 'included'],
    ['another key', { ...people, total: 1 }, 'total'],
    ['seconds alone', withPerson({ _created_at: '2026-09-01T08:30:00Z' }), '_created_at'],
    ['an offset', withPerson({ _updated_at: '2026-09-01T08:30:00.000+00:00' }), '_updated_at'],
    ['no time of creation', withPerson({ _created_at: undefined }), '_created_at'],
    ['a number for an id', withPerson({}, { id: 17 }), 'data[0].id'],
    ['an id of the other dialect', withPerson({}, { id: 'per_01HX' }), 'data[0].id'],
    ['an id that is not repeated', withPerson({ _id: undefined }), 'attributes._id'],
    ['another id repeated', withPerson({ _id: acme }), 'attributes._id'],
    ['another type', withPerson({}, { type: 'company' }), 'data[0].type'],
    ['a name that is a string', withPerson({ name: 'Ada' }), 'attributes.name'],
    ['another part of a name', withPerson({ name: { middle_name: 'A' } }), 'attributes.name'],
    ['a field of classic', withPerson({ title: 'Countess' }), 'attributes.title'],
    ['a flat link', withPerson({}, { relationships: { deals: [] } }), 'relationships.deals'],
    [
      'a count below the list',
      withPerson(
        {},
        { relationships: { deals: { data: [{ type: 'deal', id: acme }], meta: { count: 0 } } } },
      ),
      'relationships.deals',
    ],
    ['a record that was deleted', withPerson({ _deleted_at: 1_788_000_000 }), '_deleted_at'],
  ])('deviates with %s', (_name, answer, at) => {
    const found = answered(answer);
    expect(found.length).toBeGreaterThan(0);
    expect(
      found.every((each) => each.startsWith('GET /objects/{object}/resources: answer.body')),
    ).toBe(true);
    expect(found.join('\n')).toContain(at);
  });

  it('deviates in classic with what current sends', () => {
    const answer = {
      ...page([classicPerson], included),
      meta: { total_records: 1, offset: 0, limit: 500 },
    };
    expect(checkExchange(exchange(listing, { dialect: 'classic', answer }))).toHaveLength(3);
  });

  it('deviates in what the workspace itself declares', () => {
    expect(get('', withPerson({ met_at: '2026-09-01T08:30:00.000Z', born: '1815-12-10' }))).toEqual(
      [],
    );
    expect(get('', withPerson({ met_at: '2026-09-01T08:30:00Z' }))).toHaveLength(1);
    expect(get('', withPerson({ born: '1815-12-10T00:00:00.000Z' }))).toHaveLength(1);
    expect(get('', withPerson({ deals: [acme] }))).toHaveLength(1);
    expect(get('', withPerson({ tags: ['a'] }))).toHaveLength(1);
    expect(get('', withPerson({ tags: null }))).toEqual([]);
  });

  it('holds what was asked to be included, and tells of the links to it', () => {
    const company = { type: 'company', id: acme, attributes: { ...system, _id: acme } };
    const link = { company_id: { data: { type: 'company', id: acme } } };
    const asked = (relationships: unknown, related: readonly unknown[]) =>
      get('&include=company_id', page([{ ...person, relationships }], { included: related }));
    expect(asked(link, [company])).toEqual([]);
    expect(asked({ company_id: { data: null } }, [])).toEqual([]);
    expect(asked(undefined, [])[0]).toContain('was asked for');
    expect(asked(link, [company, company])[0]).toContain('comes twice');
    expect(asked({ company_id: { data: null } }, [company])[0]).toContain(
      'is linked to by no record',
    );
    expect(asked(link, [{ ...company, attributes: {} }])).not.toEqual([]);
  });

  it('is sorted as asked for', () => {
    const later = {
      ...person,
      id: acme,
      attributes: { ...system, _id: acme, _updated_at: '2026-09-02T00:00:00.000Z' },
    };
    const sorted = '&sortOrder[column]=_updated_at&sortOrder[dir]=ASC';
    expect(get(sorted, page([person, later], included))).toEqual([]);
    expect(get(sorted, page([later, person], included))).toHaveLength(1);
  });

  it('looks at some of many', () => {
    const bad = { ...person, id: 1 };
    const answer = page([...Array.from({ length: 400 }, () => person), bad, person], included);
    expect(checkExchange({ ...exchange(listing, { answer }), sample: 20 })).toEqual([]);
    expect(checkExchange(exchange(listing, { answer }))).toHaveLength(1);
  });
});

describe('a query', () => {
  it.each([
    '',
    '&page[offset]=500',
    '&filter[_updated_at][Is%20on%20or%20after]=2026-09-01T00:00:00.000Z',
    '&filter[_updated_at][Is+after]=a&filter[_updated_at][Is+before]=b',
    '&filter[age][Greater than or equal]=3',
    '&filter[job_title][Starts with]=C',
    '&filter[stage][One of]=New',
    '&filter[email_addresses][Contains]=a',
    '&filter[company_id][Is]=x',
    '&filter[toString][Is]=x',
    '&filter[job_title]=*x*',
  ])('may be %s', (query) => {
    const answer = query.includes('offset') ? page([], { included: [] }) : people;
    const found = get(query, answer).filter((each) => !each.includes('answer.body.meta.offset'));
    expect(found).toEqual([]);
  });

  it.each([
    ['&filter[_updated_at][is after]=a', 'is not an operator'],
    ['&filter[_updated_at][gt]=a', 'is not an operator'],
    ['&filter[_updated_at][Greater than]=a', 'of date'],
    ['&filter[_id][Is after]=a', 'of to-one'],
    ['&filter[company_id][Contains]=a', 'of to-one'],
    ['&filter[age][Is after]=1', 'of number'],
    ['&filter[stage][Contains]=a', 'of select'],
    ['&filter[email_addresses][Is]=a', 'of collection'],
    ['&filter[tags]=a', 'bare value'],
    ['&filter=a', 'is not a parameter'],
    ['&filter[a][b][c]=a', 'filter[field]'],
    ['&include=job_title', 'no relationship field'],
    ['&include=', 'names nothing'],
    ['&sortOrder[column]=_id', 'column and dir'],
    ['&sortOrder[column]=_id&sortOrder[dir]=asc', 'ASC or DESC'],
    ['&sort=-_updated_at', 'is not a parameter'],
    ['&fields[person]=name', 'is not a parameter'],
    ['&silent=true', 'is not a parameter'],
    ['&page[offset]=-1', 'whole number'],
    ['&page[offset]=0&page[offset]=0', 'twice'],
  ])('deviates as %s', (query, what) => {
    const found = get(query).filter((each) => each.includes(': request.'));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(what);
  });

  it('must have been refused where the page says so', () => {
    const call = 'GET /objects/person/resources?page[limit]=501';
    const page501 = { ...people, meta: { ...people.meta, limit: 500 } };
    expect(checkExchange(exchange(call, { answer: page501 }))).toEqual([
      'GET /objects/{object}/resources: request.query.page[limit] is more than 500',
      'GET /objects/{object}/resources: answer.status expected 400, for request.query.page[limit] is more than 500',
    ]);
    expect(checkExchange(exchange(call, { status: 400, answer: errors(400) }))).toHaveLength(1);
    const classic = exchange(call, {
      dialect: 'classic',
      answer: { ...page501, links: {}, meta: { ...page501.meta, limit: 501 }, data: [] },
    });
    expect(checkExchange(classic).filter((each) => each.includes('request.'))).toEqual([]);
  });

  it('always names a limit', () => {
    expect(
      checkExchange(exchange('GET /objects/person/resources', { answer: people }))[0],
    ).toContain('always sent');
  });
});

describe('other lists', () => {
  it('holds deletions with epoch seconds', () => {
    const call = 'GET /objects/person/deleted-resources?page[limit]=500';
    const gone = (at: unknown) =>
      page([{ ...person, attributes: { ...person.attributes, _deleted_at: at } }]);
    expect(
      checkExchange(
        exchange(`${call}&filter[_deleted_at][Greater than]=1`, { answer: gone(1_788_000_000) }),
      ),
    ).toEqual([]);
    expect(checkExchange(exchange(call, { status: 404, answer: errors(404) }))).toEqual([]);
    expect(checkExchange(exchange(call, { answer: gone(1_788_000_000_000) }))).toHaveLength(1);
    expect(
      checkExchange(exchange(call, { answer: gone('2026-09-01T08:30:00.000Z') })),
    ).toHaveLength(1);
    expect(
      checkExchange(
        exchange(`${call}&filter[_updated_at][Is after]=1`, { answer: gone(1_788_000_000) }),
      ),
    ).toHaveLength(1);
    expect(
      checkExchange(
        exchange(`${call}&sortOrder[column]=_id&sortOrder[dir]=ASC`, {
          answer: gone(1_788_000_000),
        }),
      ),
    ).toHaveLength(2);
    expect(
      checkExchange(
        exchange(`${call}&filter[_deleted_at][Is after]=1`, { status: 400, answer: errors(400) }),
      ),
    ).toHaveLength(1);
    expect(
      checkExchange(exchange(call, { dialect: 'classic', answer: gone(1_788_000_000) })),
    ).toHaveLength(1);
  });

  it('is a list for a to-one link too, of the object at its other end', () => {
    const call = `GET /objects/person/records/${ada}/relationships/company_id?page[limit]=500`;
    const company = { type: 'company', id: acme, attributes: { ...system, _id: acme } };
    expect(checkExchange(exchange(call, { answer: page([company]), workspace }))).toEqual([]);
    expect(checkExchange(exchange(call, { answer: { data: company }, workspace }))).toHaveLength(3);
    expect(checkExchange(exchange(call, { answer: page([person]), workspace }))).toHaveLength(1);
  });

  it('does not exist as GET …/records', () => {
    expect(checkExchange(exchange('GET /objects/person/records', { answer: people }))).toHaveLength(
      2,
    );
    expect(
      checkExchange(exchange('GET /objects/person/records', { status: 404, answer: errors(404) })),
    ).toHaveLength(1);
  });

  it('holds one record where one was asked for', () => {
    const call = `GET /objects/person/records/${ada}`;
    expect(checkExchange(exchange(call, { answer: { data: person } }))).toEqual([]);
    expect(checkExchange(exchange(call, { answer: person }))).not.toEqual([]);
  });
});
