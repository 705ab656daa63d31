import { setTimeout as sleep } from 'node:timers/promises';

/** A table that people edit here and there, and its records as the CRM itself shows them. */
export interface Side {
  /** Label and schema of the workspace. */
  readonly name: string;
  /** What the emulator is started with. */
  readonly emulator: readonly string[];
  readonly switches: Readonly<Record<string, unknown>>;
  readonly table: string;
  /** A text of the table. */
  readonly column: string;
  /** What a row made here needs besides. */
  readonly insert: (n: number) => Readonly<Record<string, unknown>>;
  /** Credentials of the fleet's file besides key and address. */
  readonly entry: (said: Said) => Readonly<Record<string, unknown>>;
  /** The text of every record, by id, as another program with a key would read it. */
  readonly read: (said: Said) => Promise<Map<string, string | null>>;
  /** Acts as a person in the app. */
  readonly actions: {
    readonly create: (text: string, n: number) => Action;
    readonly edit: (id: string, text: string) => Action;
    readonly remove: (id: string) => Action;
    readonly merge?: (primary: string, secondary: string) => Action;
  };
}

export type Action = readonly [name: string, body: object];

/** What an emulator says of itself. */
export interface Said {
  readonly url: string;
  readonly adminUrl: string;
  readonly apiKey: string;
  readonly workspace?: string;
  readonly userId?: string;
  readonly businessId?: string;
}

interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Read anew until it is answered: an emulator has limits as well. */
async function ask(url: string, { method = 'GET', headers = {}, body }: Call): Promise<unknown> {
  for (;;) {
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (response.ok) return await response.json();
    if (response.status < 429) throw new Error(`${url}: ${response.status}`);
    await sleep(500);
  }
}

type Fields = Readonly<Record<string, unknown>>;
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const fields = (value: unknown): Fields => {
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
};
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fields) : []);

const clarify: Side = {
  name: 'acme',
  emulator: ['--crm', 'clarify', '--people', '60', '--companies', '40', '--deals', '20'],
  switches: { visibilityDelayMs: 2_000, lateShare: 0.2, tieOrder: 'shuffled' },
  table: 'company',
  column: 'name',
  insert: () => ({}),
  entry: ({ workspace }) => ({ crm: 'clarify', workspace }),
  async read({ url, apiKey, workspace = '' }) {
    const found = new Map<string, string | null>();
    for (let offset = 0; ; offset += 100) {
      const query = new URLSearchParams({
        'sortOrder[column]': '_created_at',
        'sortOrder[dir]': 'ASC',
        'page[offset]': String(offset),
        'page[limit]': '100',
      });
      const page = fields(
        await ask(`${url}/workspaces/${workspace}/objects/company/resources?${query.toString()}`, {
          headers: { authorization: `api-key ${apiKey}` },
        }),
      );
      const records = list(page['data']);
      for (const { id, attributes } of records) {
        found.set(String(id), text(fields(attributes)['name']));
      }
      if (records.length < 100) return found;
    }
  },
  actions: {
    create: (name) => ['create', { object: 'company', fields: { name } }],
    edit: (id, name) => ['edit', { object: 'company', id, fields: { name } }],
    remove: (id) => ['delete', { object: 'company', ids: [id] }],
    merge: (target, source) => ['merge', { object: 'company', target, sources: [source] }],
  },
};

