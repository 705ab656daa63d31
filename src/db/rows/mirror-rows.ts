import type { Sql, Transaction } from '../connection/database.ts';
import { guarded } from '../connection/guarded.ts';
import { differing, type Refusals, type RowTrouble } from '../connection/row-trouble.ts';
import type { MirrorTable } from '../mirror/table.ts';

/** Locks the rows that nobody else holds, in id order. @returns the ids locked. */
export async function lockRows(
  tx: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const locked = await tx.query<{ id: string }>(
    `SELECT id FROM ${table.qualified} WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE SKIP LOCKED`,
    [ids],
  );
  return new Set(locked.map(({ id }) => id));
}

/**
 * Gives rows born here the id the CRM knows them by. Where the record has come in by itself
 * meanwhile, its row makes way: the one born here has what users have written since.
 *
 * @returns those that keep their old id, by the new one.
 */
export async function renameRows(
  tx: Transaction,
  table: MirrorTable,
  renames: readonly { readonly oldId: string; readonly id: string }[],
): Promise<Refusals> {
  // Rows born here may turn out to be one record: the last one takes its id.
  const byId = new Map<string, readonly string[]>();
  for (const { oldId, id } of renames) byId.set(id, [...(byId.get(id) ?? []), oldId]);
  const kept: string[] = [];
  const refused = await guarded(tx, table.qualified, [...byId], async (part) => {
    const inTheWay = part.flatMap(([id, oldIds]) => [id, ...oldIds.slice(0, -1)]);
    await tx.query(`DELETE FROM ${table.qualified} WHERE id = ANY($1::text[])`, [inTheWay]);
    const renamed = await tx.query<{ id: string }>(
      `UPDATE ${table.qualified} AS t SET id = m.id
         FROM unnest($1::text[], $2::text[]) AS m(old_id, id)
        WHERE t.id = m.old_id RETURNING t.id`,
      [part.map(([, oldIds]) => oldIds.at(-1)), part.map(([id]) => id)],
    );
    const done = new Set(renamed.map(({ id }) => id));
    kept.push(...part.flatMap(([id]) => (done.has(id) ? [] : [id])));
  });
  const trouble = differing(nameOf(tx, table), 'a trigger of the table keeps its old id');
  return new Map([
    ...kept.map((id) => [id, trouble] as const),
    ...refused.map(({ item: [id], trouble: why }) => [id, why] as const),
  ]);
}

/** What became of rows that were to go. A row in neither stands no more, or a user holds it. */
export interface Deleted {
  readonly deleted: ReadonlySet<string>;
  readonly refused: Refusals;
}

/** Takes rows away whose records are gone. Skips what a user holds: the next comparison finds it. */
export async function deleteRows(
  tx: Transaction,
  table: MirrorTable,
  ids: readonly string[],
): Promise<Deleted> {
  const deleted = new Set<string>();
  const kept: string[] = [];
  const refused = await guarded(tx, table.qualified, ids, async (part) => {
    const rows = await tx.query<{ id: string; gone: boolean }>(
      `WITH held AS MATERIALIZED (
         SELECT id FROM ${table.qualified} WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE SKIP LOCKED
       ), gone AS (
         DELETE FROM ${table.qualified} WHERE id IN (SELECT id FROM held) RETURNING id
       )
       SELECT h.id, g.id IS NOT NULL AS gone FROM held AS h LEFT JOIN gone AS g ON g.id = h.id`,
      [part],
    );
    for (const { id, gone } of rows) {
      if (gone) deleted.add(id);
      else kept.push(id);
    }
  });
  const trouble = differing(nameOf(tx, table), 'a trigger of the table keeps the row');
  const troubles = new Map<string, RowTrouble>(kept.map((id) => [id, trouble]));
  for (const { item, trouble: why } of refused) troubles.set(item, why);
  return { deleted, refused: troubles };
}

function nameOf({ schemas }: Sql, table: MirrorTable): string {
  return `${schemas.mirror}.${table.name}`;
}

/** `_updated_at` of the rows that stand, by id. */
export async function readVersions(
  sql: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await sql.query<{ id: string; updatedAt: string | null }>(
    `SELECT id, _updated_at AS "updatedAt" FROM ${table.qualified} WHERE id = ANY($1::text[])`,
    [ids],
  );
  return new Map(rows.map(({ id, updatedAt }) => [id, updatedAt]));
}
