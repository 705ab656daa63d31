import { SyncError } from '../domain/errors.ts';
import type { Sql } from './database.ts';
import type { MirrorTable } from './mirror/table.ts';

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
  /** Database time, epoch milliseconds. */
  readonly nowMs: number;
}

const COLUMNS = `s.object, s.started_at AS "startedAt", s.finished_at AS "finishedAt", s.watermark,
  s.pages, s.total_pages AS "totalPages", s.requests, s.linked, s.round_links AS "roundLinks",
  s.problem, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"`;

/** The object's sweep; null where its first read is not done. Makes the row where there is none. */
export async function loadSweep(sql: Sql, object: string): Promise<Sweep | null> {
  const [row] = await sql.query<Sweep & Record<string, unknown>>(
    `WITH made AS (
       INSERT INTO clarify_sync.sweep (object)
       SELECT c.object FROM clarify_sync.cursor AS c
        WHERE c.object = $1 AND c.phase = 'incremental'
          AND NOT EXISTS (SELECT 1 FROM clarify_sync.sweep AS k WHERE k.object = $1)
           ON CONFLICT DO NOTHING RETURNING *)
     SELECT ${COLUMNS}
       FROM (SELECT * FROM clarify_sync.sweep WHERE object = $1 UNION ALL SELECT * FROM made) AS s
      WHERE EXISTS (SELECT 1 FROM clarify_sync.cursor AS c
                     WHERE c.object = s.object AND c.phase = 'incremental')`,
    [object],
  );
  return row ?? null;
}

/** Every sweep there is, for `status`. */
export async function readSweeps(sql: Sql): Promise<readonly Sweep[]> {
  return await sql.query<Sweep & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM clarify_sync.sweep AS s ORDER BY s.object`,
  );
}

/** Begins a round, whatever became of the last one. @throws SyncError `sweep-moved` */
export async function beginSweep(
  sql: Sql,
  sweep: Sweep,
  roundLinks: readonly string[],
): Promise<Sweep> {
  return moved(
    sweep,
    await sql.query<Sweep & Record<string, unknown>>(
      `UPDATE clarify_sync.sweep AS s
          SET started_at = clock_timestamp(), finished_at = NULL, watermark = NULL, pages = 0,
              total_pages = NULL, requests = 0, records_read = 0, round_links = $4::text[],
              problem = NULL, updated_at = clock_timestamp()
        WHERE object = $1 AND started_at IS NOT DISTINCT FROM $2::timestamptz AND pages = $3
        RETURNING ${COLUMNS}`,
      [sweep.object, sweep.startedAt, sweep.pages, roundLinks],
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
    `INSERT INTO clarify_sync.sweep AS s (object, started_at, finished_at, linked, round_links)
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
}

/**
 * Moves a sweep on by one page, in the transaction that applies it. Compare and set: of two that
 * sweep one object, the second one's whole transaction is undone.
 *
 * @throws SyncError `sweep-moved` (retry) where another one was faster.
 */
export async function moveSweep(tx: Sql, sweep: Sweep, step: SweepStep): Promise<Sweep> {
  return moved(
    sweep,
    await tx.query<Sweep & Record<string, unknown>>(
      `UPDATE clarify_sync.sweep AS s
          SET watermark = coalesce($4::timestamptz, watermark), pages = pages + 1,
              total_pages = coalesce($5, total_pages), requests = requests + $6,
              records_read = records_read + $7, problem = coalesce($9, problem), updated_at = clock_timestamp(),
              finished_at = CASE WHEN $8 THEN clock_timestamp() END,
              linked = CASE WHEN $8 AND $10 THEN round_links ELSE linked END
        WHERE object = $1 AND started_at = $2::timestamptz AND pages = $3 AND finished_at IS NULL
        RETURNING ${COLUMNS}`,
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
        step.finished && !step.problem?.startsWith('walk-'),
      ],
    ),
  );
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
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM ${table.qualified} WHERE id = ANY($1::text[]) 
        AND _synced_at >= date_trunc('milliseconds', $2::timestamptz)`,
    [ids, readAt],
  );
  return new Set(rows.map(({ id }) => id));
}
