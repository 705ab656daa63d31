import { escapeIdentifier } from 'pg';
import type { Sql } from './database.ts';
import { lockWhereFree } from './mirror/lock.ts';
import type { MirrorTable } from './mirror/table.ts';

export interface Rename {
  readonly oldId: string;
  readonly id: string;
}

export interface DueRename extends Rename {
  /** A row stands under the new id as well: the record came in by itself meanwhile. */
  readonly occupied: boolean;
}

/**
 * Rows that still stand under an id their record no longer has. Index `id_map_current`, primary
 * key of the mirror table; no lock.
 */
export async function readDueRenames(
  sql: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<DueRename[]> {
  return await sql.query<DueRename & Record<string, unknown>>(
    `SELECT m.old_id AS "oldId", m.id,
            EXISTS (SELECT 1 FROM ${table.qualified} AS o WHERE o.id = m.id) AS occupied
       FROM clarify_sync.id_map AS m
       JOIN ${table.qualified} AS t ON t.id = m.old_id
      WHERE m.object = $1 AND m.id = ANY($2::text[]) AND m.reason <> 'merged'`,
    [table.object, ids],
  );
}

/** Remembers what records are called now, and sends their unsettled entries there. Repeatable. */
export async function mapIds(
  tx: Sql,
  object: string,
  renames: readonly Rename[],
  reason: 'pushed' | 'adopted' | 'merged',
): Promise<void> {
  if (renames.length === 0) return;
  const parameters = [object, renames.map(({ oldId }) => oldId), renames.map(({ id }) => id)];
  await tx.query(
    `INSERT INTO clarify_sync.id_map (object, old_id, id, reason)
     SELECT $1, m.old_id, m.id, $4 FROM unnest($2::text[], $3::text[]) AS m(old_id, id)
         ON CONFLICT (object, old_id) DO UPDATE SET id = excluded.id`,
    [...parameters, reason],
  );
  await tx.query(
    `UPDATE clarify_sync.outbox AS o SET record_id = m.id
       FROM unnest($2::text[], $3::text[]) AS m(old_id, id)
      WHERE o.object = $1 AND o.record_id = m.old_id AND o.state IN ('pending', 'sending', 'parked')`,
    parameters,
  );
}

/**
 * Brings unsettled entries written under an id that a record no longer has to its present one: a
 * user who held the row while its create was settled wrote under the old one. To be called once
 * the rows are locked; index `id_map_current`. Repeatable.
 */
export async function moveEntries(tx: Sql, object: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `UPDATE clarify_sync.outbox AS o SET record_id = m.id
       FROM clarify_sync.id_map AS m
      WHERE m.object = $1 AND m.id = ANY($2::text[])
        AND o.object = $1 AND o.record_id = m.old_id AND o.state IN ('pending', 'sending', 'parked')`,
    [object, ids],
  );
}

/**
 * Replaces references by an id that was given here with the one the CRM knows, in every table and
 * its history, wherever nobody holds the row; what is skipped is replaced next time. The partial
 * indexes on `local:` references keep this free where there are none.
 */
export async function rewriteReferences(tx: Sql, tables: readonly MirrorTable[]): Promise<number> {
  let rewritten = 0;
  await tx.query('SELECT clarify_sync.name_versions(object) FROM unnest($1::text[]) AS object', [
    tables.map(({ object }) => object),
  ]);
  const referring = tables.filter(({ columns }) =>
    columns.some(({ field }) => field.kind === 'reference' && field.relationship),
  );
  // A table that somebody holds is another object's trouble: its own pull comes back to it.
  for (const table of await lockWhereFree(tx, referring)) {
    for (const { column, field } of table.columns) {
      if (field.kind !== 'reference' || !field.relationship) continue;
      const name = escapeIdentifier(column);
      const rows = await tx.query(
        `UPDATE ${table.qualified} AS t SET ${name} = m.id
           FROM (SELECT r.id AS row_id, m.id
                   FROM ${table.qualified} AS r
                   JOIN clarify_sync.id_map AS m ON m.object = $1 AND m.old_id = r.${name}
                  WHERE r.${name} LIKE 'local:%'
                  ORDER BY r.id FOR UPDATE OF r SKIP LOCKED) AS m
          WHERE t.id = m.row_id
          RETURNING 1`,
        [field.relationship.object],
      );
      rewritten += rows.length;
    }
  }
  return rewritten;
}

/** The present ids of those that are old ones. Primary key of `id_map`. */
export async function readCurrentIds(
  sql: Sql,
  object: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<{ old_id: string; id: string }>(
    `SELECT old_id, clarify_sync.current_id($1, old_id) AS id FROM clarify_sync.id_map
      WHERE object = $1 AND old_id = ANY($2::text[])`,
    [object, ids],
  );
  return new Map(rows.map(({ old_id, id }) => [old_id, id]));
}

/** Which of these ids belong to records that were created or adopted from here. */
export async function readMapped(
  sql: Sql,
  object: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const rows = await sql.query<{ id: string }>(
    'SELECT id FROM clarify_sync.id_map WHERE object = $1 AND id = ANY($2::text[])',
    [object, ids],
  );
  return new Set(rows.map(({ id }) => id));
}
