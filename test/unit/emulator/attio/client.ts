import { afterEach } from 'vitest';
import {
  type AttioEmulator,
  type EmulatorOptions,
  startAttio,
} from '../../../../src/emulator/attio/emulator.ts';

const running: AttioEmulator[] = [];

afterEach(async () => {
  for (const emulator of running.splice(0)) await emulator.stop();
});

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** An empty workspace, and somebody with its token. */
export async function attio(options: EmulatorOptions = {}) {
  const emulator = await startAttio({ sizes: 'none', ...options });
  running.push(emulator);
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Told> => {
    const response = await fetch(`${emulator.url}/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${emulator.apiKey}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const parsed: unknown = await response.json();
    return { status: response.status, headers: response.headers, body: parsed };
  };
  const records = (object: string) => `/objects/${object}/records`;
  return {
    ...emulator,
    ask,
    query: (object: string, body: unknown = {}) => ask('POST', `${records(object)}/query`, body),
    create: (object: string, values: unknown) => ask('POST', records(object), { data: { values } }),
    patch: (object: string, id: string, values: unknown) =>
      ask('PATCH', `${records(object)}/${id}`, { data: { values } }),
    put: (object: string, id: string, values: unknown) =>
      ask('PUT', `${records(object)}/${id}`, { data: { values } }),
    read: (object: string, id: string) => ask('GET', `${records(object)}/${id}`),
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

/** The member at the end of the path in each item of `data`. */
export function column({ body }: Told, ...path: readonly (string | number)[]): unknown[] {
  const data = at(body, 'data');
  return Array.isArray(data) ? data.map((item: unknown) => at(item, ...path)) : [];
}

export function idsOf(told: Told): string[] {
  return column(told, 'id', 'record_id').map(String);
}

export function idOf({ body }: Told): string {
  return String(at(body, 'data', 'id', 'record_id'));
}
