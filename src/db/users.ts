import { stringifyJson } from '../domain/json.ts';
import { fitName, isStorableText, quoteIdent, quoteLiteral } from '../domain/names.ts';
import type { User } from '../domain/remote.ts';
import type { Database, Sql } from './database.ts';
import { triggerName } from './mirror/attachments.ts';
import { encodeExtra } from './mirror/extra.ts';
import { qualify, USERS_TABLE } from './mirror/table.ts';

/**
 * The table of users, quoted with its schema; made where there is none, and given the columns that
 * one made earlier lacks. It is called `user`, or by the hashed name where somebody else has that.
 * Who comes second waits, and finds it made.
 */
export async function ensureUsersTable(db: Database): Promise<string> {
  const standing = await findUsersTable(db);
  if (standing?.isWhole) return standing.table;
  const work = async (tx: Sql) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0))`);
    const made = await findUsersTable(tx);
    if (made !== null) {
      if (!made.isWhole) await tx.query(addTold(made.table));
      return made.table;
    }
    const taken = await tx.query<{ name: string }>(
      `SELECT relname::text AS name FROM pg_class
        WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
       UNION SELECT table_name FROM {sync}.mirror`,
      [tx.schemas.mirror],
    );
    const names = new Set(taken.map(({ name }) => name));
    const table = qualify(fitName(USERS_TABLE, (name) => names.has(name)));
    for (const statement of definition(table, tx.schemas.title)) await tx.query(statement);
    return table;
  };
  return await db.transaction(work, { lockTimeoutMs: DDL_LOCK_MS });
}

/** Longer no DDL waits for a lock: it is tried again the next time. */
const DDL_LOCK_MS = 2_000;

interface Standing {
  readonly table: string;
  readonly isWhole: boolean;
}

async function findUsersTable(sql: Sql): Promise<Standing | null> {
  const [row] = await sql.query<{ name: string; told: number }>(
    `SELECT c.relname::text AS name,
            (SELECT count(*)::integer FROM pg_attribute AS a
              WHERE a.attrelid = c.oid AND a.attname = ANY($3::text[]) AND NOT a.attisdropped) AS told
       FROM pg_trigger AS t
       JOIN pg_class AS c ON c.oid = t.tgrelid
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND t.tgname = $2`,
    [sql.schemas.mirror, triggerName(sql.schemas, 'users_read_only'), Object.keys(TOLD)],
  );
  if (row === undefined) return null;
  return { table: qualify(row.name), isWhole: row.told === Object.keys(TOLD).length };
}

/**
 * What most queries want of a user. A name comes in parts, in older workspaces as a text, and the
 * whole of it only sometimes.
 */
const TOLD: Readonly<Record<string, string>> = {
  name: `coalesce(
    nullif(fields #>> '{name,full_name}', ''),
    nullif(btrim(coalesce(fields #>> '{name,first_name}', '') || ' '
              || coalesce(fields #>> '{name,last_name}', '')), ''),
    CASE jsonb_typeof(fields -> 'name') WHEN 'string' THEN nullif(fields ->> 'name', '') END)`,
  email: `fields ->> 'email'`,
};

function toldColumns(): readonly string[] {
  return Object.entries(TOLD).map(
    ([name, told]) => `${quoteIdent(name)} text GENERATED ALWAYS AS (${told}) STORED`,
  );
}

/** Columns of the same name that users added stay theirs. */
function addTold(table: string): string {
  const added = toldColumns().map((column) => `ADD COLUMN IF NOT EXISTS ${column}`);
  return `ALTER TABLE ${table} ${added.join(', ')}`;
}

function definition(table: string, title: string): string[] {
  return [
    `CREATE TABLE ${table} (
       id text PRIMARY KEY,
       ${toldColumns().join(',\n       ')},
       fields jsonb NOT NULL,
       _synced_at timestamptz NOT NULL DEFAULT clock_timestamp()
     )`,
    `COMMENT ON TABLE ${table} IS 'Users of the workspace: who _created_by and _updated_by name. Read-only.'`,
    `COMMENT ON COLUMN ${table}.fields IS ${quoteLiteral(`Everything ${title} tells of the user.`)}`,
    `COMMENT ON COLUMN ${table}._synced_at IS 'When clarify-sync last wrote the row.'`,
    // By this one the table is known, whatever its name had to be.
    `CREATE TRIGGER {mirror}_users_read_only BEFORE INSERT OR UPDATE OR DELETE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION {sync}.refuse_user_write()`,
    `CREATE TRIGGER {mirror}_refuse_truncate BEFORE TRUNCATE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION {sync}.refuse_truncate()`,
  ];
}

/**
 * Brings the table up to the users there are: those who left go. In a transaction as writer; rows
 * that a user holds locked are left to the next time. @returns rows written or taken away.
 */
export async function writeUsers(tx: Sql, table: string, users: readonly User[]): Promise<number> {
  const storable = users.filter(({ id }) => isStorableText(id));
  if (storable.length === 0) return 0;
  const ids = storable.map(({ id }) => id);
  const fields = storable.map((user) => stringifyJson(encodeExtra(user.fields)));
  const rows = await tx.query(
    `WITH told AS MATERIALIZED (
       SELECT id, fields::jsonb AS fields FROM unnest($1::text[], $2::text[]) AS t(id, fields)
     ), free AS MATERIALIZED (
       SELECT id FROM ${table} ORDER BY id FOR UPDATE SKIP LOCKED
     ), gone AS (
       DELETE FROM ${table} AS u USING free AS f
        WHERE u.id = f.id AND NOT EXISTS (SELECT 1 FROM told AS t WHERE t.id = u.id) RETURNING 1
     ), changed AS (
       UPDATE ${table} AS u SET fields = t.fields, _synced_at = clock_timestamp()
         FROM told AS t JOIN free AS f USING (id)
        WHERE u.id = t.id AND u.fields IS DISTINCT FROM t.fields RETURNING 1
     ), added AS (
       INSERT INTO ${table} (id, fields) SELECT id, fields FROM told
           ON CONFLICT DO NOTHING RETURNING 1
     )
     SELECT FROM gone UNION ALL SELECT FROM changed UNION ALL SELECT FROM added`,
    [ids, fields],
  );
  return rows.length;
}
