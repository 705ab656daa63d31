import { SyncError } from '../../domain/errors.ts';

interface Pin {
  readonly name: string;
  /** What our statements are written for. */
  readonly value: string;
  /** What else they can do with outside a transaction, as a regular expression. */
  readonly fine?: string;
  /** What is stronger than what we need, likewise. */
  readonly keeps?: string;
}

/**
 * Settings of a server, database or role that would change what our statements do or say. None of
 * them needs more than a user's rights.
 */
const PINS: readonly Pin[] = [
  { name: 'timezone', value: 'UTC', fine: '' },
  { name: 'datestyle', value: 'ISO, YMD', fine: '^ISO,' },
  { name: 'extra_float_digits', value: '1', fine: '^[123]$' },
  { name: 'intervalstyle', value: 'postgres' },
  { name: 'bytea_output', value: 'hex' },
  { name: 'xmloption', value: 'content' },
  // Off, a NULL in a list that we send would be the text NULL.
  { name: 'array_nulls', value: 'on' },
  { name: 'standard_conforming_strings', value: 'on' },
  { name: 'quote_all_identifiers', value: 'off' },
  { name: 'transform_null_equals', value: 'off' },
  { name: 'default_table_access_method', value: 'heap' },
  // A limit would hide records from the look-up that keeps them from being created twice.
  { name: 'gin_fuzzy_search_limit', value: '0' },
  // That a create is about to be sent has to outlive a crash; a statement on its own need not.
  { name: 'synchronous_commit', value: 'on', fine: '', keeps: '^(local|remote_)' },
  // From 17 on.
  { name: 'transaction_timeout', value: '0' },
];

/** Likewise of a statement on its own; a transaction of ours says each of them anyway. */
const PLAIN: readonly Pin[] = [
  ...PINS,
  { name: 'statement_timeout', value: '0' },
  { name: 'lock_timeout', value: '0' },
  { name: 'default_transaction_isolation', value: 'read committed' },
  { name: 'default_transaction_read_only', value: 'off' },
];

/** What a statement on its own can do with, as a regular expression. */
function fineOf({ value, fine }: Pin): string {
  return fine ?? `^${value}$`;
}

/** The settings that are replaced where they deviate, and what does not. */
export const REPLACED: readonly { readonly name: string; readonly fine: string }[] = PLAIN.map(
  (pin) => ({ name: pin.name, fine: fineOf(pin) }),
);

/** What a connection's role and database make of a session. */
export interface SessionState {
  /** A statement on its own would not mean what it means to us: it needs a transaction as well. */
  readonly deviates: boolean;
  /** Transactions are read-only unless they say otherwise. */
  readonly readOnly: boolean;
  /** Where functions of others would be found before Postgres' own: a path that mends it. */
  readonly searchPath: string | null;
}

export const ORDINARY: SessionState = { deviates: false, readOnly: false, searchPath: null };

/**
 * To be asked once per connection. Sets what has to outlive a transaction: that an idle
 * connection is kept. A pooler that shares it with others keeps idle ones by rules of its own.
 */
export const READ_SESSION = `
  SELECT getdatabaseencoding() AS encoding,
         pins.deviates,
         current_setting('default_transaction_read_only') = 'on' AND NOT pg_is_in_recovery() AS "readOnly",
         first.name AS "firstSchema", current_setting('search_path') AS "searchPath",
         CASE WHEN current_setting('idle_session_timeout', true) <> '0'
              THEN set_config('idle_session_timeout', '0', false) END
    FROM (SELECT coalesce(bool_or(coalesce(current_setting(p.name, true) !~ p.fine, false)), false) AS deviates
            FROM unnest(ARRAY[${PLAIN.map(({ name }) => `'${name}'`).join(',')}]::text[],
                        ARRAY[${PLAIN.map((pin) => `'${fineOf(pin)}'`).join(',')}]::text[]) AS p(name, fine)) AS pins,
         (SELECT s.name FROM unnest(current_schemas(true)) WITH ORDINALITY AS s(name, place)
           WHERE s.name NOT LIKE 'pg_temp%' ORDER BY s.place LIMIT 1) AS first`;

/** What {@link READ_SESSION} answers. */
export interface SessionAnswer {
  readonly encoding: string;
  readonly deviates: boolean;
  readonly readOnly: boolean;
  /** Where functions are looked for first. */
  readonly firstSchema: string;
  readonly searchPath: string;
}

/**
 * @param clockSchema may come before Postgres' own, and nothing else may.
 * @throws SyncError `database-encoding` (halt) where texts of the CRM cannot be stored.
 */
export function toSessionState(row: SessionAnswer | undefined, clockSchema?: string): SessionState {
  if (row === undefined) return ORDINARY;
  if (row.encoding !== 'UTF8') throw wrongEncoding(row.encoding);
  const { deviates, readOnly, firstSchema } = row;
  const isOurs = firstSchema === 'pg_catalog' || firstSchema === clockSchema;
  const searchPath = isOurs ? null : `pg_catalog, ${row.searchPath}`;
  return { deviates: deviates || searchPath !== null, readOnly, searchPath };
}

function wrongEncoding(encoding: string): SyncError {
  return new SyncError(`the database stores text as ${encoding}, which not every text fits`, {
    code: 'database-encoding',
    disposition: 'halt',
    hint: `let DATABASE_URL name one made with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`,
  });
}

/**
 * Begins a transaction in which our statements mean what they say. SET LOCAL alone: behind a
 * transaction pooler a session belongs to nobody.
 */
export function beginStatements(
  state: SessionState,
  limits: { readonly lockMs: number; readonly statementMs: number; readonly idleMs: number },
): readonly string[] {
  const settings: readonly Pin[] = [
    ...PINS,
    { name: 'lock_timeout', value: String(limits.lockMs) },
    { name: 'statement_timeout', value: String(limits.statementMs) },
    { name: 'idle_in_transaction_session_timeout', value: String(limits.idleMs) },
    ...(state.searchPath === null ? [] : [{ name: 'search_path', value: state.searchPath }]),
  ];
  const rows = settings.map(
    ({ name, value, keeps = '^$' }) => `(${[name, value, keeps].map(quote).join(', ')})`,
  );
  return [
    `begin isolation level read committed${state.readOnly ? ' read write' : ''}`,
    `select set_config(p.name, p.value, true) from (values ${rows.join(', ')}) as p(name, value, keeps)
      where current_setting(p.name, true) <> p.value and current_setting(p.name, true) !~ p.keeps`,
  ];
}

/** Right whatever standard_conforming_strings says, which is only set by this. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
