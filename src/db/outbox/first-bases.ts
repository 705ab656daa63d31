import type { Json } from '../../domain/json.ts';
import type { Sql } from '../connection/database.ts';
import { decodeExtra } from '../mirror/extra.ts';

/**
 * What fields of records held before they were first edited here, of all edits captured after
 * the oldest of some entries. Primary key of the outbox: for its newest part alone. No lock.
 */
export async function readFirstBases(
  tx: Sql,
  object: string,
  asked: { readonly ids: readonly string[]; readonly after: readonly bigint[] },
): Promise<ReadonlyMap<string, Readonly<Record<string, Json>>>> {
  if (asked.ids.length === 0) return new Map();
  const rows = await tx.query<{ id: string; field: string; base: Json }>(
    `SELECT DISTINCT ON (o.record_id, f.key) o.record_id AS id, f.key AS field, f.value -> 'base' AS base
       FROM {sync}.outbox AS o, jsonb_each(o.changes) AS f(key, value)
      WHERE o.object = $1 AND o.id > (SELECT min(e) FROM unnest($2::bigint[]) AS e)
        AND o.record_id = ANY($3::text[]) AND o.op = 'update'
      ORDER BY o.record_id, f.key, o.created_at, o.id`,
    [object, asked.after, asked.ids],
  );
  const bases = new Map<string, [string, Json][]>();
  for (const { id, field, base } of rows) {
    bases.set(id, [...(bases.get(id) ?? []), [field, decodeExtra(base) ?? null]]);
  }
  return new Map([...bases].map(([id, fields]) => [id, Object.fromEntries(fields)]));
}
