import type { QueryResultRow } from 'pg';
import type { Sql } from './database.ts';

/** The SQL of each list. */
export type Queries<Lists> = { readonly [Name in keyof Lists]: string };

/**
 * Rows of several queries by one statement, and as they all stood at the same moment: each message costs
 * more than most of what is asked of the catalog. Postgres makes JSON of them, so that a query must
 * name what JSON can say.
 *
 * @param within what the queries have in common: `WITH …`.
 */
export async function readLists<Lists extends object>(
  sql: Sql,
  queries: Queries<Lists>,
  { within = '', values }: { readonly within?: string; readonly values?: readonly unknown[] } = {},
): Promise<Lists> {
  const lists = Object.entries<string>(queries).map(
    ([name, query]) => `(SELECT coalesce(json_agg(q), '[]') FROM (${query}) AS q) AS "${name}"`,
  );
  const [row] = await sql.query<Lists & QueryResultRow>(
    `${within} SELECT ${lists.join(', ')}`,
    values,
  );
  if (row === undefined) throw new Error('a statement that has one row gave none');
  return row;
}
