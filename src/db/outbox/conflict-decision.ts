import type { Sql } from '../connection/database.ts';
import { notify } from '../connection/listener.ts';

/** The id a record has now, for any it has had; an unknown one comes back as it is. */
export async function readCurrentId(sql: Sql, object: string, id: string): Promise<string> {
  const [row] = await sql.query<{ id: string }>('SELECT {sync}.current_id($1, $2) AS id', [
    object,
    id,
  ]);
  return row?.id ?? id;
}

/**
 * Locks the entries that are parked for an open conflict of the field, in id order: nobody adds
 * to them or rewrites them until the decision is in. Index `outbox_unsettled`.
 */
export async function lockHeld(
  tx: Sql,
  held: { readonly object: string; readonly recordId: string; readonly field: string },
): Promise<ReadonlySet<bigint>> {
  const entries = await tx.query<{ id: bigint }>(
    `SELECT id FROM {sync}.outbox
      WHERE object = $1 AND record_id = $2 AND state = 'parked'
        AND last_error LIKE 'conflict-open%' AND changes ? $3
      ORDER BY id FOR UPDATE`,
    [held.object, held.recordId, held.field],
  );
  return new Set(entries.map(({ id }) => id));
}

/** Closes a conflict that the caller has locked and found open. */
export async function closeConflict(
  tx: Sql,
  conflict: bigint,
  closed: { readonly resolution: 'local' | 'remote' | 'merged'; readonly by: string },
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.conflict
        SET resolution = $2, resolved_at = clock_timestamp(), resolved_by = $3
      WHERE id = $1 AND resolution = 'open'`,
    [conflict, closed.resolution, closed.by],
  );
}

/** Makes an entry that is pending again due at once, its tries forgotten. Wakes the service. */
export async function releaseEntry(tx: Sql, entry: bigint): Promise<void> {
  await tx.query(
    `UPDATE {sync}.outbox
        SET epoch = NULL, attempts = 0, last_error = NULL, next_attempt_at = clock_timestamp()
      WHERE id = $1 AND state = 'pending'`,
    [entry],
  );
  await notify(tx, 'outbox', '');
}
