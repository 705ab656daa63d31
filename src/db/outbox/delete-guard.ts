import type { Sql } from '../connection/database.ts';
import type { MirrorTable } from '../mirror/table.ts';

/** More deletes than this, at once or within ten minutes, wait for a person. */
export interface MassDeleteLimits {
  readonly rows: number;
  /** Of the object's rows; counts from ten deletes on. */
  readonly percent: number;
}

const PARKED = 'mass-delete: more deletes than may go without a word; see outbox approve';

/**
 * Parks every waiting delete of an object where they are too many, those just claimed included
 * (invariant 11): what waits counts, and what went out in the last ten minutes. Deletes that a
 * person approved, and rows the CRM never knew, do not count. Row locks on the entries; index
 * `outbox_deletes`. @returns whether they were parked.
 */
export async function parkMassDelete(
  tx: Sql,
  table: MirrorTable,
  epoch: bigint,
  limits: MassDeleteLimits,
): Promise<boolean> {
  const [counted] = await tx.query<{ deletes: number }>(
    `SELECT count(*)::int4 AS deletes FROM {sync}.outbox
      WHERE object = $1 AND op = 'delete' AND approved_at IS NULL AND record_id NOT LIKE 'local:%'
        AND (done_at IS NULL AND (state IN ('pending', 'sending') OR last_error LIKE 'mass-delete%')
             OR state = 'done' AND done_at > clock_timestamp() - interval '10 minutes')`,
    [table.object],
  );
  const deletes = counted?.deletes ?? 0;
  if (deletes <= limits.rows) {
    if (deletes < 10) return false;
    const [rows] = await tx.query<{ rows: number }>(
      `SELECT count(*)::int4 AS rows FROM ${table.qualified}`,
    );
    if (deletes * 100 <= limits.percent * ((rows?.rows ?? 0) + deletes)) return false;
  }
  await tx.query(
    `UPDATE {sync}.outbox SET state = 'parked', epoch = NULL, last_error = $3
      WHERE object = $1 AND op = 'delete' AND approved_at IS NULL AND record_id NOT LIKE 'local:%'
        AND (state = 'pending' OR state = 'sending' AND epoch = $2 AND ticket IS NULL)`,
    [table.object, epoch, PARKED],
  );
  return true;
}

/**
 * Lets parked deletes go: a mass delete, or one that the object's policy parks. Null for `ids`
 * means every one of them. Wakes the service. @returns those approved.
 */
export async function approveDeletes(
  sql: Sql,
  ids: readonly bigint[] | null,
): Promise<readonly bigint[]> {
  const rows = await sql.query<{ id: bigint }>(
    `WITH approved AS (
       UPDATE {sync}.outbox
          SET state = 'pending', approved_at = clock_timestamp(), last_error = NULL, attempts = 0,
              next_attempt_at = clock_timestamp()
        WHERE op = 'delete' AND state = 'parked' AND ($1::bigint[] IS NULL OR id = ANY($1))
          AND last_error ~ '^(mass-delete|delete-needs-approval)'
       RETURNING id
     )
     SELECT id, pg_notify('{sync}_outbox', '') FROM approved ORDER BY id`,
    [ids],
  );
  return rows.map(({ id }) => id);
}
