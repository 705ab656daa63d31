import type { OfRecord, SidePart, SideUnit } from '../../domain/side.ts';
import type { Sql } from '../connection/database.ts';
import { dropStrayPages } from './pages.ts';

/** A unit that is due, with the version of its record that it is read for. */
export interface DueReading extends SideUnit {
  readonly version: string | null;
  /** Some of its pages are there. */
  readonly begun: boolean;
}

/** Which readings a statement is about: those of a part, of one object where that has several. */
export interface SideScope {
  readonly part: SidePart;
  /** Null: of all of them. */
  readonly object: string | null;
}

/** Units by their keys, of no object: those that are not among them are read no more. */
export async function noteUnits(sql: Sql, part: SidePart, keys: readonly string[]): Promise<void> {
  await sql.query(
    `WITH dropped AS (
       DELETE FROM {sync}.side_reading WHERE part = $1 AND key <> ALL($2::text[])
     )
     INSERT INTO {sync}.side_reading (part, object, key)
     SELECT $1, '', key FROM unnest($2::text[]) AS k(key)
         ON CONFLICT DO NOTHING`,
    [part, keys],
  );
  await dropStrayPages(sql, part);
}

/** One unit for each list there is; of one that is gone, neither reading nor members are kept. */
export async function noteLists(
  tx: Sql,
  { lists, members }: { readonly lists: string; readonly members: string },
): Promise<number> {
  await tx.query(
    `WITH dropped AS (
       DELETE FROM {sync}.side_reading AS k WHERE part = 'list_member'
          AND NOT EXISTS (SELECT FROM ${lists} AS l WHERE l.id = k.key AND l.object = k.object)
     )
     INSERT INTO {sync}.side_reading (part, object, key)
     SELECT 'list_member', object, id FROM ${lists} WHERE object IS NOT NULL
         ON CONFLICT DO NOTHING`,
  );
  await dropStrayPages(tx, 'list_member');
  const gone = await tx.query(
    `DELETE FROM ${members} AS m
      WHERE NOT EXISTS (SELECT FROM ${lists} AS l WHERE l.id = m.list_id AND l.object = m.object)
      RETURNING 1`,
  );
  return gone.length;
}

/** What a transaction may take between the time it writes in a row and its end. */
const OVERLAP = `interval '10 minutes'`;

/**
 * One unit for each record of an object, due where its version is another than it was read for.
 * Looks at rows written since `since` (database time; null: all). Safe to run twice.
 *
 * @param mirror the object's table, quoted.
 */
export async function noteRecords(
  sql: Sql,
  { part, object }: { readonly part: OfRecord; readonly object: string },
  { mirror, since }: { readonly mirror: string; readonly since: string | null },
): Promise<void> {
  await sql.query(
    `INSERT INTO {sync}.side_reading AS kept (part, object, key, version)
     SELECT $1, $2, m.id, to_char(m._updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.USZ')
       FROM ${mirror} AS m
      WHERE m.id NOT LIKE 'local:%'
        AND ($3::timestamptz IS NULL OR m._synced_at >= $3::timestamptz - ${OVERLAP})
         ON CONFLICT (part, object, key) DO UPDATE
        SET version = excluded.version, due_at = clock_timestamp(), attempts = 0
      WHERE kept.version IS DISTINCT FROM excluded.version`,
    [part, object, since],
  );
}

/** SQL of rows `t` of comments that do not wait to be sent. */
const IS_DELIVERED = `AND NOT EXISTS (
          SELECT FROM {sync}.comment_outbox AS e WHERE e.id = t.id AND e.state <> 'done')`;

/** SQL of events `a` that tell of a comment. */
const OF_A_COMMENT = `a.kind = 'other' AND a.field IS NULL AND a.value ->> 'entity' = 'comment'`;

/**
 * One unit for each record that was commented on, as its past tells; due where that tells of more
 * than it was read for. Looks at events written since `since`, as {@link noteRecords}.
 *
 * @param activity the table of the object's past, quoted.
 */
export async function noteComments(
  sql: Sql,
  object: string,
  {
    mirror,
    activity,
    since,
  }: { readonly mirror: string; readonly activity: string; readonly since: string | null },
): Promise<void> {
  await sql.query(
    `INSERT INTO {sync}.side_reading AS kept (part, object, key, version)
     SELECT 'comment', $1, a.record_id, count(DISTINCT a.event_id)::text
       FROM ${activity} AS a
      WHERE ${OF_A_COMMENT} AND EXISTS (SELECT FROM ${mirror} AS m WHERE m.id = a.record_id)
        AND ($2::timestamptz IS NULL OR a.record_id IN (
              SELECT n.record_id FROM ${activity} AS n
               WHERE n.field IS NULL AND n._synced_at >= $2::timestamptz - ${OVERLAP}))
      GROUP BY a.record_id
         ON CONFLICT (part, object, key) DO UPDATE
        SET version = excluded.version, due_at = clock_timestamp(), attempts = 0
      WHERE kept.version IS DISTINCT FROM excluded.version`,
    [object, since],
  );
}

