import { quoteIdent } from '../../domain/names.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { guardedSet } from '../connection/guarded.ts';
import { lockWhereFree } from '../mirror/lock.ts';
import type { MirrorTable } from '../mirror/table.ts';
import { putAside } from './set-aside.ts';

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
       FROM {sync}.id_map AS m
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
    `INSERT INTO {sync}.id_map (object, old_id, id, reason)
     SELECT $1, m.old_id, m.id, $4 FROM unnest($2::text[], $3::text[]) AS m(old_id, id)
         ON CONFLICT (object, old_id) DO UPDATE SET id = excluded.id`,
    [...parameters, reason],
  );
  await tx.query(
    `UPDATE {sync}.outbox AS o SET record_id = m.id
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
    `UPDATE {sync}.outbox AS o SET record_id = m.id
       FROM {sync}.id_map AS m
      WHERE m.object = $1 AND m.id = ANY($2::text[])
        AND o.object = $1 AND o.record_id = m.old_id AND o.state IN ('pending', 'sending', 'parked')`,
    [object, ids],
  );
}

/**
 * Replaces references by an id that was given here with the one the CRM knows, in every table and
 * its history, wherever nobody holds the row; what is skipped is replaced next time. A row that a
 * constraint keeps from it is put aside, and left alone until it is due again. The partial indexes
 * on `local:` references keep this free where there are none.
 */
export async function rewriteReferences(
  tx: Transaction,
  tables: readonly MirrorTable[],
): Promise<void> {
  await tx.query('SELECT {sync}.name_versions(object) FROM unnest($1::text[]) AS object', [
    tables.map(({ object }) => object),
  ]);
  const referring = tables.filter(({ columns }) =>
    columns.some(({ field }) => field.kind === 'reference' && field.relationship),
  );
  // A table that somebody holds is another object's trouble: its own pull comes back to it.
  for (const table of await lockWhereFree(tx, referring)) {
    const due = (name: string) => `
         FROM ${table.qualified} AS r
         JOIN {sync}.id_map AS m ON m.object = $1 AND m.old_id = r.${name}
        WHERE r.${name} LIKE 'local:%'
          AND NOT EXISTS (SELECT FROM {sync}.deferred AS d
                           WHERE d.object = $2 AND d.id = r.id AND d.kind = 'refer'
                             AND d.next_attempt_at > clock_timestamp())`;
    for (const { column, field } of table.columns) {
      if (field.kind !== 'reference' || !field.relationship) continue;
      const name = quoteIdent(column);
      const parameters = [field.relationship.object, table.object];
      await guardedReferences(tx, table, {
        find: `SELECT r.id ${due(name)} ORDER BY r.id`,
        write: `UPDATE ${table.qualified} AS t SET ${name} = m.id
           FROM (SELECT r.id AS row_id, m.id ${due(name)} AND ($3::text[] IS NULL OR r.id = ANY($3))
                  ORDER BY r.id FOR UPDATE OF r SKIP LOCKED) AS m
          WHERE t.id = m.row_id`,
        parameters,
      });
    }
  }
}

/**
 * Brings references in rows of a table to present ids. Rows that refuse it are put aside.
 *
 * @param how.find the ids of the rows; `how.write` takes those that may be written, or null for
 *   all, as the parameter after `how.parameters`.
 * @returns how many were written.
 */
export async function guardedReferences(
  tx: Transaction,
  table: MirrorTable,
  how: {
    readonly find: string;
    readonly write: string;
    readonly parameters: readonly unknown[];
  },
): Promise<number> {
  let written = 0;
  const find = async () => {
    const rows = await tx.query<{ id: string }>(how.find, how.parameters);
    return rows.map(({ id }) => id);
  };
  const refused = await guardedSet(tx, table.qualified, find, async (ids) => {
    const rows = await tx.query(`${how.write} RETURNING 1`, [...how.parameters, ids]);
    written += rows.length;
  });
  const lasting = refused.filter(({ trouble }) => !trouble.passing);
  await putAside(
    tx,
    { object: table.object, kind: 'refer', readAt: tx.startedAt },
    lasting.map(({ item: id, trouble }) => ({ id, record: null, trouble })),
  );
  return written;
}

/** The present ids of those that are old ones. Primary key of `id_map`. */
export async function readCurrentIds(
  sql: Sql,
  object: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<{ old_id: string; id: string }>(
    `SELECT old_id, {sync}.current_id($1, old_id) AS id FROM {sync}.id_map
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
    'SELECT id FROM {sync}.id_map WHERE object = $1 AND id = ANY($2::text[])',
    [object, ids],
  );
  return new Set(rows.map(({ id }) => id));
}
