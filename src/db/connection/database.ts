import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import type { QueryResultRow } from 'pg';
import { type ClockBounds, seenClock } from '../../domain/clock-bounds.ts';
import { SyncError } from '../../domain/errors.ts';
import { quoteLiteral } from '../../domain/names.ts';
import { renderSql, type Schemas, TEMPLATE } from '../control/schemas.ts';
import { classifyDatabaseError, type DatabaseSyncError } from './database-error.ts';
import { isPassingTrouble, isRowTrouble } from './row-trouble.ts';
import { closed, openServer, type Server, type ServerOptions } from './server.ts';
import {
  begin,
  defaultStatementTimeoutMs,
  hasLostPlan,
  isBroken,
  type Limits,
  rollBack,
  run,
  runSingle,
} from './statement.ts';

/** Whatever runs a statement: the pool, or one transaction. */
export interface Sql {
  /** Of the one workspace that statements are about. */
  readonly schemas: Schemas;
  /**
   * @param text names schemas by tokens: `{sync}.outbox`, see {@link renderSql}.
   * @returns the rows; parameters are `$1…$n`, never spliced into the text. int8 comes as bigint,
   * numeric as its digits, json with exact numbers, timestamptz as ISO-8601 UTC text, date and
   * timestamp as Postgres writes them. A plain object is written as JSON; an array is a Postgres
   * array, so a JSON array has to be passed through `stringifyJson`.
   * @throws SyncError with a `database-…` code, or `write-refused` from our own triggers.
   */
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface Transaction extends Sql {
  /** What `now()` says within it, as ISO-8601 UTC text. */
  readonly startedAt: string;
  /**
   * A first attempt met a row that cannot be written: whoever writes several rows finds out which,
   * until then by trying (see `guarded`). Milliseconds of `performance.now()`; null in a first attempt.
   */
  readonly isolatesUntilMs: number | null;
  /** Runs `copy … from stdin` on what `source` yields. @returns how many rows were copied. */
  copyFrom(statement: string, source: Readable): Promise<number>;
}

export interface TransactionOptions extends Limits {
  /**
   * Set where this process writes mirror tables itself, so that triggers do not capture it. Then
   * `work` runs a second time where a row could not be written, to do all else without that row.
   */
  readonly asWriter?: boolean;
  /** `work` cannot run twice: an error is thrown at once. */
  readonly once?: boolean;
  /**
   * How long it may stand between two statements; default 8 s, less than the lease lasts. A process
   * that is paused within a settlement must not keep the next leader waiting (invariant 9).
   */
  readonly idleTimeoutMs?: number;
}

export interface Database extends Sql {
  /** The database's clock against ours, from every transaction so far; null before the first. */
  readonly clock: ClockBounds | null;
  /**
   * Runs `work` in one transaction (read committed) and commits it. Whatever `work` throws rolls
   * it back. An error of the commit itself leaves open whether it took place.
   *
   * @throws SyncError `table-refuses` (retry) where, as writer, it cannot be done without a row
   * that cannot be written.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * One statement in a transaction of its own that goes out as one message, with its beginning and its
   * end: for what is done every few seconds. It has no parameters, so that all it names is a number or
   * quoted.
   */
  single<Row extends QueryResultRow>(text: string, limits?: Limits): Promise<Row[]>;
  /**
   * {@link Sql.query} of a statement that comes again and again: each connection plans it once, unless a
   * pooler stands between.
   */
  repeated<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * {@link single} of a statement that comes again and again with other texts: a connection keeps its plan for
   * a while, unless a pooler stands between.
   *
   * @param write is given what stands for each of the texts.
   */
  repeatedSingle<Row extends QueryResultRow>(
    write: (places: readonly string[]) => string,
    texts: readonly string[],
  ): Promise<Row[]>;
  /** Waits for what is running, then closes every connection. Safe to call twice. */
  close(): Promise<void>;
}

export interface DatabaseOptions extends ServerOptions {
  /** Of the workspace; default those that every database had before they could be named. */
  readonly schemas?: Schemas;
}

/** Looking for rows that cannot be written may take this long in all: somebody waits for the others. */
const isolationMs = 20_000;

/** Opens no connection by itself: the first statement does. Closing it closes all of them. */
export function openDatabase({ schemas = TEMPLATE, ...options }: DatabaseOptions): Database {
  const server = openServer(options);
  const database = bindDatabase(server, schemas);
  // What is running holds a connection, for which the server waits.
  return Object.assign(database, { close: () => server.close() });
}

/**
 * One workspace of a server that several share. Closing it waits for what is running in it; the
 * server, with its connections, stays.
 */
export function bindDatabase(server: Server, schemas: Schemas): Database {
  let isClosed = false;
  let keepsPlans = !server.isPooled;
  const lent = new Set<Promise<void>>();

  async function connect(options: { readonly reserved?: boolean | undefined } = {}) {
    if (isClosed) throw closed();
    const { release, ...connection } = await server.connect(options);
    let onReturn = () => {};
    const returned = new Promise<void>((resolve) => {
      onReturn = resolve;
    });
    lent.add(returned);
    return {
      ...connection,
      release(broken?: boolean) {
        lent.delete(returned);
        release(broken);
        onReturn();
      },
    };
  }

  function seeClock(startedAt: string, sentAtMs: number): void {
    const answeredAtMs = server.nowMs();
    // Cut to milliseconds where it is read.
    server.seeClock(seenClock(Date.parse(startedAt), { sentAtMs, answeredAtMs, stepMs: 1 }));
  }

  /** A statement on its own. */
  async function plain<Row extends QueryResultRow>(
    text: string,
    values: readonly unknown[] | undefined,
    keepsPlan = false,
  ): Promise<Row[]> {
    const connection = await connect();
    if (connection.state.deviates) {
      connection.release();
      return await attempt((tx) => tx.query<Row>(text, values), {}, null);
    }
    let broken = true;
    try {
      const statement = { text, values, timeoutMs: defaultStatementTimeoutMs, schemas, keepsPlan };
      const { rows } = await run<Row>(connection.client, statement);
      broken = false;
      return rows;
    } catch (error) {
      broken = isBroken(error);
      throw error;
    } finally {
      connection.release(broken);
    }
  }

  /** @param texts in the places of its parameters, where its plan is to be kept. */
  async function inOneMessage<Row extends QueryResultRow>(
    text: string,
    limits: Limits = {},
    texts: readonly string[] | null = null,
  ): Promise<Row[]> {
    const connection = await connect(limits);
    const { client, state, plan } = connection;
    const sentAtMs = server.nowMs();
    const keeps = texts === null ? undefined : { plan, texts };
    try {
      const told = await runSingle<Row>(client, text, { ...limits, schemas, state, keeps });
      seeClock(told.startedAt, sentAtMs);
      connection.release();
      return told.rows;
    } catch (error) {
      // What is prepared is not rolled back: which plan it keeps is not known any more.
      if (texts === null) await rollBack(connection, schemas, error);
      else connection.release(true);
      throw error;
    }
  }

  async function attempt<T>(
    work: (tx: Transaction) => Promise<T>,
    options: TransactionOptions,
    isolatesUntilMs: number | null,
  ): Promise<T> {
    const timeoutMs = options.statementTimeoutMs ?? defaultStatementTimeoutMs;
    const connection = await connect(options);
    const { client, state } = connection;
    let result: T;
    try {
      const sentAtMs = server.nowMs();
      const isolates = isolatesUntilMs !== null;
      const startedAt = await begin(client, { ...options, schemas, state, isolates });
      seeClock(startedAt, sentAtMs);
      const facts = { schemas, startedAt, isolatesUntilMs, timeoutMs };
      result = await work(openTransaction(client, facts));
      const { command } = await run(client, { text: 'commit', timeoutMs, schemas });
      // Where `work` swallowed an error, Postgres answers COMMIT with ROLLBACK, and no error.
      if (command !== 'COMMIT') {
        throw new SyncError('a transaction was rolled back although its work went on', {
          code: 'database-unexpected',
          disposition: 'halt',
        });
      }
    } catch (error) {
      await rollBack(connection, schemas, error);
      throw error;
    }
    connection.release();
    return result;
  }

  return {
    schemas,
    get clock() {
      return server.clock;
    },

    query: (text, values) => plain(text, values),

    async repeated<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []) {
      if (!keepsPlans) return await plain<Row>(text, values);
      try {
        return await plain<Row>(text, values, true);
      } catch (error) {
        if (!hasLostPlan(error)) throw error;
        // A pooler that gives each statement another connection goes on doing so.
        keepsPlans = false;
        return await plain<Row>(text, values);
      }
    },

    single: (text, limits) => inOneMessage(text, limits),

    async repeatedSingle<Row extends QueryResultRow>(
      write: (places: readonly string[]) => string,
      texts: readonly string[],
    ) {
      const plainly = () => inOneMessage<Row>(write(texts.map(quoteLiteral)));
      if (!keepsPlans) return await plainly();
      try {
        return await inOneMessage<Row>(write(texts.map((_, index) => `$${index + 1}`)), {}, texts);
      } catch (error) {
        if (!hasLostPlan(error)) throw error;
        keepsPlans = false;
        return await plainly();
      }
    },

    async transaction<T>(
      work: (tx: Transaction) => Promise<T>,
      transactionOptions: TransactionOptions = {},
    ): Promise<T> {
      try {
        return await attempt(work, transactionOptions, null);
      } catch (error) {
        const { asWriter = false, once = false } = transactionOptions;
        if (!asWriter || once || !isRowTrouble(error)) throw error;
      }
      try {
        return await attempt(work, transactionOptions, performance.now() + isolationMs);
      } catch (error) {
        throw isRowTrouble(error) && !isPassingTrouble(error) ? tableRefuses(error) : error;
      }
    },

    async close() {
      isClosed = true;
      await Promise.all(lent);
    },
  };
}

