import type { ClaimedEntry } from '../../domain/coalesce.ts';
import { type Json, stringifyJson } from '../../domain/json.ts';
import type { FieldChanges } from '../../domain/merge-record.ts';
import type { Sql } from '../connection/database.ts';
import { decodeChanges, encodeChanges } from '../rows/changes.ts';
import { AWAITED, IS_CLAIMABLE, isLooked, type Looked } from './claimable.ts';

/** All claimed entries of one record, oldest first. */
export interface ClaimedRecord {
  readonly recordId: string;
  readonly entries: readonly ClaimedEntry[];
  readonly attempts: number;
  /** Entries that have left us before as a create, which may have arrived; mostly none. */
  readonly sentBefore: ReadonlySet<bigint>;
  /** Among them is a delete that no person has approved. */
  readonly unapprovedDelete: boolean;
}

interface ClaimRow {
  id: bigint;
  record_id: string;
  op: ClaimedEntry['op'];
  changes: FieldChanges;
  attempts: number;
  created_at: string;
  sent_before: boolean;
  unapproved_delete: boolean;
}

/** Parked for a person to decide; everything else a later edit of the row may mend. */
export const DECISIONS =
  '^(conflict-open|copied-database|delete-needs-approval|mass-delete|create-ambiguous)';
export const MENDABLE = `(o.state = 'pending' OR (o.state = 'parked' AND o.last_error !~ '${DECISIONS}'))`;

/**
 * Claims the records whose changes have waited longest, with everything that waits for each of
 * them. A record of which something is in flight has to wait (per record, changes arrive in
 * commit order), and so has one that is blocked, or of which a remote version was put aside that is
 * not merged with all that waits: it would be overwritten unseen. Where not everything was `looked`
 * at, neither is what was not. Locks the entries in id order, skipping what an
 * operator holds; index `outbox_due`. The caller's transaction checks the lease. Links go their own
 * way, see `claimLinks`.
 */
export async function claimDue(
  tx: Sql,
  claim: { object: string; epoch: bigint; records: number; looked?: Looked | null },
): Promise<ClaimedRecord[]> {
  const { looked = null } = claim;
  const rows = await tx.query<ClaimRow>(
    `WITH ${AWAITED}, head AS (
       SELECT o.id, o.record_id FROM {sync}.outbox AS o
        WHERE ${IS_CLAIMABLE} AND ${isLooked('$4', '$5')}
        ORDER BY o.id LIMIT $3
     ), mine AS (
       SELECT o.id FROM {sync}.outbox AS o
        WHERE o.object = $1 AND ${MENDABLE} AND o.record_id IN (SELECT record_id FROM head)
          AND o.op NOT IN ('link', 'unlink')
        ORDER BY o.id FOR UPDATE SKIP LOCKED
     )
     UPDATE {sync}.outbox AS o
        SET state = 'sending', epoch = $2, attempts = attempts + 1, sent_at = clock_timestamp(), last_error = NULL
       FROM mine WHERE o.id = mine.id
     RETURNING o.id, o.record_id, o.op, o.changes, o.attempts, o.created_at,
               o.sent IS NOT NULL AS sent_before,
               o.op = 'delete' AND o.approved_at IS NULL AS unapproved_delete`,
    [claim.object, claim.epoch, claim.records, looked?.ids ?? null, looked?.births ?? true],
  );
  const byRecord = new Map<string, ClaimRow[]>();
  for (const row of rows.toSorted(byWriting)) {
    const entries = byRecord.get(row.record_id) ?? [];
    entries.push({ ...row, changes: decodeChanges(row.changes) });
    byRecord.set(row.record_id, entries);
  }
  return [...byRecord].map(([recordId, entries]) => {
    return {
      recordId,
      entries,
      attempts: Math.max(...entries.map(({ attempts }) => attempts)),
      sentBefore: sentBefore(entries),
      unapprovedDelete: entries.some((entry) => entry.unapproved_delete),
    };
  });
}

function sentBefore(entries: readonly ClaimRow[]): ReadonlySet<bigint> {
  const sent = entries.filter((entry) => entry.sent_before);
  return new Set(sent.some(({ op }) => op === 'insert') ? sent.map(({ id }) => id) : []);
}

