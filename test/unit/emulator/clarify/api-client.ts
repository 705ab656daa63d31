import { afterEach } from 'vitest';
import type { Json } from '../../../../src/domain/json.ts';
import type { Fields } from '../../../../src/emulator/kernel/fields.ts';
import {
  type Emulator,
  type EmulatorOptions,
  startCheckedEmulator,
} from '../../../support/checked-emulator.ts';

export interface ApiRecord {
  readonly type: string;
  readonly id: string;
  readonly attributes: Fields;
  readonly relationships: Readonly<
    Record<string, { data: readonly { id: string }[]; meta: { count: number } }>
  >;
}

/** Any answer of the API, read as loosely as a test wants to. */
export interface ApiBody {
  readonly data: readonly ApiRecord[];
  readonly included: readonly ApiRecord[];
  readonly links: { readonly next?: string | null; readonly prev?: string | null };
  readonly meta: Readonly<Record<string, number>>;
  readonly errors: readonly {
    readonly status: string;
    readonly title?: string;
    readonly detail: string;
    readonly source?: { readonly pointer: string };
  }[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: ApiBody;
  /** `data` where it is one record. */
  readonly record: ApiRecord;
}

export interface Connection {
  readonly emulator: Emulator;
  /** `path` follows the workspace's slug. */
  call(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  get(path: string, query?: Readonly<Record<string, string | number>>): Promise<ApiAnswer>;
  /** Ids of a list, in its order. */
  ids(path: string, query?: Readonly<Record<string, string | number>>): Promise<string[]>;
  admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}

const running: Emulator[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.stop()));
});

/** Starts an emulator, empty unless sizes are given, that stops after the test. */
export async function connect(options: EmulatorOptions = {}): Promise<Connection> {
  const emulator = await startCheckedEmulator({
    sizes: 'none',
    requests: 'wrong on purpose',
    ...options,
  });
  running.push(emulator);
  const root = `${emulator.url}/workspaces/${emulator.workspace}`;
  const headers = {
    authorization: `api-key ${emulator.apiKey}`,
    'user-agent': 'clarify-sync-test',
    'content-type': 'application/json',
  };
  const call: Connection['call'] = async (method, path, body) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(root + path, { method, headers, ...sent });
    const text = await response.text();
    const parsed = text === '' ? {} : JSON.parse(text);
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: parsed,
      record: parsed.data,
    };
  };
  const get: Connection['get'] = (path, query = {}) => {
    const pairs = Object.entries(query).map(([key, value]): [string, string] => [
      key,
      String(value),
    ]);
    return call('GET', `${path}?${new URLSearchParams(pairs).toString()}`);
  };
  return {
    emulator,
    call,
    get,
    ids: async (path, query) => (await get(path, query)).body.data.map(({ id }) => id),
    async admin(method, path, body) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${emulator.adminUrl}/${path}`, { method, ...sent });
      return { status: response.status, body: await response.json() };
    },
  };
}

/** A clock that stands until it is moved. */
export function standingClock(startIso: string) {
  let nowMs = Date.parse(startIso);
  return {
    read: () => nowMs,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

export function newPerson(email: string, more: Fields = {}) {
  return { type: 'person', attributes: { email_addresses: { items: [email] }, ...more } };
}

/** A value that must be text. */
export function textOf(value: Json | undefined): string {
  if (typeof value !== 'string') throw new TypeError('expected text');
  return value;
}