/** Whatever stands in the way of a table is its owner's to mend, and nobody else's trouble. */
function tableRefuses(cause: DatabaseSyncError): SyncError {
  return new SyncError(cause.message, {
    code: 'table-refuses',
    disposition: 'retry',
    hint: 'see `clarify-sync doctor`; it goes on by itself once the cause is gone',
    cause,
  });
}

/**
 * Statements of their own that look at mirror tables: outside a transaction nothing limits how long one
 * waits for a table that somebody locks, and a connection with it.
 */
export function withinLockTimeout(db: Pick<Database, 'schemas' | 'transaction'>): Sql {
  const { schemas } = db;
  return { schemas, query: (text, values) => db.transaction((tx) => tx.query(text, values)) };
}

function openTransaction(
  client: pg.PoolClient,
  {
    timeoutMs,
    ...facts
  }: Pick<Transaction, 'schemas' | 'startedAt' | 'isolatesUntilMs'> & {
    readonly timeoutMs: number;
  },
): Transaction {
  const { schemas } = facts;
  return {
    ...facts,
    async query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]) {
      const { rows } = await run<Row>(client, { text, values, timeoutMs, schemas });
      return rows;
    },
    async copyFrom(statement, source) {
      let sourceError: unknown;
      source.once('error', (error) => {
        sourceError = error;
      });
      try {
        // Late: most that open a database copy nothing.
        const { copyStream } = await import('./copy-stream.ts');
        const target = copyStream(client, renderSql(statement, schemas));
        await pipeline(source, target);
        return target.rowCount;
      } catch (error) {
        throw error === sourceError ? error : classifyDatabaseError(error, schemas);
      }
    },
  };
}
