import type { Database, Sql } from '../connection/database.ts';
import type { MirrorTable } from '../mirror/table.ts';

/** What a transaction may take between the time it writes in a row and its end. */
const OVERLAP = `interval '10 minutes'`;

/** When a record was last edited, as far as that is told. */
const VERSION = `coalesce(t._updated_at, t._created_at, 'epoch')`;

/**
 * Notes whose feeds have to be read: of records that are new, or have another version, among the rows
 * written since the last look (all rows at the first). A feed that fails keeps its pause. Of records
 * that are gone nothing is due. One scan of the mirror table; safe to run twice.
 *
 * @returns how many are new, or due again.
 */
export async function noteFeeds(db: Database, mirror: MirrorTable): Promise<number> {
  const { object } = mirror;
  return await db.transaction(async (tx) => {
    const [state] = await tx.query<{ lookedAt: string | null }>(
      `SELECT looked_at AS "lookedAt" FROM {sync}.activity WHERE object = $1`,
      [object],
    );
    const noted = await tx.query(
      `INSERT INTO {sync}.activity_feed AS f (object, record_id, wanted)
       SELECT $1, t.id, ${VERSION} FROM ${mirror.qualified} AS t
        WHERE t.id NOT LIKE 'local:%'
          AND ($2::timestamptz IS NULL OR t._synced_at >= $2::timestamptz - ${OVERLAP})
           ON CONFLICT (object, record_id) DO UPDATE
          SET wanted = excluded.wanted, next_attempt_at = coalesce(f.next_attempt_at, clock_timestamp())
        WHERE f.wanted IS DISTINCT FROM excluded.wanted
       RETURNING 1`,
      [object, state?.lookedAt ?? null],
    );
    const gone = `object = $1 AND next_attempt_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM ${mirror.qualified} AS t WHERE t.id = f.record_id)`;
    await tx.query(`DELETE FROM {sync}.activity_feed AS f WHERE ${gone} AND read_version IS NULL`, [
      object,
    ]);
    await tx.query(
      `UPDATE {sync}.activity_feed AS f
          SET next_attempt_at = NULL, attempts = 0, error = NULL WHERE ${gone}`,
      [object],
    );
    await tx.query('UPDATE {sync}.activity SET looked_at = $2 WHERE object = $1', [
      object,
      tx.startedAt,
    ]);
    return noted.length;
  });
}

/**
 * How many rows of the mirror table were ever written, as Postgres' statistics have it: some seconds
 * late, and from the beginning again once somebody resets them. No lock.
 */
export async function countWrites(sql: Sql, mirror: MirrorTable): Promise<bigint> {
  const [row] = await sql.query<{ writes: bigint }>(
    `SELECT pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) AS writes
       FROM pg_class AS c
      WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND c.relname = $2`,
    [sql.schemas.mirror, mirror.name],
  );
  return row?.writes ?? 0n;
}

/** A feed to be read. */
export interface DueFeed {
  readonly recordId: string;
  readonly wanted: string;
  /** The newest event of the last complete reading; null before the first. */
  readonly newestEvent: string | null;
  /** Whether that reading was of all there is. */
  readonly isWhole: boolean;
  readonly attempts: number;
}

/** Those due, longest first. By `activity_feed_due`. No lock: one process leads. */
export async function readDueFeeds(
  sql: Sql,
  mirror: MirrorTable,
  limit: number,
): Promise<readonly DueFeed[]> {
  return await sql.query<DueFeed & Record<string, unknown>>(
    `SELECT f.record_id AS "recordId", f.wanted, f.newest_event AS "newestEvent",
            f.is_whole AS "isWhole", f.attempts
       FROM {sync}.activity_feed AS f
      WHERE f.object = $1 AND f.next_attempt_at <= clock_timestamp()
        AND EXISTS (SELECT FROM ${mirror.qualified} AS t WHERE t.id = f.record_id)
      ORDER BY f.next_attempt_at LIMIT $2`,
    [mirror.object, limit],
  );
}

/** A feed that was read to its end, or to where the last reading began. */
export interface ReadFeed extends Pick<DueFeed, 'recordId' | 'wanted' | 'newestEvent' | 'isWhole'> {
  /** When the newest event happened; null where there is none. */
  readonly newestAt: string | null;
}

