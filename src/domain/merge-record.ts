import { equalValues, sameValue } from './equal.ts';
import type { Json } from './json.ts';
import { type ConflictPolicy, mergeField } from './merge-fields.ts';
import type { RemoteRecord, WrittenBy } from './record.ts';
import type { Field } from './schema.ts';
import { stillShows } from './still-shows.ts';

/** One field of an outbox entry. */
export interface FieldChange {
  readonly base: Json;
  readonly value: Json;
}

export type FieldChanges = Readonly<Record<string, FieldChange>>;

/** An outbox entry that is not settled yet, of the record at hand. */
export interface PendingEntry {
  readonly id: bigint;
  readonly op: 'insert' | 'update' | 'delete' | 'link' | 'unlink';
  readonly state: 'pending' | 'sending' | 'parked';
  readonly changes: FieldChanges;
  /** By the CRM's clock. */
  readonly writtenAtMs: number;
}

export interface ConflictFound {
  readonly field: string;
  readonly base: Json;
  readonly local: Json;
  readonly remote: Json;
  /** `deleted`: an edit met a delete. */
  readonly policy: ConflictPolicy | 'deleted';
  readonly resolution: 'local' | 'remote' | 'merged' | 'open';
  /** Who made it what it is in the CRM, as far as that is known. */
  readonly remoteBy: string | null;
  /** Whether the times that decided, if any did, are the field's own. */
  readonly certain: boolean;
}

/** An edit met a delete in the CRM, which wins. */
export const LOST_TO_DELETE = {
  policy: 'deleted',
  resolution: 'remote',
  remote: null,
  remoteBy: null,
  certain: true,
} as const;

export interface EntryRewrite {
  readonly id: bigint;
  /** What is left to send; null where nothing is, and `state` says why. */
  readonly changes: FieldChanges | null;
  readonly state: 'pending' | 'parked' | 'done' | 'superseded' | 'cancelled';
  /** Fields that wait for a person, moved to a parked entry of their own. */
  readonly parked: FieldChanges;
}

export interface RecordMerge {
  /** The record's row is gone locally and stays gone until its delete is settled. */
  readonly absent: boolean;
  /**
   * The record holds a stranger's value in a field that is in flight: it has to be merged once the
   * answer is there, or will never come.
   */
  readonly unmerged: boolean;
  /** Fields whose column keeps what the user wrote. */
  readonly keep: readonly string[];
  /** Fields whose column gets a value that is neither side's. */
  readonly values: ReadonlyMap<string, Json>;
  readonly entries: readonly EntryRewrite[];
  readonly conflicts: readonly ConflictFound[];
}

export interface MergeContext {
  readonly fields: ReadonlyMap<string, Field>;
  readonly policyOf: (field: string) => ConflictPolicy;
  /** Who wrote fields of the record when, where that was found out; its values may tell by themselves. */
  readonly writes?: ReadonlyMap<string, WrittenBy> | undefined;
}

interface Rewriting {
  readonly entry: PendingEntry;
  readonly left: Map<string, FieldChange>;
  readonly parked: Map<string, FieldChange>;
  touched: boolean;
  /** The remote value was taken instead of its own. */
  overruled: boolean;
  /** A later entry carries a field of it on, or a later value leaves nothing of it to send. */
  overtaken: boolean;
}

/**
 * Merges a record just read with what waits in the outbox for it (oldest entry first). Pure: the
 * caller applies the outcome to row, outbox and conflict log in one transaction.
 */
