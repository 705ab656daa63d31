import type { Json } from '../../domain/json.ts';
import type { FieldChanges } from '../../domain/merge-record.ts';
import type { Sql } from '../connection/database.ts';
import { decodeChanges } from '../rows/changes.ts';

/** The last value of a field that the CRM took from here. */
export interface RecentWrite {
  readonly value: Json;
  /** Database time at which that was known, epoch milliseconds. */
  readonly doneAtMs: number;
}

/**
 * What was sent of these records, and done, within `withinMs` before an instant or since: by id and
 * field. For a statement after the rows were locked. Index `outbox_done`; no lock.
 */
export async function readRecentWrites(
  sql: Sql,
  object: string,
  ids: readonly string[],
  { readAt, withinMs }: { readonly readAt: string; readonly withinMs: number },
): Promise<ReadonlyMap<string, ReadonlyMap<string, RecentWrite>>> {
  const found = new Map<string, Map<string, RecentWrite>>();
  if (ids.length === 0) return found;
  const rows = await sql.query<{ recordId: string; changes: FieldChanges; doneAtMs: number }>(
    `SELECT record_id AS "recordId", changes, extract(epoch FROM done_at)::float8 * 1000 AS "doneAtMs"
       FROM {sync}.outbox
      WHERE object = $1 AND state = 'done' AND op IN ('insert', 'update')
        AND done_at >= $3::timestamptz - $4 * interval '1 millisecond'
        AND record_id = ANY($2::text[])
      ORDER BY id`,
    [object, ids, readAt, withinMs],
  );
  for (const { recordId, changes, doneAtMs } of rows) {
    const fields = found.get(recordId) ?? new Map<string, RecentWrite>();
    found.set(recordId, fields);
    for (const [name, { value }] of Object.entries(decodeChanges(changes))) {
      fields.set(name, { value, doneAtMs });
    }
  }
  return found;
}
