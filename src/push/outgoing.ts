import type { ClaimedRecord, EntryOutcome } from '../db/outbox.ts';
import type { Coalesced } from '../domain/coalesce.ts';
import { coalesce } from '../domain/coalesce.ts';
import { itemKey } from '../domain/equal.ts';
import type { Json } from '../domain/json.ts';
import type { FieldChanges } from '../domain/merge-record.ts';
import type { Field, ObjectSchema } from '../domain/schema.ts';

/** One record's change, ready to be sent. */
export interface Outgoing {
  readonly kind: 'create' | 'update' | 'delete';
  readonly recordId: string;
  /** Entries that are done once this has arrived. */
  readonly entries: readonly bigint[];
  readonly fields: Readonly<Record<string, Json>>;
  /** As the outbox has it, for what remains when a record turns out to be gone. */
  readonly changes: FieldChanges;
  /** The field by which a create is repeatable; null where it is not. */
  readonly matchOn: string | null;
  readonly attempts: number;
}

export interface Settlement {
  readonly ids: readonly bigint[];
  readonly outcome: EntryOutcome;
}

export interface FollowUp {
  readonly recordId: string;
  readonly changes: FieldChanges;
  readonly blockedBy: bigint;
  readonly of: bigint;
}

/** What an id given here stands for by now. */
export type Resolution =
  | { readonly kind: 'known'; readonly id: string }
  | { readonly kind: 'waiting'; readonly entry: bigint; readonly parked: boolean }
  | { readonly kind: 'unknown' };

/** Looks up a `local:` id of an object. */
export type Resolve = (object: string, id: string) => Resolution;

export interface Preparation {
  readonly outgoing: readonly Outgoing[];
  /** Entries that end here, or have to wait. */
  readonly settled: readonly Settlement[];
  /** Links to be made once both ends exist. */
  readonly followUps: readonly FollowUp[];
}

/** Changes per claimed record, before references are resolved: what has to be looked up. */
export function coalesceAll(
  claimed: readonly ClaimedRecord[],
): readonly { readonly record: ClaimedRecord; readonly change: Coalesced }[] {
  return claimed.map((record) => ({ record, change: coalesce(record.entries) }));
}

/** `local:` ids that the changes refer to, by object. */
export function localReferences(
  schema: ObjectSchema,
  changes: readonly { readonly change: Coalesced }[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const field of schema.fields) {
    if (field.kind !== 'reference' || !field.relationship) continue;
    const ids = found.get(field.relationship.object) ?? new Set<string>();
    for (const { change } of changes) {
      const value = change.kind === 'nothing' ? null : change.changes[field.name]?.value;
      if (isLocalId(value)) ids.add(value);
    }
    found.set(field.relationship.object, ids);
  }
  return found;
}

export function isLocalId(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('local:');
}

/**
 * Turns coalesced changes into what can be sent now (invariants 4 and 10): ids given here become
 * the CRM's, what refers to a parked create is blocked, what refers to a create that comes later
 * goes without the link, which follows.
 */
export function prepare(
  schema: ObjectSchema,
  changes: readonly { readonly record: ClaimedRecord; readonly change: Coalesced }[],
  context: {
    readonly resolve: Resolve;
    /** Objects that are created before this one. */
    readonly earlier: ReadonlySet<string>;
    readonly matchOn: string | null;
  },
): Preparation {
  const outgoing: Outgoing[] = [];
  const settled: Settlement[] = [];
  const followUps: FollowUp[] = [];
  const taken = new Set<string>();
  const identity = schema.fields.find(({ name }) => name === context.matchOn) ?? null;
  for (const { record, change } of changes) {
    const all = [...change.entries, ...change.superseded];
    const wait = (retryInMs: number, blockedBy?: bigint) => {
      const reason = blockedBy === undefined ? null : 'blocked';
      const outcome = { state: 'pending' as const, reason, retryInMs };
      settled.push({
        ids: all,
        outcome: blockedBy === undefined ? outcome : { ...outcome, blockedBy },
      });
    };
    if (change.kind === 'nothing') {
      settled.push({ ids: change.superseded, outcome: { state: 'superseded' } });
      settled.push({ ids: change.entries, outcome: { state: 'done' } });
      continue;
    }
    const resolved = resolveReferences(schema.fields, change.changes, context);
    if (resolved.kind === 'blocked') {
      wait(0, resolved.entry);
      continue;
    }
    if (resolved.kind === 'unknown') {
      const reason = `reference-unknown: ${resolved.field} names a row that does not exist`;
      settled.push({ ids: all, outcome: { state: 'parked', reason } });
      continue;
    }
    // Created here and not yet known to the CRM: its own insert has to arrive first.
    if (change.kind !== 'create' && isLocalId(record.recordId)) {
      wait(1_000);
      continue;
    }
    const keys = change.kind === 'create' ? identityKeys(identity, resolved.fields) : [];
    if (keys.some((key) => taken.has(key))) {
      // Two creates that are one record: the second has to find the first in the mirror.
      wait(0);
      continue;
    }
    for (const key of keys) taken.add(key);
    const of = change.entries[0];
    if (of !== undefined) {
      followUps.push(...resolved.later.map((late) => ({ ...late, recordId: record.recordId, of })));
    }
    if (change.kind === 'update' && Object.keys(resolved.fields).length === 0) {
      settled.push({ ids: all, outcome: { state: 'superseded' } });
      continue;
    }
    settled.push({ ids: change.superseded, outcome: { state: 'superseded' } });
    outgoing.push({
      kind: change.kind,
      recordId: record.recordId,
      entries: change.entries,
      fields: change.kind === 'delete' ? {} : resolved.fields,
      changes: change.changes,
      matchOn: change.kind === 'create' && keys.length > 0 ? context.matchOn : null,
      attempts: record.attempts,
    });
  }
  return { outgoing, settled, followUps };
}

type Resolved =
  | {
      readonly kind: 'ready';
      readonly fields: Readonly<Record<string, Json>>;
      readonly later: readonly { readonly changes: FieldChanges; readonly blockedBy: bigint }[];
    }
  | { readonly kind: 'blocked'; readonly entry: bigint }
  | { readonly kind: 'unknown'; readonly field: string };

function resolveReferences(
  fields: readonly Field[],
  changes: FieldChanges,
  context: { readonly resolve: Resolve; readonly earlier: ReadonlySet<string> },
): Resolved {
  const values = new Map(Object.entries(changes).map(([name, { value }]) => [name, value]));
  const later: { changes: FieldChanges; blockedBy: bigint }[] = [];
  for (const { name, kind, relationship } of fields) {
    const value = values.get(name);
    const change = changes[name];
    if (kind !== 'reference' || !relationship || !change || !isLocalId(value)) continue;
    const found = context.resolve(relationship.object, value);
    if (found.kind === 'unknown') return { kind: 'unknown', field: name };
    if (found.kind === 'known') {
      values.set(name, found.id);
    } else if (found.parked || context.earlier.has(relationship.object)) {
      return { kind: 'blocked', entry: found.entry };
    } else {
      values.delete(name);
      later.push({ changes: Object.fromEntries([[name, change]]), blockedBy: found.entry });
    }
  }
  return { kind: 'ready', fields: Object.fromEntries(values), later };
}

/** What identifies a create among others: each item of its identity field. */
function identityKeys(
  identity: Field | null,
  fields: Readonly<Record<string, Json>>,
): readonly string[] {
  const value = identity ? fields[identity.name] : null;
  if (!identity || value === null || value === undefined) return [];
  return Array.isArray(value)
    ? value.map((item: Json) => itemKey(identity, item))
    : [itemKey(identity, value)];
}
