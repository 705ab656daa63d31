import type { Sql } from '../connection/database.ts';
import type { MirrorProblem } from './problem.ts';

/** An object or link table that the last schema check could not bring up to the workspace. */
export interface RecordedProblem {
  readonly object: string;
  /** A code of docs/errors.md. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** Its table is left alone until the cause is gone. */
  readonly stops: boolean;
}

export async function readMirrorProblems(sql: Sql): Promise<readonly RecordedProblem[]> {
  return await sql.query<RecordedProblem & Record<string, unknown>>(
    `SELECT object, code, message, hint, stops FROM {sync}.mirror_problem ORDER BY object`,
  );
}

/** Objects and link tables whose table must be left alone. */
export async function readStopped(sql: Sql): Promise<ReadonlySet<string>> {
  const problems = await readMirrorProblems(sql);
  return new Set(problems.filter(({ stops }) => stops).map(({ object }) => object));
}

/**
 * Puts on record what a schema check could not do, in its transaction; what it could do after all
 * is forgotten. Writes nothing where nothing changed.
 *
 * @returns objects and link tables that were left alone, and are no more.
 */
export async function recordProblems(
  tx: Sql,
  problems: readonly MirrorProblem[],
): Promise<readonly string[]> {
  const found = problems.map(({ object, code, message, error, stops }) => {
    return { object, code, message, hint: error.hint ?? null, stops };
  });
  const freed = await tx.query<{ object: string }>(
    `WITH found AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb)
           AS f(object text, code text, message text, hint text, stops boolean)
     ), gone AS (
       DELETE FROM {sync}.mirror_problem AS p
        WHERE NOT EXISTS (SELECT FROM found AS f WHERE f.object = p.object)
       RETURNING p.object, p.stops
     ), put AS (
     INSERT INTO {sync}.mirror_problem AS p (object, code, message, hint, stops)
     SELECT DISTINCT ON (object) object, code, message, hint, stops FROM found
      ORDER BY object, stops DESC
         ON CONFLICT (object) DO UPDATE
        SET code = excluded.code, message = excluded.message, hint = excluded.hint,
            stops = excluded.stops, noticed_at = clock_timestamp()
      WHERE (p.code, p.message, p.hint, p.stops)
            IS DISTINCT FROM (excluded.code, excluded.message, excluded.hint, excluded.stops)
     )
     SELECT object FROM gone WHERE stops`,
    [JSON.stringify(found)],
  );
  return freed.map(({ object }) => object);
}
