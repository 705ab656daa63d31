import { INTERCEPTED } from '../../domain/errors.ts';
import type { Sql } from '../connection/database.ts';
import { DatabaseSyncError } from '../connection/database-error.ts';
import { qualify } from '../mirror/qualify.ts';
import { readTroubles, type Trouble } from './trouble.ts';

/** One object, as its mirror stands. Instants are ISO-8601 UTC. */
export interface ObjectStanding {
  readonly object: string;
  readonly rows: bigint;
  /** Local changes under way, neither blocked nor parked. */
  readonly pending: number;
  /** Waiting for another change, which is parked or on its way. */
  readonly blocked: number;
  readonly parked: number;
  readonly openConflicts: number;
  /** Rows that a constraint or a trigger of others keeps from being as their record is. */
  readonly setAside: number;
  /** Since the last pull that read everything began; null before the first. */
  readonly lagSeconds: number | null;
  readonly lastPulledAt: string | null;
  /**
   * Of what is in trouble now; else of the latest run that was not whole, unless one since was; where
   * all were read whole, of the latest comparison with the CRM, likewise.
   */
  readonly lastError: string | null;
  /** What keeps its table from being what the workspace says, and what to do about it. */
  readonly problem: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
  } | null;
  /** What of it does not work, and is tried again. */
  readonly troubles: readonly Trouble[];
  readonly phase: 'backfill' | 'incremental';
  /** Everything visible with an earlier `_updated_at` has been applied. */
  readonly watermark: string | null;
  readonly lastRun: RunStanding | null;
}

