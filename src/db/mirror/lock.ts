import { SyncError } from '../../domain/errors.ts';
import type { Sql } from '../connection/database.ts';

/**
 * Holds the right to write into a table until the end of the transaction, so that nothing is sent
 * whose answer could not be settled: a `CREATE INDEX` in an open transaction lets everybody read, and
 * nobody write. Waits as long as the transaction's lock timeout.
 *
 * @throws SyncError `database-lock-timeout` (retry) where somebody holds the table.
 */
export async function lockForWriting(
  tx: Sql,
  table: { readonly qualified: string; readonly name: string },
): Promise<void> {
  try {
    await tx.query(`LOCK TABLE ${table.qualified} IN ROW EXCLUSIVE MODE`);
  } catch (cause) {
    if (!(cause instanceof SyncError) || cause.code !== 'database-lock-timeout') throw cause;
    throw new SyncError(`somebody's transaction locks the table ${table.name}`, {
      code: 'database-lock-timeout',
      disposition: 'retry',
      hint: 'It goes on once that transaction ends; pg_locks and pg_stat_activity tell which it is.',
      cause,
    });
  }
}

/** Those of the tables that can be written at once; each is then locked as in {@link lockForWriting}. */
export async function lockWhereFree<T extends { readonly qualified: string }>(
  tx: Sql,
  tables: readonly T[],
): Promise<readonly T[]> {
  if (tables.length === 0 || (await tryLock(tx, tables))) return tables;
  const free: T[] = [];
  if (tables.length === 1) return free;
  for (const table of tables) if (await tryLock(tx, [table])) free.push(table);
  return free;
}

async function tryLock(
  tx: Sql,
  tables: readonly { readonly qualified: string }[],
): Promise<boolean> {
  const names = tables.map(({ qualified }) => qualified).join(', ');
  await tx.query('SAVEPOINT table_lock');
  try {
    await tx.query(`LOCK TABLE ${names} IN ROW EXCLUSIVE MODE NOWAIT`);
    await tx.query('RELEASE SAVEPOINT table_lock');
    return true;
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'database-lock-timeout') throw error;
    await tx.query('ROLLBACK TO SAVEPOINT table_lock; RELEASE SAVEPOINT table_lock');
    return false;
  }
}