/**
 * Notes what was read, in the transaction that writes it. A record that was edited meanwhile stays due.
 * One whose last edit is not among its events yet is due again a little later, for some minutes.
 */
export async function settleFeeds(
  tx: Sql,
  object: string,
  feeds: readonly ReadFeed[],
): Promise<void> {
  if (feeds.length === 0) return;
  await tx.query(
    `UPDATE {sync}.activity_feed AS f
        SET read_version = d.wanted, read_at = clock_timestamp(), newest_event = d.newest,
            is_whole = d.whole, attempts = 0, error = NULL,
            next_attempt_at = CASE
              WHEN f.wanted IS DISTINCT FROM d.wanted THEN clock_timestamp()
              WHEN coalesce(d.newest_at < d.wanted - interval '2 seconds', true)
               AND d.wanted > clock_timestamp() - interval '5 minutes'
              THEN clock_timestamp() + interval '1 minute' END
       FROM unnest($2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::boolean[])
         AS d(record_id, wanted, newest, newest_at, whole)
      WHERE f.object = $1 AND f.record_id = d.record_id`,
    [
      object,
      feeds.map(({ recordId }) => recordId),
      feeds.map(({ wanted }) => wanted),
      feeds.map(({ newestEvent }) => newestEvent),
      feeds.map(({ newestAt }) => newestAt),
      feeds.map(({ isWhole }) => isWhole),
    ],
  );
}

/** A feed that could not be read. */
export interface FailedFeed extends Pick<DueFeed, 'recordId'> {
  /** As in docs/errors.md. */
  readonly code: string;
}

/** Notes why; each is due again after a minute, four, sixteen, at most a week. */
export async function postponeFeeds(
  tx: Sql,
  object: string,
  feeds: readonly FailedFeed[],
): Promise<void> {
  if (feeds.length === 0) return;
  await tx.query(
    `UPDATE {sync}.activity_feed AS f
        SET error = d.code, attempts = f.attempts + 1,
            next_attempt_at = clock_timestamp()
              + least(interval '7 days', interval '1 minute' * 4 ^ least(f.attempts, 10))
       FROM unnest($2::text[], $3::text[]) AS d(record_id, code)
      WHERE f.object = $1 AND f.record_id = d.record_id`,
    [object, feeds.map(({ recordId }) => recordId), feeds.map(({ code }) => code)],
  );
}

/** How far the past of an object's records was read. */
export interface ActivityStanding {
  readonly object: string;
  /** Records there are, or were since it is read. */
  readonly records: number;
  /** Those whose feeds were read to the end at least once. */
  readonly read: number;
  /** Those of them that reach back to the creation. */
  readonly whole: number;
  /** Feeds that have to be read, also again. */
  readonly waiting: number;
  /** Feeds that failed, or whose history may not be written: tried again later and later. */
  readonly failed: number;
  /** The most frequent reason; null where none did. */
  readonly error: string | null;
  /** Whether a service has looked at it within the hour: it is still asked for. */
  readonly isKept: boolean;
}

/** One scan of the feeds. */
export async function readActivityStandings(sql: Sql): Promise<readonly ActivityStanding[]> {
  return await sql.query<ActivityStanding & Record<string, unknown>>(
    `SELECT a.object, count(f.record_id)::int4 AS records,
            count(f.read_version)::int4 AS read,
            (count(*) FILTER (WHERE f.is_whole))::int4 AS whole,
            (count(*) FILTER (WHERE f.attempts = 0 AND f.next_attempt_at IS NOT NULL))::int4 AS waiting,
            (count(*) FILTER (WHERE f.attempts > 0 OR f.past_attempts > 0))::int4 AS failed,
            mode() WITHIN GROUP (ORDER BY coalesce(f.error, f.past_error)) AS error,
            coalesce(a.looked_at > clock_timestamp() - interval '1 hour', false) AS "isKept"
       FROM {sync}.activity AS a LEFT JOIN {sync}.activity_feed AS f USING (object)
      GROUP BY a.object, a.looked_at ORDER BY a.object`,
  );
}
