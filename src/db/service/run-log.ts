import type { Database, Sql } from '../connection/database.ts';
import type { SideTrouble } from './trouble.ts';

export type RunKind =
  | 'pull'
  | 'push'
  | 'backfill'
  | 'reconcile'
  | 'schema'
  | 'sweep'
  | 'users'
  | 'recordings'
  | 'activities'
  | SideTrouble;
export type RunState = 'ok' | 'incomplete' | 'failed';

/** A run that is over. */
export interface EndedRun {
  readonly kind: RunKind;
  readonly object: string | null;
  readonly holder: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly tookMs: number;
  /** Default `ok`. */
  readonly state?: RunState;
  /** A code, never a value. */
  readonly error?: string | null;
}

/** Notes that something has begun, `agoMs` ago. */
export async function startRun(
  sql: Sql,
  run: { readonly kind: RunKind; readonly object: string | null; readonly holder: string },
  agoMs = 0,
): Promise<bigint> {
  const [row] = await sql.query<{ id: bigint }>(
    `INSERT INTO {sync}.run (kind, object, holder, started_at)
     VALUES ($1, $2, $3, clock_timestamp() - $4 * interval '1 millisecond') RETURNING id`,
    [run.kind, run.object, run.holder, agoMs],
  );
  return row?.id ?? 0n;
}

/** Notes how it ended. `error` is a code, never a value. */
export async function finishRun(
  sql: Sql,
  id: bigint,
  outcome: {
    readonly state: RunState;
    readonly counts: Readonly<Record<string, number>>;
    readonly error: string | null;
  },
): Promise<void> {
  await sql.query(
    `UPDATE {sync}.run SET state = $2, counts = $3, error = $4, finished_at = clock_timestamp()
      WHERE id = $1`,
    [id, outcome.state, outcome.counts, outcome.error],
  );
}

/** Notes something that is over: a push is worth a row only where it did something. */
export async function recordRun(db: Pick<Database, 'repeated'>, run: EndedRun): Promise<void> {
  await recordRuns(db, [run]);
}

/** {@link recordRun} of several, by one statement. */
export async function recordRuns(
  db: Pick<Database, 'repeated'>,
  runs: readonly EndedRun[],
): Promise<void> {
  await db.repeated(
    `INSERT INTO {sync}.run (kind, object, holder, state, counts, error, started_at, finished_at)
     SELECT r.kind, r.object, r.holder, r.state, r.counts::jsonb, r.error,
            clock_timestamp() - r.took_ms * interval '1 millisecond', clock_timestamp()
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[])
            AS r(kind, object, holder, state, counts, error, took_ms)`,
    [
      runs.map(({ kind }) => kind),
      runs.map(({ object }) => object),
      runs.map(({ holder }) => holder),
      runs.map(({ state = 'ok' }) => state),
      runs.map(({ counts }) => JSON.stringify(counts)),
      runs.map(({ error = null }) => error),
      runs.map(({ tookMs }) => tookMs),
    ],
  );
}

/** How long ago a run of no object in particular last went well; null where none has. */
export async function readLastRunAge(sql: Sql, kind: RunKind): Promise<number | null> {
  const [row] = await sql.query<{ ageMs: number }>(
    `SELECT (extract(epoch FROM clock_timestamp() - started_at) * 1000)::float8 AS "ageMs"
       FROM {sync}.run WHERE object IS NULL AND kind = $1 AND state = 'ok'
      ORDER BY id DESC LIMIT 1`,
    [kind],
  );
  return row?.ageMs ?? null;
}

/**
 * Closes what a process that is no more has left open. For the leader, when it begins to lead. A
 * command that takes longer than that and is alive after all has the last word: it finishes its run.
 */
export async function abandonRuns(sql: Sql, holder: string): Promise<void> {
  await sql.query(
    `UPDATE {sync}.run SET state = 'failed', error = 'abandoned', finished_at = clock_timestamp()
      WHERE state = 'running' AND holder <> $1 AND started_at < clock_timestamp() - interval '15 minutes'`,
    [holder],
  );
}
