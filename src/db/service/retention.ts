import type { Sql } from '../connection/database.ts';

/** How long settled things are kept, in milliseconds; null is for ever. */
export interface Retention {
  readonly outboxMs: number | null;
  readonly conflictsMs: number | null;
  readonly tombstonesMs: number | null;
}

/** Rows taken at once: locks stay short, and a backlog of years takes many small steps. */
const ROWS_AT_ONCE = 5_000;
/** The run log grows with every tick that did something; nobody asks for older ones. */
const RUNS_MS = 30 * 86_400_000;
/** Pages of a reading that was broken off: no reading takes as long. */
const PAGES_MS = 86_400_000;

/**
 * Deletes one step of what has outlived its time: settled outbox entries, resolved conflicts,
 * tombstones, finished runs but the last of each kind, pages of readings that never ended. What waits for anything is never touched.
 * Safe to run twice. @returns rows deleted; 0 once nothing is left to delete.
 */
export async function pruneStep(sql: Sql, retention: Retention): Promise<number> {
  const { outboxMs, conflictsMs, tombstonesMs } = retention;
  const steps: [text: string, keptMs: number | null][] = [
    [
      `DELETE FROM {sync}.outbox WHERE id IN (
         SELECT id FROM {sync}.outbox
          WHERE state IN ('done', 'superseded', 'cancelled') AND done_at < ${cutOff}
          ORDER BY id LIMIT ${ROWS_AT_ONCE} FOR UPDATE SKIP LOCKED) RETURNING 1`,
      outboxMs,
    ],
    [
      `DELETE FROM {sync}.comment_outbox WHERE id IN (
         SELECT id FROM {sync}.comment_outbox WHERE done_at < ${cutOff}
          LIMIT ${ROWS_AT_ONCE} FOR UPDATE SKIP LOCKED) RETURNING 1`,
      outboxMs,
    ],
    [
      `DELETE FROM {sync}.conflict WHERE id IN (
         SELECT id FROM {sync}.conflict WHERE resolved_at < ${cutOff}
          ORDER BY id LIMIT ${ROWS_AT_ONCE} FOR UPDATE SKIP LOCKED) RETURNING 1`,
      conflictsMs,
    ],
    [
      `DELETE FROM {sync}.tombstone AS t USING (
         SELECT object, id FROM {sync}.tombstone WHERE noticed_at < ${cutOff}
          LIMIT ${ROWS_AT_ONCE} FOR UPDATE SKIP LOCKED) AS old
        WHERE t.object = old.object AND t.id = old.id RETURNING 1`,
      tombstonesMs,
    ],
    [
      `DELETE FROM {sync}.run WHERE id IN (
         SELECT r.id FROM {sync}.run AS r
          WHERE r.finished_at < ${cutOff} AND EXISTS (
                SELECT 1 FROM {sync}.run AS later
                 WHERE later.kind = r.kind AND later.object IS NOT DISTINCT FROM r.object
                   AND later.state = r.state AND later.id > r.id)
          ORDER BY r.id LIMIT ${ROWS_AT_ONCE}) RETURNING 1`,
      RUNS_MS,
    ],
    [
      `DELETE FROM {sync}.side_page AS p USING (
         SELECT part, object, key, page FROM {sync}.side_page WHERE read_at < ${cutOff}
          LIMIT ${ROWS_AT_ONCE} FOR UPDATE SKIP LOCKED) AS old
        WHERE (p.part, p.object, p.key, p.page) = (old.part, old.object, old.key, old.page) RETURNING 1`,
      PAGES_MS,
    ],
  ];
  let deleted = 0;
  for (const [text, keptMs] of steps) {
    if (keptMs !== null) deleted += (await sql.query(text, [keptMs])).length;
  }
  return deleted;
}

const cutOff = `clock_timestamp() - $1::float8 * interval '1 millisecond'`;