export interface RunStanding {
  readonly kind: string;
  readonly state: 'running' | 'ok' | 'incomplete' | 'failed';
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

type StandingRow = Omit<ObjectStanding, 'rows' | 'troubles'> & { readonly table: string | null };

/**
 * Every mirrored object and how it stands, and what could not be mirrored at all. No lock. Per object a few descents of `run_latest`;
 * the outbox and the conflicts are counted once, over `outbox_unsettled` and `conflict_open`.
 */
export async function readStanding(sql: Sql): Promise<ObjectStanding[]> {
  const rows = await sql.query<StandingRow & Record<string, unknown>>(
    `WITH waiting AS (
       SELECT o.object,
              count(*) FILTER (WHERE o.state <> 'parked' AND NOT b.waits)::int4 AS pending,
              count(*) FILTER (WHERE o.state <> 'parked' AND b.waits)::int4 AS blocked,
              count(*) FILTER (WHERE o.state = 'parked')::int4 AS parked
         FROM {sync}.outbox AS o
        CROSS JOIN LATERAL (SELECT o.state = 'pending' AND EXISTS (
                SELECT 1 FROM {sync}.outbox AS f
                 WHERE f.id = o.blocked_by AND f.state IN ('pending', 'sending', 'parked')) AS waits) AS b
        WHERE o.state IN ('pending', 'sending', 'parked')
        GROUP BY o.object
     ), contested AS (
       SELECT object, count(*)::int4 AS open FROM {sync}.conflict
        WHERE resolution = 'open' GROUP BY object
     ), aside AS (
       SELECT object, count(DISTINCT id)::int4 AS rows FROM {sync}.deferred
        WHERE code IS NOT NULL GROUP BY object
     )
     SELECT m.object, m.table_name AS "table",
            coalesce(w.pending, 0) AS pending, coalesce(w.blocked, 0) AS blocked,
            coalesce(w.parked, 0) AS parked, coalesce(c.open, 0) AS "openConflicts",
            coalesce(a.rows, 0) AS "setAside",
            whole.started_at AS "lastPulledAt",
            extract(epoch FROM clock_timestamp() - whole.started_at)::float8 AS "lagSeconds",
            coalesce(CASE WHEN p.stops THEN p.code END, bad.error, p.code, unproven.error) AS "lastError",
            CASE WHEN p.object IS NOT NULL
              THEN jsonb_build_object('code', p.code, 'message', p.message, 'hint', p.hint) END AS problem,
            coalesce(k.phase, 'backfill') AS phase, k.updated_watermark AS watermark,
            CASE WHEN latest.id IS NOT NULL THEN latest.run END AS "lastRun"
       FROM (SELECT object, table_name FROM {sync}.mirror WHERE removed_at IS NULL
              UNION ALL
             SELECT n.object, NULL FROM {sync}.mirror_problem AS n
              WHERE NOT EXISTS (SELECT FROM {sync}.mirror AS o
                                 WHERE o.object = n.object AND o.removed_at IS NULL)) AS m
       LEFT JOIN {sync}.mirror_problem AS p ON p.object = m.object
       LEFT JOIN waiting AS w ON w.object = m.object
       LEFT JOIN contested AS c ON c.object = m.object
       LEFT JOIN aside AS a ON a.object = m.object
       LEFT JOIN {sync}.cursor AS k ON k.object = m.object
       LEFT JOIN LATERAL (${latestRun(`state = 'ok'`, 'm.object')}) AS whole ON true
       LEFT JOIN LATERAL (
            ${latestRun(`state IN ('incomplete', 'failed') AND id > coalesce(whole.id, 0)`, 'm.object')}
            ) AS bad ON true
       LEFT JOIN LATERAL (${latestRun('true', 'm.object')}) AS latest ON true
       LEFT JOIN LATERAL (
            SELECT CASE WHEN state IN ('incomplete', 'failed') THEN error END AS error
              FROM {sync}.run
             WHERE object = m.object AND kind = 'reconcile' AND state <> 'running'
             ORDER BY id DESC LIMIT 1) AS unproven ON true
      ORDER BY m.object`,
  );
  const counts = await countRows(
    sql,
    rows.flatMap(({ table }) => table ?? []),
  );
  const all = await readTroubles(sql);
  return rows.map(({ table, ...row }) => {
    const troubles = all.filter(({ object }) => object === row.object);
    const lastError = (row.problem === null ? troubles[0]?.code : null) ?? row.lastError;
    return { ...row, lastError, troubles, rows: counts.get(table ?? '') ?? 0n };
  });
}

/** The newest run of an object that read it and that a condition holds for. */
function latestRun(condition: string, object: string): string {
  return `SELECT r.id, r.started_at, r.error,
                 jsonb_build_object('kind', kind, 'state', r.state,
                   'startedAt', ${isoInstant('r.started_at')},
                   'finishedAt', ${isoInstant('r.finished_at')}) AS run
            FROM unnest(ARRAY['pull', 'backfill']) AS kind
           CROSS JOIN LATERAL (
                SELECT id, state, error, started_at, finished_at FROM {sync}.run
                 WHERE object = ${object} AND run.kind = kind.kind AND ${condition}
                 ORDER BY id DESC LIMIT 1) AS r
           ORDER BY r.id DESC LIMIT 1`;
}

/** Inside jsonb nobody renders an instant for us. */
function isoInstant(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * Exact, by one scan of each table's smallest index; a table that is gone counts as empty. One that
 * somebody locks against readers, or is about to, is not waited for: its size is Postgres' estimate,
 * as it is of a table that we may not read or whose policies fail.
 */
async function countRows(
  sql: Sql,
  tables: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  const standing = await sql.query<{ name: string; estimate: bigint; locked: boolean }>(
    `SELECT c.relname AS name, greatest(c.reltuples, 0)::bigint AS estimate,
            EXISTS (SELECT FROM pg_locks AS l
                     WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.mode = 'AccessExclusiveLock'
                       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   ) AS locked
       FROM pg_class AS c
      WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND c.relkind = 'r' AND c.relname = ANY($2::text[])`,
    [sql.schemas.mirror, tables],
  );
  const free = standing.filter(({ locked }) => !locked).map(({ name }) => name);
  return new Map([
    ...standing.map(({ name, estimate }) => [name, estimate] as const),
    ...(await countEach(sql, free)).map(({ name, rows }) => [name, rows] as const),
  ]);
}

type Counted = { readonly name: string; readonly rows: bigint };

/** All at once; where one of them refuses it, the others by halves, and that one is left out. */
async function countEach(sql: Sql, tables: readonly string[]): Promise<readonly Counted[]> {
  if (tables.length === 0) return [];
  const counts = tables.map((name, n) => {
    return `SELECT $${n + 1}::text AS name, count(*) AS rows FROM ${qualify(name)}`;
  });
  try {
    return await sql.query<Counted>(counts.join(' UNION ALL '), tables);
  } catch (error) {
    if (!(error instanceof DatabaseSyncError) || error.sqlState === null) throw error;
    if (tables.length === 1) return [];
    const middle = tables.length >> 1;
    const first = await countEach(sql, tables.slice(0, middle));
    return [...first, ...(await countEach(sql, tables.slice(middle)))];
  }
}

/** Local changes that wait because the CRM, or what stands before it, lets no request through. */
export interface HeldChanges {
  readonly object: string;
  readonly changes: number;
  /** Which requests, and until when; names alone. */
  readonly reason: string;
}

/** Index `outbox_unsettled`. */
export async function readHeldChanges(sql: Sql): Promise<readonly HeldChanges[]> {
  return await sql.query<HeldChanges & Record<string, unknown>>(
    `SELECT object, count(*)::int4 AS changes, max(last_error) AS reason FROM {sync}.outbox
      WHERE state = 'pending'
        AND (last_error LIKE 'remote-%: % lets no request through until %' OR last_error LIKE '${INTERCEPTED}: %')
      GROUP BY object, split_part(last_error, ':', 1) ORDER BY object, reason`,
  );
}
