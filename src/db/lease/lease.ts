import type { Database, Sql } from '../connection/database.ts';
import type { Limits } from '../connection/statement.ts';

export interface Lease {
  readonly holder: string;
  /** Strictly greater with every change of holder. */
  readonly epoch: bigint;
  readonly expiresAt: string;
}

/** The one lease there is: the right to push, and the duty to pull. */
const LEADER = 'leader';

/**
 * Takes the lease where it is free or expired, by the database's clock. Locks the row FOR UPDATE:
 * a settlement that has asked {@link holdsLease} and not committed yet keeps everyone out, and
 * nobody waits for it. Repeatable: who asks twice is refused by the lease it got the first time.
 * `silent` is an expiry that was seen not to move for longer than a lease lasts: whoever had it is
 * gone, and the database's clock was set back.
 *
 * @returns null where somebody else holds it, or still settles under an epoch that has expired.
 */
export async function acquireLease(
  sql: Sql,
  claim: { readonly holder: string; readonly ttlMs: number; readonly silent?: string | null },
): Promise<Lease | null> {
  const take = async () => {
    const [lease] = await sql.query<Lease & Record<string, unknown>>(
      `WITH free AS (
         SELECT name FROM {sync}.lease WHERE name = $1
            AND (expires_at <= clock_timestamp() OR expires_at = $4::timestamptz)
            FOR UPDATE SKIP LOCKED
       )
       UPDATE {sync}.lease AS l
          SET holder = $2, epoch = l.epoch + 1, acquired_at = clock_timestamp(),
              expires_at = clock_timestamp() + $3 * interval '1 millisecond'
         FROM free WHERE l.name = free.name
        RETURNING l.holder, l.epoch, l.expires_at AS "expiresAt"`,
      [LEADER, claim.holder, claim.ttlMs, claim.silent ?? null],
    );
    return lease ?? null;
  };
  const taken = await take();
  if (taken !== null) return taken;
  const made = await sql.query(
    `INSERT INTO {sync}.lease (name, epoch, expires_at) VALUES ($1, 0, '-infinity')
         ON CONFLICT DO NOTHING RETURNING 1`,
    [LEADER],
  );
  return made.length === 0 ? null : await take();
}

/**
 * Prolongs the lease of an epoch that has not expired. Its lock goes together with the one of
 * {@link holdsLease}: a settlement, however long, never keeps the leader from renewing.
 *
 * @returns whether the lease still stood.
 */
export async function renewLease(
  db: Pick<Database, 'single'>,
  epoch: bigint,
  ttlMs: number,
  limits?: Limits,
): Promise<boolean> {
  const renewed = await db.single(
    `UPDATE {sync}.lease SET expires_at = clock_timestamp() + ${ttlMs} * interval '1 millisecond'
      WHERE name = '${LEADER}' AND epoch = ${epoch} AND expires_at > clock_timestamp() RETURNING 1`,
    limits,
  );
  return renewed.length > 0;
}

/** Lets the next one in at once. Does nothing where the epoch is no longer ours. */
export async function releaseLease(sql: Sql, epoch: bigint): Promise<void> {
  await sql.query(
    `UPDATE {sync}.lease SET expires_at = clock_timestamp()
      WHERE name = $1 AND epoch = $2 AND expires_at > clock_timestamp()`,
    [LEADER, epoch],
  );
}

/**
 * Whether an epoch leads, to be asked in the transaction that settles something: the row lock
 * keeps anyone from taking over until it has committed (invariant 9).
 */
export async function holdsLease(tx: Sql, epoch: bigint): Promise<boolean> {
  const held = await tx.query(
    `SELECT 1 FROM {sync}.lease
      WHERE name = $1 AND epoch = $2 AND expires_at > clock_timestamp() FOR KEY SHARE`,
    [LEADER, epoch],
  );
  return held.length > 0;
}

/** When the lease ends, and how long until then, by the database's clock; negative where it is over. */
export async function readExpiry(
  sql: Sql,
): Promise<{ readonly expiresAt: string | null; readonly leftMs: number }> {
  const [lease] = await sql.query<{ expiresAt: string; leftMs: number }>(
    `SELECT expires_at AS "expiresAt",
            (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS "leftMs"
       FROM {sync}.lease WHERE name = $1 AND expires_at > '-infinity'`,
    [LEADER],
  );
  return lease ?? { expiresAt: null, leftMs: 0 };
}

/** Who leads; null where nobody does. */
export async function readLease(sql: Sql): Promise<Lease | null> {
  const [lease] = await sql.query<Lease & Record<string, unknown>>(
    `SELECT holder, epoch, expires_at AS "expiresAt" FROM {sync}.lease
      WHERE name = $1 AND expires_at > clock_timestamp()`,
    [LEADER],
  );
  return lease ?? null;
}
