import type { Json } from '../../domain/json.ts';
import { quoteIdent } from '../../domain/names.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { guarded } from '../connection/guarded.ts';
import type { Refusals, RowTrouble } from '../connection/row-trouble.ts';
import { encodeValue } from '../mirror/encode.ts';
import { decodeExtra, fieldOfExtraKey } from '../mirror/extra.ts';
import type { MirrorTable } from '../mirror/table.ts';
import { asideMember } from '../rows/set-aside.ts';

/** A stretch of `_created_at`: epoch milliseconds, both ends included. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Records deleted here whose delete has not arrived: the CRM still counts them. The whole row
 * stands in the outbox as the delete's base. Index `outbox_unsettled`.
 */
const PENDING_DELETES = `
  SELECT DISTINCT ON (o.record_id) o.record_id AS id,
         (o.changes #>> '{_row,base,_created_at}')::timestamptz AS created_at
    FROM {sync}.outbox AS o
   WHERE o.object = $1 AND o.op = 'delete' AND o.state IN ('pending', 'sending', 'parked')
     AND o.record_id NOT LIKE 'local:%'`;

/**
 * Rows put aside, each with what it adds to the count of rows: a record whose row cannot be written
 * is known all the same, and a row that only stands because something keeps it is of no record.
 */
const asideOf = ({ qualified }: MirrorTable) => `
  SELECT CASE d.kind WHEN 'apply' THEN 1 ELSE -1 END AS adds,
         CASE d.kind WHEN 'apply' THEN ${asideMember('createdAt')}::timestamptz ELSE t._created_at END AS created_at
    FROM {sync}.deferred AS d LEFT JOIN ${qualified} AS t ON t.id = d.id
   WHERE d.object = $1 AND d.code IS NOT NULL
     AND (d.kind = 'apply' AND t.id IS NULL OR d.kind = 'remove' AND t.id IS NOT NULL)`;

/** Known to be of no record, and put aside because something keeps it. */
const isKept = (id: string) =>
  `EXISTS (SELECT FROM {sync}.deferred AS d WHERE d.object = $1 AND d.kind = 'remove' AND d.id = ${id})`;

/** To the millisecond: what the CRM tells, and what its filters compare. */
const IN_SPAN = (column: string) =>
  `${column} >= to_timestamp($2::float8 / 1000) AND ${column} < to_timestamp(($3::float8 + 1) / 1000)`;
/** So that an index finds them, which it does not by what they are not. */
const NOT_IN_SPAN = (column: string) =>
  `${column} IS NULL OR ${column} < to_timestamp($2::float8 / 1000) OR ${column} >= to_timestamp(($3::float8 + 1) / 1000)`;

/**
 * How many records the mirror knows of: rows with an id of the CRM's, those whose delete is on its
 * way, and those put aside. `placed` leaves out those without a creation inside the span of all time.
 */
export async function countKnown(
  sql: Sql,
  table: MirrorTable,
  allTime: Span,
): Promise<{ readonly all: number; readonly placed: number }> {
  const [row] = await sql.query<{ all: number; placed: number }>(
    `WITH pending AS (${PENDING_DELETES}), known AS (
       SELECT t._created_at AS created_at FROM ${table.qualified} AS t WHERE t.id NOT LIKE 'local:%'
       UNION ALL
       SELECT p.created_at FROM pending AS p
        WHERE NOT EXISTS (SELECT 1 FROM ${table.qualified} AS t WHERE t.id = p.id)
     ), aside AS (${asideOf(table)})
     SELECT count(*)::float8 + (SELECT coalesce(sum(adds), 0) FROM aside)::float8 AS all,
            count(*) FILTER (WHERE ${IN_SPAN('created_at')})::float8
              + (SELECT coalesce(sum(adds) FILTER (WHERE ${IN_SPAN('created_at')}), 0) FROM aside)::float8 AS placed
       FROM known`,
    [table.object, allTime.fromMs, allTime.toMs],
  );
  return row ?? { all: 0, placed: 0 };
}

/** Likewise within a span. Index `<table>__created_at`, once it stands. */
export async function countSpan(sql: Sql, table: MirrorTable, span: Span): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `WITH pending AS (${PENDING_DELETES}), aside AS (${asideOf(table)})
     SELECT (SELECT coalesce(sum(adds), 0)::float8 FROM aside WHERE ${IN_SPAN('created_at')})
          + (SELECT count(*)::float8 FROM ${table.qualified} WHERE ${IN_SPAN('_created_at')})
          + (SELECT count(*)::float8 FROM pending AS p
              WHERE ${IN_SPAN('p.created_at')}
                AND NOT EXISTS (SELECT 1 FROM ${table.qualified} AS t WHERE t.id = p.id)) AS count`,
    [table.object, span.fromMs, span.toMs],
  );
  return row?.count ?? 0;
}

/** Creation of the row at a rank of the span, epoch milliseconds; null beyond the last one. */
export async function createdAtRank(
  sql: Sql,
  table: MirrorTable,
  span: Span,
  rank: number,
): Promise<number | null> {
  const [row] = await sql.query<{ ms: number }>(
    `SELECT floor(extract(epoch FROM _created_at) * 1000)::float8 AS ms FROM ${table.qualified}
      WHERE $1::text IS NOT NULL AND ${IN_SPAN('_created_at')}
      ORDER BY _created_at OFFSET $4::bigint LIMIT 1`,
    [table.object, span.fromMs, span.toMs, Math.floor(rank)],
  );
  return row?.ms ?? null;
}

