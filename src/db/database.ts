import type { QueryResultRow } from 'pg';

/** Whatever runs a statement: the pool, or one transaction. */
export interface Sql {
  /** @returns the rows; parameters are `$1…$n`, never spliced into the text. */
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface TransactionOptions {
  /** Set where this process writes mirror tables itself, so that triggers do not capture it. */
  readonly asWriter?: boolean;
  readonly lockTimeoutMs?: number;
}

export interface Database extends Sql {
  transaction<T>(work: (tx: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}
