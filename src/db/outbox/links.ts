import type { LinkEntry } from '../../domain/coalesce-links.ts';
import type { Sql } from '../connection/database.ts';
import type { LinkView } from '../mirror/links.ts';
import type { LinkRow } from '../rows/link-rows.ts';
import { MENDABLE } from './outbox.ts';

/** The record at the other end: the value of a link, the base of an unlink. */
const otherOf = (entry: string, field: string) =>
  `coalesce(${entry}.changes -> ${field} ->> 'value', ${entry}.changes -> ${field} ->> 'base')`;

/** Fields with link changes that are due, of one object or of all. Index `outbox_links_due`. */
export async function readDueLinks(
  sql: Sql,
  object: string | null,
): Promise<{ readonly object: string; readonly field: string }[]> {
  return await sql.query<{ object: string; field: string }>(
    `SELECT DISTINCT o.object, f.field
       FROM {sync}.outbox AS o, jsonb_object_keys(o.changes) AS f(field)
      WHERE o.op IN ('link', 'unlink') AND o.state = 'pending' AND o.next_attempt_at <= clock_timestamp()
        AND ($1::text IS NULL OR o.object = $1)`,
    [object],
  );
}

/** All claimed link changes of one record's field, oldest first, by the ids of today. */
export interface ClaimedLinks {
  readonly recordId: string;
  readonly entries: readonly LinkEntry[];
  readonly attempts: number;
}

/**
 * Claims the records whose links of one field have waited longest, with every change of that field
 * that waits for them; none of which anything is out with a job. Locks the entries in id order, skipping what an operator holds; indexes
 * `outbox_links_due`, `outbox_links`. The caller's transaction checks the lease.
 */
export async function claimLinks(
  tx: Sql,
  view: LinkView,
  claim: { readonly epoch: bigint; readonly records: number },
): Promise<readonly ClaimedLinks[]> {
  const { object, field } = view.here;
  const rows = await tx.query<LinkEntry & { recordId: string; attempts: number }>(
    `WITH head AS (
       SELECT o.record_id, min(o.id) AS first FROM {sync}.outbox AS o
        WHERE o.object = $1 AND o.op IN ('link', 'unlink') AND o.changes ? $2
          AND o.state = 'pending' AND o.next_attempt_at <= clock_timestamp()
          AND NOT EXISTS (SELECT 1 FROM {sync}.outbox AS b
                WHERE b.id = o.blocked_by AND b.state IN ('pending', 'sending', 'parked'))
          AND NOT EXISTS (SELECT 1 FROM {sync}.outbox AS s
                WHERE s.object = $1 AND s.record_id = o.record_id AND s.state = 'sending'
                  AND (s.ticket IS NOT NULL OR s.op IN ('link', 'unlink') AND s.changes ? $2))
        GROUP BY o.record_id ORDER BY first LIMIT $4
     ), mine AS (
       SELECT o.id FROM {sync}.outbox AS o
        WHERE o.object = $1 AND o.op IN ('link', 'unlink') AND o.changes ? $2 AND ${MENDABLE}
          AND o.record_id IN (SELECT record_id FROM head)
        ORDER BY o.id FOR UPDATE SKIP LOCKED
     )
     UPDATE {sync}.outbox AS o
        SET state = 'sending', epoch = $3, attempts = attempts + 1, sent_at = clock_timestamp(),
            last_error = NULL
       FROM mine WHERE o.id = mine.id
     RETURNING o.id, o.op, o.attempts, o.sent IS NOT NULL AS "sentBefore",
               {sync}.current_id($1, o.record_id) AS "recordId",
               {sync}.current_id($5, ${otherOf('o', '$2')}) AS other`,
    [object, field, claim.epoch, claim.records, view.there.object],
  );
  const byRecord = new Map<string, (typeof rows)[number][]>();
  for (const row of rows.toSorted((x, y) => (x.id < y.id ? -1 : 1))) {
    const ofRecord = byRecord.get(row.recordId);
    if (ofRecord) ofRecord.push(row);
    else byRecord.set(row.recordId, [row]);
  }
  return [...byRecord].map(([recordId, entries]) => {
    return { recordId, entries, attempts: Math.max(...entries.map(({ attempts }) => attempts)) };
  });
}

