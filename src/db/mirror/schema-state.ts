import type { Database, Sql } from '../connection/database.ts';
import { RELATIONS } from './standing-relations.ts';

/** What stands, for comparison with an earlier look. */
export interface SchemaState {
  /** Changes with what is on record: every change that a schema check made or gave up. */
  readonly version: string;
  /** Changes with what stands, whoever changed it: tables, columns, keys, triggers, inheritance. */
  readonly shape: string;
}

/** {@link SchemaState.version} */
const VERSION = `concat((SELECT max(id) FROM {sync}.schema_version), ' ',
                   (SELECT string_agg(p.object, ' ' ORDER BY p.object)
                      FROM {sync}.mirror_problem AS p WHERE p.stops))`;

export async function readSchemaVersion(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ version: string }>(`SELECT ${VERSION} AS version`);
  return row?.version ?? '';
}

/**
 * SQL of {@link SchemaState}'s columns, for a parameter or literal that names the schema of the mirror tables. A millisecond or two, over
 * the catalog's own indexes; no lock that matters.
 */
export function schemaState(schema: string): string {
  return `${VERSION} AS version,
            (SELECT coalesce(sum(hashtextextended(concat_ws(' ', c.oid, c.relname, c.relkind, s.shape), 0)), 0)::text
               FROM ${RELATIONS.replace('$1', () => schema)} AS own
               JOIN pg_class AS c ON c.oid = own.oid
              CROSS JOIN LATERAL (SELECT concat(
                    (SELECT sum(hashtextextended(concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod,
                              a.attnotnull, a.atthasdef, a.attgenerated, a.attinhcount, a.attcollation), 0))
                       FROM pg_attribute AS a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), ' ',
                    (SELECT sum(i.indexrelid::bigint) FROM pg_index AS i
                      WHERE i.indrelid = c.oid AND i.indisunique), ' ',
                    CASE WHEN c.relhassubclass THEN (SELECT sum(h.inhrelid::bigint) FROM pg_inherits AS h
                      WHERE h.inhparent = c.oid) END, ' ',
                    (SELECT sum(hashtextextended(concat_ws(' ', t.tgname, t.tgenabled), 0))
                       FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)) AS shape) AS s
              WHERE c.relkind IN ('r', 'p')) AS shape`;
}

export async function readSchemaState(
  db: Pick<Database, 'schemas' | 'repeated'>,
): Promise<SchemaState> {
  const [row] = await db.repeated<SchemaState & Record<string, unknown>>(
    `SELECT ${schemaState('$1')}`,
    [db.schemas.mirror],
  );
  return { version: row?.version ?? '', shape: row?.shape ?? '' };
}
