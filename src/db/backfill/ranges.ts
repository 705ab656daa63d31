import { SyncError } from '../../domain/errors.ts';
import type { Stamping } from '../../domain/stamping.ts';
import type { Sql } from '../connection/database.ts';

/** A part of an object's records by `_created_at`, as it is planned. ISO-8601. */
export interface RangeBounds {
  /** Null begins at the beginning. */
  readonly from: string | null;
  /** Not included; null has no end. */
  readonly before: string | null;
}

/** A part and how far it has been read. */
export interface BackfillRange extends RangeBounds {
  readonly position: number;
  /** Everything of it created before this has been applied; null at its start. */
  readonly watermark: string | null;
  readonly done: boolean;
  /** Records applied; grows with every write, which makes it the range's version too. */
  readonly read: bigint;
  readonly stamping: Stamping;
}

/** Which backfill of an object the ranges belong to. */
export interface BackfillKey {
  readonly object: string;
  readonly startedAt: string;
}

const COLUMNS = `position, created_from AS "from", created_before AS before, watermark, done,
  records_read AS read, stamping`;

/** The ranges of one backfill, in order; none where it was begun anew since. */
export async function readRanges(sql: Sql, key: BackfillKey): Promise<BackfillRange[]> {
  return await sql.query<BackfillRange & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM {sync}.backfill_range
      WHERE object = $1 AND started_at = $2::timestamptz ORDER BY position`,
    [key.object, key.startedAt],
  );
}

/** Puts new ranges in the place of those of an earlier backfill. */
export async function replaceRanges(
  tx: Sql,
  key: BackfillKey,
  ranges: readonly RangeBounds[],
): Promise<void> {
  await dropRanges(tx, key.object);
  await tx.query(
    `INSERT INTO {sync}.backfill_range (object, started_at, position, created_from, created_before)
     SELECT $1, $2::timestamptz, r.n - 1, r.created_from::timestamptz, r.created_before::timestamptz
       FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS r(created_from, created_before, n)`,
    [key.object, key.startedAt, ranges.map(({ from }) => from), ranges.map((r) => r.before)],
  );
}

export async function dropRanges(tx: Sql, object: string): Promise<void> {
  await tx.query('DELETE FROM {sync}.backfill_range WHERE object = $1', [object]);
}

/**
 * Moves a range in the transaction that applies what was read of it (invariant 8). Compare and
 * set, as with the cursor: of two readers of one range the second one's transaction is undone.
 *
 * @throws SyncError `cursor-moved` (retry) where another reader was faster, or began anew.
 */
export async function moveRange(
  tx: Sql,
  key: BackfillKey,
  range: BackfillRange,
  change: Pick<BackfillRange, 'watermark' | 'done' | 'read' | 'stamping'>,
): Promise<BackfillRange> {
  const [moved] = await tx.query<BackfillRange & Record<string, unknown>>(
    `UPDATE {sync}.backfill_range
        SET watermark = $4::timestamptz, done = $5, records_read = $6, stamping = $7,
            updated_at = clock_timestamp()
      WHERE object = $1 AND started_at = $2::timestamptz AND position = $3
        AND NOT done AND records_read = $8
      RETURNING ${COLUMNS}`,
    [
      key.object,
      key.startedAt,
      range.position,
      change.watermark,
      change.done,
      change.read,
      change.stamping,
      range.read,
    ],
  );
  if (moved) return moved;
  throw new SyncError(`another process is reading ${key.object}; this page was left to it`, {
    code: 'cursor-moved',
    disposition: 'retry',
  });
}
