import fc from 'fast-check';
import type { ClaimedEntry } from '../../src/domain/coalesce.ts';
import type { Json } from '../../src/domain/json.ts';
import type {
  EntryRewrite,
  FieldChange,
  FieldChanges,
  PendingEntry,
} from '../../src/domain/merge-record.ts';

export type Row = Readonly<Record<string, Json>>;

/** What a user does to one row. */
export type Edit =
  | { readonly op: 'write'; readonly values: Row }
  | { readonly op: 'delete' }
  | { readonly op: 'insert'; readonly values: Row };

/** As the triggers capture it: one entry per statement, bases from the row as it was. */
export function capture(
  edits: readonly Edit[],
  before: Row | null,
): { readonly entries: readonly ClaimedEntry[]; readonly row: Row | null } {
  const entries: ClaimedEntry[] = [];
  let row = before;
  const add = (op: ClaimedEntry['op'], changes: FieldChanges) => {
    entries.push({ id: BigInt(entries.length + 1), op, changes });
  };
  for (const edit of edits) {
    if (edit.op === 'delete') {
      if (row === null) continue;
      const whole = Object.entries(row).filter(([, base]) => base !== null);
      const extra: [string, FieldChange] = ['_extra', { base: { odd: 1 }, value: null }];
      add(
        'delete',
        Object.fromEntries([
          ...whole.map(([field, base]) => [field, { base, value: null }] as const),
          extra,
        ]),
      );
      row = null;
    } else if (row === null) {
      if (edit.op !== 'insert') continue;
      add('insert', changesOf({}, edit.values));
      row = edit.values;
    } else {
      // An upsert of a known id counts as an update.
      const changes = changesOf(row, edit.values);
      if (Object.keys(changes).length > 0) add('update', changes);
      row = { ...row, ...edit.values };
    }
  }
  return { entries, row };
}

function changesOf(row: Row, values: Row): FieldChanges {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([field, value]) => (row[field] ?? null) !== value)
      .map(([field, value]) => [field, { base: row[field] ?? null, value }]),
  );
}

/** What stands in the outbox after a merge, as the database keeps it. */
export function applyRewrites(
  entries: readonly PendingEntry[],
  rewrites: readonly EntryRewrite[],
): readonly PendingEntry[] {
  const byId = new Map(rewrites.map((rewrite) => [rewrite.id, rewrite]));
  const standing = entries.flatMap((entry): PendingEntry[] => {
    const rewrite = byId.get(entry.id);
    if (!rewrite) return [entry];
    const { state, changes } = rewrite;
    if (state !== 'pending' && state !== 'parked') return [];
    return [{ ...entry, state, changes: changes ?? entry.changes }];
  });
  const parked = rewrites.flatMap((rewrite): PendingEntry[] => {
    const origin = entries.find(({ id }) => id === rewrite.id);
    if (!origin || Object.keys(rewrite.parked).length === 0) return [];
    const id = rewrite.id + 1_000n;
    return [{ ...origin, id, op: 'update', state: 'parked', changes: rewrite.parked }];
  });
  return [...standing, ...parked];
}

const value = fc.constantFrom<Json>('u', 'v', 'w', null);
const values = fc.record({ a: value, b: value, c: value }, { requiredKeys: [] });

export const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 5, arbitrary: values.map((v) => ({ op: 'write' as const, values: v })) },
  { weight: 1, arbitrary: fc.constant({ op: 'delete' as const }) },
  { weight: 2, arbitrary: values.map((v) => ({ op: 'insert' as const, values: v })) },
);

export const anyRow: fc.Arbitrary<Row> = fc.record({ a: value, b: value, c: value });
