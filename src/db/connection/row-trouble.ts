import { SyncError } from '../../domain/errors.ts';
import { DatabaseSyncError } from './database-error.ts';

/** Why a row is not as its record says, by names and never by values. */
export interface RowTrouble {
  /** `row-refused`: Postgres raised an error; `row-differs`: it raised none, and yet wrote something else. */
  readonly code: 'row-refused' | 'row-differs';
  readonly sqlState: string | null;
  /** With its schema: the table of the constraint, else the one that was written. */
  readonly table: string;
  readonly constraint: string | null;
  readonly reason: string;
  /** A lock was not free, or two writers collided: it passes by itself. */
  readonly passing: boolean;
  /** It was found out before, and the row was not tried now. */
  readonly known: boolean;
}

/** What was refused, by the row's id. */
export type Refusals = ReadonlyMap<string, RowTrouble>;

/**
 * What concerns the server, the connection or the whole transaction, by class or SQLSTATE. All
 * else a table, a constraint, a trigger, a policy, a type, a size limit or a right may cause, with
 * an SQLSTATE of the user's own choice too (`RAISE … USING ERRCODE`).
 */
const OF_ALL = /^(?:53...|57P..|57000|58...|72...|F0...|25006|25P0[234]|40003)$/;
/** Likewise, unless a function that the statement set off met it: with another server, say. */
const OF_CONNECTION = /^(?:0[8B]...|26...|28...|3B...|3D...)$/;
/** Passing by themselves, and of the row alone where nobody else is in the way. */
const PASSING = /^(?:40...|55P03|55006)$/;
/** Wrong by its own text, a statement fails for every row alike. */
const OF_STATEMENT = /^(?:42|0A|34)/;
const OF_CONSTRAINT = /^23/;

/** Whether an error may be one row's own, so that the others can be written without it. */
export function isRowTrouble(error: unknown): error is DatabaseSyncError {
  if (!(error instanceof DatabaseSyncError) || error.sqlState === null) return false;
  const { sqlState, origin } = error;
  if (isOfControlTable(error)) return false;
  if (OF_STATEMENT.test(sqlState) && origin.inStatement) return false;
  if (OF_CONNECTION.test(sqlState) && origin.routine === null) return false;
  return !OF_ALL.test(sqlState);
}

/**
 * A constraint of ours was violated: what the outbox may become, above all. No row is at fault, and
 * nothing goes on by itself; it is a bug, and to be seen as one. What users built onto history tables
 * is met in a function of ours too, and names its table.
 */
function isOfControlTable({ sqlState, origin }: DatabaseSyncError): boolean {
  return OF_CONSTRAINT.test(sqlState ?? '') && origin.isControl;
}

export function isPassingTrouble({ sqlState }: DatabaseSyncError): boolean {
  return PASSING.test(sqlState ?? '');
}

/** @param table the one that was written, with its schema. */
export function troubleOf(error: DatabaseSyncError, table: string): RowTrouble {
  const { sqlState, origin } = error;
  const { column, routine } = origin;
  const where = [column !== null && `column ${column}`, routine !== null && `function ${routine}`];
  const names = where.filter((name) => name !== false).join(', ');
  const what = WHAT[sqlState ?? ''] ?? WHAT[(sqlState ?? '').slice(0, 2)] ?? 'an error was raised';
  return {
    code: 'row-refused',
    sqlState,
    table: origin.table ?? table,
    constraint: origin.constraint,
    reason: names === '' ? what : `${what} (${names})`,
    passing: isPassingTrouble(error),
    known: false,
  };
}

/** Where a statement went well and the row is not what it wrote, or is still there. */
export function differing(table: string, reason: string): RowTrouble {
  const rest = { sqlState: null, constraint: null, passing: false, known: false } as const;
  return { code: 'row-differs', table, reason, ...rest };
}

/** Nothing of a table can be written: whatever it is, it is the table's trouble and no row's. */
export function tableRefuses(object: string, trouble: RowTrouble): SyncError {
  return new SyncError(`${object}: no row can be written: ${describeTrouble(trouble)}`, {
    code: 'table-refuses',
    disposition: 'retry',
    hint: 'it goes on by itself once the cause is gone',
  });
}

/** One line, by names alone. */
export function describeTrouble(
  trouble: Pick<RowTrouble, 'sqlState' | 'table' | 'constraint' | 'reason'>,
): string {
  const { sqlState, table, constraint, reason } = trouble;
  const place = constraint === null ? table : `${table}, constraint ${constraint}`;
  return `${reason}: ${place}${sqlState === null ? '' : ` (SQLSTATE ${sqlState})`}`;
}

const WHAT: Readonly<Record<string, string>> = {
  '0A': 'not supported for this table',
  '21': 'a function got more rows than one',
  '22': 'a value does not fit',
  '22001': 'a text is too long',
  '23': 'a constraint is violated',
  '23001': 'other rows refer to it',
  '23502': 'a column must not be null',
  '23503': 'a foreign key is violated',
  '23505': 'a value is taken already',
  '23514': 'a check is violated',
  '23P01': 'an exclusion is violated',
  '38': 'a function of yours failed',
  '39': 'a function of yours failed',
  '40': 'two writers collided',
  '42': 'a trigger, policy or index cannot be run',
  '42501': 'a right is missing, or a policy refuses it',
  '42P10': 'the replica identity does not fit what a publication sends',
  '44': 'a view refuses it',
  '54': 'a limit of Postgres is exceeded',
  '55': 'the table is not in the right state',
  '55000': 'the table has no replica identity for what a publication sends',
  '55P03': 'a lock was not free',
  '57014': 'it took too long',
  HV: 'a foreign table failed',
  P0: 'a trigger refused it',
  XX: 'an index or the table is damaged',
};