/** What was put off keeps the time it was written, and comes before what was written since. */
function byWriting(a: ClaimRow, b: ClaimRow): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** Writes down what goes out, so that an answer that never comes can still be recognised. */
export async function recordSent(
  tx: Sql,
  sent: readonly { readonly ids: readonly bigint[]; readonly sent: unknown }[],
): Promise<void> {
  if (sent.length === 0) return;
  const rows = sent.flatMap(({ ids, sent: what }) =>
    ids.map((id) => [id, stringifyJson(what)] as const),
  );
  await tx.query(
    `UPDATE {sync}.outbox AS o SET sent = s.fields::jsonb
       FROM unnest($1::bigint[], $2::text[]) AS s(id, fields) WHERE o.id = s.id`,
    [rows.map(([id]) => id), rows.map(([, fields]) => fields)],
  );
}

/**
 * Marks creates that are refused now, and may have arrived before: to send them again would tell
 * nothing, so they are looked for (see {@link takeOverStranded}).
 */
export async function recordRefused(tx: Sql, epoch: bigint, ids: readonly bigint[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `UPDATE {sync}.outbox SET sent = sent || '{"refused": true}'
      WHERE id = ANY($2::bigint[]) AND epoch = $1`,
    [epoch, ids],
  );
}

/** Where an entry goes from `sending`. */
export type EntryOutcome =
  | { readonly state: 'done' | 'superseded' | 'cancelled' }
  | { readonly state: 'parked'; readonly reason: string; readonly neverArrived?: boolean }
  | {
      readonly state: 'pending';
      readonly reason: string | null;
      readonly retryInMs: number;
      readonly blockedBy?: bigint;
      /** No attempt so far was carried out: what was sent is forgotten. */
      readonly neverArrived?: boolean;
    };

/**
 * Ends the sending of entries. Only the epoch that claimed them may (invariant 9): entries that
 * another leader has taken over stay as they are. An epoch is had by what is `sending` and nothing
 * else; were the state asked for as well, a planner without statistics would compare everything in
 * flight with each. By the primary key. @returns how many were settled.
 */
export async function settleEntries(
  tx: Sql,
  epoch: bigint,
  outcomes: readonly { readonly ids: readonly bigint[]; readonly outcome: EntryOutcome }[],
): Promise<number> {
  const rows = outcomes.flatMap(({ ids, outcome }) => ids.map((id) => ({ id, outcome })));
  if (rows.length === 0) return 0;
  const settled = await tx.query(
    `UPDATE {sync}.outbox AS o
        SET state = s.state, last_error = s.reason, epoch = NULL, blocked_by = s.blocked_by,
            next_attempt_at = clock_timestamp() + s.retry_ms * interval '1 millisecond',
            sent = CASE WHEN s.never_arrived THEN NULL ELSE o.sent END,
            ticket = CASE WHEN s.state IN ('pending', 'parked') THEN NULL ELSE o.ticket END,
            done_at = CASE WHEN s.state IN ('done', 'superseded', 'cancelled') THEN clock_timestamp() END
       FROM unnest($2::bigint[], $3::text[], $4::text[], $5::float8[], $6::bigint[], $7::boolean[])
            AS s(id, state, reason, retry_ms, blocked_by, never_arrived)
      WHERE o.id = s.id AND o.epoch = $1
      RETURNING 1`,
    [
      epoch,
      rows.map(({ id }) => id),
      rows.map(({ outcome }) => outcome.state),
      rows.map(({ outcome }) => ('reason' in outcome ? outcome.reason : null)),
      rows.map(({ outcome }) => ('retryInMs' in outcome ? outcome.retryInMs : 0)),
      rows.map(({ outcome }) => ('blockedBy' in outcome ? (outcome.blockedBy ?? null) : null)),
      rows.map(({ outcome }) => 'neverArrived' in outcome && outcome.neverArrived),
    ],
  );
  return settled.length;
}

