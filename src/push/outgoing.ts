import type { ClaimedRecord, EntryOutcome } from '../db/outbox/outbox.ts';
import { type Coalesced, coalesce } from '../domain/coalesce.ts';
import { equalJson, itemKey } from '../domain/equal.ts';
import type { Json } from '../domain/json.ts';
import type { FieldChange, FieldChanges } from '../domain/merge-record.ts';
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
  /** A create that an earlier attempt may have made already. */
  readonly mayHaveArrived: boolean;
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
  return claimed.map((record) => {
    return { record, change: coalesce(record.entries, !isLocalId(record.recordId)) };
  });
}

/** `local:` ids that the changes refer to or are about, by object: what `prepare` looks up. */
export function localReferences(
  schema: ObjectSchema,
  changes: readonly { readonly record: ClaimedRecord; readonly change: Coalesced }[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const own = changes
    .filter(({ record, change }) => awaitsCreate(record, change))
    .map(({ record }) => record.recordId);
  const found = new Map([[schema.object, new Set(own)]]);
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

/** A change of a record given here whose create is not among what was claimed. */
function awaitsCreate(record: ClaimedRecord, { kind }: Coalesced): boolean {
  return (kind === 'update' || kind === 'delete') && isLocalId(record.recordId);
}

export function isLocalId(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('local:');
}

/**
 * Turns coalesced changes into what can be sent now (invariants 4 and 10): ids given here become
 * the CRM's; a create that refers to a parked one is blocked; any other link to a record the CRM
 * does not know yet is put off, and the rest of the change goes without it.
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
  const subjects = new Set(changes.map(({ record }) => record.recordId));
  const identity = schema.fields.find(({ name }) => name === context.matchOn) ?? null;
  for (const { record, change } of changes) {
    const all = [...change.entries, ...change.superseded];
    if (change.kind === 'nothing') {
      settled.push({ ids: change.superseded, outcome: { state: 'superseded' } });
      settled.push({ ids: change.entries, outcome: { state: 'done' } });
      continue;
    }
    const own = awaitsCreate(record, change)
      ? context.resolve(schema.object, record.recordId)
      : null;
    if (own !== null && (own.kind !== 'known' || subjects.has(own.id))) {
      settled.push({ ids: all, outcome: untilCreated(own, change) });
      continue;
    }
    if (own !== null) subjects.add(own.id);
    const resolved = resolveReferences(schema.fields, change, context);
    if (resolved.kind === 'unknown') {
      const reason = `reference-unknown: ${resolved.field} names a row that does not exist`;
      settled.push({ ids: all, outcome: { state: 'parked', reason } });
      continue;
    }
    if (resolved.kind === 'blocked') {
      settled.push({ ids: all, outcome: blocked(resolved.entry) });
      continue;
    }
    if (change.kind === 'update' && Object.keys(resolved.fields).length === 0) {
      const [late] = resolved.later;
      settled.push({ ids: all, outcome: late ? blocked(late.waitsFor) : { state: 'superseded' } });
      continue;
    }
    const keys = change.kind === 'create' ? identityKeys(identity, resolved.fields) : [];
    if (keys.some((key) => taken.has(key))) {
      // Two creates that are one record: the second has to find the first in the mirror.
      settled.push({ ids: all, outcome: soon() });
      continue;
    }
    for (const key of keys) taken.add(key);
    const late = putOff(record, change, resolved.later);
    settled.push(...late.settled, { ids: change.superseded, outcome: { state: 'superseded' } });
    followUps.push(...late.followUps);
    outgoing.push({
      kind: change.kind,
      recordId: own?.id ?? record.recordId,
      entries: change.entries.filter((id) => !late.kept.has(id)),
      fields: change.kind === 'delete' ? {} : resolved.fields,
      changes: change.changes,
      matchOn: change.kind === 'create' && keys.length > 0 ? context.matchOn : null,
      attempts: record.attempts,
      mayHaveArrived: change.kind === 'create' && record.sentBefore.size > 0,
    });
  }
  return { outgoing, settled, followUps };
}

function soon(): EntryOutcome {
  return { state: 'pending', reason: null, retryInMs: 0 };
}

function blocked(blockedBy: bigint): EntryOutcome {
  return { state: 'pending', reason: 'blocked', retryInMs: 0, blockedBy };
}

/** What becomes of a change whose record the CRM does not know, or knows by another id. */
function untilCreated(own: Resolution, { kind }: Coalesced): EntryOutcome {
  switch (own.kind) {
    case 'waiting':
      return blocked(own.entry);
    case 'known':
      // Written while the id changed: what was claimed under the new one goes first.
      return soon();
    case 'unknown': {
      const reason = 'record-unknown: its insert was discarded';
      return kind === 'delete' ? { state: 'done' } : { state: 'parked', reason };
    }
  }
}

/** A link that cannot go out yet, and the create it waits for. */
interface LateLink {
  readonly field: string;
  readonly change: FieldChange;
  readonly waitsFor: bigint;
}

type Resolved =
  | {
      readonly kind: 'ready';
      readonly fields: Readonly<Record<string, Json>>;
      readonly later: readonly LateLink[];
    }
  | { readonly kind: 'blocked'; readonly entry: bigint }
  | { readonly kind: 'unknown'; readonly field: string };

function resolveReferences(
  fields: readonly Field[],
  { kind: changeKind, changes }: Coalesced,
  context: { readonly resolve: Resolve; readonly earlier: ReadonlySet<string> },
): Resolved {
  const values = new Map(Object.entries(changes).map(([name, { value }]) => [name, value]));
  const later: LateLink[] = [];
  for (const { name: field, kind, relationship } of fields) {
    const value = values.get(field);
    const change = changes[field];
    if (kind !== 'reference' || !relationship || !change || !isLocalId(value)) continue;
    const found = context.resolve(relationship.object, value);
    if (found.kind === 'unknown') return { kind: 'unknown', field };
    if (found.kind === 'known') {
      values.set(field, found.id);
    } else if (
      changeKind === 'create' &&
      (found.parked || context.earlier.has(relationship.object))
    ) {
      return { kind: 'blocked', entry: found.entry };
    } else {
      values.delete(field);
      later.push({ field, change, waitsFor: found.entry });
    }
  }
  return { kind: 'ready', fields: Object.fromEntries(values), later };
}

/**
 * Where a link waits: in an entry of its own. One that an earlier attempt, or the user, has made
 * already stays and waits; otherwise each attempt would leave another.
 */
function putOff(record: ClaimedRecord, { entries }: Coalesced, links: readonly LateLink[]) {
  const kept = new Set<bigint>();
  const settled: Settlement[] = [];
  const followUps: FollowUp[] = [];
  const [of] = entries;
  for (const { field, change, waitsFor } of links) {
    const holder = record.entries.findLast((entry) => Object.hasOwn(entry.changes, field));
    if (holder?.op === 'update' && saysJust(holder.changes, field, change)) {
      kept.add(holder.id);
      settled.push({ ids: [holder.id], outcome: blocked(waitsFor) });
    } else if (of !== undefined) {
      const changes = Object.fromEntries([[field, change]]);
      followUps.push({ recordId: record.recordId, changes, blockedBy: waitsFor, of });
    }
  }
  return { kept, settled, followUps };
}

function saysJust(changes: FieldChanges, field: string, { base, value }: FieldChange): boolean {
  const own = changes[field];
  const isAlone = Object.keys(changes).length === 1;
  return own !== undefined && isAlone && equalJson(own.base, base) && equalJson(own.value, value);
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
