import type { ClaimedEntry } from '../../../src/domain/coalesce.ts';
import { prerequisites } from '../../../src/domain/dependency-order.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { ObjectSchema } from '../../../src/domain/schema.ts';
import { coalesceAll, prepare, type Resolution } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendInBulk } from '../../../src/push/writing/bulk.ts';
import { type FakeRemote, keyOf } from './fake-remote.ts';

export interface ModelEntry extends ClaimedEntry {
  readonly object: string;
  recordId: string;
  state: 'pending' | 'sending' | 'parked' | 'done';
  blockedBy: bigint | null;
  attempts: number;
}

/** The outbox and the id map, as the database keeps them, without one. */
export interface Model {
  readonly schemas: readonly ObjectSchema[];
  readonly entries: ModelEntry[];
  readonly idMap: Map<string, string>;
}

export function append(
  model: Model,
  entry: Pick<ModelEntry, 'object' | 'recordId' | 'op' | 'changes'>,
  blockedBy: bigint | null = null,
): void {
  const id = BigInt(model.entries.length + 1);
  model.entries.push({ ...entry, id, blockedBy, state: 'pending', attempts: 0 });
}

/** Sends what is due of each object in turn. @returns whether anything was. */
export async function pushOnce(
  model: Model,
  remotes: ReadonlyMap<string, FakeRemote>,
): Promise<boolean> {
  let any = false;
  for (const schema of model.schemas) {
    const fake = remotes.get(schema.object);
    if (fake && (await pushObject(model, schema, fake))) any = true;
  }
  return any;
}

async function pushObject(model: Model, schema: ObjectSchema, fake: FakeRemote): Promise<boolean> {
  const own = model.entries.filter(({ object }) => object === schema.object);
  const due = own.filter((entry) => entry.state === 'pending' && !isBlocked(model, entry));
  const ids = new Set(due.map(({ recordId }) => recordId));
  // A later edit mends what the CRM has refused, so that both are claimed.
  const claimable = own.filter(({ state }) => state === 'pending' || state === 'parked');
  const claimed = [...ids].map((recordId) => {
    const entries = claimable.filter((entry) => entry.recordId === recordId);
    for (const entry of entries) {
      entry.state = 'sending';
      entry.attempts += 1;
    }
    const attempts = Math.max(...entries.map((entry) => entry.attempts));
    return { recordId, entries, attempts, sentBefore: new Set<bigint>(), unapprovedDelete: false };
  });
  if (claimed.length === 0) return false;
  const { outgoing, settled, followUps } = prepare(schema, coalesceAll(claimed), {
    resolve: (object, id) => resolve(model, object, id),
    earlier: prerequisites(model.schemas, schema.object),
    identity: null,
    creating: { kind: 'upsert' },
  });
  for (const { recordId, changes, blockedBy } of followUps) {
    append(model, { object: schema.object, recordId, op: 'update', changes }, blockedBy);
  }
  for (const { ids: settledIds, outcome } of settled) {
    for (const id of settledIds) {
      const entry = entryOf(model, id);
      entry.blockedBy = outcome.state === 'pending' ? (outcome.blockedBy ?? null) : null;
      entry.state =
        outcome.state === 'superseded' || outcome.state === 'cancelled' ? 'done' : outcome.state;
    }
  }
  for (const kind of ['delete', 'update', 'create'] as const) {
    const group = outgoing.filter((one) => one.kind === kind);
    await sendInBulk({ remote: fake.remote, nowMs: () => 0, mayStart: () => true }, schema, group, {
      priority: 'push',
      signal: new AbortController().signal,
      report: async (sent) => settle(model, fake, sent),
    });
  }
  return true;
}

function settle(model: Model, fake: FakeRemote, sent: readonly Sent[]): void {
  for (const { kind, change, ...rest } of sent) {
    const entries = change.entries.map((id) => entryOf(model, id));
    const end = (state: ModelEntry['state']) => {
      for (const entry of entries) entry.state = state;
    };
    const record = 'record' in rest ? rest.record : null;
    if (kind === 'delivered') {
      end('done');
      if (change.kind === 'create' && record) rename(model, change.recordId, record.id);
    } else if (kind === 'unclear') {
      // What recovery finds out once a late write has had time to show.
      const arrived = fake.carriedOut.has(keyOf(change.fields));
      end(arrived ? 'done' : 'pending');
      if (arrived) rename(model, change.recordId, `id-${keyOf(change.fields)}`);
    } else end(kind === 'refused' ? 'parked' : kind === 'failed' ? 'pending' : 'done');
  }
}

function rename(model: Model, oldId: string, id: string): void {
  model.idMap.set(oldId, id);
  for (const entry of model.entries) if (entry.recordId === oldId) entry.recordId = id;
}

function resolve(model: Model, object: string, id: string): Resolution {
  const known = model.idMap.get(id);
  if (known !== undefined) return { kind: 'known', id: known };
  const insert = model.entries.findLast(
    (e) => e.object === object && e.recordId === id && e.op === 'insert' && e.state !== 'done',
  );
  if (!insert) return { kind: 'unknown' };
  return { kind: 'waiting', entry: insert.id, parked: insert.state === 'parked' };
}

function isBlocked(model: Model, { blockedBy }: ModelEntry): boolean {
  return blockedBy !== null && entryOf(model, blockedBy).state !== 'done';
}

function entryOf(model: Model, id: bigint): ModelEntry {
  const entry = model.entries[Number(id) - 1];
  if (!entry) throw new Error(`no entry ${id}`);
  return entry;
}

/** What the CRM holds of each record, from the writes it carried out. */
export function heldBy(fake: FakeRemote): ReadonlyMap<string, Readonly<Record<string, Json>>> {
  const held = new Map<string, Readonly<Record<string, Json>>>();
  for (const { kind, items } of fake.carriedOutCalls) {
    for (const { key, fields } of items) {
      const id = kind === 'create' ? `id-${key}` : key;
      if (kind === 'delete') held.delete(id);
      else held.set(id, { ...held.get(id), ...fields });
    }
  }
  return held;
}
