import { SyncError } from '../../domain/errors.ts';
import type { Sql } from '../connection/database.ts';
import type { MirrorTable } from '../mirror/table.ts';
import type { SeenPage } from './scan.ts';

/** Where the rolling sweep of one object stands. Instants are ISO-8601 UTC. */
export interface Sweep {
  readonly object: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly watermark: string | null;
  readonly pages: number;
  readonly totalPages: number | null;
  readonly requests: number;
  /** Link tables that a complete round has filled. */
  readonly linked: readonly string[];
  /** Link tables that this round reads. */
  readonly roundLinks: readonly string[];
  readonly problem: string | null;
  /** Where a reading by positions stands; null at the start of a round, and where it reads by creation. */
  readonly position: unknown;
  /** When the next round begins, of an object whose changes are found by it. */
  readonly dueAt: string | null;
  /** Database time, epoch milliseconds. */
  readonly nowMs: number;
}

const STANDING = `s.object, s.started_at AS "startedAt", s.finished_at AS "finishedAt", s.watermark,
  s.pages, s.total_pages AS "totalPages", s.requests, s.linked, s.round_links AS "roundLinks",
  s.problem, s.due_at AS "dueAt", (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"`;
const COLUMNS = `${STANDING}, s.position`;

/**
 * The sweeps of these objects, without those whose first read is not done, unless this is to be
 * that. Makes rows where there are none.
 */
export async function loadSweeps(
  sql: Sql,
  objects: readonly string[],
  { first = false }: { readonly first?: boolean } = {},
): Promise<ReadonlyMap<string, Sweep>> {
  const rows = await sql.query<Sweep & Record<string, unknown>>(
    `WITH read AS (
       SELECT c.object FROM {sync}.cursor AS c
        WHERE c.object = ANY($1::text[]) AND (c.phase = 'incremental' OR $2)
     ), made AS (
       INSERT INTO {sync}.sweep (object)
       SELECT object FROM read
        WHERE NOT EXISTS (SELECT 1 FROM {sync}.sweep AS k WHERE k.object = read.object)
           ON CONFLICT DO NOTHING RETURNING *)
     SELECT ${COLUMNS}
       FROM (SELECT * FROM {sync}.sweep UNION ALL SELECT * FROM made) AS s
       JOIN read USING (object)`,
    [objects, first],
  );
  return new Map(rows.map((row) => [row.object, row]));
}

