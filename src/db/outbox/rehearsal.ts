import type { Sql } from '../connection/database.ts';

/** Makes everything that waits for its next attempt due at once. Row locks on those. */
export async function makeDue(tx: Sql): Promise<void> {
  await tx.query(
    `UPDATE {sync}.outbox SET next_attempt_at = clock_timestamp()
      WHERE state = 'pending' AND next_attempt_at > clock_timestamp()`,
  );
}

/** A row born here that this transaction found to be a record the CRM has. */
export interface AdoptedHere {
  readonly object: string;
  readonly localId: string;
  readonly id: string;
}

export async function readAdoptedHere(tx: Sql): Promise<readonly AdoptedHere[]> {
  return await tx.query<AdoptedHere & Record<string, unknown>>(
    `SELECT object, old_id AS "localId", id FROM {sync}.id_map
      WHERE reason = 'adopted' AND xmin = pg_current_xact_id()::xid ORDER BY object, id, old_id`,
  );
}

/** An entry that this transaction parked. */
export interface ParkedHere {
  readonly entry: bigint;
  readonly object: string;
  readonly recordId: string;
  readonly reason: string;
}

/** Index `outbox_due`. */
export async function readParkedHere(tx: Sql): Promise<readonly ParkedHere[]> {
  return await tx.query<ParkedHere & Record<string, unknown>>(
    `SELECT id AS entry, object, record_id AS "recordId", coalesce(last_error, '') AS reason
       FROM {sync}.outbox
      WHERE state = 'parked' AND xmin = pg_current_xact_id()::xid ORDER BY id`,
  );
}
