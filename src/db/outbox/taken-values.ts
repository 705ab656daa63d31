import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../connection/database.ts';
import type { MirrorTable } from '../mirror/table.ts';

/**
 * Which values of a text field stand in rows of records the CRM has already, in one statement for
 * any number of them. Takes no lock; a scan of the table where the field has no index.
 */
export async function readTakenValues(
  sql: Sql,
  table: MirrorTable,
  field: string,
  values: readonly string[],
): Promise<Set<string>> {
  const column = table.byField.get(field);
  if (column?.sqlType !== 'text' || values.length === 0) return new Set();
  const name = quoteIdent(column.column);
  const rows = await sql.query<{ value: string }>(
    `SELECT DISTINCT t.${name} AS value FROM ${table.qualified} AS t
      WHERE t.${name} = ANY($1::text[]) AND t.id NOT LIKE 'local:%'`,
    [values],
  );
  return new Set(rows.map(({ value }) => value));
}
