import type { ClaimedRecord, EntryOutcome } from '../db/outbox/outbox.ts';
import type { Creating } from '../domain/capabilities.ts';
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
  /** The field by which a create is a record that may be there already; null where nothing tells. */
  readonly identity: string | null;
  /** The field by which a create is repeatable; null where it is not. */
  readonly matchOn: string | null;
  readonly attempts: number;
  /** Of a create, what can only be set once the record is there: an edit of it follows. */
  readonly afterwards?: Readonly<Record<string, Json>>;
  /** An update of a record that is archived, and has to be brought back first. */
  readonly restores?: boolean;
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

/**
 * `local:` ids that the changes refer to or are about, by object: what `prepare` looks up.
 *
 * @param objects all there are, for what may refer to any.
 */
export function localReferences(
  schema: ObjectSchema,
  changes: readonly { readonly record: ClaimedRecord; readonly change: Coalesced }[],
  objects: readonly string[] = [],
): ReadonlyMap<string, ReadonlySet<string>> {
  const own = changes
    .filter(({ record, change }) => awaitsCreate(record, change))
    .map(({ record }) => record.recordId);
  const found = new Map([[schema.object, new Set(own)]]);
  for (const { field, targets } of referencesIn(schema, objects)) {
    for (const target of targets) {
      const ids = found.get(target) ?? new Set<string>();
      for (const { change } of changes) {
        const value = change.kind === 'nothing' ? null : change.changes[field.name]?.value;
        if (isLocalId(value)) ids.add(value);
      }
      found.set(target, ids);
    }
  }
  return found;
}

/** Objects whose records a field may name; one of ours is of one of them alone. */
function targetsOf(
  { kind, relationship, objectIn }: Field,
  objects: readonly string[],
): readonly string[] {
  if (objectIn !== undefined) return objects;
  return kind === 'reference' && relationship ? [relationship.object] : [];
}

interface Reference {
  readonly field: Field;
  /** Objects whose records it may name. */
  readonly targets: readonly string[];
}

function referencesIn({ fields }: ObjectSchema, objects: readonly string[] = []): Reference[] {
  return fields
    .map((field) => ({ field, targets: targetsOf(field, objects) }))
    .filter(({ targets }) => targets.length > 0);
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
    /** All there are, for what may refer to any. */
    readonly objects?: readonly string[];
    /** Objects that are created before this one. */
    readonly earlier: ReadonlySet<string>;
    /** The field that identifies records; null where none does. */
    readonly identity: string | null;
    readonly creating: Creating;
  },
): Preparation {
  const outgoing: Outgoing[] = [];
  const settled: Settlement[] = [];
  const followUps: FollowUp[] = [];
  const taken = new Set<string>();
  const subjects = new Set(changes.map(({ record }) => record.recordId));
  const identity = schema.fields.find(({ name }) => name === context.identity) ?? null;
  const references = referencesIn(schema, context.objects);
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
    const resolved = resolveReferences(references, change, context);
    if (resolved.kind === 'unknown') {
      const reason = `reference-unknown: ${resolved.field} names a row that does not exist`;
      settled.push({ ids: all, outcome: { state: 'parked', reason } });
      continue;
    }
    if (resolved.kind === 'blocked') {
      settled.push({ ids: all, outcome: blocked(resolved.entry) });
      continue;
    }
    const restores = change.kind === 'update' && isRestore(record);
    if (change.kind === 'update' && !restores && Object.keys(resolved.fields).length === 0) {
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
      changes: change.changes,
      identity: keys.length > 0 ? context.identity : null,
      ...repeatable(record, change, { ...inTwo(schema, change, resolved.fields), ...context }),
      attempts: record.attempts,
      ...(restores ? { restores } : {}),
      mayHaveArrived: change.kind === 'create' && record.sentBefore.size > 0,
    });
  }
  return { outgoing, settled, followUps };
}

/** Whether its delete was taken back: `outbox revert` has written an insert that brings no values. */
function isRestore({ entries }: ClaimedRecord): boolean {
  return entries.some(({ op, changes }) => op === 'insert' && Object.keys(changes).length === 0);
}

/** What a create says, and what has to be set afterwards. */
function inTwo(
  schema: ObjectSchema,
  { kind }: Coalesced,
  fields: Outgoing['fields'],
): Pick<Outgoing, 'fields' | 'afterwards'> {
  if (kind !== 'create') return { fields };
  const later = schema.fields.filter(({ setAfterwards }) => setAfterwards).map(({ name }) => name);
  if (!later.some((name) => Object.hasOwn(fields, name))) return { fields };
  const all = Object.entries(fields);
  const afterwards = all.filter(([name, value]) => later.includes(name) && value !== null);
  return {
    fields: Object.fromEntries(all.filter(([name]) => !later.includes(name))),
    ...(afterwards.length > 0 && { afterwards: Object.fromEntries(afterwards) }),
  };
}

/** What goes out, and by which field it may go out again as a create. */
function repeatable(
  { recordId }: ClaimedRecord,
  { kind }: Coalesced,
  create: Pick<Outgoing, 'fields' | 'afterwards'> & {
    readonly identity: string | null;
    readonly creating: Creating;
  },
): Pick<Outgoing, 'fields' | 'afterwards' | 'matchOn'> {
  const { fields, creating } = create;
  if (kind !== 'create') return { fields: kind === 'delete' ? {} : fields, matchOn: null };
  const later = create.afterwards === undefined ? {} : { afterwards: create.afterwards };
  const field = repeatedBy(create);
  const value = field === null ? null : (fields[field] ?? null);
  if (creating.kind === 'external-id' && value === null) {
    const external = { ...fields, [creating.field]: recordId };
    return { fields: external, ...later, matchOn: creating.field };
  }
  const isEmpty = value === null || (Array.isArray(value) && value.length === 0);
  return { fields, ...later, matchOn: isEmpty ? null : field };
}

/** The field by which creates of an object are repeatable, those that have a value of it. */
export function repeatedBy(how: {
  readonly identity: string | null;
  readonly creating: Creating;
}): string | null {
  switch (how.creating.kind) {
    case 'upsert':
      return how.identity;
    case 'external-id':
      return how.creating.field;
    case 'lookup':
    case 'created-since':
      return null;
  }
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
  references: readonly Reference[],
  { kind: changeKind, changes }: Coalesced,
  context: { readonly resolve: Resolve; readonly earlier: ReadonlySet<string> },
): Resolved {
  const values = new Map(Object.entries(changes).map(([name, { value }]) => [name, value]));
  const later: LateLink[] = [];
  for (const { field: reference, targets } of references) {
    const { name: field, objectIn } = reference;
    const value = values.get(field);
    const change = changes[field];
    if (!change || !isLocalId(value)) continue;
    const [target, found] = targets
      .map((object) => [object, context.resolve(object, value)] as const)
      .find(([, { kind }]) => kind !== 'unknown') ?? ['', { kind: 'unknown' } as const];
    if (found.kind === 'unknown') return { kind: 'unknown', field };
    if (found.kind === 'known') {
      values.set(field, found.id);
    } else if (changeKind === 'create' && (found.parked || context.earlier.has(target))) {
      return { kind: 'blocked', entry: found.entry };
    } else {
      values.delete(field);
      later.push({ field, change, waitsFor: found.entry });
      const beside = objectIn === undefined ? undefined : changes[objectIn];
      if (objectIn === undefined || beside === undefined) continue;
      // Half of a reference says nothing.
      values.delete(objectIn);
      later.push({ field: objectIn, change: beside, waitsFor: found.entry });
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