/**
 * Ids of a record's comments: those that its past tells of, and those that are here, of which it may not
 * tell yet, unless they wait to be sent. By the keys of both tables.
 */
export async function readCommentIds(
  sql: Sql,
  { activity, table }: { readonly activity: string; readonly table: string },
  { object, key }: SideUnit,
): Promise<readonly string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT a.value ->> 'id' AS id FROM ${activity} AS a
      WHERE a.record_id = $2 AND ${OF_A_COMMENT} AND a.value ->> 'id' <> ''
      UNION
     SELECT t.id FROM ${table} AS t WHERE t.record_id = $2 AND t.object = $1 ${IS_DELIVERED}
      ORDER BY 1`,
    [object, key],
  );
  return rows.map(({ id }) => id);
}

/** What belongs to a record goes with it, but what was written here and not delivered. @returns rows that went. */
export async function dropWithRecords(
  tx: Sql,
  { part, object }: { readonly part: OfRecord; readonly object: string },
  { mirror, table }: { readonly mirror: string; readonly table: string },
): Promise<number> {
  await tx.query(
    `DELETE FROM {sync}.side_reading AS k WHERE part = $1 AND object = $2
        AND NOT EXISTS (SELECT FROM ${mirror} AS m WHERE m.id = k.key)`,
    [part, object],
  );
  await dropStrayPages(tx, part);
  const gone = await tx.query(
    `DELETE FROM ${table} AS t WHERE object = $1
        AND NOT EXISTS (SELECT FROM ${mirror} AS m WHERE m.id = t.record_id)
        ${part === 'comment' ? IS_DELIVERED : ''} RETURNING 1`,
    [object],
  );
  return gone.length;
}

/** Those due, longest first. By `side_reading_due`. No lock: one process leads. */
export async function readDueReadings(
  sql: Sql,
  { part, object }: SideScope,
  limit: number,
): Promise<readonly DueReading[]> {
  return await sql.query<DueReading & Record<string, unknown>>(
    `SELECT k.object, k.key, k.version,
            EXISTS (SELECT FROM {sync}.side_page AS p
                     WHERE p.part = k.part AND p.object = k.object AND p.key = k.key) AS begun
       FROM {sync}.side_reading AS k
      WHERE k.part = $1 AND ($2::text IS NULL OR k.object = $2) AND k.due_at <= clock_timestamp()
      ORDER BY k.due_at LIMIT $3`,
    [part, object, limit],
  );
}

/**
 * Notes that these were read whole: due again in `everyMs`, or, where that is null, when the record
 * has another version. One that got another meanwhile stays due. In the transaction that writes what
 * was read.
 */
export async function settleReadings(
  tx: Sql,
  part: SidePart,
  {
    readings,
    everyMs,
  }: { readonly readings: readonly DueReading[]; readonly everyMs: number | null },
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.side_reading AS k
        SET read_at = clock_timestamp(), attempts = 0, error = NULL,
            due_at = CASE WHEN k.version IS NOT DISTINCT FROM u.version
              THEN clock_timestamp() + $5::float8 * interval '1 millisecond' ELSE k.due_at END
       FROM unnest($2::text[], $3::text[], $4::text[]) AS u(object, key, version)
      WHERE k.part = $1 AND k.object = u.object AND k.key = u.key`,
    [
      part,
      readings.map(({ object }) => object),
      readings.map(({ key }) => key),
      readings.map(({ version }) => version),
      everyMs,
    ],
  );
}

/**
 * Notes why one was not read; it is due again after a minute, four, sixteen, at most `everyMs`, or a
 * day where that is null.
 */
export async function postponeReading(
  sql: Sql,
  part: SidePart,
  { object, key, code, everyMs }: SideUnit & { readonly code: string; everyMs: number | null },
): Promise<void> {
  await sql.query(
    `UPDATE {sync}.side_reading
        SET error = $4, attempts = attempts + 1,
            due_at = clock_timestamp() + least(interval '1 day', $5::float8 * interval '1 millisecond',
                                               interval '1 minute' * 4 ^ least(attempts, 8))
      WHERE part = $1 AND object = $2 AND key = $3`,
    [part, object, key, code, everyMs],
  );
}
