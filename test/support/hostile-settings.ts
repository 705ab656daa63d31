import type { TestDatabase } from './database.ts';

/** Longer than a busy machine takes between a connection and the first question on it. */
export const LIMIT_MS = 500;

/** Every setting a user may give a database or role that changes what statements do or say. */
const HOSTILE = [
  `timezone = 'Asia/Kathmandu'`,
  `datestyle = 'German, DMY'`,
  'extra_float_digits = -10',
  `intervalstyle = 'iso_8601'`,
  `bytea_output = 'escape'`,
  `xmloption = 'document'`,
  'array_nulls = off',
  'standard_conforming_strings = off',
  `backslash_quote = 'off'`,
  'quote_all_identifiers = on',
  'transform_null_equals = on',
  'check_function_bodies = off',
  'row_security = off',
  'gin_fuzzy_search_limit = 1',
  'synchronous_commit = off',
  `statement_timeout = ${LIMIT_MS}`,
  'lock_timeout = 1',
  `idle_in_transaction_session_timeout = ${LIMIT_MS}`,
  `idle_session_timeout = ${LIMIT_MS}`,
  `default_transaction_isolation = 'serializable'`,
  'default_transaction_read_only = on',
  'default_transaction_deferrable = on',
  `search_path = 'evil', 'pg_catalog'`,
  `client_encoding = 'LATIN1'`,
  `lc_numeric = 'C'`,
  `client_min_messages = 'error'`,
] as const;

/** From now on connections to the database get these settings, and functions in the place of Postgres'. */
export async function makeHostile({ db, name }: TestDatabase): Promise<void> {
  await db.query('CREATE SCHEMA evil');
  for (const [given, type, value] of [
    ['now()', 'timestamptz', '1999-01-01'],
    ['lower(text)', 'text', 'evil'],
    ['clock_timestamp()', 'timestamptz', '1999-01-01'],
  ]) {
    await db.query(
      `CREATE FUNCTION evil.${given} RETURNS ${type} LANGUAGE sql AS $$ SELECT ${type} '${value}' $$`,
    );
  }
  const [{ version } = { version: 0 }] = await db.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int4 / 10000 AS version`,
  );
  const settings = [...HOSTILE, ...(version >= 17 ? [`transaction_timeout = ${LIMIT_MS}`] : [])];
  for (const setting of settings) await db.query(`ALTER DATABASE ${name} SET ${setting}`);
}
