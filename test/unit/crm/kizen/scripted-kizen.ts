import { createKizenRemote, type KizenRemoteOptions } from '../../../../src/crm/kizen/remote.ts';
import type { ObjectSchema } from '../../../../src/domain/schema.ts';
import {
  instantClock,
  push,
  type Reply,
  type ScriptedServer,
  type Seen,
  startServer,
} from '../clarify/scripted-server.ts';

export const BUSINESS = '6f1c8a52-0000-4000-8000-00000000b001';

/** A UUID that tells what it is of. */
export function id(name: string): string {
  const hex = Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

interface Sketch {
  readonly type: string;
  readonly custom?: boolean;
  readonly readOnly?: boolean;
  readonly nulls?: boolean;
  readonly empty?: boolean;
  readonly options?: readonly (readonly [label: string, code?: string])[];
  readonly to?: readonly [object: string, field: string, cardinality: string];
  readonly more?: object;
}

const common: Readonly<Record<string, Sketch>> = {
  owner: { type: 'team_selector' },
  created: { type: 'datetime', readOnly: true },
  updated: { type: 'datetime', readOnly: true },
  display_name: { type: 'text', readOnly: true },
};

export const objects: Readonly<Record<string, Readonly<Record<string, Sketch>>>> = {
  client_client: {
    ...common,
    first_name: { type: 'text' },
    email: { type: 'email' },
    mobile_phone: { type: 'phonenumber' },
    tags: { type: 'dynamictags' },
    timezone: { type: 'timezone' },
    deals: { type: 'relationship', to: ['deal', 'contacts', 'many_to_many'] },
    company: { type: 'relationship', to: ['company', 'people', 'many_to_one'] },
  },
  company: {
    ...common,
    name: { type: 'text', nulls: false },
    size: { type: 'integer', custom: true },
    ratio: { type: 'decimal', custom: true },
    revenue: {
      type: 'money',
      custom: true,
      more: { money_options: { currency: 'USD', symbol: '$' } },
    },
    cents: { type: 'decimal', custom: true, more: { decimal_places: 2 } },
    people: { type: 'relationship', to: ['client_client', 'company', 'one_to_many'] },
    main: { type: 'relationship', custom: true, to: ['client_client', 'main_of', 'one_to_one'] },
    files: { type: 'files', custom: true },
    gone: { type: 'text', custom: true, more: { deleted: true } },
    secret: { type: 'text', custom: true, more: { access: { view: false, edit: false } } },
    rocket: { type: 'hologram', custom: true },
  },
  deal: {
    ...common,
    name: { type: 'text', nulls: false },
    stage: { type: 'status', readOnly: true },
    note: { type: 'longtext', custom: true, nulls: false, empty: true },
    plan: { type: 'dropdown', custom: true, options: [['Basic'], ['Pro']] },
    twin: { type: 'radio', custom: true, options: [['Same'], ['Same'], ['Other']] },
    likes: {
      type: 'yesnomaybe',
      custom: true,
      options: [
        ['Yes', 'yes'],
        ['No', 'no'],
        ['Maybe', 'maybe'],
      ],
    },
    colors: { type: 'checkboxes', custom: true, options: [['Red'], ['Blue']] },
    choice: { type: 'choices', custom: true, options: [['One'], ['Two']] },
    score: {
      type: 'rating',
      custom: true,
      options: [
        ['1', '1'],
        ['2', '2'],
        ['5', '5'],
      ],
    },
    hot: { type: 'checkbox', custom: true },
    closes: { type: 'date', custom: true },
    seen: { type: 'datetime', custom: true },
    contacts: { type: 'relationship', to: ['client_client', 'deals', 'many_to_many'] },
    parent: { type: 'relationship', custom: true, to: ['deal', 'children', 'many_to_one'] },
    children: { type: 'relationship', custom: true, to: ['deal', 'parent', 'one_to_many'] },
    unseen: { type: 'relationship', custom: true, to: ['hidden_object', 'x', 'many_to_one'] },
  },
};

export const stages = ['New', 'Talking', 'Won'].map((name, order) => ({
  id: id(`stage-${name}`),
  name,
  status: name === 'Won' ? 'won' : 'open',
  order,
}));

export function fieldId(object: string, field: string): string {
  return id(`${object.slice(0, 6)}.${field}`);
}

export function optionId(field: string, label: string, n = 0): string {
  return id(`${field}=${label}${n || ''}`);
}

function fieldItems(object: string): readonly unknown[] {
  return Object.entries(objects[object] ?? {}).map(([name, sketch]) => ({
    id: fieldId(object, name),
    name,
    display_name: name.toUpperCase(),
    field_type: sketch.type,
    is_required: name === 'name',
    is_read_only: sketch.readOnly ?? false,
    is_default: sketch.custom !== true,
    allows_nulls: sketch.nulls ?? true,
    allows_empty: sketch.empty ?? false,
    deleted: false,
    options: (sketch.options ?? []).map(([label, code = ''], n) => ({
      id: optionId(name, label, label === 'Same' ? n : 0),
      code,
      name: label,
      order: n,
      meta: {},
    })),
    relation:
      sketch.to === undefined
        ? null
        : {
            related_object: id(sketch.to[0]),
            related_object_object_name: sketch.to[0],
            related_field: fieldId(sketch.to[0], sketch.to[1]),
            relation_type: 'primary',
            cardinality: sketch.to[2],
          },
    ...sketch.more,
  }));
}

const page = (results: readonly unknown[], next: string | null = null) => ({
  count: results.length,
  next,
  previous: null,
  results,
  errors: [],
});

/** The workspace as it describes itself; null for what is no question about that. */
export function schemaReply({ method, path, query }: Seen): Reply | null {
  if (method !== 'GET') return null;
  if (path === '/api/business/mine') return { body: { id: BUSINESS, name: 'Acme', timezone: {} } };
  if (path === '/api/custom-objects') {
    const items = Object.keys(objects).map((name) => ({
      id: id(name),
      name,
      object_name: `${name}s`,
      entity_name: name,
      object_type: name === 'deal' ? 'pipeline' : 'standard',
      is_custom: name !== 'client_client',
    }));
    // Another host, which nobody is to follow.
    const isLast = query.get('page') === '2';
    return {
      body: isLast
        ? page(items.slice(2))
        : page(items.slice(0, 2), 'http://other.example/api/custom-objects?page=2'),
    };
  }
  const [, object, what] = /^\/api\/(?:custom-objects|pipelines)\/([^/]+)\/(\w+)$/.exec(path) ?? [];
  const name = Object.keys(objects).find((one) => id(one) === object);
  if (name === undefined) return null;
  if (what === 'fields') return { body: fieldItems(name) };
  return what === 'stages' ? { body: stages } : null;
}

export interface Talk {
  readonly remote: ReturnType<typeof createKizenRemote>;
  readonly of: (object: string) => ObjectSchema;
  readonly seen: Seen[];
  readonly clock: ReturnType<typeof instantClock>;
}

/** A client that has discovered a business, of a server that answers as scripted to all else. */
export async function withKizen<T>(
  answer: (request: Seen, count: number) => Reply | Promise<Reply>,
  use: (talk: Talk) => Promise<T>,
  {
    describe = schemaReply,
    discovers = true,
    ...options
  }: Partial<KizenRemoteOptions> & {
    readonly describe?: (request: Seen) => Reply | null;
    readonly discovers?: boolean;
  } = {},
): Promise<T> {
  const server: ScriptedServer = await startServer(
    (request, count) => describe(request) ?? answer(request, count),
  );
  const clock = instantClock();
  const remote = createKizenRemote({
    baseUrl: server.url.replace(/\/v1$/, '/api'),
    apiKey: 'key-1',
    userId: 'user-1',
    businessId: BUSINESS,
    allowancePercent: 80,
    clock,
    ...options,
  });
  try {
    const found = discovers ? await remote.discover(push) : [];
    server.seen.length = 0;
    const of = (name: string): ObjectSchema => {
      const schema = found.find(({ object }) => object === name);
      if (schema === undefined) throw new Error(`no ${name}`);
      return schema;
    };
    return await use({ remote, of, seen: server.seen, clock });
  } finally {
    await remote.stop();
    await server.close();
  }
}

/** A record as it is read; blank fields left out. */
export function record(
  object: string,
  name: string,
  fields: Readonly<Record<string, unknown>> = {},
  how: 'full' | 'thin' = 'full',
) {
  const all: Readonly<Record<string, unknown>> = {
    created: '2026-03-01T09:00:00.000001-05:00',
    updated: '2026-03-31T12:27:20.152070-05:00',
    ...fields,
  };
  return {
    id: name,
    ...(how === 'full' && { object_type: object, client_info: {}, access: {} }),
    fields: Object.fromEntries(
      Object.entries(all).map(([field, value]) => {
        const uuid = fieldId(object, field);
        const thin = { name: field, value };
        const type = objects[object]?.[field]?.type;
        return [
          uuid,
          how === 'thin' ? thin : { id: uuid, field_type: type, display_name: field, ...thin },
        ];
      }),
    ),
  };
}

export function rows(
  results: readonly unknown[],
  more: { readonly count?: number; readonly next?: string | null } = {},
): Reply {
  return {
    body: { count: results.length, next: null, previous: null, results, errors: [], ...more },
  };
}

/** What a write of fields has sent, by name. */
export function sentFields(
  object: string,
  { body }: Seen | { body?: unknown },
): Record<string, unknown> {
  const { fields } = body as { fields: { id: string; value?: unknown }[] };
  const names = new Map(
    Object.keys(objects[object] ?? {}).map((name) => [fieldId(object, name), name]),
  );
  return Object.fromEntries(fields.map((entry) => [names.get(entry.id) ?? entry.id, entry.value]));
}

export const notFound: Reply = { status: 404, body: { detail: 'Not found.', code: 'not_found' } };

export async function update(talk: Talk, object: string, fields: Record<string, never> | object) {
  const records = [{ id: 'r-1', fields: fields as Record<string, never> }];
  const [told] = await talk.remote.update({ object: talk.of(object), records }, push);
  return told;
}

export async function create(talk: Talk, object: string, fields: object, matchOn?: string) {
  const records = [fields as Record<string, never>];
  return await talk.remote.create({ object: talk.of(object), records, matchOn }, push);
}
