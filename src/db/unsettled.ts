import { stringifyJson } from '../domain/json.ts';
import type {
  ConflictFound,
  EntryRewrite,
  FieldChanges,
  PendingEntry,
} from '../domain/merge-record.ts';
import type { Sql } from './database.ts';

interface UnsettledRow {
  id: bigint;
  record_id: string;
  op: PendingEntry['op'];
  state: PendingEntry['state'];
  changes: FieldChanges;
  written_at_ms: number;
}

/**
 * What waits in the outbox for these records, oldest first. To be read in a statement *after* the
 * rows were locked: only then has it seen every edit committed before the lock (invariant 2).
 * Index `outbox_unsettled`; no lock.
 */
export async function readUnsettled(
  tx: Sql,
  object: string,
  ids: readonly string[],
): Promise<Map<string, PendingEntry[]>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<UnsettledRow>(
    `SELECT id, record_id, op, state, changes,
            (extract(epoch FROM created_at) * 1000)::float8 AS written_at_ms
       FROM clarify_sync.outbox
      WHERE object = $1 AND record_id = ANY($2::text[]) AND state IN ('pending', 'sending', 'parked')
      ORDER BY id`,
    [object, ids],
  );
  const byRecord = new Map<string, PendingEntry[]>();
  for (const { id, record_id, op, state, changes, written_at_ms } of rows) {
    const entries = byRecord.get(record_id) ?? [];
    entries.push({ id, op, state, changes, writtenAtMs: written_at_ms });
    byRecord.set(record_id, entries);
  }
  return byRecord;
}

/** Carries the outcome of merges into the outbox. Row locks on the entries named, in id order. */
export async function rewriteEntries(
  tx: Sql,
  object: string,
  rewrites: readonly EntryRewrite[],
): Promise<void> {
  if (rewrites.length === 0) return;
  await tx.query(
    `UPDATE clarify_sync.outbox AS o
        SET changes = coalesce(r.changes::jsonb, o.changes),
            state = r.state,
            done_at = CASE WHEN r.state IN ('done', 'superseded', 'cancelled') THEN clock_timestamp() END
       FROM unnest($1::bigint[], $2::text[], $3::text[]) AS r(id, changes, state)
      WHERE o.id = r.id AND o.state IN ('pending', 'parked')`,
    [
      rewrites.map(({ id }) => id),
      rewrites.map(({ changes }) => (changes === null ? null : stringifyJson(changes))),
      rewrites.map(({ state }) => state),
    ],
  );
  const parked = rewrites.filter((r) => Object.keys(r.parked).length > 0);
  if (parked.length === 0) return;
  await tx.query(
    `INSERT INTO clarify_sync.outbox (object, record_id, op, changes, state, last_error, written_by, created_at)
     SELECT $1, o.record_id, 'update', p.changes::jsonb, 'parked', 'conflict-open', o.written_by, o.created_at
       FROM unnest($2::bigint[], $3::text[]) AS p(id, changes)
       JOIN clarify_sync.outbox AS o ON o.id = p.id`,
    [object, parked.map(({ id }) => id), parked.map((r) => stringifyJson(r.parked))],
  );
}

/** A conflict and the record it is about. */
export interface ConflictOfRecord extends ConflictFound {
  readonly recordId: string;
  readonly remoteBy: string | null;
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
    `INSERT INTO clarify_sync.conflict
            (object, record_id, field, base, local, remote, remote_by, policy, resolution, certain, resolved_at, resolved_by)
     SELECT $1, c.record_id, c.field, c.base::jsonb, c.local::jsonb, c.remote::jsonb, c.remote_by, c.policy,
            c.resolution, c.policy <> 'newest',
            CASE WHEN c.resolution <> 'open' THEN clock_timestamp() END,
            CASE WHEN c.resolution <> 'open' THEN 'policy' END
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
            AS c(record_id, field, base, local, remote, remote_by, policy, resolution)
         ON CONFLICT (object, record_id, field) WHERE resolution = 'open'
         DO UPDATE SET remote = excluded.remote, remote_by = excluded.remote_by`,
    [
      object,
      conflicts.map((c) => c.recordId),
      conflicts.map((c) => c.field),
      conflicts.map((c) => stringifyJson(c.base)),
      conflicts.map((c) => stringifyJson(c.local)),
      conflicts.map((c) => stringifyJson(c.remote)),
      conflicts.map((c) => c.remoteBy),
      conflicts.map((c) => c.policy),
      conflicts.map((c) => c.resolution),
    ],
  );
}
