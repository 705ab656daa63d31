import type { Database, Sql } from '../connection/database.ts';
import { IS_DUE, IS_LINK } from './claimable.ts';

/** What of an object is to be sent, or to be found out. */
export interface DueWork {
  readonly object: string;
  readonly records: boolean;
  /** Among the records that are due are new ones, which others may refer to. */
  readonly creates: boolean;
  readonly links: boolean;
  /** Entries that were claimed: another leader's, or of a run that broke off, where nobody sends them. */
  readonly inFlight: boolean;
}

/**
 * Those of the objects that have something to do; what waits for another entry is not due. A descent
 * of `outbox_due` per object and question, over what is not due yet. No lock.
 */
export async function readDueWork(
  db: Pick<Database, 'repeated'>,
  objects: readonly string[],
): Promise<readonly DueWork[]> {
  return await db.repeated<DueWork & Record<string, unknown>>(
    `SELECT object, records, creates, links, "inFlight" FROM ${dueWork('$1')} ORDER BY n`,
    [objects],
  );
}

/** SQL of {@link readDueWork}'s rows, with their places `n`, for objects in a parameter. */
export function dueWork(objects: string): string {
  const exists = (condition: string) =>
    `EXISTS (SELECT 1 FROM {sync}.outbox AS o WHERE o.object = w.object AND ${condition})`;
  return `(SELECT * FROM (
       SELECT w.object, w.n, ${exists(`${IS_DUE} AND NOT ${IS_LINK}`)} AS records,
              ${exists(`${IS_DUE} AND o.op = 'insert'`)} AS creates,
              ${exists(`${IS_DUE} AND ${IS_LINK}`)} AS links,
              ${exists(`o.state = 'sending'`)} AS "inFlight"
         FROM unnest(${objects}::text[]) WITH ORDINALITY AS w(object, n)) AS d
      WHERE records OR links OR "inFlight") AS due`;
}

/** Whether anything of an object waits, due or not. Index `outbox_due`. */
export async function hasPending(sql: Sql, object: string): Promise<boolean> {
  const rows = await sql.query(
    `SELECT 1 FROM {sync}.outbox WHERE object = $1 AND state = 'pending' LIMIT 1`,
    [object],
  );
  return rows.length > 0;
}

/** Entries at most that tell why they wait: as many as would have been claimed. */
const PUT_OFF_AT_ONCE = 1_000;

/**
 * Puts off what is due of an object and cannot be tried, and says why. Locks the entries in id order,
 * skipping what an operator holds; index `outbox_due`. @returns how many records that concerns.
 */
export async function putOffDue(
  tx: Sql,
  object: string,
  { reason, retryInMs }: { readonly reason: string; readonly retryInMs: number },
): Promise<number> {
  const [row] = await tx.query<{ records: number }>(
    `WITH head AS (
       SELECT o.id FROM {sync}.outbox AS o WHERE o.object = $1 AND ${IS_DUE}
        ORDER BY o.id LIMIT $4 FOR UPDATE SKIP LOCKED
     ), late AS (
       UPDATE {sync}.outbox AS o
          SET attempts = attempts + 1, last_error = $2,
              next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond'
         FROM head WHERE o.id = head.id RETURNING o.record_id
     )
     SELECT count(DISTINCT record_id)::int4 AS records FROM late`,
    [object, reason, retryInMs, PUT_OFF_AT_ONCE],
  );
  return row?.records ?? 0;
}

/**
 * Makes due again what {@link putOffDue} has put off for this reason, as if it had never been tried:
 * its object was at fault, and nothing of its own. @returns how many entries.
 */
export async function takeUpAgain(sql: Sql, object: string, code: string): Promise<number> {
  const rows = await sql.query(
    `UPDATE {sync}.outbox
        SET attempts = 0, last_error = NULL, next_attempt_at = clock_timestamp()
      WHERE object = $1 AND state = 'pending' AND split_part(last_error, ':', 1) = $2
      RETURNING 1`,
    [object, code],
  );
  return rows.length;
}
