import { type Json, stringifyJson } from '../../domain/json.ts';
import type {
  ConflictFound,
  EntryRewrite,
  FieldChanges,
  PendingEntry,
} from '../../domain/merge-record.ts';
import type { Sql } from '../connection/database.ts';
import { decodeExtra, encodeExtra } from '../mirror/extra.ts';
import { decodeChanges, encodeChanges } from '../rows/changes.ts';
import { DECISIONS } from './outbox.ts';

interface UnsettledRow {
  id: bigint;
  record_id: string;
  op: PendingEntry['op'];
  state: PendingEntry['state'];
  changes: FieldChanges;
  written_at_ms: number;
}

/**
 * Entries `o` of records whose ids are `$2`, each once: one look at index `outbox_unsettled` a record.
 * Right after a bulk change there are no statistics of it, and a planner left alone reads everything
 * that waits of the object instead, for every call.
 */
const WAITING_OF = `unnest($2::text[]) AS r(id)
  CROSS JOIN LATERAL (SELECT * FROM {sync}.outbox AS e
                       WHERE e.record_id = r.id AND e.state IN ('pending', 'sending', 'parked')
                      OFFSET 0) AS o`;

/**
 * Pending or parked: neither claimed nor ended. Said so that no index fits, nor an estimate of next to
 * nothing: entries that are named are found by their key, and not compared with all that wait.
 */
const WAITS = `num_nulls(o.epoch, o.done_at) = 2`;

/**
 * What waits in the outbox for these records, oldest first. To be read in a statement *after* the
 * rows were locked: only then has it seen every edit committed before the lock (invariant 2).
 * Index `outbox_unsettled`; no lock.
 *
 * @param what.inFlight whether entries that are being sent are among them; default true
 */
export async function readUnsettled(
  tx: Sql,
  object: string,
  ids: readonly string[],
  { inFlight = true }: { readonly inFlight?: boolean } = {},
): Promise<Map<string, PendingEntry[]>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<UnsettledRow>(
    `SELECT o.id, o.record_id, o.op, o.state, o.changes,
            (extract(epoch FROM o.created_at) * 1000)::float8 AS written_at_ms
       FROM ${WAITING_OF}
      WHERE o.object = $1 AND ($3 OR o.state <> 'sending')
      ORDER BY o.created_at, o.id`,
    [object, [...new Set(ids)], inFlight],
  );
  const byRecord = new Map<string, PendingEntry[]>();
  for (const { id, record_id, op, state, changes, written_at_ms } of rows) {
    const entries = byRecord.get(record_id) ?? [];
    entries.push({ id, op, state, changes: decodeChanges(changes), writtenAtMs: written_at_ms });
    byRecord.set(record_id, entries);
  }
  return byRecord;
}

