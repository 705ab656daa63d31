import type { Sql } from '../connection/database.ts';
import { LATER_EDIT } from '../rows/set-aside.ts';

export const IS_DUE = `o.state = 'pending' AND o.next_attempt_at <= clock_timestamp()
   AND NOT EXISTS (SELECT 1 FROM {sync}.outbox AS b
         WHERE b.id = o.blocked_by AND b.state IN ('pending', 'sending', 'parked'))`;
export const IS_LINK = `o.op IN ('link', 'unlink')`;

/**
 * A `WITH` list for {@link IS_CLAIMABLE}: `awaited`, records of object `$1` of which a remote version
 * was put aside that is not merged with all that waits. They would be overwritten unseen.
 */
export const AWAITED = `unmerged AS MATERIALIZED (
       SELECT d.id FROM {sync}.deferred AS d
        WHERE d.object = $1 AND d.kind IN ('apply', 'remove') AND (d.code IS NULL OR ${LATER_EDIT})
     ), awaited AS MATERIALIZED (
       SELECT id FROM unmerged
       UNION ALL
       SELECT m.old_id FROM {sync}.id_map AS m JOIN unmerged AS u ON m.id = u.id
        WHERE m.object = $1
     )`;

/**
 * What a claim of object `$1` may begin with: nothing of the record is in flight, or awaited. What is in
 * flight is read once, and not looked for anew for each that is due.
 */
export const IS_CLAIMABLE = `o.object = $1 AND ${IS_DUE} AND NOT ${IS_LINK}
          AND o.record_id NOT IN (
                SELECT s.record_id FROM {sync}.outbox AS s
                 WHERE s.object = $1 AND s.state = 'sending'
                   AND (s.ticket IS NOT NULL OR s.op NOT IN ('link', 'unlink')))
          AND NOT EXISTS (SELECT 1 FROM awaited AS a WHERE a.id = o.record_id)`;

/**
 * The record that an entry is about, by the id that the CRM has for it now; null where it has none:
 * nothing of it can be overwritten.
 */
const CURRENT_ID = `CASE WHEN o.record_id NOT LIKE 'local:%' THEN o.record_id
              ELSE (SELECT m.id FROM {sync}.id_map AS m
                     WHERE m.object = o.object AND m.old_id = o.record_id) END`;

/** Of the records whose changes are due, those that were looked at before they are overwritten. */
export interface Looked {
  readonly ids: readonly string[];
  /** Whether records that the CRM does not have yet may be claimed as well. */
  readonly births: boolean;
}

/** An SQL condition: the entry's record is among those looked at; `$ids` null: everything was. */
export function isLooked(ids: string, births: string): string {
  // Of an empty list even what is null is no member: it has to be asked for by itself.
  return `(${ids}::text[] IS NULL OR CASE WHEN ${CURRENT_ID} IS NULL THEN ${births}::boolean
               ELSE ${CURRENT_ID} = ANY(${ids}) END)`;
}

export interface DueRecords {
  /** By their present ids, the oldest change first. */
  readonly ids: readonly string[];
  /** Whether the CRM does not have one of them yet. */
  readonly births: boolean;
}

/**
 * Records that a claim would begin with now, by the oldest so many entries. No lock; index
 * `outbox_due`, and a look-up by the key of `id_map` for each record born here.
 */
export async function readDueRecords(
  sql: Sql,
  object: string,
  entries: number,
): Promise<DueRecords> {
  const rows = await sql.query<{ id: string | null }>(
    `WITH ${AWAITED}
     SELECT ${CURRENT_ID} AS id FROM {sync}.outbox AS o
      WHERE ${IS_CLAIMABLE} ORDER BY o.id LIMIT $2`,
    [object, entries],
  );
  return {
    ids: [...new Set(rows.flatMap(({ id }) => id ?? []))],
    births: rows.some(({ id }) => id === null),
  };
}

/**
 * Whether at least so many changes of an object arrived in the CRM within the last milliseconds.
 * Index `outbox_done`, no further than it takes.
 */
export async function hasArrived(
  sql: Sql,
  object: string,
  { atLeast, withinMs }: { readonly atLeast: number; readonly withinMs: number },
): Promise<boolean> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(*)::int4 AS count FROM (
       SELECT 1 FROM {sync}.outbox AS o
        WHERE o.object = $1 AND o.state = 'done'
          AND o.done_at > clock_timestamp() - $2 * interval '1 millisecond'
        LIMIT $3) AS recent`,
    [object, withinMs, atLeast],
  );
  return (row?.count ?? 0) >= atLeast;
}
