import { afterEach } from 'vitest';
import {
  type BrevoEmulator,
  type EmulatorOptions,
  startBrevo,
} from '../../../../src/emulator/brevo/emulator.ts';
import { tiers } from '../../../../src/emulator/brevo/switches.ts';

const running: BrevoEmulator[] = [];

afterEach(async () => {
  for (const emulator of running.splice(0)) await emulator.stop();
});

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where there was none. */
  readonly body: unknown;
}

/** A moment in summer, for clocks that a test moves. */
export const NOON = Date.UTC(2026, 5, 1, 12);

/**
 * An empty account, and somebody with its key. Time stands still unless a clock is given: jobs take
 * none, and budgets are those of a larger plan than tests need.
 */
export async function brevo(options: EmulatorOptions = {}) {
  const emulator = await startBrevo({
    sizes: 'none',
    ...options,
    switches: {
      ...tiers.extended,
      othersPerHour: 0,
      contactsPerSecond: 0,
      jobMs: 0,
      ...options.switches,
    },
  });
  running.push(emulator);
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Told> => {
    const response = await fetch(`${emulator.url}${path}`, {
      method,
      headers: { 'api-key': emulator.apiKey, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    return { status: response.status, headers: response.headers, body: parsed };
  };
  const get = (path: string): Promise<Told> => ask('GET', path);
  const admin = async (name: string, body: unknown): Promise<unknown> => {
    const sent = { method: 'POST', body: JSON.stringify(body) };
    return await (await fetch(`${emulator.adminUrl}/${name}`, sent)).json();
  };
  return {
    ...emulator,
    ask,
    get,
    admin,
    post: (path: string, body: unknown) => ask('POST', path, body),
    put: (path: string, body: unknown) => ask('PUT', path, body),
    patch: (path: string, body: unknown) => ask('PATCH', path, body),
    remove: (path: string) => ask('DELETE', path),
    upsert: (type: string, ...records: readonly unknown[]) =>
      ask('POST', `/objects/${type}/batch/upsert`, { records }),
    /** All records of an object, oldest first. */
    records: (type: string, query = '') =>
      get(`/objects/${type}/records?limit=100&page_num=1&sort=asc${query}`),
  };
}

/** The member at the end of the path; undefined where the path ends early. */
export function at(from: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([name]) => name === String(key))?.[1]
        : undefined,
    from,
  );
}

/** The member at the end of the path in each item of a list. */
export function column(list: unknown, ...path: readonly (string | number)[]): unknown[] {
  return Array.isArray(list) ? list.map((item: unknown) => at(item, ...path)) : [];
}