/** Adds entries of our own: what has to be sent later, after what it waits for. */
export async function addFollowUps(
  tx: Sql,
  object: string,
  followUps: readonly {
    readonly recordId: string;
    readonly changes: FieldChanges;
    readonly blockedBy: bigint;
    /** The entry it is split from: writer and time are its own. */
    readonly of: bigint;
  }[],
): Promise<void> {
  if (followUps.length === 0) return;
  await tx.query(
    `INSERT INTO {sync}.outbox (object, record_id, op, changes, blocked_by, written_by, created_at)
     SELECT $1, f.record_id, 'update', f.changes::jsonb, f.blocked_by, o.written_by, o.created_at
       FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS f(record_id, changes, blocked_by, of)
       JOIN {sync}.outbox AS o ON o.id = f.of`,
    [
      object,
      followUps.map(({ recordId }) => recordId),
      followUps.map(({ changes }) => stringifyJson(encodeChanges(changes))),
      followUps.map(({ blockedBy }) => blockedBy),
      followUps.map(({ of }) => of),
    ],
  );
}

/** Adds parked entries: what the CRM took as part of a change and does not show. */
export async function addUnkept(
  tx: Sql,
  object: string,
  unkept: readonly {
    readonly recordId: string;
    readonly changes: FieldChanges;
    readonly reason: string;
    /** The entry it is split from: writer and time are its own. */
    readonly of: bigint;
  }[],
): Promise<void> {
  if (unkept.length === 0) return;
  await tx.query(
    `INSERT INTO {sync}.outbox (object, record_id, op, changes, state, last_error, attempts, sent_at, written_by, created_at)
     SELECT $1, u.record_id, 'update', u.changes::jsonb, 'parked', u.reason, o.attempts, o.sent_at,
            o.written_by, o.created_at
       FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS u(record_id, changes, reason, of)
       JOIN {sync}.outbox AS o ON o.id = u.of`,
    [
      object,
      unkept.map(({ recordId }) => recordId),
      unkept.map(({ changes }) => stringifyJson(encodeChanges(changes))),
      unkept.map(({ reason }) => reason),
      unkept.map(({ of }) => of),
    ],
  );
}

/** An entry a former leader left in flight: nobody knows whether it arrived. */
export interface StrandedEntry {
  readonly id: bigint;
  readonly object: string;
  readonly recordId: string;
  /** What was sent. */
  readonly fields: Readonly<Record<string, Json>>;
  /** What could not be said with the create, and is to be set once it is there. */
  readonly afterwards?: Readonly<Record<string, Json>> | null;
  /** The field that identifies the record, where it was sent by one; else null. */
  readonly matchOn: string | null;
  readonly sentAt: string;
  /** Until a late write has had time to show, counted from when nobody sent any more. */
  readonly waitMs: number;
}

/** Shown while it is being found out whether a create arrived. */
const UNCLEAR = 'create-unclear: it may have arrived, which is being found out';

/**
 * Takes over what is in flight although nobody sends it any more: a former leader's, or our own
 * from a run that broke off. To be called while this process, the leader, sends nothing of the
 * object. When a create left is not known: the wait for the allowance may be long, and the former leader could
 * send until it lost the lease. So the time to settle begins when it is first seen here. What is out
 * with a job is left to whoever asks for that.
 *
 * @returns the creates among them that cannot simply be sent again; all else is pending again.
 */
export async function takeOverStranded(
  tx: Sql,
  object: string,
  { epoch, settlingMs }: { readonly epoch: bigint; readonly settlingMs: number },
): Promise<StrandedEntry[]> {
  await tx.query(
    `UPDATE {sync}.outbox
        SET state = 'pending', epoch = NULL, next_attempt_at = clock_timestamp()
      WHERE object = $1 AND state = 'sending' AND ticket IS NULL
        AND (op <> 'insert' OR record_id NOT LIKE 'local:%' OR sent IS NULL
             OR (sent ? 'matchOn' AND NOT sent ? 'refused'))`,
    [object],
  );
  return await tx.query<StrandedEntry & Record<string, unknown>>(
    `UPDATE {sync}.outbox
        SET epoch = $1, last_error = $3,
            next_attempt_at = CASE WHEN last_error = $3 THEN next_attempt_at
                                   ELSE clock_timestamp() + $2 * interval '1 millisecond' END
      WHERE object = $4 AND state = 'sending' AND ticket IS NULL
      RETURNING id, object, record_id AS "recordId", sent -> 'fields' AS fields, sent_at AS "sentAt",
                sent -> 'afterwards' AS afterwards, sent ->> 'matchOn' AS "matchOn",
                (extract(epoch FROM next_attempt_at - clock_timestamp()) * 1000)::float8 AS "waitMs"`,
    [epoch, settlingMs, UNCLEAR, object],
  );
}

