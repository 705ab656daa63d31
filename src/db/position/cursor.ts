import { SyncError } from '../../domain/errors.ts';
import type { Stamping } from '../../domain/stamping.ts';
import type { Sql } from '../connection/database.ts';

/** A backfill under way; how far each part has come is in `{sync}.backfill_range`. */
export interface BackfillProgress {
  readonly startedAt: string;
  /** Records created before this are left out; null for all. */
  readonly since: string | null;
  /** The newest `_updated_at` when it began: incremental pull takes over from here. */
  readonly handover: string;
  /** Records there were when it began, where the CRM said. */
  readonly total: number | null;
  /** The mirror held no record when it began. */
  readonly unread: boolean;
  /** Link tables that it fills. */
  readonly links: readonly string[];
}

/** How far one object has been read. Instants are ISO-8601 as Postgres renders them. */
export interface Cursor {
  readonly object: string;
  readonly phase: 'backfill' | 'incremental';
  readonly updatedWatermark: string | null;
  readonly updatedMovedAt: string | null;
  /** A later walk has shown that nothing came in behind the watermark. */
  readonly updatedConfirmed: boolean;
  readonly createdWatermark: string | null;
  readonly createdMovedAt: string | null;
  readonly createdConfirmed: boolean;
  readonly deletedWatermark: string | null;
  /** The server has no feed of deletions, and was asked for it within a day. */
  readonly feedIsMissing: boolean;
  readonly stamping: Stamping;
  readonly backfill: BackfillProgress | null;
  readonly version: bigint;
  /** Database time when it stood like that. */
  readonly readAt: string;
  /** That deletions were read is on record well enough; see `markDeletionsRead`. */
  readonly deletionsNoted: boolean;
}

/** SQL of {@link Cursor}'s columns. */
export const CURSOR = `object, phase, stamping, backfill, version,
  updated_moved_at AS "updatedMovedAt", updated_confirmed AS "updatedConfirmed",
  created_moved_at AS "createdMovedAt", created_confirmed AS "createdConfirmed",
  updated_watermark AS "updatedWatermark", created_watermark AS "createdWatermark",
  deleted_watermark AS "deletedWatermark",
  deletions_absent AND coalesce(deletions_asked_at > clock_timestamp() - interval '1 day', false)
    AS "feedIsMissing",
  coalesce(NOT deletions_absent AND deletions_read_at > clock_timestamp() - interval '1 hour', false)
    AS "deletionsNoted",
  clock_timestamp() AS "readAt"`;

/** The object's cursor; made where there is none. */
export async function loadCursor(sql: Sql, object: string): Promise<Cursor> {
  return (await readCursor(sql, object)) ?? (await makeCursor(sql, object));
}

async function readCursor(sql: Sql, object: string): Promise<Cursor | undefined> {
  const [row] = await sql.query<Cursor & Record<string, unknown>>(
    `SELECT ${CURSOR} FROM {sync}.cursor WHERE object = $1`,
    [object],
  );
  return row;
}

/** @throws where another process makes it at the same time and takes it back. */
export async function makeCursor(sql: Sql, object: string): Promise<Cursor> {
  await sql.query('INSERT INTO {sync}.cursor (object) VALUES ($1) ON CONFLICT DO NOTHING', [
    object,
  ]);
  const made = await readCursor(sql, object);
  if (made === undefined) throw lostRace(object);
  return made;
}

/**
 * Moves the cursor in the transaction that applies what it has seen. Compare and set: of two
 * readers of one object, the second one's whole transaction is undone.
 *
 * @throws SyncError `cursor-moved` (retry) where another reader was faster.
 */
export async function moveCursor(
  tx: Sql,
  cursor: Cursor,
  change: Partial<
    Omit<Cursor, 'object' | 'version' | 'feedIsMissing' | 'deletionsNoted' | 'readAt'>
  >,
): Promise<Cursor> {
  const next = { ...cursor, ...change };
  const [moved] = await tx.query<Cursor & Record<string, unknown>>(
    `UPDATE {sync}.cursor
        SET phase = $3, updated_watermark = $4, created_watermark = $5, deleted_watermark = $6,
            stamping = $7, backfill = $8::jsonb, version = version + 1, updated_at = clock_timestamp(),
            updated_confirmed = $9, created_confirmed = $10,
            updated_moved_at = CASE WHEN updated_watermark IS DISTINCT FROM $4::timestamptz
              THEN clock_timestamp() ELSE updated_moved_at END,
            created_moved_at = CASE WHEN created_watermark IS DISTINCT FROM $5::timestamptz
              THEN clock_timestamp() ELSE created_moved_at END
      WHERE object = $1 AND version = $2
      RETURNING ${CURSOR}`,
    [
      cursor.object,
      cursor.version,
      next.phase,
      next.updatedWatermark,
      next.createdWatermark,
      next.deletedWatermark,
      next.stamping,
      next.backfill === null ? null : JSON.stringify(next.backfill),
      next.updatedConfirmed && next.updatedWatermark === cursor.updatedWatermark,
      next.createdConfirmed && next.createdWatermark === cursor.createdWatermark,
    ],
  );
  if (!moved) throw lostRace(cursor.object);
  return moved;
}

function lostRace(object: string): SyncError {
  return new SyncError(`another process is reading ${object}; this page was left to it`, {
    code: 'cursor-moved',
    disposition: 'retry',
  });
}

/** The database's clock, the one all our ordering uses. */
export async function readDatabaseTime(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ now: string }>('SELECT clock_timestamp()::text AS now');
  return row?.now ?? new Date(0).toISOString();
}