/** Whether anything of an object waits that a merge could meet. Index `outbox_due`; no lock. */
export async function hasUnsettled(sql: Sql, object: string): Promise<boolean> {
  const [row] = await sql.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM {sync}.outbox
                     WHERE object = $1 AND state IN ('pending', 'parked')) AS found`,
    [object],
  );
  return row?.found ?? false;
}

/**
 * Carries the outcome of merges into the outbox. An entry that was refused, and of which a field
 * needs no sending any more, is not what was refused: it is due again. Row locks on the entries
 * named, in id order.
 */
export async function rewriteEntries(
  tx: Sql,
  object: string,
  rewrites: readonly EntryRewrite[],
): Promise<void> {
  if (rewrites.length === 0) return;
  await tx.query(
    `UPDATE {sync}.outbox AS o
        SET changes = coalesce(r.changes::jsonb, o.changes),
            state = CASE WHEN m.mended THEN 'pending' ELSE r.state END,
            attempts = CASE WHEN m.mended THEN 0 ELSE o.attempts END,
            last_error = CASE WHEN m.mended THEN NULL ELSE o.last_error END,
            next_attempt_at = CASE WHEN m.mended THEN clock_timestamp() ELSE o.next_attempt_at END,
            done_at = CASE WHEN r.state IN ('done', 'superseded', 'cancelled') THEN clock_timestamp() END
       FROM unnest($1::bigint[], $2::text[], $3::text[]) AS r(id, changes, state)
       JOIN {sync}.outbox AS before ON before.id = r.id
      CROSS JOIN LATERAL (SELECT coalesce(
             r.state = 'parked' AND before.last_error !~ '${DECISIONS}'
             AND NOT r.changes::jsonb ?& ARRAY(SELECT jsonb_object_keys(before.changes)), false)) AS m(mended)
      WHERE o.id = r.id AND ${WAITS}`,
    [
      rewrites.map(({ id }) => id),
      rewrites.map(({ changes }) =>
        changes === null ? null : stringifyJson(encodeChanges(changes)),
      ),
      rewrites.map(({ state }) => state),
    ],
  );
  const parked = rewrites.filter((r) => Object.keys(r.parked).length > 0);
  if (parked.length === 0) return;
  await tx.query(
    `INSERT INTO {sync}.outbox (object, record_id, op, changes, state, last_error, written_by, created_at)
     SELECT $1, o.record_id, 'update', p.changes::jsonb, 'parked', 'conflict-open', o.written_by, o.created_at
       FROM unnest($2::bigint[], $3::text[]) AS p(id, changes)
       JOIN {sync}.outbox AS o ON o.id = p.id`,
    [object, parked.map(({ id }) => id), parked.map((r) => stringifyJson(encodeChanges(r.parked)))],
  );
}

/** A conflict and the record it is about. */
export interface ConflictOfRecord extends ConflictFound {
  readonly recordId: string;
}

/**
 * Writes conflicts to their log, one row each; a field that is open already keeps its row and
 * takes over the newest remote value. Unique index `conflict_open_once`.
 */
export async function recordConflicts(
  tx: Sql,
  object: string,
  conflicts: readonly ConflictOfRecord[],
): Promise<void> {
  if (conflicts.length === 0) return;
  await tx.query(
    `INSERT INTO {sync}.conflict
            (object, record_id, field, base, local, remote, remote_by, policy, resolution, certain, resolved_at, resolved_by)
     SELECT $1, c.record_id, c.field, c.base::jsonb, c.local::jsonb, c.remote::jsonb, c.remote_by, c.policy,
            c.resolution, c.certain,
            CASE WHEN c.resolution <> 'open' THEN clock_timestamp() END,
            CASE WHEN c.resolution <> 'open' THEN 'policy' END
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                   $10::boolean[])
            AS c(record_id, field, base, local, remote, remote_by, policy, resolution, certain)
         ON CONFLICT (object, record_id, field) WHERE resolution = 'open'
         DO UPDATE SET remote = excluded.remote, remote_by = excluded.remote_by,
                       certain = excluded.certain`,
    [
      object,
      conflicts.map((c) => c.recordId),
      conflicts.map((c) => c.field),
      conflicts.map((c) => stringifyJson(encodeExtra(c.base))),
      conflicts.map((c) => stringifyJson(encodeExtra(c.local))),
      conflicts.map((c) => stringifyJson(encodeExtra(c.remote))),
      conflicts.map((c) => c.remoteBy),
      conflicts.map((c) => c.policy),
      conflicts.map((c) => c.resolution),
      conflicts.map((c) => c.certain),
    ],
  );
}

/**
 * Closes open conflicts of records for which nothing waits any more: both sides have come to the
 * same value. Unique index `conflict_open_once`.
 */
export async function closeSettledConflicts(
  tx: Sql,
  object: string,
  recordIds: readonly string[],
): Promise<void> {
  if (recordIds.length === 0) return;
  await tx.query(
    `UPDATE {sync}.conflict AS c
        SET resolution = 'remote', resolved_at = clock_timestamp(), resolved_by = 'agreement'
      WHERE c.object = $1 AND c.record_id = ANY($2::text[]) AND c.resolution = 'open'
        AND NOT EXISTS (
          SELECT 1 FROM {sync}.outbox AS o
           WHERE o.object = $1 AND o.record_id = c.record_id AND o.state = 'parked'
             AND o.last_error LIKE 'conflict-open%' AND o.changes ? c.field)`,
    [object, recordIds],
  );
}

/** Fields of records that wait for a person, with the entry that holds each. */
export interface HeldField {
  readonly recordId: string;
  readonly field: string;
  readonly entry: bigint;
  /** What the CRM holds, as far as it was read. */
  readonly base: Json;
}

/** Index `outbox_unsettled`; no lock. */
export async function readHeldFields(
  tx: Sql,
  object: string,
  recordIds: readonly string[],
): Promise<HeldField[]> {
  const held = await tx.query<HeldField & Record<string, unknown>>(
    `SELECT o.record_id AS "recordId", f.field, o.id AS entry, f.change -> 'base' AS base
       FROM ${WAITING_OF}, jsonb_each(o.changes) AS f(field, change)
      WHERE o.object = $1 AND o.state = 'parked' AND o.last_error LIKE 'conflict-open%'`,
    [object, [...new Set(recordIds)]],
  );
  return held.map((one) => ({ ...one, base: decodeExtra(one.base) }));
}

/**
 * Moves a newer edit of a field that waits for a person to the entry that waits, and shows it in
 * the conflict log. Safe to repeat.
 */
export async function addToHeld(
  tx: Sql,
  object: string,
  edits: readonly (HeldField & { readonly value: Json })[],
): Promise<void> {
  if (edits.length === 0) return;
  await tx.query(
    `WITH edit AS MATERIALIZED (
       SELECT record_id, field, entry, value::jsonb AS value
         FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) AS e(record_id, field, entry, value)
     ), logged AS (
       UPDATE {sync}.conflict AS c SET local = e.value FROM edit AS e
        WHERE c.object = $1 AND c.record_id = e.record_id AND c.field = e.field AND c.resolution = 'open'
     )
     UPDATE {sync}.outbox AS o
        SET changes = o.changes || (
              SELECT jsonb_object_agg(e.field, (o.changes -> e.field) || jsonb_build_object('value', e.value))
                FROM edit AS e WHERE e.entry = o.id)
      WHERE o.id IN (SELECT entry FROM edit) AND o.state = 'parked'`,
    [
      object,
      edits.map(({ recordId }) => recordId),
      edits.map(({ field }) => field),
      edits.map(({ entry }) => entry),
      edits.map(({ value }) => stringifyJson(encodeExtra(value))),
    ],
  );
}

/**
 * Leaves in claimed entries what may go; one that has nothing left ends superseded. By its key, see
 * {@link settleEntries}.
 */
export async function rewriteClaimed(
  tx: Sql,
  epoch: bigint,
  entries: readonly { readonly id: bigint; readonly changes: FieldChanges }[],
): Promise<void> {
  if (entries.length === 0) return;
  await tx.query(
    `UPDATE {sync}.outbox AS o
        SET changes = CASE WHEN r.changes = '{}' THEN o.changes ELSE r.changes::jsonb END,
            state = CASE WHEN r.changes = '{}' THEN 'superseded' ELSE o.state END,
            epoch = CASE WHEN r.changes = '{}' THEN NULL ELSE o.epoch END,
            done_at = CASE WHEN r.changes = '{}' THEN clock_timestamp() END
       FROM unnest($2::bigint[], $3::text[]) AS r(id, changes)
      WHERE o.id = r.id AND o.epoch = $1`,
    [
      epoch,
      entries.map(({ id }) => id),
      entries.map(({ changes }) => stringifyJson(encodeChanges(changes))),
    ],
  );
}

/**
 * Measures what waits against what the CRM made of what was sent: where it normalised a value, the
 * next edit's base is what it holds now, not what we said (invariant 3). Row locks on the entries.
 */
export async function rebaseUnsettled(
  tx: Sql,
  rebased: readonly { readonly id: bigint; readonly changes: FieldChanges }[],
): Promise<void> {
  if (rebased.length === 0) return;
  await tx.query(
    `UPDATE {sync}.outbox AS o SET changes = r.changes::jsonb
       FROM unnest($1::bigint[], $2::text[]) AS r(id, changes)
      WHERE o.id = r.id AND ${WAITS}`,
    [
      rebased.map(({ id }) => id),
      rebased.map(({ changes }) => stringifyJson(encodeChanges(changes))),
    ],
  );
}
