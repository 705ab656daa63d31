import type { Sql } from './database.ts';

/**
 * Leaves the parked entry that holds an open conflict's field with that field alone, the others
 * moved to a parked entry of their own: each is decided by itself. Locks the entry; index
 * `outbox_unsettled`. Safe to repeat.
 *
 * @returns the entry; null where nothing waits for the decision any more.
 */
export async function isolateHeldField(
  tx: Sql,
  held: { readonly object: string; readonly recordId: string; readonly field: string },
): Promise<bigint | null> {
  const [entry] = await tx.query<{ id: bigint }>(
    `SELECT id FROM clarify_sync.outbox
      WHERE object = $1 AND record_id = $2 AND state = 'parked'
        AND last_error LIKE 'conflict-open%' AND changes ? $3
      ORDER BY id DESC LIMIT 1 FOR UPDATE`,
    [held.object, held.recordId, held.field],
  );
  if (entry === undefined) return null;
  await tx.query(
    `INSERT INTO clarify_sync.outbox
            (object, record_id, op, changes, state, last_error, written_by, created_at)
     SELECT object, record_id, op, changes - $2, state, last_error, written_by, created_at
       FROM clarify_sync.outbox WHERE id = $1 AND changes - $2 <> '{}'`,
    [entry.id, held.field],
  );
  await tx.query(
    `UPDATE clarify_sync.outbox SET changes = jsonb_build_object($2::text, changes -> $2)
      WHERE id = $1`,
    [entry.id, held.field],
  );
  return entry.id;
}

/**
 * Closes an open conflict in favour of the local value. The caller releases what holds it in the
 * same transaction. Row lock. @returns whether it was still open.
 */
export async function settleForLocal(tx: Sql, conflict: bigint, by: string): Promise<boolean> {
  const settled = await tx.query(
    `UPDATE clarify_sync.conflict
        SET resolution = 'local', resolved_at = clock_timestamp(), resolved_by = $2
      WHERE id = $1 AND resolution = 'open' RETURNING 1`,
    [conflict, by],
  );
  return settled.length > 0;
}

/** Lets a parked entry go that a person has decided for. The caller has locked it. Wakes the service. */
export async function releaseEntry(tx: Sql, entry: bigint): Promise<void> {
  await tx.query(
    `UPDATE clarify_sync.outbox
        SET state = 'pending', epoch = NULL, attempts = 0, last_error = NULL,
            next_attempt_at = clock_timestamp()
      WHERE id = $1 AND state = 'parked'`,
    [entry],
  );
  await tx.query(`SELECT pg_notify('clarify_sync_outbox', '')`);
}