/** Creation of every so many-th row of the span, in order, epoch milliseconds. One scan. */
export async function createdAtEvery(
  sql: Sql,
  table: MirrorTable,
  span: Span,
  step: number,
): Promise<number[]> {
  const rows = await sql.query<{ ms: number }>(
    `SELECT floor(extract(epoch FROM r.at) * 1000)::float8 AS ms
       FROM (SELECT _created_at AS at, row_number() OVER (ORDER BY _created_at) AS n
               FROM ${table.qualified} WHERE $1::text IS NOT NULL AND ${IN_SPAN('_created_at')}) AS r
      WHERE r.n % $4::bigint = 0 ORDER BY r.n`,
    [table.object, span.fromMs, span.toMs, Math.max(1, Math.floor(step))],
  );
  return rows.map(({ ms }) => ms);
}

/**
 * Records of a span the mirror knows of that are not among those `seen`, at most `limit`. Who is known twice
 * is sorted out of those few: among all it would take as long as looking for them.
 */
export async function readUnseen(
  sql: Sql,
  table: MirrorTable,
  span: Span,
  { seen, limit }: { readonly seen: readonly string[]; readonly limit: number },
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `WITH pending AS (${PENDING_DELETES}), known AS (
       SELECT id FROM ${table.qualified} WHERE ${IN_SPAN('_created_at')}
       UNION ALL
       SELECT id FROM pending WHERE ${IN_SPAN('created_at')}
     )
     SELECT DISTINCT k.id FROM known AS k
      WHERE NOT EXISTS (SELECT 1 FROM unnest($4::text[]) AS s(id) WHERE s.id = k.id)
        AND NOT ${isKept('k.id')}
      ORDER BY k.id LIMIT $5`,
    [table.object, span.fromMs, span.toMs, seen, limit],
  );
  return rows.map(({ id }) => id);
}

/** Likewise those without a creation inside the span of all time: no range finds them. Index `<table>__created_at`. */
export async function readUnplaced(
  sql: Sql,
  table: MirrorTable,
  allTime: Span,
  { seen, limit }: { readonly seen: readonly string[]; readonly limit: number },
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT t.id FROM ${table.qualified} AS t
      WHERE $1::text IS NOT NULL AND t.id NOT LIKE 'local:%'
        AND (${NOT_IN_SPAN('t._created_at')})
        AND NOT EXISTS (SELECT 1 FROM unnest($4::text[]) AS s(id) WHERE s.id = t.id)
        AND NOT ${isKept('t.id')}
      ORDER BY t.id LIMIT $5`,
    [table.object, allTime.fromMs, allTime.toMs, seen, limit],
  );
  return rows.map(({ id }) => id);
}

/** A row as it stands, by field: what a tombstone keeps of it. */
export interface RowLeft {
  readonly id: string;
  /** When we last wrote it, database time. */
  readonly syncedAt: string | null;
  readonly fields: Readonly<Record<string, Json>>;
}

/** Primary key; no lock. */
export async function readRows(
  sql: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<RowLeft[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query<{
    id: string;
    syncedAt: string | null;
    row: Readonly<Record<string, Json>>;
    extra: Readonly<Record<string, Json>> | null;
  }>(
    `SELECT id, _synced_at AS "syncedAt", to_jsonb(t) AS row, _extra AS extra
       FROM ${table.qualified} AS t WHERE id = ANY($1::text[])`,
    [ids],
  );
  return rows.map(({ id, syncedAt, row, extra }) => {
    const fields = new Map<string, Json>();
    for (const { field, column } of table.columns) fields.set(field.name, row[column] ?? null);
    for (const [key, value] of Object.entries(extra ?? {})) {
      fields.set(fieldOfExtraKey(key), decodeExtra(value));
    }
    return { id, syncedAt, fields: Object.fromEntries(fields) };
  });
}

/**
 * Shows values in rows that the caller has locked: one statement per field, for the few rows of a
 * merge. A value that fits no column came from none, and is left out. @returns what was refused.
 */
export async function writeFields(
  tx: Transaction,
  table: MirrorTable,
  rows: readonly { readonly id: string; readonly fields: ReadonlyMap<string, Json> }[],
): Promise<Refusals> {
  const troubles = new Map<string, RowTrouble>();
  for (const name of new Set(rows.flatMap(({ fields }) => [...fields.keys()]))) {
    const column = table.byField.get(name);
    if (column === undefined) continue;
    const encoded = rows.flatMap(({ id, fields }) => {
      const value = fields.get(name);
      const to = value === undefined ? null : encodeValue(column, value);
      return to !== null && 'text' in to ? [{ id, text: to.text }] : [];
    });
    const refused = await guarded(tx, table.qualified, encoded, async (part) => {
      await tx.query(
        `UPDATE ${table.qualified} AS t SET ${quoteIdent(column.column)} = v.value::${column.sqlType}
           FROM unnest($1::text[], $2::text[]) AS v(id, value) WHERE t.id = v.id`,
        [part.map(({ id }) => id), part.map(({ text }) => text)],
      );
    });
    for (const { item, trouble } of refused) troubles.set(item.id, trouble);
  }
  return troubles;
}
