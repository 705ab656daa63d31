import { stringifyJson } from '../../domain/json.ts';
import type { NewComment, SideItem } from '../../domain/side.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { guarded } from '../connection/guarded.ts';
import { encodeExtra } from '../mirror/extra.ts';
import { findKeyedTable } from './ensure.ts';
import { SIDE_TABLES } from './tables.ts';

/** What keeps a comment from being delivered. */
export interface FailedComment {
  readonly id: string;
  /** `sending`: it may have arrived. */
  readonly state: 'pending' | 'sending' | 'parked';
  readonly reason: string;
}

/** A record that was born here has its id now. */
const HAS_ITS_ID = `(e.record_id NOT LIKE 'local:%' OR EXISTS (
        SELECT FROM {sync}.id_map AS m WHERE m.object = e.object AND m.old_id = e.record_id))`;

/**
 * Takes up what is due, the oldest first, and what another leader left; rows follow their record to the id
 * it has now. In a transaction as writer of who leads.
 *
 * @param table the comments' own, quoted; null where it is gone. `objects` null: of all.
 */
export async function claimComments(
  tx: Transaction,
  table: string | null,
  claim: {
    readonly epoch: bigint;
    readonly limit: number;
    readonly objects: readonly string[] | null;
  },
): Promise<readonly NewComment[]> {
  const claimed = await tx.query<NewComment & { was: string }>(
    `WITH due AS (
       SELECT e.id, e.record_id AS was, e.state = 'sending' AS doubt FROM {sync}.comment_outbox AS e
        WHERE e.state IN ('pending', 'sending')
          AND (e.next_attempt_at <= clock_timestamp() OR (e.state = 'sending' AND e.epoch <> $1))
          AND ($3::text[] IS NULL OR e.object = ANY($3)) AND ${HAS_ITS_ID}
        ORDER BY e.created_at, e.id LIMIT $2 FOR UPDATE SKIP LOCKED
     )
     UPDATE {sync}.comment_outbox AS e
        SET state = 'sending', epoch = $1, attempts = e.attempts + 1,
            record_id = {sync}.current_id(e.object, e.record_id)
       FROM due AS d WHERE d.id = e.id
     RETURNING e.id, e.object, e.record_id AS "recordId", e.message, d.was, d.doubt AS "inDoubt",
               ARRAY(WITH RECURSIVE former(id) AS (
                       SELECT e.record_id
                        UNION
                       SELECT m.old_id FROM former AS f
                         JOIN {sync}.id_map AS m ON m.object = e.object AND m.id = f.id)
                     SELECT id FROM former WHERE id <> e.record_id) AS "formerIds"`,
    [claim.epoch, claim.limit, claim.objects],
  );
  await moveRows(tx, table, claimed);
  return claimed;
}

interface MovedComment extends Pick<NewComment, 'id' | 'object' | 'recordId'> {
  /** The record it was by before. */
  readonly was: string;
}

/** Rows follow their record; one that may not be written stays by the old id until its record is read. */
async function moveRows(
  tx: Transaction,
  table: string | null,
  comments: readonly MovedComment[],
): Promise<void> {
  const moved = comments.filter(({ recordId, was }) => recordId !== was);
  if (table === null || moved.length === 0) return;
  await guarded(tx, table, moved, async (part) => {
    await tx.query(
      `UPDATE ${table} AS s SET record_id = m.now
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS m(id, object, was, now)
        WHERE s.record_id = m.was AND s.object = m.object AND s.id = m.id
          AND NOT EXISTS (SELECT FROM ${table} AS o
                           WHERE o.record_id = m.now AND o.object = m.object AND o.id = m.id)`,
      [
        part.map(({ id }) => id),
        part.map(({ object }) => object),
        part.map(({ was }) => was),
        part.map(({ recordId }) => recordId),
      ],
    );
  });
}

/**
 * Comments of records that were merged go to those they live on in: the past may not tell of one that was
 * written here yet. In a transaction as writer; repeatable.
 */
export async function moveComments(
  tx: Transaction,
  object: string,
  merges: readonly { readonly oldId: string; readonly id: string }[],
): Promise<void> {
  const table = await findKeyedTable(tx, SIDE_TABLES.comment);
  if (table === null) return;
  const rows = await tx.query<MovedComment & Record<string, unknown>>(
    `SELECT s.id, s.object, s.record_id AS was, m.now AS "recordId"
       FROM unnest($2::text[], $3::text[]) AS m(was, now)
       JOIN ${table} AS s ON s.record_id = m.was AND s.object = $1`,
    [object, merges.map(({ oldId }) => oldId), merges.map(({ id }) => id)],
  );
  await moveRows(tx, table, rows);
}

/** One that is in the CRM, as that tells it, and by which record. */
export interface DeliveredComment extends SideItem, MovedComment {}

/** Of records that were born here, which of their comments wait for one that is gone: they are parked. */
export async function parkOrphans(sql: Sql, object: string, mirror: string): Promise<number> {
  const parked = await sql.query(
    `UPDATE {sync}.comment_outbox AS e SET state = 'parked', last_error = $2
      WHERE e.state = 'pending' AND e.object = $1 AND NOT ${HAS_ITS_ID}
        AND NOT EXISTS (SELECT FROM ${mirror} AS m WHERE m.id = e.record_id) RETURNING 1`,
    [object, 'record-unknown: it was never sent'],
  );
  return parked.length;
}

