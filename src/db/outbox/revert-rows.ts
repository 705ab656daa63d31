import type { Json } from '../../domain/json.ts';
import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../connection/database.ts';
import { encodeValue } from '../mirror/encode.ts';
import type { MirrorColumn, MirrorTable } from '../mirror/table.ts';

/** A column and the text that Postgres casts to its type. */
export interface ColumnValue {
  readonly column: MirrorColumn;
  readonly text: string | null;
}

/** Null where no column holds the value, or the CRM has the field no more. */
export function columnValue(table: MirrorTable, field: string, value: Json): ColumnValue | null {
  const column = table.byField.get(field);
  if (column === undefined) return null;
  const encoded = encodeValue(column, value);
  return 'text' in encoded ? { column, text: encoded.text } : null;
}

const name = ({ column }: ColumnValue) => quoteIdent(column.column);
const cast = ({ column }: ColumnValue, at: number) => `$${at}::text::${column.sqlType}`;

/** Updates one row in one statement, as its user would: one outbox entry comes of it. */
export async function writeRow(
  tx: Sql,
  table: MirrorTable,
  id: string,
  values: readonly ColumnValue[],
): Promise<void> {
  const sets = values.map((value, index) => `${name(value)} = ${cast(value, index + 2)}`);
  await tx.query(`UPDATE ${table.qualified} SET ${sets.join(', ')} WHERE id = $1`, [
    id,
    ...values.map(({ text }) => text),
  ]);
}

/** Inserts one row, as its user would. @returns its `local:` id. */
export async function insertRow(
  tx: Sql,
  table: MirrorTable,
  values: readonly ColumnValue[],
): Promise<string> {
  const into =
    values.length === 0
      ? 'DEFAULT VALUES'
      : `(${values.map(name).join(', ')}) VALUES (${values.map((v, i) => cast(v, i + 1)).join(', ')})`;
  const [row] = await tx.query<{ id: string }>(
    `INSERT INTO ${table.qualified} ${into} RETURNING id`,
    values.map(({ text }) => text),
  );
  return row?.id ?? '';
}

/**
 * Asks for a record to be brought back that a delete from here has archived: an insert without
 * values, which only this writes. Its row follows with the answer. Wakes the service.
 */
export async function insertRestore(tx: Sql, object: string, recordId: string): Promise<void> {
  await tx.query(
    `INSERT INTO {sync}.outbox (object, record_id, op, changes) VALUES ($1, $2, 'insert', '{}')`,
    [object, recordId],
  );
  await tx.query(`SELECT pg_notify('{sync}_outbox', '')`);
}

/** The newest unsettled entry of a record: right after a write of ours, in its transaction, that. */
export async function readNewestEntry(
  tx: Sql,
  object: string,
  recordId: string,
): Promise<bigint | null> {
  const [row] = await tx.query<{ id: bigint | null }>(
    `SELECT max(id) AS id FROM {sync}.outbox
      WHERE object = $1 AND record_id = $2 AND state IN ('pending', 'parked')`,
    [object, recordId],
  );
  return row?.id ?? null;
}

/** Whether a create from here ended as an edit of a record that was there. Index `id_map_current`. */
export async function readAdopted(sql: Sql, object: string, id: string): Promise<boolean> {
  const rows = await sql.query(
    `SELECT 1 FROM {sync}.id_map WHERE object = $1 AND id = $2 AND reason = 'adopted'`,
    [object, id],
  );
  return rows.length > 0;
}

/** Whether the record was there well before it was inserted here: an upsert has found it. */
export async function readIsOlder(
  sql: Sql,
  table: MirrorTable,
  id: string,
  entry: bigint,
): Promise<boolean> {
  const [row] = await sql.query<{ older: boolean | null }>(
    `SELECT t._created_at < o.created_at - interval '2 minutes' AS older
       FROM ${table.qualified} AS t, {sync}.outbox AS o WHERE t.id = $1 AND o.id = $2`,
    [id, entry],
  );
  return row?.older === true;
}

/** Writes into a settled entry which later one takes it back. */
export async function markReverted(tx: Sql, entry: bigint, by: bigint): Promise<void> {
  const reason = 'change-reverted';
  await tx.query(`UPDATE {sync}.outbox SET last_error = $2 WHERE id = $1`, [
    entry,
    `${reason}: by change ${by}`,
  ]);
}

/** The entry that takes it back, unless that was given up itself. */
export async function readReverting(sql: Sql, entry: bigint): Promise<bigint | null> {
  const [row] = await sql.query<{ id: bigint }>(
    `SELECT r.id FROM {sync}.outbox AS o
       JOIN {sync}.outbox AS r
         ON r.id = substring(o.last_error FROM '^change-reverted: by change (\\d+)$')::bigint
      WHERE o.id = $1 AND r.state <> 'cancelled'`,
    [entry],
  );
  return row?.id ?? null;
}
