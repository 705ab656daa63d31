import type { Sql } from '../connection/database.ts';
import type { MirrorTable } from '../mirror/table.ts';
import type { Rename } from '../rows/identities.ts';

/**
 * A record may come in by itself before its create is known to have arrived: until then it is two
 * rows, and edits of both count in the order they were made in. What waits of the row that was
 * inserted, and was written after an edit of the other one that has arrived, goes on from that edit's
 * value; it would meet it as a stranger's (invariant 3). Before their ids are mapped. Row locks on the
 * entries; indexes `outbox_unsettled` and, only where there are two rows, `outbox_done`; repeatable.
 */
export async function rebaseOnTwins(
  tx: Sql,
  { object, qualified }: Pick<MirrorTable, 'object' | 'qualified'>,
  renames: readonly Rename[],
): Promise<void> {
  if (renames.length === 0) return;
  await tx.query(
    `WITH waiting AS MATERIALIZED (
       SELECT e.id, b.created_at AS born_at, m.id AS twin, f.key, f.value,
              max(e.id) OVER (PARTITION BY m.old_id, f.key) AS last
         FROM unnest($2::text[], $3::text[]) AS m(old_id, id)
         JOIN ${qualified} AS t ON t.id = m.id
         JOIN {sync}.outbox AS b ON b.object = $1 AND b.record_id = m.old_id
         JOIN {sync}.outbox AS e ON e.object = $1 AND e.record_id = m.old_id
         CROSS JOIN jsonb_each(e.changes) AS f(key, value)
        WHERE b.op = 'insert' AND b.state = 'sending'
          AND e.op = 'update' AND e.state IN ('pending', 'parked')
     ), arrived AS MATERIALIZED (
       SELECT d.id, d.record_id, f.key, f.value -> 'value' AS value
         FROM {sync}.outbox AS d CROSS JOIN jsonb_each(d.changes) AS f(key, value)
        WHERE d.object = $1 AND d.op = 'update' AND d.state = 'done'
          AND d.done_at >= (SELECT min(born_at) FROM waiting)
          AND d.record_id IN (SELECT twin FROM waiting)
     ), rebased AS (
       SELECT w.id, jsonb_object_agg(w.key, w.value || jsonb_build_object('base', a.value)) AS changes
         FROM waiting AS w
         CROSS JOIN LATERAL (
           SELECT value FROM arrived
            WHERE record_id = w.twin AND key = w.key AND id < w.last
            ORDER BY id DESC LIMIT 1) AS a
        GROUP BY w.id
     )
     UPDATE {sync}.outbox AS o SET changes = o.changes || r.changes
       FROM rebased AS r WHERE o.id = r.id`,
    [object, renames.map(({ oldId }) => oldId), renames.map(({ id }) => id)],
  );
}
