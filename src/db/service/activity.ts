import type { Sql } from '../connection/database.ts';

/**
 * Conflicts logged after one of them, by object; null asks only which is the newest. By the
 * primary key, so it costs what is new. No lock.
 */
export async function countConflictsAfter(
  sql: Sql,
  after: bigint | null,
): Promise<{
  readonly found: readonly { readonly object: string; readonly count: number }[];
  readonly newest: bigint;
}> {
  if (after === null) {
    const [row] = await sql.query<{ newest: bigint | null }>(
      'SELECT max(id) AS newest FROM {sync}.conflict',
    );
    return { found: [], newest: row?.newest ?? 0n };
  }
  const rows = await sql.query<{ object: string; count: number; newest: bigint }>(
    `SELECT object, count(*)::int4 AS count, max(id) AS newest
       FROM {sync}.conflict WHERE id > $1 GROUP BY object`,
    [after],
  );
  const newest = rows.reduce((max, row) => (row.newest > max ? row.newest : max), after);
  return { found: rows.map(({ object, count }) => ({ object, count })), newest };
}

/** The id of the newest conflict; 0 before the first. */
export async function readNewestConflict(sql: Sql): Promise<bigint> {
  return (await countConflictsAfter(sql, null)).newest;
}

/** Conflicts logged after one of them, oldest first; names, no values. By the primary key. No lock. */
export async function readConflictsAfter(sql: Sql, after: bigint, limit: number) {
  return await sql.query<{
    id: bigint;
    object: string;
    recordId: string;
    field: string;
    policy: string;
    resolution: 'local' | 'remote' | 'merged' | 'open';
  }>(
    `SELECT id, object, record_id AS "recordId", field, policy, resolution
       FROM {sync}.conflict WHERE id > $1 ORDER BY id LIMIT $2`,
    [after, limit],
  );
}

/** Parked changes, newest first; names and codes, no values. By `outbox_unsettled`'s condition. No lock. */
export async function readNewestParked(sql: Sql, limit: number) {
  return await sql.query<{
    id: bigint;
    object: string;
    recordId: string;
    op: 'insert' | 'update' | 'delete' | 'link' | 'unlink';
    code: string;
  }>(
    `SELECT id, object, record_id AS "recordId", op, split_part(last_error, ':', 1) AS code
       FROM {sync}.outbox WHERE state = 'parked' ORDER BY id DESC LIMIT $1`,
    [limit],
  );
}

/** What one object's runs did that ended within one stretch of time; of no object: pushes. */
export interface ActivityBucket {
  readonly object: string | null;
  /** Where the stretch begins, epoch seconds: a multiple of its length. */
  readonly at: number;
  /** Rows that pulls wrote or removed. */
  readonly pulled: number;
  /** Records whose changes reached the CRM. */
  readonly pushed: number;
  /** Most that had passed since the complete pull before had begun; null where none ended. */
  readonly lagSeconds: number | null;
  /** When the last of them began, epoch seconds; null where none ended. */
  readonly pulledAt: number | null;
}

/** Runs looked at for a plot at most: six hours of ten objects at one a second are fewer. */
const MOST_RUNS = 50_000;

const changed = (name: string) => `coalesce((counts ->> '${name}')::float8, 0)`;
const WRITTEN = `(${changed('inserted')} + ${changed('updated')} + ${changed('removed')})`;

/** By the primary key, newest first, as far as `MOST_RUNS`: run has no index by time. No lock. */
export async function readActivity(
  sql: Sql,
  { sinceSeconds, bucketSeconds }: { sinceSeconds: number; bucketSeconds: number },
): Promise<readonly ActivityBucket[]> {
  return await sql.query<ActivityBucket & Record<string, unknown>>(
    `WITH recent AS (
       SELECT id, kind, object, state, counts, started_at, finished_at
         FROM {sync}.run ORDER BY id DESC LIMIT ${MOST_RUNS}
     ), ended AS (
       SELECT *, state = 'ok' AND kind IN ('pull', 'backfill') AS whole,
              lag(started_at) OVER (
                PARTITION BY object, state = 'ok' AND kind IN ('pull', 'backfill') ORDER BY id
              ) AS before
         FROM recent WHERE finished_at IS NOT NULL
     )
     SELECT object, (floor(extract(epoch FROM finished_at) / $2) * $2)::float8 AS at,
            coalesce(sum(${WRITTEN}) FILTER (WHERE kind <> 'push'), 0)::float8 AS pulled,
            coalesce(sum(${changed('delivered')} + ${changed('gone')})
              FILTER (WHERE kind = 'push'), 0)::float8 AS pushed,
            max(extract(epoch FROM finished_at - before)) FILTER (WHERE whole)::float8 AS "lagSeconds",
            max(extract(epoch FROM started_at)) FILTER (WHERE whole)::float8 AS "pulledAt"
       FROM ended WHERE finished_at > to_timestamp($1)
      GROUP BY object, at ORDER BY at, object`,
    [sinceSeconds, bucketSeconds],
  );
}

/** Something that moved, for the live tail: names and numbers, no values. */
export interface Move {
  readonly direction: 'in' | 'out';
  readonly at: string;
  readonly object: string;
  /** Outbox state, or the kind of the run. */
  readonly what: string;
  /** Of one record; null for a run, which is of many. */
  readonly recordId: string | null;
  readonly op: string | null;
  readonly fields: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

const MOST_RUNS_TAIL = 5_000;

/** The newest of both directions, newest first. Both by primary key. No lock. */
export async function readMoves(sql: Sql, limit: number): Promise<readonly Move[]> {
  return await sql.query<Move & Record<string, unknown>>(
    `(SELECT 'in' AS direction, finished_at AS at, object, kind AS what, NULL AS "recordId",
             NULL AS op, '{}'::text[] AS fields, counts
        FROM (SELECT * FROM {sync}.run ORDER BY id DESC LIMIT ${MOST_RUNS_TAIL}) AS r
       WHERE kind <> 'push' AND object IS NOT NULL AND finished_at IS NOT NULL AND ${WRITTEN} > 0
       ORDER BY id DESC LIMIT $1)
     UNION ALL
     (SELECT 'out', coalesce(done_at, sent_at, created_at), object, state, record_id, op,
             CASE WHEN op = 'delete' THEN '{}' ELSE ARRAY(SELECT jsonb_object_keys(changes)) END, '{}'
        FROM {sync}.outbox ORDER BY id DESC LIMIT $1)
     ORDER BY at DESC LIMIT $1`,
    [limit],
  );
}
