import { CAPABILITIES } from '../../../src/crm/clarify/capabilities.ts';
import { RemoteError, type RemoteErrorOptions } from '../../../src/domain/errors.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import type { CallOptions, Remote } from '../../../src/domain/remote.ts';

type Fields = Readonly<Record<string, Json>>;

export interface Call {
  readonly kind: 'create' | 'update' | 'delete';
  /** What was asked for; `key` is the id, or a create's `key` field. */
  readonly items: readonly { readonly key: string; readonly fields: Fields }[];
  readonly matchOn: string | undefined;
}

export interface FakeRemote {
  readonly remote: Remote;
  /** Every bulk write that arrived, in order. */
  readonly calls: Call[];
  /** Those of them that were carried out. */
  readonly carriedOutCalls: Call[];
  /** What was looked at afterwards: `page`, or the id of a record. */
  readonly looks: string[];
  /** How often each key was carried out. */
  readonly carriedOut: Map<string, number>;
}

export function failure(options: Partial<RemoteErrorOptions>): RemoteError {
  return new RemoteError('scripted', {
    code: 'scripted',
    disposition: 'park',
    status: 422,
    ...options,
  });
}

/**
 * A CRM whose bulk writes are atomic. `judge` sees each call before it is carried out and may
 * refuse it; `after` sees it once it was carried out and may lose the answer.
 */
export function fakeRemote(script: {
  readonly batchSize: number;
  readonly judge?: (call: Call) => RemoteError | null;
  readonly after?: (call: Call) => RemoteError | null;
  readonly answer?: (records: readonly RemoteRecord[]) => readonly RemoteRecord[];
  /** Waited for before each call is judged. */
  readonly gate?: (call: Call) => Promise<void>;
}): FakeRemote {
  const calls: Call[] = [];
  const looks: string[] = [];
  const carriedOutCalls: Call[] = [];
  const carriedOut = new Map<string, number>();
  const held = new Map<string, RemoteRecord>();
  const write = async (call: Call, options: CallOptions): Promise<readonly RemoteRecord[]> => {
    await options.beforeAttempt?.(options.timeoutMs ?? 0);
    calls.push(call);
    await script.gate?.(call);
    const refusal = script.judge?.(call) ?? null;
    if (refusal) throw refusal;
    carriedOutCalls.push(call);
    for (const { key } of call.items) carriedOut.set(key, (carriedOut.get(key) ?? 0) + 1);
    const lost = script.after?.(call) ?? null;
    if (lost) throw lost;
    const isBirth = call.kind === 'create';
    const records = call.items.map(({ key, fields }) =>
      recordOf(isBirth ? `id-${key}` : key, fields),
    );
    for (const record of records) {
      if (call.kind === 'delete') held.delete(record.id);
      else held.set(record.id, record);
    }
    return script.answer ? script.answer(records) : records;
  };
  const unused = () => Promise.reject(new Error('not part of this script'));
  const remote: Remote = {
    title: 'Clarify',
    discover: unused,
    capabilitiesOf: () => CAPABILITIES,
    readPage: async () => {
      looks.push('page');
      return { records: [...held.values()].toReversed(), total: held.size, more: false };
    },
    readDeletions: unused,
    readRecord: async ({ id }) => {
      looks.push(id);
      return held.get(id) ?? null;
    },
    readLinks: unused,
    readHistory: unused,
    setLinks: unused,
    removeLinks: unused,
    readUsers: unused,
    create: ({ records, matchOn }, options) => {
      const items = records.map((fields) => ({ key: keyOf(fields), fields }));
      return write({ kind: 'create', items, matchOn }, options);
    },
    update: ({ records }, options) => {
      const items = records.map(({ id, fields }) => ({ key: id, fields }));
      return write({ kind: 'update', items, matchOn: undefined }, options);
    },
    delete: async ({ ids }, options) => {
      const items = ids.map((key) => ({ key, fields: {} }));
      await write({ kind: 'delete', items, matchOn: undefined }, options);
      return [];
    },
    limits: { pageSize: 500, batchSizeOf: () => script.batchSize, writesAtOnce: 4 },
    clock: null,
  };
  return { remote, calls, carriedOutCalls, carriedOut, looks };
}

/** What tells one create from another. */
export function keyOf({ key }: Fields): string {
  return typeof key === 'string' ? key : '';
}

function recordOf(id: string, fields: Fields): RemoteRecord {
  const system = { createdAt: null, updatedAt: null, createdBy: null, updatedBy: null };
  return { id, fields, ...system, mergedIds: [], links: {} };
}
