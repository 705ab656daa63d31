import type { Sql } from '../connection/database.ts';

/** Of what a workspace has beside its records; of no mirrored object, but for `attachments` and `comments`. */
export type SideTrouble = 'settings' | 'lists' | 'campaigns' | 'attachments' | 'comments';

/** What of an object is in trouble; each part is tried again by itself. */
export type TroublePart =
  | 'pull'
  | 'push'
  | 'sweep'
  | 'reconcile'
  | 'users'
  | 'recordings'
  | 'activities'
  | SideTrouble
  | 'hints';

/** Why one part of an object does not work. `message` and `hint` hold names, no values. */
export interface Trouble {
  readonly object: string;
  readonly part: TroublePart;
  /** As in docs/errors.md. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** ISO-8601 UTC. */
  readonly since: string;
  /** How often it failed in a row. */
  readonly attempts: number;
  readonly nextAttemptAt: string;
}

const COLUMNS = `object, part, code, message, hint, since, attempts, next_attempt_at AS "nextAttemptAt"`;

export async function readTroubles(sql: Sql): Promise<readonly Trouble[]> {
  return await sql.query<Trouble & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM {sync}.trouble ORDER BY object, part`,
  );
}

/** Notes that it failed again, or for the first time. One row per object and part. */
export async function noteTrouble(
  sql: Sql,
  found: Pick<Trouble, 'object' | 'part' | 'code' | 'message' | 'hint'>,
  retryInMs: number,
): Promise<void> {
  await sql.query(
    `INSERT INTO {sync}.trouble AS t (object, part, code, message, hint, next_attempt_at)
     VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 millisecond')
         ON CONFLICT (object, part) DO UPDATE
        SET code = excluded.code, message = excluded.message, hint = excluded.hint,
            attempts = t.attempts + 1, next_attempt_at = excluded.next_attempt_at`,
    [found.object, found.part, found.code, found.message, found.hint, retryInMs],
  );
}

/** It works again. */
export async function endTrouble(
  sql: Sql,
  { object, part }: Pick<Trouble, 'object' | 'part'>,
): Promise<void> {
  await sql.query('DELETE FROM {sync}.trouble WHERE object = $1 AND part = $2', [object, part]);
}

/** Parts of the workspace as a whole. */
export const OF_NO_OBJECT: readonly TroublePart[] = ['users', 'settings', 'lists', 'campaigns'];

/** Objects that are no more mirrored have no trouble either. */
export async function dropTroublesBut(sql: Sql, objects: readonly string[]): Promise<void> {
  await sql.query(
    `DELETE FROM {sync}.trouble WHERE object <> ALL($1::text[]) AND part <> ALL($2::text[])`,
    [objects, OF_NO_OBJECT],
  );
}
