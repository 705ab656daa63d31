import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { QueryResultRow } from 'pg';
import { SyncError } from '../../domain/errors.ts';
import { quoteIdent, quoteLiteral } from '../../domain/names.ts';
import { renderSql, type Schemas, verbatim } from '../control/schemas.ts';
import { classifyDatabaseError, DatabaseSyncError } from './database-error.ts';
import { toParameter } from './database-types.ts';
import type { Connection, KeptPlan } from './server.ts';
import { beginStatements, type SessionState } from './session-settings.ts';

const defaultLockTimeoutMs = 2_000;
export const defaultStatementTimeoutMs = 300_000;
const defaultIdleTimeoutMs = 8_000;
/** The server gives up first; this is for a server that no longer answers at all. */
const answerGraceMs = 10_000;

/** Limits of one statement, which every transaction has. */
export interface Limits {
  /**
   * How long a statement may wait for a lock; default 2 s. Whoever waits holds a connection that
   * everybody else needs: who cannot have the lock soon comes again.
   */
  readonly lockTimeoutMs?: number;
  /** How long one statement may run; default 5 minutes. */
  readonly statementTimeoutMs?: number;
  /**
   * Runs on a connection of its own, which nothing else uses: what must not wait until others let go
   * of theirs, such as the lease.
   */
  readonly reserved?: boolean;
}

interface Beginning extends Limits {
  readonly idleTimeoutMs?: number;
  readonly asWriter?: boolean;
  readonly schemas: Schemas;
  readonly state: SessionState;
  readonly isolates: boolean;
}

function prelude({ schemas, state, isolates, ...options }: Beginning): string {
  const settings = [
    ...beginStatements(state, {
      lockMs: Math.trunc(options.lockTimeoutMs ?? defaultLockTimeoutMs),
      statementMs: Math.trunc(options.statementTimeoutMs ?? defaultStatementTimeoutMs),
      idleMs: Math.trunc(options.idleTimeoutMs ?? defaultIdleTimeoutMs),
    }),
  ];
  if (options.asWriter) {
    settings.push(
      `select set_config('${schemas.control}.writer',
         (select writer_secret from ${schemas.control}.installation), true)`,
    );
  }
  // What is checked at the commit cannot be told of one row any more.
  if (isolates) settings.push('set constraints all immediate');
  settings.push('select now() as "startedAt"');
  return settings.join('; ');
}

export async function run<Row extends QueryResultRow>(
  client: pg.ClientBase,
  statement: {
    readonly text: string;
    readonly values?: readonly unknown[] | undefined;
    readonly timeoutMs: number;
    readonly schemas: Schemas;
    /** Keeps its plan with the connection. */
    readonly keepsPlan?: boolean;
  },
): Promise<pg.QueryResult<Row>> {
  const { values, timeoutMs, schemas, keepsPlan = false } = statement;
  const text = renderSql(statement.text, schemas);
  const config = {
    text,
    query_timeout: timeoutMs + answerGraceMs,
    ...(keepsPlan && { name: nameOf(text) }),
  };
  try {
    return await client.query<Row>(
      values === undefined ? config : { ...config, values: values.map(toParameter) },
    );
  } catch (error) {
    throw classifyDatabaseError(error, schemas);
  }
}

/** The same for the same text alone: a pooler may lead to what another process has prepared. */
function nameOf(text: string): string {
  return createHash('sha1').update(text).digest('base64');
}

/** There is no such prepared statement, there is one already, or it answers with other columns by now. */
const NOT_AS_PREPARED = new Set(['26000', '42P05', '0A000']);

/** Whether a statement failed for its plan was kept, which a pooler or a migration may come between. */
export function hasLostPlan(error: unknown): boolean {
  return error instanceof DatabaseSyncError && NOT_AS_PREPARED.has(error.sqlState ?? '');
}

/** What was planned for a small table is no plan for what it has grown to. */
const MOST_RUNS = 20;

/**
 * What it takes to run a statement by a plan that is kept, whatever the texts: `prepare` and `execute` go
 * into any message, where parameters of the protocol take several.
 */
function runKept(kept: KeptPlan, text: string, texts: readonly string[]): readonly string[] {
  const name = quoteIdent(nameOf(text));
  const statements = [`execute ${name}(${texts.map(quoteLiteral).join(', ')})`];
  if (kept.statement !== text || kept.runs >= MOST_RUNS) {
    statements.unshift(`prepare ${name}(${texts.map(() => 'text').join(', ')}) as ${text}`);
    if (kept.statement !== null)
      statements.unshift(`deallocate ${quoteIdent(nameOf(kept.statement))}`);
    Object.assign(kept, { statement: text, runs: 0 });
  }
  kept.runs += 1;
  // Otherwise it is planned anew five times at least.
  return ['set local plan_cache_mode to force_generic_plan', ...statements];
}

interface Begun {
  readonly startedAt: string;
}

interface Rows<Row> {
  readonly rows: Row[];
}

/** @returns what `now()` says in the transaction begun. */
export async function begin(client: pg.ClientBase, beginning: Beginning): Promise<string> {
  const { schemas, statementTimeoutMs: timeoutMs = defaultStatementTimeoutMs } = beginning;
  const text = verbatim(prelude(beginning));
  const result = await run<Begun>(client, { text, timeoutMs, schemas });
  // One of each statement; pg's types know of one alone.
  return beginOf([result].flat().at(-1));
}

/**
 * Runs one statement in a transaction of its own, all in one message.
 *
 * @param options.keeps texts in the places of its parameters, and where its plan is kept. Whatever fails,
 * what the connection keeps is not known from then on: it is to be closed.
 */
export async function runSingle<Row extends QueryResultRow>(
  client: pg.ClientBase,
  statement: string,
  options: Limits & {
    readonly schemas: Schemas;
    readonly state: SessionState;
    readonly keeps?: { readonly plan: KeptPlan; readonly texts: readonly string[] } | undefined;
  },
): Promise<Begun & Rows<Row>> {
  const { schemas, statementTimeoutMs: timeoutMs = defaultStatementTimeoutMs, keeps } = options;
  const rendered = renderSql(statement, schemas);
  const statements = keeps === undefined ? [rendered] : runKept(keeps.plan, rendered, keeps.texts);
  const beginning = prelude({ ...options, isolates: false });
  const text = verbatim([beginning, ...statements, 'commit'].join('; '));
  const told = await run<Row & Begun>(client, { text, timeoutMs, schemas });
  // Of each statement one, the last of which is the commit.
  const [begun, ...results] = [told].flat().slice(-2 - statements.length);
  return { rows: results.at(-2)?.rows ?? [], startedAt: beginOf(begun) };
}

function beginOf(result: pg.QueryResult<Begun> | undefined): string {
  const [row] = result?.rows ?? [];
  if (row !== undefined) return row.startedAt;
  throw new SyncError('Postgres did not say when a transaction began', {
    code: 'database-unexpected',
    disposition: 'halt',
  });
}

/** After an error without an SQLSTATE the connection may still be busy: never reuse it. */
export function isBroken(error: unknown): boolean {
  return error instanceof SyncError && 'sqlState' in error && error.sqlState === null;
}

export async function rollBack(
  connection: Connection,
  schemas: Schemas,
  cause: unknown,
): Promise<void> {
  if (isBroken(cause)) return connection.release(true);
  try {
    await run(connection.client, { text: 'rollback', timeoutMs: 0, schemas });
  } catch {
    // The first error is the one to tell; closing the connection rolls back as well.
    return connection.release(true);
  }
  connection.release();
}
