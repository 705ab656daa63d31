import pg from 'pg';
import { SyncError } from '../../domain/errors.ts';
import { type Meaning, meaningAtConnect, meaningOfLost, unreachable } from './connect-error.ts';

const exact: Readonly<Record<string, Meaning>> = {
  '25006': {
    code: 'database-read-only',
    disposition: 'retry',
    what: 'Postgres is read-only',
    hint: 'let DATABASE_URL name the primary, not a replica; or it has been made read-only',
  },
  '25P03': unreachable,
  '3D000': {
    code: 'database-missing',
    disposition: 'halt',
    what: 'the database does not exist',
    hint: 'create it, or correct DATABASE_URL',
  },
  '40001': { code: 'database-serialization', disposition: 'retry', what: 'two writers collided' },
  '40P01': { code: 'database-serialization', disposition: 'retry', what: 'two writers deadlocked' },
  '42501': {
    code: 'database-permission',
    disposition: 'halt',
    what: 'the database user lacks a right',
    hint: 'run `clarify-sync doctor` to see which rights are missing',
    quotable: true,
  },
  '53100': {
    code: 'database-full',
    disposition: 'retry',
    what: 'Postgres has no disk space left',
    hint: 'make room on its disk, then run the command again: nothing is lost',
  },
  '53200': {
    code: 'database-full',
    disposition: 'retry',
    what: 'Postgres has no memory left',
    hint: 'give its machine more, then run the command again: nothing is lost',
  },
  '53300': {
    code: 'database-busy',
    disposition: 'retry',
    what: 'Postgres has no connection free for this user',
    hint: 'raise max_connections or the limit of the role or database, or end what holds them, then run the command again',
  },
  '55P03': {
    code: 'database-lock-timeout',
    disposition: 'retry',
    what: 'somebody’s transaction holds a lock that is needed',
    hint: 'it goes on once that transaction ends; pg_locks and pg_stat_activity tell which it is',
  },
  '57014': { code: 'database-timeout', disposition: 'retry', what: 'a statement took too long' },
};

/** Of something of ours that was dropped or changed. */
const statement: Meaning = {
  code: 'database-statement',
  disposition: 'halt',
  what: 'Postgres cannot run a statement',
  hint: 'run `clarify-sync migrate`, then `clarify-sync doctor`',
  quotable: true,
};

const byClass: Readonly<Record<string, Meaning>> = {
  '08': unreachable,
  '22': { code: 'database-value', disposition: 'park', what: 'Postgres cannot store a value' },
  '23': { code: 'database-constraint', disposition: 'park', what: 'a constraint refused a row' },
  '28': {
    code: 'database-auth',
    disposition: 'halt',
    what: 'Postgres refused the user or password',
    hint: 'correct the user and password in DATABASE_URL',
  },
  '3F': statement,
  '42': statement,
  '53': { code: 'database-busy', disposition: 'retry', what: 'Postgres is short of resources' },
  '57': { code: 'database-restarting', disposition: 'retry', what: 'Postgres is restarting' },
  CS: { code: 'write-refused', disposition: 'park', what: 'write refused', quotable: true },
};

const unexpected: Meaning = {
  code: 'database-unexpected',
  disposition: 'halt',
  what: 'Postgres failed in a way nobody expected',
};

function meaningOf(sqlState: string): Meaning {
  return exact[sqlState] ?? byClass[sqlState.slice(0, 2)] ?? unexpected;
}

/** Names, never values: `detail`, `where` and most messages of Postgres quote the row itself. */
function place(error: pg.DatabaseError): string {
  const names = [
    error.table && `table ${error.schema ? `${error.schema}.` : ''}${error.table}`,
    error.column && `column ${error.column}`,
    error.constraint && `constraint ${error.constraint}`,
  ].filter(Boolean);
  return names.length === 0 ? '' : `, ${names.join(', ')}`;
}