const attio: Side = {
  name: 'globex',
  emulator: ['--crm', 'attio', '--people', '60', '--companies', '40', '--deals', '20'],
  switches: {
    visibilityDelayMs: 2_000,
    lateShare: 0.2,
    tieOrder: 'shuffled',
    webhookTargets: 'any',
    webhookDelayMs: 1_500,
    webhookCopies: 2,
  },
  table: 'companies',
  column: 'name',
  insert: (n) => ({ domains: [`made-${n}.example`] }),
  entry: () => ({ crm: 'attio' }),
  async read({ url, apiKey }) {
    const found = new Map<string, string | null>();
    for (let offset = 0; ; offset += 100) {
      const page = fields(
        await ask(`${url}/v2/objects/companies/records/query`, {
          method: 'POST',
          headers: { authorization: `Bearer ${apiKey}` },
          body: {
            limit: 100,
            offset,
            sorts: [
              { attribute: 'created_at', direction: 'asc' },
              { attribute: 'record_id', direction: 'asc' },
            ],
          },
        }),
      );
      const records = list(page['data']);
      for (const { id, values } of records) {
        const [name] = list(fields(values)['name']);
        found.set(String(fields(id)['record_id']), text(name?.['value']));
      }
      if (records.length < 100) return found;
    }
  },
  actions: {
    create: (name, n) => [
      'create',
      { object: 'companies', fields: { name: [name], domains: [`app-${n}.example`] } },
    ],
    edit: (id, name) => ['edit', { object: 'companies', id, fields: { name: [name] } }],
    remove: (id) => ['delete', { object: 'companies', ids: [id] }],
    merge: (primary, secondary) => ['merge', { object: 'companies', primary, secondary }],
  },
};

const kizen: Side = {
  name: 'north',
  emulator: ['--crm', 'kizen', '--contacts', '60', '--companies', '20', '--deals', '20'],
  switches: { visibilityDelayMs: 2_000, lateShare: 0.2 },
  table: 'client_client',
  column: 'last_name',
  insert: (n) => ({ email: `made-${n}@north.example` }),
  entry: ({ userId, businessId }) => ({ crm: 'kizen', userId, businessId }),
  async read({ url, apiKey, userId = '', businessId = '' }) {
    const found = new Map<string, string | null>();
    for (let page = 1; ; page += 1) {
      const answer = fields(
        await ask(`${url}/records/client_client/search?page=${page}&page_size=100`, {
          method: 'POST',
          headers: { 'x-api-key': apiKey, 'x-user-id': userId, 'x-business-id': businessId },
          body: { query: [] },
        }),
      );
      for (const { id, fields: held } of list(answer['results'])) {
        const named = Object.values(fields(held)).map(fields);
        const one = named.find(({ name }) => name === 'last_name');
        found.set(String(id), text(one?.['value']));
      }
      if (answer['next'] === null) return found;
    }
  },
  actions: {
    create: (last_name, n) => [
      'create',
      { object: 'client_client', fields: { last_name, email: `app-${n}@north.example` } },
    ],
    edit: (id, last_name) => ['edit', { object: 'client_client', id, fields: { last_name } }],
    remove: (id) => ['archive', { object: 'client_client', ids: [id] }],
  },
};

const brevo: Side = {
  name: 'south',
  emulator: ['--crm', 'brevo', '--contacts', '60', '--companies', '20', '--deals', '20'],
  switches: { contactsPerSecond: 100, contactsPerHour: 0, othersPerHour: 100_000 },
  table: 'contacts',
  column: 'LASTNAME',
  insert: (n) => ({ email: `made-${n}@south.example` }),
  entry: () => ({ crm: 'brevo' }),
  async read({ url, apiKey }) {
    const found = new Map<string, string | null>();
    for (let offset = 0; ; offset += 100) {
      const page = fields(
        await ask(`${url}/contacts?limit=100&offset=${offset}&sort=asc`, {
          headers: { 'api-key': apiKey },
        }),
      );
      const records = list(page['contacts']);
      for (const { id, attributes } of records) {
        found.set(String(id), text(fields(attributes)['LASTNAME']));
      }
      if (records.length === 0) return found;
    }
  },
  actions: {
    create: (LASTNAME, n) => [
      'create',
      { object: 'contacts', fields: { LASTNAME, EMAIL: `app-${n}@south.example` } },
    ],
    edit: (id, LASTNAME) => ['edit', { object: 'contacts', id, fields: { LASTNAME } }],
    remove: (id) => ['delete', { object: 'contacts', ids: [id] }],
  },
};

export const SIDES: readonly Side[] = [clarify, attio, kizen, brevo];
