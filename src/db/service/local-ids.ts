import type { Sql } from '../connection/database.ts';

/** What became of an id given here. */
export interface LocalId {
  readonly localId: string;
  /** The id its record has now; null while its create is not settled. */
  readonly id: string | null;
  /** The unsettled create; null where there is none. */
  readonly entry: bigint | null;
  readonly parked: boolean;
}

/** Looks up ids given here, all of one object at once. Primary key of `id_map`, `outbox_unsettled`. */
export async function readLocalIds(
  sql: Sql,
  object: string,
  ids: readonly string[],
): Promise<LocalId[]> {
  if (ids.length === 0) return [];
  return await sql.query<LocalId & Record<string, unknown>>(
    `SELECT l.id AS "localId", m.id, o.id AS entry, coalesce(o.state = 'parked', false) AS parked
       FROM unnest($2::text[]) AS l(id)
       LEFT JOIN {sync}.id_map AS m ON m.object = $1 AND m.old_id = l.id
       LEFT JOIN LATERAL (
            SELECT id, state FROM {sync}.outbox
             WHERE object = $1 AND record_id = l.id AND op = 'insert'
               AND state IN ('pending', 'sending', 'parked')
             ORDER BY id DESC LIMIT 1) AS o ON true`,
    [object, ids],
  );
}
