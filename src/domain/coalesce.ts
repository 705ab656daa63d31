import type { FieldChange, FieldChanges } from './merge-record.ts';

/** An outbox entry as claimed. */
export interface ClaimedEntry {
  readonly id: bigint;
  readonly op: 'insert' | 'update' | 'delete' | 'link' | 'unlink';
  readonly changes: FieldChanges;
}

/**
 * What all claimed entries of one record come to (invariant 2: every entry is accounted for):
 * `superseded` are entries nothing of which is sent because a later one says otherwise.
 */
export type Coalesced =
  | {
      readonly kind: 'create' | 'update';
      readonly changes: FieldChanges;
      readonly entries: readonly bigint[];
      readonly superseded: readonly bigint[];
    }
  | {
      readonly kind: 'delete';
      readonly changes: FieldChanges;
      readonly entries: readonly bigint[];
      readonly superseded: readonly bigint[];
    }
  | {
      /** Inserted and deleted before the CRM ever heard of it. */
      readonly kind: 'nothing';
      readonly entries: readonly bigint[];
      readonly superseded: readonly bigint[];
    };

/**
 * Folds the entries of one record, oldest first, into one change: per field the first base and
 * the last value. An update that only takes back what an earlier one did still goes out: the CRM
 * may have been told of the first in an attempt whose answer got lost.
 */
export function coalesce(entries: readonly ClaimedEntry[]): Coalesced {
  let created = false;
  let deleted: ClaimedEntry | null = null;
  let changes = new Map<string, FieldChange>();
  let live: ClaimedEntry[] = [];
  const superseded: bigint[] = [];
  for (const entry of entries) {
    if (entry.op === 'delete') {
      superseded.push(...live.map(({ id }) => id));
      if (deleted) superseded.push(deleted.id);
      live = [];
      deleted = entry;
      continue;
    }
    if (entry.op === 'insert') {
      created = true;
      // A row inserted again under the id it was deleted with starts from nothing.
      if (deleted) superseded.push(deleted.id);
      deleted = null;
      changes = new Map();
    }
    for (const [field, change] of Object.entries(entry.changes)) {
      const first = changes.get(field);
      changes.set(field, { base: first ? first.base : change.base, value: change.value });
    }
    live.push(entry);
  }
  if (deleted) {
    const ids = [deleted.id];
    return created
      ? { kind: 'nothing', entries: ids, superseded }
      : { kind: 'delete', changes: deleted.changes, entries: ids, superseded };
  }
  const covered = coveredByLater(live);
  superseded.push(...covered);
  return {
    kind: created ? 'create' : 'update',
    changes: Object.fromEntries(changes),
    entries: live.filter(({ id }) => !covered.has(id)).map(({ id }) => id),
    superseded,
  };
}

/** Updates every field of which a later entry overwrites. */
function coveredByLater(entries: readonly ClaimedEntry[]): ReadonlySet<bigint> {
  const covered = new Set<bigint>();
  const later = new Set<string>();
  for (const entry of entries.toReversed()) {
    const fields = Object.keys(entry.changes);
    if (entry.op === 'update' && fields.every((field) => later.has(field))) covered.add(entry.id);
    for (const field of fields) later.add(field);
  }
  return covered;
}
