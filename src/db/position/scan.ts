import type { Sql } from '../connection/database.ts';
import type { MirrorTable } from '../mirror/table.ts';

/** Whom a page of a round showed. */
export interface SeenPage {
  /** Counted from 1 within the round. */
  readonly page: number;
  readonly pass: number;
  readonly ids: readonly string[];
  /** Those that may have come since the round began. */
  readonly joined: readonly string[];
}

/** A round begins, or is over. */
export async function forgetSeen(tx: Sql, object: string): Promise<void> {
  await tx.query('DELETE FROM {sync}.scan_page WHERE object = $1', [object]);
}

/**
 * How many distinct records came in each pass or a later one, and were there when it began: those that
 * had not joined, and those that an earlier pass had shown. With a page that is yet to be kept.
 */
export async function countSeen(
  tx: Sql,
  object: string,
  { passes, last }: { readonly passes: number; readonly last: SeenPage },
): Promise<number[]> {
  const rows = await tx.query<{ seen: number }>(
    `WITH page AS (
       SELECT pass, ids, joined FROM {sync}.scan_page WHERE object = $1 AND page <> $3
       UNION ALL SELECT $4::integer, $5::text[], $6::text[]
     ), shown AS (
       SELECT s.id, min(p.pass) AS first, max(p.pass) AS last, bool_or(NOT s.id = ANY(p.joined)) AS old
         FROM page AS p CROSS JOIN unnest(p.ids) AS s(id) GROUP BY s.id)
     SELECT (SELECT count(*) FROM shown WHERE last >= n AND (old OR first < n))::integer AS seen
       FROM generate_series(0, $2 - 1) AS n ORDER BY n`,
    [object, passes, last.page, last.pass, last.ids, last.joined],
  );
  return rows.map(({ seen }) => seen);
}

/** A write shows in lists half a minute later at most, and the round's beginning is told by another clock. */
const LATE = `interval '1 minute'`;

/**
 * At the end of a complete round: whom none of its pages showed is missing, once more or for the
 * first time; who was shown is not. Rows without a creation are on no page by it. Of one that was written
 * shortly before the beginning the round tells nothing yet; rows written since were seen by somebody.
 * One scan of the table beside a hash of the ids.
 */
export async function noteMissing(
  tx: Sql,
  table: MirrorTable,
  round: { readonly startedAt: string; readonly byCreation: boolean },
): Promise<void> {
  const isFindable = round.byCreation ? 'AND t._created_at IS NOT NULL' : '';
  await tx.query(
    `WITH missing AS MATERIALIZED (
       SELECT t.id, t._synced_at, (t._synced_at < $2::timestamptz - ${LATE})::int AS rounds
         FROM ${table.qualified} AS t
        WHERE t.id NOT LIKE 'local:%' AND t._synced_at < $2::timestamptz ${isFindable}
          AND NOT EXISTS (SELECT 1 FROM {sync}.scan_page AS p CROSS JOIN unnest(p.ids) AS s(id)
                           WHERE p.object = $1 AND s.id = t.id)
          AND NOT EXISTS (SELECT 1 FROM {sync}.deferred AS d
                           WHERE d.object = $1 AND d.kind = 'remove' AND d.id = t.id)
     ), back AS (
       DELETE FROM {sync}.scan_missing AS m
        WHERE m.object = $1 AND NOT EXISTS (SELECT 1 FROM missing AS x WHERE x.id = m.id))
     INSERT INTO {sync}.scan_missing AS m (object, id, rounds, noticed_at)
     SELECT $1, id, rounds, CASE rounds WHEN 0 THEN _synced_at ELSE clock_timestamp() END FROM missing
         ON CONFLICT (object, id) DO UPDATE
        SET rounds = CASE excluded.rounds WHEN 0 THEN 0 ELSE m.rounds + 1 END,
            noticed_at = CASE WHEN 0 IN (m.rounds, excluded.rounds) THEN excluded.noticed_at
                              ELSE m.noticed_at END`,
    [table.object, round.startedAt],
  );
}

/**
 * Records missing from so many complete rounds in a row, at most `limit`. Those that the CRM has said to
 * be merged are followed.
 */
export async function readMissing(
  sql: Sql,
  object: string,
  { rounds, limit }: { readonly rounds: number; readonly limit: number },
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT m.id FROM {sync}.scan_missing AS m
      WHERE m.object = $1 AND m.rounds >= $2
        AND NOT EXISTS (SELECT 1 FROM {sync}.hint AS h
                         WHERE h.object = $1 AND h.id = m.id AND h.kind = 'merged')
      ORDER BY m.id LIMIT $3`,
    [object, rounds, limit],
  );
  return rows.map(({ id }) => id);
}

/** Those whose row stands no more, or was written since: nothing is to be found out about them. */
export async function forgetSettled(sql: Sql, table: MirrorTable, askedAt: string): Promise<void> {
  await sql.query(
    `DELETE FROM {sync}.scan_missing AS m
      WHERE m.object = $1
        AND NOT EXISTS (SELECT 1 FROM ${table.qualified} AS t
                         WHERE t.id = m.id AND t._synced_at < $2::timestamptz)`,
    [table.object, askedAt],
  );
}

/** Rows of an object that a complete round did not show, and whose records are not proven to be gone. */
export interface Unconfirmed {
  readonly object: string;
  readonly rows: number;
  /**
   * Among them are rows that were written too shortly before that round: until another tells of them, in
   * milliseconds, negative where it does by now. Null where there are none.
   */
  readonly tellsInMs: number | null;
  /** When that is, or was. ISO-8601. */
  readonly tellsAt: string | null;
}

/** Of some objects, or of all. */
export async function readUnconfirmed(
  sql: Sql,
  objects?: readonly string[],
): Promise<readonly Unconfirmed[]> {
  return await sql.query<Unconfirmed & Record<string, unknown>>(
    `SELECT e.object, e.rows, e.at AS "tellsAt",
            (extract(epoch FROM e.at - clock_timestamp()) * 1000)::float8 AS "tellsInMs"
       FROM (SELECT object, max(noticed_at) FILTER (WHERE rounds = 0) + ${LATE} AS at, count(*)::int4 AS rows
               FROM {sync}.scan_missing
              WHERE $1::text[] IS NULL OR object = ANY($1) GROUP BY object) AS e
      ORDER BY e.object`,
    [objects ?? null],
  );
}
