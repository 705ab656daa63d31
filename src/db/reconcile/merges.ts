import { quoteIdent } from '../../domain/names.ts';
import { moveActivities } from '../activities/rows.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import type { MirrorTable } from '../mirror/table.ts';
import { DECISIONS } from '../outbox/outbox.ts';
import { guardedReferences } from '../rows/identities.ts';
import { moveComments } from '../side/comments.ts';
import type { Merge } from './links.ts';

/** A merge that nobody has followed yet. */
export interface NewMerge extends Merge {
  /** The vanished id stood here: it has a row, or something waits for it, or a tombstone. */
  readonly known: boolean;
}

/**
 * Which of the merges that records tell of are news: the id is not mapped there, or still has a
 * row, or something waits for it in the outbox. Index look-ups alone; no lock.
 */
export async function readNewMerges(
  sql: Sql,
  table: MirrorTable,
  merges: readonly Merge[],
): Promise<NewMerge[]> {
  if (merges.length === 0) return [];
  const rows = await sql.query<NewMerge & { present: boolean; mapped: boolean }>(
    `SELECT m.old_id AS "oldId", m.id, s.present, s.mapped,
            s.present OR EXISTS (SELECT 1 FROM {sync}.tombstone AS b
                                  WHERE b.object = $1 AND b.id = m.old_id) AS known
       FROM unnest($2::text[], $3::text[]) AS m(old_id, id)
      CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT 1 FROM {sync}.id_map AS i
                        WHERE i.object = $1 AND i.old_id = m.old_id AND i.id = m.id) AS mapped,
               EXISTS (SELECT 1 FROM ${table.qualified} AS t WHERE t.id = m.old_id)
               OR EXISTS (SELECT 1 FROM {sync}.outbox AS o
                           WHERE o.object = $1 AND o.record_id = m.old_id
                             AND o.state IN ('pending', 'sending', 'parked')) AS present) AS s
      WHERE s.present OR NOT s.mapped`,
    [table.object, merges.map(({ oldId }) => oldId), merges.map(({ id }) => id)],
  );
  return rows.map(({ oldId, id, known }) => ({ oldId, id, known }));
}

