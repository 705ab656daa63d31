import { type AttioRemoteOptions, createAttioRemote } from '../../../../src/crm/attio/remote.ts';
import {
  instantClock,
  type Reply,
  type ScriptedServer,
  type Seen,
  startServer,
} from '../clarify/scripted-server.ts';

export const ids = {
  workspace: '14beef7a-99f7-4534-a87e-70b564330a4c',
  people: '97052eb9-e65e-443f-a297-f2d9a4a7f795',
  companies: 'b1a2c3d4-0000-4000-8000-000000000001',
  deals: 'b1a2c3d4-0000-4000-8000-000000000002',
};

const objects = [
  { slug: 'people', one: 'Person', many: 'People' },
  { slug: 'companies', one: 'Company', many: 'Companies' },
  { slug: 'deals', one: 'Deal', many: 'Deals' },
] as const;

interface Sketch {
  readonly type: string;
  readonly multi?: boolean;
  readonly unique?: boolean;
  readonly readOnly?: boolean;
  readonly archived?: boolean;
  readonly pair?: readonly [object: keyof typeof ids, slug: string];
  readonly allowed?: readonly string[] | null;
}

const common: Readonly<Record<string, Sketch>> = {
  record_id: { type: 'text', unique: true, readOnly: true },
  created_at: { type: 'timestamp', readOnly: true },
  created_by: { type: 'actor-reference', readOnly: true },
};

export const attributes: Readonly<Record<string, Readonly<Record<string, Sketch>>>> = {
  people: {
    ...common,
    name: { type: 'personal-name' },
    email_addresses: { type: 'email-address', multi: true, unique: true },
    phone_numbers: { type: 'phone-number', multi: true },
    company: {
      type: 'record-reference',
      pair: ['companies', 'team'],
      allowed: [ids.companies],
    },
    associated_deals: {
      type: 'record-reference',
      multi: true,
      pair: ['deals', 'associated_people'],
      allowed: [ids.deals],
    },
    home: { type: 'location' },
    seen_at: { type: 'timestamp' },
    old: { type: 'text', archived: true },
    last_email_interaction: { type: 'interaction', readOnly: true },
  },
  companies: {
    ...common,
    name: { type: 'text' },
    domains: { type: 'domain', multi: true, unique: true },
    team: {
      type: 'record-reference',
      multi: true,
      pair: ['people', 'company'],
      allowed: [ids.people],
    },
  },
  deals: {
    ...common,
    name: { type: 'text' },
    stage: { type: 'status' },
    owner: { type: 'actor-reference' },
    value: { type: 'currency' },
    score: { type: 'rating' },
    labels: { type: 'select', multi: true },
    about: { type: 'record-reference', allowed: null },
    anything: { type: 'record-reference', multi: true, allowed: [ids.people, ids.companies] },
    associated_people: {
      type: 'record-reference',
      multi: true,
      pair: ['people', 'associated_deals'],
      allowed: [ids.people],
    },
  },
};

function attributeId(object: string, slug: string): string {
  return `${object}-${slug}`;
}

function attributeItems(object: string): readonly unknown[] {
  return Object.entries(attributes[object] ?? {}).map(([slug, sketch]) => ({
    id: {
      workspace_id: ids.workspace,
      object_id: object,
      attribute_id: attributeId(object, slug),
    },
    title: slug.toUpperCase(),
    api_slug: slug,
    type: sketch.type,
    is_multiselect: sketch.multi ?? false,
    is_unique: sketch.unique ?? false,
    is_writable: !(sketch.readOnly ?? false),
    is_archived: sketch.archived ?? false,
    // As in 2025: nothing but ids.
    relationship:
      sketch.pair === undefined
        ? null
        : {
            id: {
              object_id: ids[sketch.pair[0]],
              attribute_id: attributeId(...sketch.pair),
            },
          },
    config: {
      currency: { default_currency_code: null, display_type: null },
      record_reference: { allowed_object_ids: sketch.allowed ?? null },
    },
  }));
}

const objectItems = [
  ...objects.map(({ slug, one, many }) => ({
    id: { workspace_id: ids.workspace, object_id: ids[slug] },
    api_slug: slug,
    singular_noun: one,
    plural_noun: many,
    created_at: '2025-05-15T21:46:52.967000000Z',
  })),
  { id: { workspace_id: ids.workspace, object_id: 'x' }, api_slug: null, singular_noun: 'Void' },
];

export const self = {
  active: true,
  scope: 'record_permission:read-write object_configuration:read user_management:read',
  workspace_id: ids.workspace,
  workspace_name: 'Acme',
  workspace_slug: 'acme',
  exp: null,
};

/** The workspace as it describes itself; null for what is no question about that. */
export function schemaReply({ method, path, query }: Seen): Reply | null {
  if (method !== 'GET') return null;
  if (path === '/v2/self') return { body: self };
  if (path === '/v2/objects') return { body: { data: objectItems } };
  const [, object] = /^\/v2\/objects\/([^/]+)\/attributes$/.exec(path) ?? [];
  if (object === undefined) return null;
  const offset = Number(query.get('offset') ?? 0);
  // Shorter pages than asked for.
  return { body: { data: attributeItems(object).slice(offset, offset + 4) } };
}

/** A client of a server that describes its workspace, and answers as scripted to all else. */
export async function withAttio<T>(
  answer: (request: Seen, count: number) => Reply | Promise<Reply>,
  use: (
    remote: ReturnType<typeof createAttioRemote>,
    server: ScriptedServer,
    clock: ReturnType<typeof instantClock>,
  ) => Promise<T>,
  options: Partial<AttioRemoteOptions> = {},
  describe: (request: Seen) => Reply | null = schemaReply,
): Promise<T> {
  const server = await startServer((request, count) => describe(request) ?? answer(request, count));
  const clock = instantClock();
  const remote = createAttioRemote({
    baseUrl: server.url.replace(/\/v1$/, ''),
    apiKey: 'key-1',
    allowancePercent: 80,
    clock,
    ...options,
  });
  try {
    return await use(remote, server, clock);
  } finally {
    await remote.stop();
    await server.close();
  }
}

export const actor = { type: 'workspace-member', id: '50cf242c-7fa3-4cad-87d0-75b1af71c57b' };

/** A value as it is read. */
export function value(own: object, at = '2026-05-15T21:46:52.967000000Z', by: object = actor) {
  return { active_from: at, active_until: null, created_by_actor: by, ...own };
}

export function record(id: string, values: object = {}, object: keyof typeof ids = 'people') {
  return {
    id: { workspace_id: ids.workspace, object_id: ids[object], record_id: id },
    created_at: '2026-05-15T21:47:52.967000000Z',
    web_url: `https://app.attio.com/acme/${object}/${id}`,
    values: {
      record_id: [value({ id: null, value: id, attribute_type: 'text' })],
      created_at: [value({ value: '2026-05-15T21:46:52.967000000Z', attribute_type: 'timestamp' })],
      created_by: [
        value({
          referenced_actor_type: 'workspace-member',
          referenced_actor_id: actor.id,
          attribute_type: 'actor-reference',
        }),
      ],
      ...values,
    },
  };
}

/** An error as the API tells it. */
export function refusal(status: number, code: string, more: object = {}): Reply {
  return {
    status,
    body: { status_code: status, type: 'invalid_request_error', code, message: 'No.', ...more },
  };
}
