import { afterEach } from 'vitest';
import {
  type EmulatorOptions,
  type KizenEmulator,
  startKizen,
} from '../../../../src/emulator/kizen/emulator.ts';

const running: KizenEmulator[] = [];

afterEach(async () => {
  for (const emulator of running.splice(0)) await emulator.stop();
});

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  /** The text where it is no JSON. */
  readonly body: unknown;
}

/** An empty business, and somebody with its key. */
export async function kizen(options: EmulatorOptions = {}) {
  const emulator = await startKizen({ sizes: 'none', ...options });
  running.push(emulator);
  const { url, adminUrl, apiKey, userId, businessId, store } = emulator;
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Told> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        'X-API-KEY': apiKey,
        'X-USER-ID': userId,
        'X-BUSINESS-ID': businessId,
        'Content-Type': 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: await bodyOf(response) };
  };
  /** Entries of a write, by API name. */
  const entries = (object: string, values: Readonly<Record<string, unknown>>) =>
    Object.entries(values).map(([name, value]) => ({ id: store.fieldId(object, name), value }));
  return {
    ...emulator,
    ask,
    entries,
    steer: async (name: string, body: unknown): Promise<unknown> => {
      const sent = { method: 'POST', body: JSON.stringify(body) };
      return (await fetch(`${adminUrl}/${name}`, sent)).json();
    },
    search: (object: string, body: unknown = {}, query = '') =>
      ask('POST', `/records/${object}/search?${query}`, body),
    add: (object: string, values: Readonly<Record<string, unknown>>, more: object = {}) =>
      ask('POST', `/records/${object}/add`, { fields: entries(object, values), ...more }),
    upsert: (
      object: string,
      lookup_value: string,
      values: Readonly<Record<string, unknown>> = {},
      more: object = {},
    ) =>
      ask('POST', `/records/${object}/upsert`, {
        lookup_value,
        fields: entries(object, values),
        ...more,
      }),
    patch: (object: string, id: string, values: Readonly<Record<string, unknown>>) =>
      ask('PATCH', `/records/${object}/${id}`, { fields: entries(object, values) }),
    read: (object: string, id: string, query = 'include_hidden_fields=true') =>
      ask('GET', `/records/${object}/${id}?${query}`),
  };
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
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

export function idOf({ body }: Told): string {
  return String(at(body, 'id'));
}

/** Ids of a page. */
export function idsOf({ body }: Told): string[] {
  const results = at(body, 'results');
  return Array.isArray(results) ? results.map((each: unknown) => String(at(each, 'id'))) : [];
}

/** Values of a record by API name; of an answer to a read or a write. */
export function valuesOf(record: unknown): Record<string, unknown> {
  const fields = Object.values(Object(at(record, 'fields')));
  return Object.fromEntries(fields.map((field) => [String(at(field, 'name')), at(field, 'value')]));
}
