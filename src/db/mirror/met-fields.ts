import type { Json } from '../../domain/json.ts';
import type { Sql } from '../connection/database.ts';
import { decodeExtra, fieldOfExtraKey } from './extra.ts';
import type { MirrorTable } from './table.ts';

/** Rows that are looked at: what is met at all is met in most of them. */
const MOST_ROWS = 1_000;

/** Fields that stand in `_extra` and have no column, each with a value of it that is not null. No lock. */
export async function readExtraFields(
  sql: Sql,
  table: MirrorTable,
): Promise<Readonly<Record<string, Json>>> {
  const rows = await sql.query<{ key: string; value: Json }>(
    `SELECT DISTINCT ON (e.key) e.key, e.value
       FROM (SELECT _extra FROM ${table.qualified} WHERE _extra IS NOT NULL LIMIT $1) AS t,
            jsonb_each(t._extra) AS e
      WHERE e.value <> 'null' ORDER BY e.key`,
    [MOST_ROWS],
  );
  const known = new Set(table.schema.fields.map(({ name }) => name));
  return Object.fromEntries(
    rows
      .map(({ key, value }) => [fieldOfExtraKey(key), decodeExtra(value)] as const)
      .filter(([field]) => !known.has(field)),
  );
}