/** Says of tombstones that stand that their records were merged. Primary key. */
export async function markTombstonesMerged(
  tx: Sql,
  object: string,
  ids: readonly string[],
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.tombstone SET reason = 'merged'
      WHERE object = $1 AND id = ANY($2::text[]) AND reason <> 'merged'`,
    [object, ids],
  );
}

/** Rows whose `_merged_ids` name one of these ids. Few rows have any: index `<table>__merged_ids`. */
export async function readSurvivors(
  sql: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<Merge[]> {
  if (ids.length === 0) return [];
  return await sql.query<Merge & Record<string, unknown>>(
    `SELECT DISTINCT ON (m.old_id) m.old_id AS "oldId", t.id
       FROM ${table.qualified} AS t, unnest(t._merged_ids) AS m(old_id)
      WHERE t._merged_ids <> '{}' AND t._merged_ids && $1::text[]
        AND m.old_id = ANY($1::text[]) AND m.old_id <> t.id
      ORDER BY m.old_id, t._updated_at DESC NULLS LAST`,
    [ids],
  );
}

/**
 * Remembers merges, for every id that led to a vanished one as well, and sends what waits in the
 * outbox, and what is open in the conflict log, to the survivor. Repeatable; row locks on these.
 */
export async function mapMerged(
  tx: Transaction,
  object: string,
  merges: readonly Merge[],
): Promise<void> {
  if (merges.length === 0) return;
  const parameters = [object, merges.map(({ oldId }) => oldId), merges.map(({ id }) => id)];
  const merge = `unnest($2::text[], $3::text[]) AS m(old_id, id)`;
  // A survivor lives, whatever an earlier merge the other way round has left.
  await tx.query(
    `DELETE FROM {sync}.id_map AS i USING ${merge}
      WHERE i.object = $1 AND i.old_id = m.id AND i.reason = 'merged'`,
    parameters,
  );
  await tx.query(
    `UPDATE {sync}.id_map AS i SET id = m.id FROM ${merge}
      WHERE i.object = $1 AND i.id = m.old_id AND i.old_id <> m.id`,
    parameters,
  );
  await tx.query(
    `INSERT INTO {sync}.id_map (object, old_id, id, reason)
     SELECT $1, m.old_id, m.id, 'merged' FROM ${merge} WHERE m.old_id <> m.id
         ON CONFLICT (object, old_id) DO UPDATE SET id = excluded.id, reason = 'merged'`,
    parameters,
  );
  await tx.query(
    `UPDATE {sync}.outbox AS o SET record_id = m.id FROM ${merge}
      WHERE o.object = $1 AND o.record_id = m.old_id AND o.state IN ('pending', 'sending', 'parked')`,
    parameters,
  );
  // An open conflict about the same field of the survivor keeps its row; this one ends with it.
  await tx.query(
    `UPDATE {sync}.conflict AS c
        SET resolution = 'merged', resolved_at = clock_timestamp(), resolved_by = 'merge'
       FROM ${merge}
      WHERE c.object = $1 AND c.record_id = m.old_id AND c.resolution = 'open'
        AND EXISTS (SELECT 1 FROM {sync}.conflict AS s
                     WHERE s.object = $1 AND s.field = c.field AND s.resolution = 'open'
                       AND (s.record_id = m.id OR s.id < c.id AND s.record_id IN (
                             SELECT o.old_id FROM unnest($2::text[], $3::text[]) AS o(old_id, id)
                              WHERE o.id = m.id)))`,
    parameters,
  );
  await tx.query(
    `UPDATE {sync}.conflict AS c SET record_id = m.id FROM ${merge}
      WHERE c.object = $1 AND c.record_id = m.old_id AND c.resolution = 'open'`,
    parameters,
  );
  await moveActivities(tx, object, merges);
  await moveComments(tx, object, merges);
}

/** Everything on record that lives on in each of these, by the survivor. Index `id_map_current`. */
export async function readMergedInto(
  sql: Sql,
  object: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await sql.query<{ id: string; oldIds: string[] }>(
    `SELECT id, array_agg(old_id ORDER BY mapped_at, old_id) AS "oldIds" FROM {sync}.id_map
      WHERE object = $1 AND id = ANY($2::text[]) AND reason = 'merged' GROUP BY id`,
    [object, ids],
  );
  return new Map(rows.map(({ id, oldIds }) => [id, oldIds]));
}

/** Every merge on record. */
export async function readMerges(sql: Sql, object: string): Promise<Merge[]> {
  return await sql.query<Merge & Record<string, unknown>>(
    `SELECT old_id AS "oldId", id FROM {sync}.id_map WHERE object = $1 AND reason = 'merged'`,
    [object],
  );
}

/**
 * Points references by vanished ids at the survivors: in every mirror table wherever nobody holds
 * the row, and in what waits in the outbox, base and value. Such references have no index, so this
 * is one scan per column, and for merges alone. Rows that refuse it are put aside, and left to the
 * next comparison. Repeatable. @returns rows changed.
 */
export async function moveReferences(
  tx: Transaction,
  tables: readonly MirrorTable[],
  object: string,
  merges: readonly Merge[],
): Promise<number> {
  if (merges.length === 0) return 0;
  const parameters = [merges.map(({ oldId }) => oldId), merges.map(({ id }) => id)];
  let moved = 0;
  for (const table of tables) {
    for (const { column, field } of table.columns) {
      if (field.kind !== 'reference' || field.relationship?.object !== object) continue;
      const name = quoteIdent(column);
      moved += await guardedReferences(tx, table, {
        find: `SELECT id FROM ${table.qualified} WHERE ${name} = ANY($1::text[]) AND $2::text[] IS NOT NULL ORDER BY id`,
        // An array, for Postgres hashes it; joined, a wrong guess would cost a scan for each merge.
        write: `UPDATE ${table.qualified} AS t SET ${name} = m.id
           FROM (SELECT r.id AS row_id, r.${name} AS old_id FROM ${table.qualified} AS r
                  WHERE r.${name} = ANY($1::text[]) AND ($3::text[] IS NULL OR r.id = ANY($3))
                  ORDER BY r.id FOR UPDATE SKIP LOCKED) AS d
           JOIN unnest($1::text[], $2::text[]) AS m(old_id, id) ON m.old_id = d.old_id
          WHERE t.id = d.row_id`,
        parameters,
      });
      await moveWaitingReferences(tx, { object: table.object, field: field.name }, parameters);
    }
  }
  return moved;
}

/** What was refused for a link to a vanished record is due again: it names the survivor now. */
async function moveWaitingReferences(
  tx: Sql,
  { object, field }: { readonly object: string; readonly field: string },
  parameters: readonly unknown[],
): Promise<void> {
  await tx.query(
    `WITH merge AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[]) AS m(old_id, id))
     UPDATE {sync}.outbox AS o
        SET changes = o.changes || jsonb_build_object($4::text, d.change),
            state = CASE WHEN d.mended THEN 'pending' ELSE o.state END,
            attempts = CASE WHEN d.mended THEN 0 ELSE o.attempts END,
            last_error = CASE WHEN d.mended THEN NULL ELSE o.last_error END,
            next_attempt_at = CASE WHEN d.mended THEN clock_timestamp() ELSE o.next_attempt_at END
       FROM (SELECT e.id, v.id IS NOT NULL AND e.refused AS mended, jsonb_build_object(
                      'base', coalesce(to_jsonb(b.id), e.change -> 'base'),
                      'value', coalesce(to_jsonb(v.id), e.change -> 'value')) AS change
               FROM (SELECT id, changes -> $4::text AS change,
                            state = 'parked' AND last_error !~ '${DECISIONS}' AS refused
                       FROM {sync}.outbox
                      WHERE object = $3 AND op <> 'delete' AND state IN ('pending', 'parked')
                        AND changes ? $4::text) AS e
               LEFT JOIN merge AS b ON b.old_id = e.change ->> 'base'
               LEFT JOIN merge AS v ON v.old_id = e.change ->> 'value'
              WHERE b.id IS NOT NULL OR v.id IS NOT NULL) AS d
      WHERE o.id = d.id AND o.state IN ('pending', 'parked')`,
    [...parameters, object, field],
  );
}

/** What a comparison could only call not visible, the feed has named since. Primary key. */
export async function markTombstonesDeleted(
  tx: Sql,
  object: string,
  deletions: readonly { readonly id: string; readonly deletedAt: string }[],
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.tombstone AS t SET reason = 'deleted', deleted_at = d.deleted_at::timestamptz
       FROM unnest($2::text[], $3::text[]) AS d(id, deleted_at)
      WHERE t.object = $1 AND t.id = d.id AND t.reason = 'not_visible'`,
    [object, deletions.map(({ id }) => id), deletions.map(({ deletedAt }) => deletedAt)],
  );
}