/** SQL of what waits to be sent, or was and may not have arrived. */
export const UNSENT = `{sync}.comment_outbox WHERE state IN ('pending', 'sending')`;

/** Objects that have comments to be sent; `awaits`: some of them for a record that was born here. */
export async function readUnsent(
  sql: Sql,
): Promise<readonly { readonly object: string; readonly awaits: boolean }[]> {
  return await sql.query<{ object: string; awaits: boolean }>(
    `SELECT object, bool_or(state = 'pending' AND record_id LIKE 'local:%') AS awaits
       FROM ${UNSENT} GROUP BY object`,
  );
}

/**
 * What was delivered is done, and its row as the CRM tells it, unless somebody holds that, or refuses it:
 * the next reading sees to it. In a transaction as writer, of an epoch that leads.
 */
export async function settleComments(
  tx: Transaction,
  table: string | null,
  { epoch, items }: { readonly epoch: bigint; readonly items: readonly DeliveredComment[] },
): Promise<void> {
  const done = await tx.query<{ id: string; object: string; recordId: string }>(
    `UPDATE {sync}.comment_outbox AS e
        SET state = 'done', epoch = NULL, last_error = NULL, done_at = clock_timestamp(),
            record_id = d.record_id
       FROM unnest($2::text[], $3::text[]) AS d(id, record_id)
      WHERE e.id = d.id AND e.state = 'sending' AND e.epoch = $1
     RETURNING e.id, e.object, e.record_id AS "recordId"`,
    [epoch, items.map(({ id }) => id), items.map(({ recordId }) => recordId)],
  );
  if (table === null || done.length === 0) return;
  await moveRows(tx, table, items);
  const fields = new Map(items.map((item) => [item.id, item.fields]));
  await guarded(tx, table, done, async (part) => {
    await tx.query(
      `WITH free AS MATERIALIZED (
         SELECT s.record_id, s.object, s.id, t.fields
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS t(record_id, object, id, fields)
           JOIN ${table} AS s USING (record_id, object, id)
            FOR UPDATE OF s SKIP LOCKED
       )
       UPDATE ${table} AS s SET fields = s.fields || f.fields::jsonb, _synced_at = clock_timestamp()
         FROM free AS f WHERE s.record_id = f.record_id AND s.object = f.object AND s.id = f.id`,
      [
        part.map(({ recordId }) => recordId),
        part.map(({ object }) => object),
        part.map(({ id }) => id),
        part.map(({ id }) => stringifyJson(encodeExtra(fields.get(id) ?? {}))),
      ],
    );
  });
}

/** What failed waits: two seconds, eight, half a minute, at most an hour; what was refused for somebody. */
export async function postponeComments(
  tx: Sql,
  { epoch, failed }: { readonly epoch: bigint; readonly failed: readonly FailedComment[] },
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.comment_outbox AS e
        SET state = f.state, epoch = CASE f.state WHEN 'sending' THEN $1::bigint END, last_error = f.reason,
            next_attempt_at = clock_timestamp()
              + least(interval '1 hour', interval '2 seconds' * 4 ^ least(e.attempts - 1, 8))
       FROM unnest($2::text[], $3::text[], $4::text[]) AS f(id, state, reason)
      WHERE e.id = f.id AND e.state = 'sending' AND e.epoch = $1`,
    [
      epoch,
      failed.map(({ id }) => id),
      failed.map(({ state }) => state),
      failed.map(({ reason }) => reason),
    ],
  );
}

/** What was taken up and not sent after all is as it was. */
export async function returnComments(
  tx: Sql,
  { epoch, left }: { readonly epoch: bigint; readonly left: readonly NewComment[] },
): Promise<void> {
  const ids = left.flatMap(({ id, inDoubt }) => (inDoubt ? [] : [id]));
  await tx.query(
    `UPDATE {sync}.comment_outbox SET state = 'pending', epoch = NULL
      WHERE id = ANY($2::text[]) AND state = 'sending' AND epoch = $1`,
    [epoch, ids],
  );
}

/** Comments that were written here and are not in the CRM yet. */
export interface CommentStanding {
  readonly object: string;
  readonly waiting: number;
  /** They were refused. */
  readonly parked: number;
}

/** Of objects that have any. */
export async function readCommentStandings(sql: Sql): Promise<readonly CommentStanding[]> {
  return await sql.query<CommentStanding & Record<string, unknown>>(
    `SELECT object, count(*) FILTER (WHERE state <> 'parked')::int4 AS waiting,
            count(*) FILTER (WHERE state = 'parked')::int4 AS parked
       FROM {sync}.comment_outbox WHERE state <> 'done' GROUP BY object ORDER BY object`,
  );
}

/** Whether a record has a row still. @param mirror its object's table, quoted. */
export async function hasRow(sql: Sql, mirror: string, id: string): Promise<boolean> {
  return (await sql.query(`SELECT FROM ${mirror} WHERE id = $1`, [id])).length > 0;
}
