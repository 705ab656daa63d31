import { type Json, stringifyJson } from '../../domain/json.ts';
import type { Sql } from '../connection/database.ts';
import { encodeExtra } from '../mirror/extra.ts';

/**
 * SQL: a tombstone was noticed since an instant, or so shortly before that lists of then may still
 * show its record.
 */
export function noticedSince(tombstone: string, readAt: string): string {
  return `${tombstone}.noticed_at >= ${readAt}::timestamptz
              - CASE ${tombstone}.reason WHEN 'not_visible' THEN interval '0' ELSE interval '30 seconds' END`;
}

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
    `SELECT t.id FROM {sync}.tombstone AS t
      WHERE t.object = $1 AND t.id = ANY($2::text[]) AND ${noticedSince('t', '$3')}`,
    [object, ids, readAt],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Which of these were found to be gone, and have not come back. */
export async function readGone(
  sql: Sql,
  object: string,
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.query<{ id: string }>(
    'SELECT id FROM {sync}.tombstone WHERE object = $1 AND id = ANY($2::text[])',
    [object, ids],
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
       DELETE FROM {sync}.tombstone WHERE object = $1 AND id = ANY($2::text[]) RETURNING id
     )
     DELETE FROM {sync}.id_map AS m USING back AS b
      WHERE m.object = $1 AND m.old_id = b.id AND m.reason = 'merged'`,
    [object, ids],
  );
}

export interface Tombstone {
  readonly id: string;
  /** The record as it was last seen; null where nothing is known of it. */
  readonly record: Json;
  readonly reason: 'deleted' | 'merged' | 'not_visible' | 'archived';
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
    `INSERT INTO {sync}.tombstone (object, id, record, reason, deleted_at)
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
