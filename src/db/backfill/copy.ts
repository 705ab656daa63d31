import { Readable } from 'node:stream';
import { quoteIdent } from '../../domain/names.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { DatabaseSyncError } from '../connection/database-error.ts';
import { isRowTrouble } from '../connection/row-trouble.ts';
import { hasAlteringTriggers } from '../mirror/altering-triggers.ts';
import { type MirrorTable, regclassSql, type SqlType, SYSTEM_COLUMNS } from '../mirror/table.ts';
import { CopyBuffer, type CopyRows, type CopyType, stamp } from './copy-buffer.ts';

/** A column that a record brings a value for. */
export interface CopyColumn {
  readonly column: string;
  /** The same, quoted. */
  readonly name: string;
  readonly sqlType: SqlType;
  readonly copyType: CopyType;
}

/** The columns of an `EncodedRecord`, in its order. */
export function copyColumns(table: MirrorTable): readonly CopyColumn[] {
  const system = SYSTEM_COLUMNS.map(({ name, sqlType }) => ({ column: name, sqlType }));
  return [...system, ...table.columns].map(({ column, sqlType }) => ({
    column,
    name: quoteIdent(column),
    sqlType,
    copyType: column === '_synced_at' ? 'now' : sqlType,
  }));
}

/** A buffer for rows of `copyColumns`. */
export function newBuffer(table: MirrorTable): CopyBuffer {
  return new CopyBuffer(copyColumns(table).map(({ copyType }) => copyType));
}

/** Copies rows into a table with the columns given. */
export async function copyInto(
  tx: Transaction,
  target: { readonly table: string; readonly columns: readonly CopyColumn[] },
  rows: CopyRows,
): Promise<number> {
  const names = target.columns.map(({ name }) => name).join(', ');
  return await tx.copyFrom(
    `COPY ${target.table} (${names}) FROM STDIN (FORMAT binary)`,
    Readable.from([stamp(rows, toMilliseconds(tx.startedAt))], { objectMode: false }),
  );
}

/** As every other write stamps a row: many programs that write it back know no more of an instant. */
function toMilliseconds(instant: string): string {
  return instant.replace(/(\.\d{3})\d+/, '$1');
}

/** Whether the mirror holds no record yet, only rows that were born here. */
export async function isUnread(sql: Sql, table: MirrorTable): Promise<boolean> {
  const [row] = await sql.query<{ unread: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM ${table.qualified} WHERE id NOT LIKE 'local:%') AS unread`,
  );
  return row?.unread ?? false;
}

/** Bytes that are none of the column's type. */
const PROTOCOL_VIOLATION = '08P01';

/**
 * Whether COPY met something that a merge can cope with, or tell more of: a row stands already, a
 * user is just deleting one, a column has another type than its bytes, a constraint refuses a row.
 */
export function isUnfitForCopy(error: unknown): boolean {
  const isForeign = error instanceof DatabaseSyncError && error.sqlState === PROTOCOL_VIOLATION;
  return isForeign || isRowTrouble(error);
}

/**
 * Whether rows just copied may not stand: because something is known of these records that a new
 * row would contradict (a local change on its way, an id that was born here, a deletion, a version
 * put aside), because a user has given a column another type, for which their bytes may mean
 * something else, or because a trigger may have changed them. To be read in a statement *after* the rows were written: then a change made
 * before is visible, a later one meets the row, and nobody alters the table until the commit.
 * Indexes `outbox_due` and `outbox_unsettled`, primary keys of the others; no lock.
 */
export async function isInDoubt(
  tx: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<boolean> {
  const sources = ['outbox', 'id_map', 'tombstone', 'deferred'] as const;
  const ofObject = sources.map((source) => `EXISTS (SELECT FROM ${among(source)})`);
  const columns = copyColumns(table);
  const [found] = await tx.query<{ some: boolean; altered: boolean }>(
    `SELECT ${ofObject.join(' OR ')} AS some,
            EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS c(name, type)
                      JOIN pg_attribute AS a ON a.attrelid = ${regclassSql(table.name)} AND a.attname = c.name
                     WHERE a.atttypid <> c.type::regtype
                        OR (a.atttypid = 'numeric'::regtype AND format_type(a.atttypid, a.atttypmod) <> c.type))
              OR ${hasAlteringTriggers(table)} AS altered`,
    [table.object, columns.map(({ column }) => column), columns.map(({ sqlType }) => sqlType)],
  );
  if (found?.altered !== false) return true;
  // Nearly always so, and it spares sending thousands of ids.
  if (!found.some) return false;
  const ofIds = sources.map(
    (source) => `EXISTS (SELECT FROM ${among(source)} AND ${ID_OF[source]} = ANY($2::text[]))`,
  );
  const [known] = await tx.query<{ known: boolean }>(`SELECT ${ofIds.join(' OR ')} AS known`, [
    table.object,
    ids,
  ]);
  return known?.known ?? true;
}

const ID_OF = { outbox: 'record_id', id_map: 'id', tombstone: 'id', deferred: 'id' } as const;

/** A survivor of a merge is a record like any other. */
const CONDITION = {
  outbox: `AND state IN ('pending', 'sending', 'parked')`,
  id_map: `AND reason <> 'merged'`,
  tombstone: '',
  deferred: '',
} as const;

function among(source: keyof typeof ID_OF): string {
  return `{sync}.${source} WHERE object = $1 ${CONDITION[source]}`;
}