export function mergeRecord(
  record: RemoteRecord,
  waiting: readonly PendingEntry[],
  context: MergeContext,
): RecordMerge {
  // Links are no part of a record: they are merged as sets, where they are read.
  const entries = waiting.filter(({ op }) => op !== 'link' && op !== 'unlink');
  if (entries.some((entry) => entry.op === 'delete')) {
    return {
      absent: true,
      unmerged: false,
      keep: [],
      values: new Map(),
      entries: [],
      conflicts: [],
    };
  }
  const keep: string[] = [];
  const values = new Map<string, Json>();
  const conflicts: ConflictFound[] = [];
  const rewrites = entries.map((entry): Rewriting => {
    const left = new Map(Object.entries(entry.changes));
    const fate = { touched: false, overruled: false, overtaken: false };
    return { entry, left, parked: new Map(), ...fate };
  });
  const inFlight = new Set(
    entries.filter((e) => e.state === 'sending').flatMap((e) => Object.keys(e.changes)),
  );
  let unmerged = false;

  for (const name of new Set(rewrites.flatMap(({ left }) => [...left.keys()]))) {
    const holders = rewrites.filter(({ left }) => left.has(name));
    const first = holders[0]?.left.get(name);
    const last = holders.at(-1);
    const local = last?.left.get(name);
    const field = context.fields.get(name);
    // Own alone: a field may be called `constructor`.
    const remote = Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
    // A field the answer lacks is unknown.
    if (!first || !last || !local || !field || remote === undefined) {
      keep.push(name);
      continue;
    }
    // While a send is in flight its answer decides.
    if (inFlight.has(name)) {
      keep.push(name);
      unmerged ||= ![first.base, ...holders.map(({ left }) => left.get(name)?.value ?? null)].some(
        (known) => equalValues(field, known, remote),
      );
      continue;
    }
    const shown = equalValues(field, first.base, remote) ? 0 : countShown(field, holders, remote);
    for (const holder of holders.splice(0, shown)) drop(holder, name);
    const base = shown > 0 ? remote : first.base;
    const [next] = holders;
    const over = next?.left.get(name);
    if (next && over && !sameValue(field, over.base, base)) {
      next.left.set(name, { base, value: over.value });
      next.touched = true;
    }
    const policy = context.policyOf(name);
    const write = context.writes?.get(name) ?? writeIn(record, name);
    const outcome = mergeField(field, { base, local: local.value, remote }, policy, {
      localMs: last.entry.writtenAtMs,
      remoteMs: write?.atMs ?? (record.updatedAt === null ? null : Date.parse(record.updatedAt)),
    });
    // What the CRM fills in by itself was nobody's, and takes nobody's place.
    if (outcome.conflict && write?.isAutomatic === true && equalValues(field, base, null)) {
      keep.push(name);
      continue;
    }
    if (outcome.conflict) {
      const found = { field: name, base, local: local.value, remote, policy };
      conflicts.push({
        ...found,
        resolution: RESOLUTION[outcome.kind],
        // Who edited the record last need not be who wrote this field.
        remoteBy: write === undefined ? record.updatedBy : write.by,
        certain: write !== undefined || !('byTime' in outcome),
      });
    }
    switch (outcome.kind) {
      case 'settled':
        for (const holder of holders) {
          drop(holder, name);
          holder.overruled ||= outcome.conflict;
        }
        break;
      case 'overtaken':
        for (const holder of holders) {
          drop(holder, name);
          holder.overtaken = true;
        }
        break;
      case 'pending':
      case 'merged':
      case 'open': {
        const value = outcome.kind === 'merged' ? outcome.value : local.value;
        if (outcome.kind === 'merged') values.set(name, value);
        else keep.push(name);
        if (outcome.kind === 'pending' && !outcome.conflict) break;
        // The newest entry carries the field on, measured against what the CRM holds now.
        for (const holder of holders) {
          drop(holder, name);
          holder.overtaken ||= holder !== last;
        }
        const target = outcome.kind === 'open' ? last.parked : last.left;
        target.set(name, { base: remote, value });
        break;
      }
    }
  }
  return {
    absent: false,
    unmerged,
    keep,
    values,
    entries: rewrites.filter((r) => r.touched).map(toRewrite),
    conflicts,
  };
}

/**
 * How many of the edits of a field, oldest first, come before what the CRM shows: one wrote that, or
 * the next was made over it. Mostly it is an edit of our own whose answer was lost. Whoever wrote it,
 * the edits since were made knowing it, and are in conflict with nothing.
 */
function countShown(field: Field, holders: readonly Rewriting[], remote: Json): number {
  const changes = holders.flatMap(({ left }) => left.get(field.name) ?? []);
  return changes.findLastIndex(({ base }, index) => {
    const before = changes[index - 1];
    if (before === undefined) return true;
    return equalValues(field, base, remote) || stillShows(field, before.value, remote);
  });
}

/** Own alone: a field may be called `constructor`. */
function writeIn({ writes }: RemoteRecord, field: string): WrittenBy | undefined {
  return writes !== undefined && Object.hasOwn(writes, field) ? writes[field] : undefined;
}

const RESOLUTION = {
  settled: 'remote',
  pending: 'local',
  merged: 'merged',
  open: 'open',
} as const;

function drop(holder: Rewriting, name: string): void {
  holder.left.delete(name);
  holder.touched = true;
}

function toRewrite({ entry, left, parked, overruled, overtaken }: Rewriting): EntryRewrite {
  const state = entry.state === 'parked' ? 'parked' : 'pending';
  const rest = { id: entry.id, parked: Object.fromEntries(parked) };
  if (left.size > 0) return { ...rest, changes: Object.fromEntries(left), state };
  if (overruled) return { ...rest, changes: null, state: 'cancelled' };
  const isSuperseded = overtaken || parked.size > 0;
  return { ...rest, changes: null, state: isSuperseded ? 'superseded' : 'done' };
}
