import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../connection/database.ts';
import { comparable, IDENTITY_FUNCTION, identityColumn } from './attachments.ts';
import type { MirrorTable } from './table.ts';

/** One value by which a record may be known already. */
export interface IdentityQuery {
  /** The caller's own number for whom it asks. */
  readonly index: number;
  readonly value: string;
}

export interface IdentityHit {
  readonly index: number;
  /** A row that has the value. */
  readonly id: string;
}

/**
 * Which rows have one of the identities, in one statement for any number of them. Collections
 * match by any item and whatever the case, as they do in the CRM. Takes no lock. Index:
 * `<table>__<column>__identity`, which stands once the object's first read is done; without it the
 * answer is as right, and slow.
 */
export async function findByIdentity(
  sql: Sql,
  table: MirrorTable,
  queries: readonly IdentityQuery[],
): Promise<IdentityHit[]> {
  const column = identityColumn(table);
  if (column === null || queries.length === 0) return [];
  if (column.sqlType !== 'text[]' && column.sqlType !== 'text') return [];
  const name = `t.${quoteIdent(column.column)}`;
  const statement =
    column.sqlType === 'text'
      ? `SELECT DISTINCT w.index, t.id
           FROM unnest($1::int[], $2::text[]) AS w(index, value)
           JOIN ${table.qualified} AS t
             ON ${comparable(column, name)} = ${comparable(column, 'w.value')}
          ORDER BY w.index, t.id`
      : `WITH wanted AS MATERIALIZED (
           SELECT index, lower(value) AS value
             FROM unnest($1::int[], $2::text[]) AS w(index, value)
         ), candidate AS MATERIALIZED (
           SELECT t.id, ${name} AS items FROM ${table.qualified} AS t
            WHERE {sync}.${IDENTITY_FUNCTION}(${name})
               && (SELECT array_agg(hashtextextended(value, 0)) FROM wanted)
         )
         SELECT DISTINCT w.index, c.id
           FROM candidate AS c
           CROSS JOIN unnest(c.items) AS item
           JOIN wanted AS w ON w.value = lower(item)
          ORDER BY w.index, c.id`;
  return await sql.query<{ index: number; id: string }>(statement, [
    queries.map(({ index }) => index),
    queries.map(({ value }) => value),
  ]);
}