function scrubbed(error: Error, message: string): Error {
  const cause = new Error(message);
  cause.name = error.name === 'error' ? 'DatabaseError' : error.name;
  const frames = error.stack?.indexOf('\n    at ') ?? -1;
  cause.stack = `${cause.name}: ${message}${frames < 0 ? '' : error.stack?.slice(frames)}`;
  return cause;
}

/** Where an error arose, by names alone. Null where the server did not say. */
export interface ErrorOrigin {
  /** With its schema. */
  readonly table: string | null;
  readonly column: string | null;
  readonly constraint: string | null;
  /** The innermost function that was running: a trigger's, or one that an index calls. */
  readonly routine: string | null;
  /** The table, or else the routine, is one of the control schema. */
  readonly isControl: boolean;
  /** It is the text of our statement that is wrong, not what the statement set off. */
  readonly inStatement: boolean;
}

const NOWHERE: ErrorOrigin = {
  table: null,
  column: null,
  constraint: null,
  routine: null,
  isControl: false,
  inStatement: false,
};

/** Postgres translates what surrounds the name, and quotes it in one way or another. */
const ROUTINE = /^(?:PL\/\w+ \S+ |SQL \S+ )"?([\w.$]+)(?:\(|")/m;

function originOf(error: pg.DatabaseError, control: string | null): ErrorOrigin {
  const { table, schema, column, constraint, position, where } = error;
  const routine = ROUTINE.exec(where ?? '')?.[1] ?? null;
  const home = table ? schema : routine?.split('.')[0];
  return {
    table: table ? `${schema ? `${schema}.` : ''}${table}` : null,
    column: column ?? null,
    constraint: constraint ?? null,
    routine,
    isControl: control !== null && home === control,
    inStatement: position !== undefined && where === undefined,
  };
}

function fromServer(error: pg.DatabaseError, { connecting, control }: Classifying): SyncError {
  const sqlState = error.code ?? 'XX000';
  const meaning = (connecting ? meaningAtConnect(sqlState) : null) ?? meaningOf(sqlState);
  const said = meaning.quotable || connecting ? `: ${error.message}` : '';
  const message =
    meaning.code === 'write-refused'
      ? error.message
      : `${meaning.what} (SQLSTATE ${sqlState}${place(error)})${said}`;
  const options = {
    code: meaning.code,
    disposition: meaning.disposition,
    hint: meaning.hint,
    cause: scrubbed(error, message),
  };
  return new DatabaseSyncError(message, sqlState, options, originOf(error, control));
}

interface Classifying {
  readonly connecting: boolean;
  /** The schema of the control tables. */
  readonly control: string | null;
}

/** An error of Postgres, its server's or its connection's. */
export class DatabaseSyncError extends SyncError {
  override readonly name = 'DatabaseError';
  /** Five characters, or null where no server answered. */
  readonly sqlState: string | null;
  readonly origin: ErrorOrigin;

  constructor(
    message: string,
    sqlState: string | null,
    options: ConstructorParameters<typeof SyncError>[1],
    origin: ErrorOrigin = NOWHERE,
  ) {
    super(message, options);
    this.sqlState = sqlState;
    this.origin = origin;
  }
}

/**
 * Gives an error of `pg` its code and disposition, by SQLSTATE or errno. What is not the
 * database's (a bug in our own code, an error that already has a code) comes back as it was.
 */
export function classifyDatabaseError(
  error: unknown,
  { connecting = false, control = null }: Partial<Classifying> = {},
): unknown {
  if (error instanceof SyncError || !(error instanceof Error)) return error;
  if (error instanceof pg.DatabaseError) return fromServer(error, { connecting, control });
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
    return error;
  }
  const { meaning, reason } = meaningOfLost(error);
  const message = `${meaning.what} (${reason})`;
  return new DatabaseSyncError(message, null, {
    code: meaning.code,
    disposition: meaning.disposition,
    hint: meaning.hint,
    cause: scrubbed(error, message),
  });
}
