import type { FieldChange, FieldChanges } from './merge-record.ts';

/** An outbox entry as claimed. */
export interface ClaimedEntry {
  readonly id: bigint;
  readonly op: 'insert' | 'update' | 'delete' | 'link' | 'unlink';
  readonly changes: FieldChanges;
}

/**
 * What all claimed entries of one record come to (invariant 2: every entry is accounted for):
 * `entries` end as the change ends, of `superseded` nothing is left to send.
 */
export interface Coalesced {
  /** `nothing`: inserted and deleted before the CRM ever heard of it. */
  readonly kind: 'create' | 'update' | 'delete' | 'nothing';
  readonly changes: FieldChanges;
  readonly entries: readonly bigint[];
  readonly superseded: readonly bigint[];
}

/**
 * Folds the entries of one record, oldest first, into one change: per field the first base and
 * the last value. An update that only takes back what an earlier one did still goes out: the CRM
 * may have been told of the first in an attempt whose answer got lost.
 *
 * An update that a later one overwrites ends with it, not before: should the sending fail, the
 * first base is still what the next merge has to measure against (invariant 5).
 *
 * @param known whether the CRM has the record: an insert of one it has (adopted, or deleted and
 *   inserted again) is an update.
 */
export function coalesce(entries: readonly ClaimedEntry[], known: boolean): Coalesced {
  const lastInsert = entries.findLastIndex(({ op }) => op === 'insert');
  const lastDelete = entries.findLastIndex(({ op }) => op === 'delete');
  const created = !known && lastInsert >= 0;
  const final = entries[lastDelete];
  if (final && lastDelete > lastInsert) {
    return {
      kind: created ? 'nothing' : 'delete',
      changes: final.changes,
      entries: [final.id],
      // What was put off until something else is there may come after the delete.
      superseded: idsOf(entries.filter((entry) => entry !== final)),
    };
  }
  const first = created ? lastInsert : 0;
  return {
    kind: created ? 'create' : 'update',
    changes: fold(entries.slice(first)),
    entries: idsOf(entries.slice(first)),
    superseded: idsOf(entries.slice(0, first)),
  };
}

function fold(entries: readonly ClaimedEntry[]): FieldChanges {
  const changes = new Map<string, FieldChange>();
  const write = (field: string, { base, value }: FieldChange) => {
    const first = changes.get(field);
    changes.set(field, { base: first ? first.base : base, value });
  };
  let absent = false;
  for (const { op, changes: own } of entries) {
    if (op === 'delete') {
      // Inserted again later: what the insert does not name has to become empty.
      for (const [field, { base }] of [...changes, ...fieldsOf(own)]) {
        write(field, { base, value: null });
      }
      absent = true;
    } else if (!absent || op === 'insert') {
      absent = false;
      for (const [field, change] of Object.entries(own)) write(field, change);
    }
  }
  return Object.fromEntries(changes);
}

/** A deleted row is kept whole; what begins with an underscore is the CRM's own and never sent. */
function fieldsOf(row: FieldChanges): readonly (readonly [string, FieldChange])[] {
  return Object.entries(row).filter(([field]) => !field.startsWith('_'));
}

function idsOf(entries: readonly ClaimedEntry[]): readonly bigint[] {
  return entries.map(({ id }) => id);
}
