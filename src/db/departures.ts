import { type Json, parseJson, stringifyJson } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Sql } from './database.ts';
import { encodeExtra } from './mirror/extra.ts';

/**
 * Records known to be gone at an instant or shortly before: what was read then must not revive
 * them, for lists show a deletion up to 30 s late. One that is restored meanwhile comes with the
 * overlap of a later read.
 */
export async function readGoneSince(
  sql: Sql,
  object: string,
  ids: readonly string[],
  readAt: string,
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM clarify_sync.tombstone
      WHERE object = $1 AND id = ANY($2::text[])
        AND noticed_at >= $3::timestamptz
              - CASE reason WHEN 'not_visible' THEN interval '0' ELSE interval '30 seconds' END`,
    [object, ids, readAt],
  );
  return new Set(rows.map(({ id }) => id));
}

/** A record that is there again is no longer gone, nor does it live on in another. */
export async function forgetTombstones(
  tx: Sql,
  object: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `WITH back AS (
       DELETE FROM clarify_sync.tombstone WHERE object = $1 AND id = ANY($2::text[]) RETURNING id
     )
     DELETE FROM clarify_sync.id_map AS m USING back AS b
      WHERE m.object = $1 AND m.old_id = b.id AND m.reason = 'merged'`,
    [object, ids],
  );
}

export interface Tombstone {
  readonly id: string;
  /** The record as it was last seen; null where nothing is known of it. */
  readonly record: Json;
  readonly reason: 'deleted' | 'merged' | 'not_visible';
  /** ISO-8601; null where only the absence is known. */
  readonly deletedAt: string | null;
}

/** Writes tombstones; one that stands keeps the time it was first noticed. Repeatable. */
export async function writeTombstones(
  tx: Sql,
  object: string,
  tombstones: readonly Tombstone[],
): Promise<void> {
  if (tombstones.length === 0) return;
  await tx.query(
    `INSERT INTO clarify_sync.tombstone (object, id, record, reason, deleted_at)
     SELECT $1, d.id, d.record::jsonb, d.reason, d.deleted_at::timestamptz
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS d(id, record, reason, deleted_at)
         ON CONFLICT (object, id) DO UPDATE
        SET record = coalesce(tombstone.record, excluded.record), reason = excluded.reason,
            deleted_at = coalesce(excluded.deleted_at, tombstone.deleted_at)`,
    [
      object,
      tombstones.map(({ id }) => id),
      tombstones.map(({ record }) => (record === null ? null : stringifyJson(encodeExtra(record)))),
      tombstones.map(({ reason }) => reason),
      tombstones.map(({ deletedAt }) => deletedAt),
    ],
  );
}

/** A record read while a user held its row. */
export interface DeferredRecord {
  readonly record: RemoteRecord;
  /** Database time just before it was read. */
  readonly readAt: string;
}

/** Puts records aside until their rows are free. The newer version stays. */
export async function deferRecords(
  tx: Sql,
  object: string,
  records: readonly RemoteRecord[],
  readAt: string,
): Promise<void> {
  if (records.length === 0) return;
  await tx.query(
    `INSERT INTO clarify_sync.deferred (object, id, record, read_at)
     SELECT $1, d.id, d.record::jsonb, $4::timestamptz
       FROM unnest($2::text[], $3::text[]) AS d(id, record)
         ON CONFLICT (object, id) DO UPDATE
        SET record = excluded.record, read_at = excluded.read_at
      WHERE deferred.read_at <= excluded.read_at`,
    [object, records.map(({ id }) => id), records.map((record) => stringifyJson(record)), readAt],
  );
}

/** The records put aside, oldest first. */
export async function readDeferred(
  sql: Sql,
  object: string,
  limit: number,
): Promise<DeferredRecord[]> {
  const rows = await sql.query<{ record: string; readAt: string }>(
    `SELECT record::text AS record, read_at AS "readAt" FROM clarify_sync.deferred
      WHERE object = $1 ORDER BY read_at, id LIMIT $2`,
    [object, limit],
  );
  return rows.flatMap(({ record, readAt }) => {
    const parsed = parseJson(record);
    return isRecord(parsed) ? [{ record: parsed, readAt }] : [];
  });
}

/** Our own writing: who has these two has the rest. */
function isRecord(parsed: unknown): parsed is RemoteRecord {
  return typeof parsed === 'object' && parsed !== null && 'id' in parsed && 'fields' in parsed;
}

/** Drops what was put aside and has been applied since, or is older than what stands. */
export async function dropDeferred(
  tx: Sql,
  object: string,
  ids: readonly string[],
  readAt: string,
): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `DELETE FROM clarify_sync.deferred
      WHERE object = $1 AND id = ANY($2::text[]) AND read_at <= $3::timestamptz`,
    [object, ids, readAt],
  );
}
