import type { Dialect, Exchange, Workspace } from '../../api/clarify/exchange.ts';
import { FieldBook } from '../../api/clarify/field-book.ts';

export const ada = '0b7f6e0c-3f6a-4b7e-9d53-5f0c8a1b2c3d';
export const acme = '5d1f0a52-8a44-4f0e-8a3e-0a4f3c2b1d00';
const time = '2026-09-01T08:30:00.000Z';

const headers = {
  'x-ratelimit-limit': '3000',
  'x-ratelimit-remaining': '2999',
  'x-ratelimit-reset': '42',
};

export interface Parts {
  readonly dialect?: Dialect;
  readonly body?: unknown;
  readonly status?: number;
  readonly answer?: unknown;
  readonly requestHeaders?: Record<string, string | undefined>;
  readonly answerHeaders?: Record<string, string | undefined>;
  readonly workspace?: Workspace;
}

/** `call` is `GET /objects/person/resources?page[limit]=500`; what is not given is as it should be. */
export function exchange(call: string, parts: Parts = {}): Exchange {
  const [method = '', path = ''] = call.split(/ (.*)/);
  const body = parts.body === undefined ? '' : JSON.stringify(parts.body);
  return {
    dialect: parts.dialect ?? 'current',
    request: {
      method,
      url: `/v1/workspaces/acme${path}`,
      headers: {
        authorization: 'api-key key-1',
        'user-agent': 'clarify-sync/0.1.0',
        ...(body && { 'content-type': 'application/json' }),
        ...parts.requestHeaders,
      },
      body,
    },
    answer: {
      status: parts.status ?? 200,
      headers: {
        ...headers,
        'content-type': 'application/json; charset=utf-8',
        ...parts.answerHeaders,
      },
      body: parts.answer === undefined ? '' : JSON.stringify(parts.answer),
    },
    workspace: { apiKey: 'key-1', ...parts.workspace },
  };
}

export const system = { _id: ada, _created_at: time, _updated_at: time };

export const person = {
  type: 'person',
  id: ada,
  attributes: {
    ...system,
    name: { first_name: 'Ada', last_name: 'King', full_name: 'Ada King' },
    job_title: 'Countess',
    email_addresses: { items: ['ada@example.com'] },
    company_id: acme,
  },
};

export const classicPerson = {
  type: 'person',
  id: 'per_01HX',
  attributes: { _created_at: time, name: 'Ada King', title: 'Countess', company_name: 'Acme' },
};

export function page(data: readonly unknown[], rest: Record<string, unknown> = {}) {
  return {
    data,
    links: { next: null, prev: null },
    meta: { total_records: data.length, offset: 0, limit: 500, total_pages: data.length ? 1 : 0 },
    ...rest,
  };
}

export const listing = 'GET /objects/person/resources?page[limit]=500';

export const errors = (status: number, rest: Record<string, unknown> = {}) => ({
  errors: [{ status: String(status), detail: 'It is not so.', ...rest }],
});

const property = {
  person: {
    name: { $ref: 'https://getclarify.ai/schemas/core/personName' },
    email_addresses: {
      oneOf: [{ $ref: 'https://getclarify.ai/schemas/core/emailAddresses' }, { type: 'null' }],
      xClarifyUnique: true,
    },
    job_title: { type: ['string', 'null'] },
    age: { type: ['number', 'null'] },
    stage: { enum: ['New', 'Old'] },
    born: { type: ['date', 'null'], format: 'date' },
    met_at: { type: ['string', 'null'], format: 'date-time' },
    tags: { items: { enum: ['a', 'b'] } },
    company_id: {
      type: ['string', 'null'],
      xClarifyRelationship: { kind: 'many-to-one', entity: 'company', field: 'people' },
    },
    deals: { xClarifyRelationship: { kind: 'many-to-many', entity: 'deal', field: 'people' } },
    about: { $ref: 'https://getclarify.ai/schemas/core/richText' },
    _created_at: { type: 'object', format: 'date-time' },
  },
};

export const personSchema = {
  type: 'schema',
  id: 'https://getclarify.ai/schemas/entities/person',
  attributes: {
    $id: 'https://getclarify.ai/schemas/entities/person',
    title: 'person',
    type: 'object',
    xClarifyNamespace: 'objects',
    xClarifyLabel: { singular: 'Person', plural: 'People' },
    properties: property.person,
  },
};

/** A workspace of which `/schemas` has been read. */
export function told(): Workspace {
  const fields = new FieldBook();
  fields.learn({ data: [personSchema] });
  return { apiKey: 'key-1', fields };
}
