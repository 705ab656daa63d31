import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../database.ts';
import { IDENTITY_FUNCTION, identityColumn } from './attachments.ts';
import type { MirrorTable } from './table.ts';

/** One value by which a record may be known already. */
export interface IdentityQuery {
  /** The caller's own number for whom it asks. */
  readonly index: number;
  readonly value: string;
}

export interface IdentityHit {
  readonly index: number;
  /** A row that has the value, whatever the case. */
  readonly id: string;
}

/**
 * Which rows have one of the identities, in one statement for any number of them. Takes no lock.
 * Index: `<table>__<column>__identity`, which stands once the object's first read is done; without
 * it the answer is as right, and slow.
 */
export async function findByIdentity(
  sql: Sql,
  table: MirrorTable,
  queries: readonly IdentityQuery[],
): Promise<IdentityHit[]> {
  const column = identityColumn(table);
  if (column === null || queries.length === 0) return [];
  const name = `t.${quoteIdent(column.column)}`;
  const hits =
    column.sqlType === 'text[]'
      ? `SELECT w.index, t.id
           FROM (SELECT id, ${quoteIdent(column.column)} AS items FROM ${table.qualified} AS t
                  WHERE clarify_sync.${IDENTITY_FUNCTION}(${name})
                     && (SELECT array_agg(hashtextextended(value, 0)) FROM wanted)) AS t
           JOIN wanted AS w ON w.value IN (SELECT lower(item) FROM unnest(t.items) AS item)`
      : `SELECT w.index, t.id
           FROM wanted AS w JOIN ${table.qualified} AS t ON lower(${name}::text) = w.value`;
  return await sql.query<{ index: number; id: string }>(
    `WITH wanted AS MATERIALIZED (
       SELECT index, lower(value) AS value FROM unnest($1::int[], $2::text[]) AS w(index, value)
     )
     ${hits}
      GROUP BY w.index, t.id ORDER BY w.index, t.id`,
    [queries.map(({ index }) => index), queries.map(({ value }) => value)],
  );
}
