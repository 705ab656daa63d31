import { type BrevoRemoteOptions, createBrevoRemote } from '../../../../src/crm/brevo/remote.ts';
import type { CallOptions } from '../../../../src/domain/remote.ts';
import type { ObjectSchema } from '../../../../src/domain/schema.ts';
import {
  instantClock,
  type Reply,
  type ScriptedServer,
  type Seen,
  startServer,
} from '../clarify/scripted-server.ts';

export const pull: CallOptions = { priority: 'pull', signal: new AbortController().signal };
export const push: CallOptions = { priority: 'push', signal: new AbortController().signal };

export const contactAttributes = {
  attributes: [
    { name: 'FIRSTNAME', category: 'normal', type: 'text' },
    { name: 'BORN', category: 'normal', type: 'date' },
    { name: 'SCORE', category: 'normal', type: 'float' },
    { name: 'VIP', category: 'normal', type: 'boolean' },
    { name: 'SMS', category: 'normal', type: 'text' },
    { name: 'EXT_ID', category: 'normal', type: 'text' },
    {
      name: 'HOBBIES',
      category: 'normal',
      type: 'multiple-choice',
      multiCategoryOptions: ['chess', 'golf'],
    },
    {
      name: 'PLAN',
      category: 'category',
      enumeration: [
        { value: 1, valueStr: '1', label: 'free' },
        { value: 0, valueStr: 'pro-x', label: 'Pro' },
      ],
    },
    { name: 'ORDERS', category: 'calculated', type: 'float', calculatedValue: 'COUNT[…]' },
    { name: 'ORDER_ID', category: 'transactional', type: 'id' },
  ],
};

export const companyAttributes = [
  { internalName: 'name', label: 'Name', attributeTypeName: 'text', isRequired: true },
  { internalName: 'domain', label: 'Domain', attributeTypeName: 'text' },
  {
    internalName: 'tier',
    label: 'Tier',
    attributeTypeName: 'single-select',
    attributeOptions: [{ key: 'k1', value: 'Gold' }],
  },
  { internalName: 'employees', label: 'Employees', attributeTypeName: 'number' },
  { internalName: 'created_at', label: 'Created', attributeTypeName: 'date' },
  { internalName: 'last_updated_at', label: 'Updated', attributeTypeName: 'date' },
];

const dealAttributes = [
  { internalName: 'deal_name', label: 'Deal', attributeTypeName: 'text', isRequired: true },
  { internalName: 'amount', label: 'Amount', attributeTypeName: 'number' },
  { internalName: 'pipeline', label: 'Pipeline', attributeTypeName: 'text' },
  { internalName: 'deal_stage', label: 'Stage', attributeTypeName: 'single-select' },
  { internalName: 'last_updated_date', label: 'Updated', attributeTypeName: 'date' },
];

export const vehicle = {
  fields: {
    plate: { type: 'text' },
    seats: { type: 'number' },
    bought: { type: 'date' },
    sold_at: { type: 'timestamp' },
    extras: { type: 'texts' },
  },
  links: { owner: 'contacts', buyer: 'companies' },
};

/** The account as it describes itself; null for what is no question about that. */
export function describe({ method, path }: Seen): Reply | null {
  if (method !== 'GET') return null;
  switch (path) {
    case '/v3/account':
      return { body: { organization_id: 'org-1', companyName: 'Acme' } };
    case '/v3/contacts/attributes':
      return { body: contactAttributes };
    case '/v3/crm/attributes/companies':
      return { body: companyAttributes };
    case '/v3/crm/attributes/deals':
      return { body: dealAttributes };
    case '/v3/crm/pipeline/details/all':
      return {
        body: [{ pipeline: 'p1', pipeline_name: 'Sales', stages: [{ id: 's1', name: 'New' }] }],
      };
    default:
      return null;
  }
}

export interface Opened {
  readonly remote: ReturnType<typeof createBrevoRemote>;
  readonly server: ScriptedServer;
  readonly clock: ReturnType<typeof instantClock>;
  /** Requests that were no questions about the account. */
  readonly asked: Seen[];
  schema(object: string): ObjectSchema;
}

/** A client of a server that describes its account, and answers as scripted to all else. */
export async function withBrevo<T>(
  answer: (request: Seen, count: number) => Reply | Promise<Reply>,
  use: (opened: Opened) => Promise<T>,
  options: Partial<BrevoRemoteOptions> = {},
  /** What it describes otherwise by then. */
  otherwise: (request: Seen) => Reply | null = () => null,
): Promise<T> {
  const asked: Seen[] = [];
  const server = await startServer((request) => {
    const described = otherwise(request) ?? describe(request);
    if (described !== null) return described;
    asked.push(request);
    return answer(request, asked.length);
  });
  const clock = instantClock();
  const remote = createBrevoRemote({
    baseUrl: server.url.replace(/\/v1$/, '/v3'),
    apiKey: 'key-1',
    allowancePercent: 80,
    objects: { vehicle },
    clock,
    ...options,
  });
  try {
    const schemas = await remote.discover(pull);
    const schema = (object: string) => {
      const found = schemas.find((one) => one.object === object);
      if (found === undefined) throw new Error(`no ${object}`);
      return found;
    };
    return await use({ remote, server, clock, asked, schema });
  } finally {
    await remote.stop();
    await server.close();
  }
}

export function contact(id: number, attributes: object = {}, more: object = {}) {
  return {
    id,
    email: `c${id}@example.com`,
    emailBlacklisted: false,
    smsBlacklisted: false,
    createdAt: '2026-02-09T20:33:59.705+01:00',
    modifiedAt: '2026-07-01T00:00:00.000+05:30',
    listIds: [12, 3],
    attributes,
    ...more,
  };
}

export function headers(limit: number, remaining: number, reset: number) {
  return {
    'x-sib-ratelimit-limit': String(limit),
    'x-sib-ratelimit-remaining': String(remaining),
    'x-sib-ratelimit-reset': String(reset),
  };
}