/**
 * Puts off finding out whether these creates arrived, each for as long again as it has waited, a minute
 * at least and an hour at most. By the primary key. @returns until the last of them is due.
 */
export async function postponeStranded(
  tx: Sql,
  epoch: bigint,
  ids: readonly bigint[],
): Promise<number> {
  const rows = await tx.query<{ waitMs: number }>(
    `UPDATE {sync}.outbox AS o
        SET next_attempt_at = clock_timestamp()
              + least(greatest(clock_timestamp() - o.sent_at, interval '1 minute'), interval '1 hour')
      WHERE o.id = ANY($2::bigint[]) AND o.epoch = $1
      RETURNING (extract(epoch FROM o.next_attempt_at - clock_timestamp()) * 1000)::float8 AS "waitMs"`,
    [epoch, ids],
  );
  return Math.max(0, ...rows.map(({ waitMs }) => waitMs));
}

/** Objects with something due, links apart, and how many entries wait in all. */
export async function readDueObjects(sql: Sql): Promise<{ object: string; entries: number }[]> {
  return await sql.query<{ object: string; entries: number }>(
    `SELECT object, count(*)::int4 AS entries FROM {sync}.outbox
      WHERE state = 'pending' AND next_attempt_at <= clock_timestamp() AND op NOT IN ('link', 'unlink')
      GROUP BY object`,
  );
}

/** Makes due what waits for a row to be mended: a person who asks has mended it, perhaps. */
export async function retryRefused(sql: Sql): Promise<void> {
  await sql.query(
    `UPDATE {sync}.outbox SET next_attempt_at = clock_timestamp()
      WHERE state = 'pending' AND last_error LIKE 'row-refused: %'`,
  );
}

/** What is not settled yet. */
export interface Unsettled {
  /** Due, or waiting for its next attempt; without the blocked. */
  readonly pending: number;
  readonly sending: number;
  readonly blocked: number;
  readonly parked: number;
  readonly openConflicts: number;
  /** Rows that a constraint or a trigger of others keeps from being as their record is. */
  readonly setAside: number;
  /** Until the next attempt of a pending entry, negative where it is due; null where there is none. */
  readonly retryInMs: number | null;
}

/** Counts what is not settled, of some objects or of all. Index `outbox_unsettled`. */
export async function countUnsettled(sql: Sql, objects?: readonly string[]): Promise<Unsettled> {
  const [row] = await sql.query<Unsettled & Record<string, unknown>>(
    `WITH entry AS (
       SELECT o.state, o.next_attempt_at,
              EXISTS (SELECT FROM {sync}.mirror_problem AS p
                       WHERE p.object = o.object AND p.stops) AS stopped,
              EXISTS (SELECT 1 FROM {sync}.outbox AS b
                       WHERE b.id = o.blocked_by AND b.state IN ('pending', 'sending', 'parked')) AS blocked
         FROM {sync}.outbox AS o
        WHERE o.state IN ('pending', 'sending', 'parked') AND ($1::text[] IS NULL OR o.object = ANY($1))
     )
     SELECT count(*) FILTER (WHERE state = 'pending' AND NOT blocked)::int4 AS pending,
            count(*) FILTER (WHERE state = 'sending')::int4 AS sending,
            count(*) FILTER (WHERE state = 'pending' AND blocked)::int4 AS blocked,
            count(*) FILTER (WHERE state = 'parked')::int4 AS parked,
            (SELECT count(*)::int4 FROM {sync}.conflict
              WHERE resolution = 'open' AND ($1::text[] IS NULL OR object = ANY($1))) AS "openConflicts",
            (SELECT count(DISTINCT (object, id))::int4 FROM {sync}.deferred
              WHERE code IS NOT NULL AND ($1::text[] IS NULL OR object = ANY($1))) AS "setAside",
            (extract(epoch FROM min(next_attempt_at) FILTER (
                  WHERE state = 'pending' AND NOT blocked AND NOT stopped)
              - clock_timestamp()) * 1000)::float8 AS "retryInMs"
       FROM entry`,
    [objects ?? null],
  );
  const none = { pending: 0, sending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };
  return row ?? { ...none, retryInMs: null };
}