/** Every sweep there is, for `status`. */
export async function readSweeps(sql: Sql): Promise<readonly Sweep[]> {
  return await sql.query<Sweep & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM {sync}.sweep AS s ORDER BY s.object`,
  );
}

/**
 * Begins a round, whatever became of the last one.
 *
 * @param round.pages as many as it is expected to take; null where a page will tell.
 * @throws SyncError `sweep-moved`
 */
export async function beginSweep(
  sql: Sql,
  sweep: Sweep,
  round: { readonly links: readonly string[]; readonly pages: number | null },
): Promise<Sweep> {
  return moved(
    sweep,
    await sql.query<Sweep & Record<string, unknown>>(
      `UPDATE {sync}.sweep AS s
          SET started_at = clock_timestamp(), finished_at = NULL, watermark = NULL, pages = 0,
              total_pages = $5, requests = 0, records_read = 0, round_links = $4::text[],
              problem = NULL, position = NULL, updated_at = clock_timestamp()
        WHERE object = $1 AND started_at IS NOT DISTINCT FROM $2::timestamptz AND pages = $3
        RETURNING ${COLUMNS}`,
      [sweep.object, sweep.startedAt, sweep.pages, round.links, round.pages],
    ),
  );
}

/**
 * Counts a reading of all pages from the beginning as a round: a backfill reads links as well. A
 * round that goes on beside it is left alone, unless it would be begun anew for new links.
 */
export async function markSwept(
  tx: Sql,
  object: string,
  round: { readonly startedAt: string; readonly links: readonly string[] },
): Promise<void> {
  await tx.query(
    `INSERT INTO {sync}.sweep AS s (object, started_at, finished_at, linked, round_links)
     VALUES ($1, $2::timestamptz, clock_timestamp(), $3::text[], $3::text[])
         ON CONFLICT (object) DO UPDATE
        SET started_at = excluded.started_at, finished_at = excluded.finished_at,
            linked = excluded.linked, round_links = excluded.round_links, watermark = NULL,
            pages = 0, total_pages = NULL, requests = 0, records_read = 0, problem = NULL,
            updated_at = clock_timestamp()
      WHERE s.finished_at IS NOT NULL OR NOT s.linked @> excluded.linked`,
    [object, round.startedAt, round.links],
  );
}

export interface SweepStep {
  readonly watermark: string | null;
  readonly totalPages: number | null;
  readonly requests: number;
  readonly records: number;
  readonly finished: boolean;
  readonly problem: string | null;
  /** Null where it reads by creation. */
  readonly position: object | null;
  /** Kept where missing from all pages says something: one row a page, none a record. */
  readonly seen: SeenPage | null;
}

/**
 * Moves a sweep on by one page, in the transaction that applies it. Compare and set: of two that
 * sweep one object, the second one's whole transaction is undone. A statement on its own does where the
 * page leaves nothing else to be done.
 *
 * @throws SyncError `sweep-moved` (retry) where another one was faster.
 */
export async function moveSweep(sql: Sql, sweep: Sweep, step: SweepStep): Promise<Sweep> {
  const { seen } = step;
  // What is stored may be long, and is known here.
  const position = step.finished ? null : step.position;
  const row = moved(
    sweep,
    await sql.query<Sweep & Record<string, unknown>>(
      `WITH s AS (
       UPDATE {sync}.sweep AS s
          SET watermark = coalesce($4::timestamptz, watermark), pages = pages + 1,
              total_pages = coalesce($5, total_pages), requests = requests + $6,
              records_read = records_read + $7, problem = coalesce($9, problem), updated_at = clock_timestamp(),
              finished_at = CASE WHEN $8 THEN clock_timestamp() END,
              linked = CASE WHEN $8 AND $10 THEN round_links ELSE linked END,
              position = $11::jsonb
        WHERE object = $1 AND started_at = $2::timestamptz AND pages = $3 AND finished_at IS NULL
        RETURNING *
       ), seen AS (
       INSERT INTO {sync}.scan_page (object, page, pass, ids, joined)
       SELECT s.object, s.pages, $12::integer, $13::text[], $14::text[] FROM s WHERE $12::integer IS NOT NULL
           ON CONFLICT (object, page) DO UPDATE
          SET pass = excluded.pass, ids = excluded.ids, joined = excluded.joined)
       SELECT ${STANDING} FROM s`,
      [
        sweep.object,
        sweep.startedAt,
        sweep.pages,
        step.watermark,
        step.totalPages,
        step.requests,
        step.records,
        step.finished,
        step.problem,
        step.finished && !isUnproven(step.problem),
        position === null ? null : JSON.stringify(position),
        seen?.pass ?? null,
        seen?.ids ?? [],
        seen?.joined ?? [],
      ],
    ),
  );
  return { ...row, position };
}

/** Not of what a round cannot vouch for, but of its pages. */
export function isUnproven(problem: string | null): boolean {
  return problem !== null && /^(walk|scan)-/.test(problem);
}

function moved(sweep: Sweep, rows: readonly Sweep[]): Sweep {
  const [row] = rows;
  if (row) return row;
  throw new SyncError(`another process is sweeping ${sweep.object}; this page was left to it`, {
    code: 'sweep-moved',
    disposition: 'retry',
  });
}

/** Rows written since an instant, to the millisecond that rows keep: what was read before it is older. Primary key; no lock. */
export async function readSyncedSince(
  sql: Sql,
  table: MirrorTable,
  ids: readonly string[],
  readAt: string,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM ${table.qualified} WHERE id = ANY($1::text[]) 
        AND _synced_at >= date_trunc('milliseconds', $2::timestamptz)`,
    [ids, readAt],
  );
  return new Set(rows.map(({ id }) => id));
}

/** When the next rounds begin, counted from the beginning of the last ones. */
export async function noteDue(
  sql: Sql,
  due: readonly { readonly object: string; readonly afterMs: number | null }[],
): Promise<void> {
  if (due.length === 0) return;
  await sql.query(
    `UPDATE {sync}.sweep AS s SET due_at = d.due_at
       FROM (SELECT k.object, k.started_at + u.after_ms * interval '1 millisecond' AS due_at
               FROM unnest($1::text[], $2::float8[]) AS u(object, after_ms)
               JOIN {sync}.sweep AS k USING (object)) AS d
      WHERE s.object = d.object AND s.due_at IS DISTINCT FROM d.due_at`,
    [due.map(({ object }) => object), due.map(({ afterMs }) => afterMs)],
  );
}
