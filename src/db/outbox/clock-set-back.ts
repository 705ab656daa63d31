import type { Sql } from '../connection/database.ts';

/**
 * Entries that wait for a time which is far away only because the database's clock was set back:
 * they were written, or sent, later than it is now. They are due; what may have arrived waits for
 * as long as a late write takes to show. Safe to repeat; reads what is not settled. Skips what is
 * locked, for it comes again. @returns how many there were.
 */
export async function freeFromFuture(sql: Sql): Promise<number> {
  const freed = await sql.query(
    `WITH stuck AS (
       SELECT id FROM {sync}.outbox
        WHERE state IN ('pending', 'sending')
          AND next_attempt_at > clock_timestamp() + interval '15 seconds'
          AND greatest(created_at, sent_at) > clock_timestamp() + interval '15 seconds'
        ORDER BY id FOR UPDATE SKIP LOCKED
     )
     UPDATE {sync}.outbox AS o
        SET next_attempt_at = clock_timestamp()
              + CASE o.state WHEN 'sending' THEN interval '15 seconds' ELSE interval '0' END
       FROM stuck WHERE o.id = stuck.id RETURNING 1`,
  );
  return freed.length;
}