/** A link with a change here. */
export interface GuardedLink extends LinkRow {
  /** When it was settled; null where it is not. */
  readonly doneAt: string | null;
}

/**
 * Which of these links have a change here that is not settled, or was settled since `lateMs` before an
 * instant: what was read then knows nothing of it (invariants 2 and 3). To be read in a statement after
 * the links were compared and locked. Index `outbox_links`; no lock.
 *
 * @returns links as the view's own end tells them.
 */
export async function readGuardedLinks(
  tx: Sql,
  view: LinkView,
  rows: readonly LinkRow[],
  { readAt, lateMs = 0 }: { readonly readAt: string; readonly lateMs?: number | undefined },
): Promise<readonly GuardedLink[]> {
  if (rows.length === 0) return [];
  return await tx.query<GuardedLink & Record<string, unknown>>(
    `WITH id AS (
       SELECT DISTINCT r.id FROM unnest($4::text[]) AS r(id)
     ), alias AS (
       SELECT id, id AS old_id FROM id
       UNION
       SELECT m.id, m.old_id FROM id JOIN {sync}.id_map AS m ON m.object = $1 AND m.id = id.id
     )
     SELECT a.id AS here, {sync}.current_id($2, ${otherOf('o', '$3')}) AS there,
            CASE WHEN bool_and(o.done_at IS NOT NULL) THEN max(o.done_at) END AS "doneAt"
       FROM alias AS a
       JOIN {sync}.outbox AS o
         ON o.object = $1 AND o.record_id = a.old_id AND o.op IN ('link', 'unlink')
      WHERE o.changes ? $3 AND (o.done_at IS NULL OR o.done_at >= $5::timestamptz - $6 * interval '1 millisecond')
      GROUP BY 1, 2`,
    [
      view.here.object,
      view.there.object,
      view.here.field,
      [...new Set(rows.map(({ here }) => here))],
      readAt,
      lateMs,
    ],
  );
}

/** A link change that waited. */
export interface EndedLink {
  readonly recordId: string;
  readonly other: string;
}

/**
 * Ends what waits for links with records that are gone: nothing can be linked with them, and
 * nothing has to be unlinked. What is in flight is left to its answer. Index `outbox_links_due`.
 *
 * @param round.end where in the link those records stand.
 * @param round.state of the links that were wanted; what was unlinked is done.
 * @returns the links that were wanted.
 */
export async function endLinksOf(
  tx: Sql,
  view: LinkView,
  round: {
    readonly end: 'here' | 'there';
    readonly gone: readonly string[];
    readonly state: 'cancelled' | 'superseded';
  },
): Promise<readonly EndedLink[]> {
  if (round.gone.length === 0) return [];
  const ended = await tx.query<EndedLink & { op: LinkEntry['op'] }>(
    `UPDATE {sync}.outbox AS o
        SET state = CASE o.op WHEN 'link' THEN $4 ELSE 'done' END,
            epoch = NULL, blocked_by = NULL, done_at = clock_timestamp()
      WHERE o.object = $1 AND o.op IN ('link', 'unlink') AND o.state IN ('pending', 'parked')
        AND o.changes ? $2
        AND ${round.end === 'here' ? 'o.record_id' : otherOf('o', '$2')} = ANY($3::text[])
      RETURNING o.record_id AS "recordId", o.op, ${otherOf('o', '$2')} AS other`,
    [view.here.object, view.here.field, round.gone, round.state],
  );
  return ended.flatMap(({ op, recordId, other }) => (op === 'link' ? [{ recordId, other }] : []));
}

/** Which of these ids belong to records that are known by another id now. */
export async function readMovedIds(
  sql: Sql,
  object: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ id: string }>(
    `SELECT m.old_id AS id FROM {sync}.id_map AS m
      WHERE m.object = $1 AND m.old_id = ANY($2::text[]) AND m.id <> m.old_id`,
    [object, ids],
  );
  return new Set(rows.map(({ id }) => id));
}
