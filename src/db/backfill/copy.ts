import { Readable } from 'node:stream';
import { quoteIdent } from '../../domain/names.ts';
import type { Sql, Transaction } from '../database.ts';
import { DatabaseSyncError } from '../database-error.ts';
import { type MirrorTable, type SqlType, SYSTEM_COLUMNS } from '../mirror/table.ts';
import { CopyBuffer, type CopyType } from './copy-buffer.ts';

/** A column that a record brings a value for. */
export interface CopyColumn {
  /** Quoted. */
  readonly name: string;
  readonly sqlType: SqlType;
  readonly copyType: CopyType;
}

/** The columns of an `EncodedRecord`, in its order. */
export function copyColumns(table: MirrorTable): readonly CopyColumn[] {
  const fields = table.columns.map(({ column, sqlType }) => ({ name: column, sqlType }));
  return [...SYSTEM_COLUMNS, ...fields].map(({ name, sqlType }) => ({
    name: quoteIdent(name),
    sqlType,
    copyType: name === '_synced_at' ? 'now' : sqlType,
  }));
}

/** A buffer for rows of `copyColumns`. */
export function newBuffer(table: MirrorTable): CopyBuffer {
  return new CopyBuffer(copyColumns(table).map(({ copyType }) => copyType));
}

/** Copies the rows of a buffer into a table with the columns given. */
export async function copyInto(
  tx: Transaction,
  target: { readonly table: string; readonly columns: readonly CopyColumn[] },
  buffer: CopyBuffer,
): Promise<number> {
  const names = target.columns.map(({ name }) => name).join(', ');
  return await tx.copyFrom(
    `COPY ${target.table} (${names}) FROM STDIN (FORMAT binary)`,
    Readable.from([buffer.finish(tx.startedAt)], { objectMode: false }),
  );
}

/** Whether the mirror holds no record yet, only rows that were born here. */
export async function isUnread(sql: Sql, table: MirrorTable): Promise<boolean> {
  const [row] = await sql.query<{ unread: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM ${table.qualified} WHERE id NOT LIKE 'local:%') AS unread`,
  );
  return row?.unread ?? false;
}

const UNIQUE_VIOLATION = '23505';
const LOCK_TIMEOUT = '55P03';

/**
 * Whether COPY met a row that stands already, or one that a user is just deleting. Then the
 * records have to be merged instead.
 */
export function isOccupied(error: unknown): boolean {
  if (!(error instanceof DatabaseSyncError)) return false;
  return error.sqlState === UNIQUE_VIOLATION || error.sqlState === LOCK_TIMEOUT;
}

/**
 * Whether anything is known of these records that a new row would contradict: a local change on
 * its way, an id that was born here, a deletion, a version put aside. To be read in a statement
 * *after* the rows were written: then a change made before is visible, and a later one meets the
 * row. Indexes `outbox_due` and `outbox_unsettled`, primary keys of the others; no lock.
 */
export async function isAnyKnown(
  tx: Sql,
  object: string,
  ids: readonly string[],
): Promise<boolean> {
  const sources = ['outbox', 'id_map', 'tombstone', 'deferred'] as const;
  const ofObject = sources.map((source) => `EXISTS (SELECT FROM ${among(source)})`);
  const [some] = await tx.query<{ some: boolean }>(`SELECT ${ofObject.join(' OR ')} AS some`, [
    object,
  ]);
  // Nearly always so, and it spares sending thousands of ids.
  if (some?.some === false) return false;
  const ofIds = sources.map(
    (source) => `EXISTS (SELECT FROM ${among(source)} AND ${ID_OF[source]} = ANY($2::text[]))`,
  );
  const [known] = await tx.query<{ known: boolean }>(`SELECT ${ofIds.join(' OR ')} AS known`, [
    object,
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
  return `clarify_sync.${source} WHERE object = $1 ${CONDITION[source]}`;
}
