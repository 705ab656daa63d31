import type { Sql } from '../connection/database.ts';

/** The feed keeps 30 days; one is left for clocks and slow readings. */
const HORIZON = `interval '29 days'`;

/** What is known of deletions in one object. Instants are ISO-8601 UTC. */
export interface ReconcileState {
  readonly deletionsReadAt: string | null;
  /** The server has no feed: only comparisons find deletions. */
  readonly deletionsAbsent: boolean;
  /** The feed may have dropped deletions before they were read. */
  readonly due: boolean;
  /** A comparison was begun within the last hours, with whatever result. */
  readonly triedLately: boolean;
  readonly reconciledAt: string | null;
  /** Since the last comparison that came to its end; null before the first. */
  readonly sinceReconciledMs: number | null;
  /** Fingerprint of the key the last comparison was made with. */
  readonly reconciledKey: string | null;
  readonly phase: 'backfill' | 'incremental';
}

/** A comparison that waits for a person is not tried again sooner than this. */
const RETRY = `interval '6 hours'`;

/** SQL of {@link ReconcileState}'s columns, of a cursor `c`. */
export const RECONCILE_STATE = `deletions_read_at AS "deletionsReadAt", deletions_absent AS "deletionsAbsent",
            reconcile_due AS due, phase,
            EXISTS (
              SELECT 1 FROM {sync}.run AS r
               WHERE r.object = c.object AND r.kind = 'reconcile'
                 AND r.started_at > clock_timestamp() - ${RETRY}) AS "triedLately",
            reconciled_at AS "reconciledAt", reconciled_key AS "reconciledKey",
            (extract(epoch FROM clock_timestamp() - reconciled_at) * 1000)::float8 AS "sinceReconciledMs"`;

/** Null where the object was never read. Primary key, and index `run_latest`; no lock. */
export async function readReconcileState(sql: Sql, object: string): Promise<ReconcileState | null> {
  const [row] = await sql.query<ReconcileState & Record<string, unknown>>(
    `SELECT ${RECONCILE_STATE} FROM {sync}.cursor AS c WHERE object = $1`,
    [object],
  );
  return row ?? null;
}

/**
 * Notes that the feed was read whole, in a reading that began at `startedAt` (database time). Time
 * since the reading before is what counts, by one clock: beyond the horizon, deletions may be
 * missing. Written once an hour at most, so that an idle tick writes nothing. Repeatable.
 */
export async function markDeletionsRead(
  sql: Sql,
  object: string,
  startedAt: string,
): Promise<void> {
  await sql.query(
    `UPDATE {sync}.cursor
        SET reconcile_due = reconcile_due OR deletions_read_at IS NULL
              OR deletions_read_at < $2::timestamptz - ${HORIZON},
            deletions_read_at = $2, deletions_absent = false, deletions_asked_at = NULL
      WHERE object = $1
        AND (deletions_read_at IS NULL OR deletions_absent
             OR deletions_read_at < $2::timestamptz - interval '1 hour')`,
    [object, startedAt],
  );
}

/**
 * Notes that the server has no feed. From the second time in a row on it counts as known: a
 * gateway's 404 must not leave deletions unread for a day. Repeatable.
 */
export async function markDeletionsAbsent(sql: Sql, object: string): Promise<void> {
  await sql.query(
    `UPDATE {sync}.cursor
        SET deletions_asked_at = CASE WHEN deletions_absent THEN clock_timestamp() END,
            deletions_absent = true
      WHERE object = $1`,
    [object],
  );
}

/**
 * A backfill that begins from nothing sees no record deleted before: the feed counts from here, and
 * so does the time until the first comparison.
 */
export async function markDeletionsFrom(tx: Sql, object: string): Promise<void> {
  await tx.query(
    `UPDATE {sync}.cursor
        SET deletions_read_at = clock_timestamp(), reconciled_at = clock_timestamp()
      WHERE object = $1 AND phase = 'backfill'`,
    [object],
  );
}

/** Notes that a comparison that began at `startedAt` (database time) came to its end. */
export async function markReconciled(
  tx: Sql,
  object: string,
  done: { readonly startedAt: string; readonly key: string },
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.cursor
        SET reconciled_at = $2, reconciled_key = $3,
            reconcile_due = reconcile_due AND deletions_read_at > $2::timestamptz
      WHERE object = $1`,
    [object, done.startedAt, done.key],
  );
}
