import type { Sql } from '../db/connection/database.ts';
import { readCurrentIds } from '../db/rows/identities.ts';
import type { Json } from '../domain/json.ts';
import type { FieldChange, FieldChanges } from '../domain/merge-record.ts';
import type { ObjectSchema } from '../domain/schema.ts';

/** An entry, as far as references in it go. */
interface Changed {
  readonly changes: FieldChanges;
}

/**
 * Entries with every reference, base and value, by the id its record has now. A user whose
 * transaction began before a record got its id, or was merged away, writes the old one after
 * everything else was rewritten: measured by it, a link would differ from itself (invariant 3).
 * Primary key of `id_map`; no statement where no reference is written.
 */
export async function withCurrentReferences<Entry extends Changed>(
  sql: Sql,
  schema: ObjectSchema,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  const targets = new Map(
    schema.fields.flatMap(({ name, kind, relationship }) =>
      kind === 'reference' && relationship ? [[name, relationship.object] as const] : [],
    ),
  );
  const asked = new Map<string, Set<string>>();
  for (const { changes } of entries) {
    for (const [field, { base, value }] of Object.entries(changes)) {
      const target = targets.get(field);
      if (target === undefined) continue;
      const ids = asked.get(target) ?? new Set();
      for (const id of [base, value]) if (typeof id === 'string') ids.add(id);
      asked.set(target, ids);
    }
  }
  const current = new Map<string, ReadonlyMap<string, string>>();
  for (const [target, ids] of asked) {
    current.set(target, await readCurrentIds(sql, target, [...ids]));
  }
  const renamed = [...current.values()].some(({ size }) => size > 0);
  if (!renamed) return entries;
  const rewrite = (field: string, change: FieldChange): FieldChange => {
    const ids = current.get(targets.get(field) ?? '');
    const now = (id: Json): Json => (typeof id === 'string' ? (ids?.get(id) ?? id) : id);
    return { base: now(change.base), value: now(change.value) };
  };
  return entries.map((entry) => {
    const changes: FieldChanges = Object.fromEntries(
      Object.entries(entry.changes).map(([field, change]) => [field, rewrite(field, change)]),
    );
    return { ...entry, changes };
  });
}
