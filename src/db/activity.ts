import type { Sql } from './database.ts';

/**
 * Conflicts logged after one of them, by object; null asks only which is the newest. By the
 * primary key, so it costs what is new. No lock.
 */
export async function countConflictsAfter(
  sql: Sql,
  after: bigint | null,
): Promise<{
  readonly found: readonly { readonly object: string; readonly count: number }[];
  readonly newest: bigint;
}> {
  if (after === null) {
    const [row] = await sql.query<{ newest: bigint | null }>(
      'SELECT max(id) AS newest FROM clarify_sync.conflict',
    );
    return { found: [], newest: row?.newest ?? 0n };
  }
  const rows = await sql.query<{ object: string; count: number; newest: bigint }>(
    `SELECT object, count(*)::int4 AS count, max(id) AS newest
       FROM clarify_sync.conflict WHERE id > $1 GROUP BY object`,
    [after],
  );
  const newest = rows.reduce((max, row) => (row.newest > max ? row.newest : max), after);
  return { found: rows.map(({ object, count }) => ({ object, count })), newest };
}
