import { Client, DatabaseError } from 'pg';
import type { Ledger, LocalWrite } from './ledger.ts';

/** Somebody who writes SQL, and whose transactions may stay open for a while. */
export interface User {
  readonly name: string;
  readonly inTransaction: boolean;
  begin(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /**
   * Runs a statement; `writes` tells what it did, by the rows it returned. Where it fails, the
   * open transaction is rolled back, as people do.
   */
  write(
    text: string,
    values: readonly unknown[],
    writes: (rows: readonly Record<string, unknown>[]) => readonly Omit<LocalWrite, 'order'>[],
  ): Promise<readonly Record<string, unknown>[]>;
  ids(table: string): Promise<string[]>;
  /** Does one thing after another. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A lock that was not free, a deadlock, a row that is gone by now. */
const EXPECTED = new Set(['55P03', '40P01', 'CS004']);

export async function openUser(name: string, url: string, ledger: Ledger): Promise<User> {
  const client = new Client({ connectionString: url, application_name: name });
  await client.connect();
  await client.query(`SET lock_timeout = '250ms'`);
  let open = false;
  let pending: LocalWrite[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  const end = async (statement: 'COMMIT' | 'ROLLBACK'): Promise<void> => {
    if (!open) return;
    open = false;
    const writes = pending;
    pending = [];
    await client.query(statement);
    if (statement === 'COMMIT') ledger.local.push(...writes);
  };
  return {
    name,
    get inTransaction() {
      return open;
    },
    async begin() {
      if (open) return;
      await client.query('BEGIN');
      open = true;
    },
    commit: () => end('COMMIT'),
    rollback: () => end('ROLLBACK'),
    async write(text, values, writes) {
      try {
        const { rows } = await client.query<Record<string, unknown>>(text, [...values]);
        const done = writes(rows).map((write) => ({ ...write, order: ledger.nextOrder() }));
        (open ? pending : ledger.local).push(...done);
        return rows;
      } catch (error) {
        if (!(error instanceof DatabaseError) || !EXPECTED.has(error.code ?? '')) throw error;
        await end('ROLLBACK');
        return [];
      }
    },
    async ids(table) {
      const { rows } = await client.query<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`);
      return rows.map(({ id }) => id);
    },
    alone(work) {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    },
    async close() {
      await end('ROLLBACK');
      await client.end();
    },
  };
}
