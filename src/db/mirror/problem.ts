import { doWithout } from '../../domain/do-without.ts';
import { SyncError } from '../../domain/errors.ts';

/** An object (or link table) that cannot be mirrored as things are; the others can. */
export interface MirrorProblem {
  readonly object: string;
  readonly code: string;
  readonly message: string;
  readonly error: SyncError;
  /** The table that stands must be left alone; otherwise it goes on as it was. */
  readonly stops: boolean;
}

/** What leaves a table as it was, and as usable as it was. */
const PASSABLE: ReadonlySet<string> = new Set(['schema-lock-timeout', 'mirror-change-failed']);

export function problemOf(object: string, error: SyncError): MirrorProblem {
  const { code, message } = error;
  return { object, code, message, error, stops: !PASSABLE.has(code) };
}

/**
 * Of an object that the CRM does not describe.
 *
 * @param isKnown it is told as it was known before: its table goes on by that.
 */
export function undescribedObject(
  object: string,
  error: SyncError,
  isKnown: boolean,
): MirrorProblem {
  const { code, hint = 'See what the key may read.' } = error;
  const message = `${object}: its fields are not told: ${error.message}`;
  const told = new SyncError(message, {
    code,
    disposition: 'park',
    hint: `${hint} ${doWithout(object)}`,
    cause: error,
  });
  return { object, code, message, error: told, stops: !isKnown };
}

/** `table` with its schema, here and below. */
export function nameTaken(object: string, table: string): SyncError {
  return new SyncError(`${object}: ${table} exists and is not ours`, {
    code: 'mirror-name-taken',
    disposition: 'park',
    hint: `rename ${table} or move it to another schema; the other objects are mirrored`,
  });
}

export function damagedTable(object: string, table: string, columns: readonly string[]): SyncError {
  return new SyncError(`${object}: ${table} has ${columns.join(', ')} with another type`, {
    code: 'mirror-damaged',
    disposition: 'park',
    hint: `give ${columns.join(', ')} of ${table} the old type back, or drop them`,
  });
}

export function damagedLinks(name: string, table: string, columns: readonly string[]): SyncError {
  return new SyncError(`${name}: ${table} has no ${columns.join(', ')} of type text`, {
    code: 'mirror-damaged',
    disposition: 'park',
    hint: `give ${columns.join(', ')} of ${table} name and type back, or drop the table: it is then made anew and its links read again`,
  });
}

/** Of a table beside the mirror tables. */
export function damagedKey(table: string, columns: readonly string[]): SyncError {
  const names = columns.join(', ');
  return new SyncError(`table ${table} has no ${names} as it was made with`, {
    code: 'mirror-damaged',
    disposition: 'park',
    hint: `give ${names} of ${table} name and type back, or drop the table: it is then made anew and everything read again`,
  });
}

export function replacedTable(object: string, table: string): SyncError {
  return new SyncError(
    `${object}: ${table} is not the table that was made: something put another in its place`,
    {
      code: 'mirror-replaced',
      disposition: 'park',
      hint: `rename ${table}, or drop it: the table is then made anew and everything read into it; let tools append or merge, not replace`,
    },
  );
}

/**
 * What reads or writes a table means those that inherit from it as well, so that their rows would be
 * taken for records that are gone; and what is written by way of a parent fires no trigger of ours.
 */
export function inheritedTable(object: string, table: string, kin: readonly string[]): SyncError {
  return new SyncError(
    `${object}: ${table} shares its rows with ${kin.join(', ')}, by inheritance`,
    {
      code: 'mirror-inherited',
      disposition: 'park',
      hint: `part them (\`alter table … no inherit …\`, or \`detach partition\`): a copy is made with \`like\`, several tables are read as one by a view`,
    },
  );
}

export function keylessTable(object: string, cause: SyncError): SyncError {
  return new SyncError(`${object}: its table has lost its key, and cannot get it back`, {
    code: 'mirror-damaged',
    disposition: 'park',
    hint: `${cause.message}; remove rows with the same id or none, then run \`clarify-sync sync\``,
    cause,
  });
}

export function unstorableName(title: string): SyncError {
  return new SyncError('an object has a name that Postgres cannot hold', {
    code: 'mirror-name-unstorable',
    disposition: 'park',
    hint: `rename the object in ${title}; the other objects are mirrored`,
  });
}

export function schemaLockTimeout(what: string, cause: unknown): SyncError {
  return new SyncError(`${what}: somebody holds a lock that the schema change needs`, {
    code: 'schema-lock-timeout',
    disposition: 'retry',
    hint: 'it is tried again at the next schema check; pg_locks shows who holds the table',
    cause,
  });
}

/** The CRM would have to have lost everything. */
export function emptySchema(): SyncError {
  return new SyncError('the workspace lists no object at all; the mirror was left as it is', {
    code: 'schema-empty',
    disposition: 'retry',
    hint: 'check that the key may read the workspace',
  });
}

/** The cause says what Postgres refused. */
export function failedObject(object: string, cause: SyncError): SyncError {
  return new SyncError(`${object}: its table could not be changed: ${cause.message}`, {
    code: 'mirror-change-failed',
    disposition: 'park',
    hint: cause.hint ?? `see \`clarify-sync schema --sql\` for the statements`,
    cause,
  });
}
