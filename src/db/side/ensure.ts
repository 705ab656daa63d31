import { fitName, quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { Database, Sql } from '../database.ts';
import { triggerName } from '../mirror/attachments.ts';
import { qualify } from '../mirror/table.ts';
import { keyColumns, type SideTable } from './tables.ts';

/** Longer no DDL waits for a lock: it is tried again the next time. */
const DDL_LOCK_MS = 2_000;

/**
 * The table, quoted with its schema; made where there is none, and given the columns that one made
 * earlier lacks. It has its name, or the hashed one where somebody else has that. Who comes second
 * waits, and finds it made.
 *
 * @param onMade called once there is one that was not there.
 */
export async function ensureSideTable(
  db: Database,
  side: SideTable,
  onMade: () => Promise<void> = async () => {},
): Promise<string> {
  const standing = await findStanding(db, side);
  if (standing?.isWhole) return standing.table;
  const work = async (tx: Sql) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0))`);
    const made = await findStanding(tx, side);
    if (made !== null) {
      if (!made.isWhole) {
        for (const statement of completion(made.table, side, tx.schemas.title))
          await tx.query(statement);
      }
      return made.table;
    }
    const taken = await tx.query<{ name: string }>(
      `SELECT relname::text AS name FROM pg_class
        WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
       UNION SELECT table_name FROM {sync}.mirror`,
      [tx.schemas.mirror],
    );
    const names = new Set(taken.map(({ name }) => name));
    const table = qualify(fitName(side.name, (name) => names.has(name)));
    for (const statement of definition(table, side, tx.schemas.title)) await tx.query(statement);
    // Of one that somebody dropped everything is read again.
    await tx.query(
      `UPDATE {sync}.side_reading
          SET read_at = NULL, due_at = clock_timestamp(), attempts = 0, error = NULL WHERE part = $1`,
      [side.name],
    );
    return table;
  };
  const table = await db.transaction(work, { lockTimeoutMs: DDL_LOCK_MS });
  await onMade();
  return table;
}

/** The table, quoted with its schema; null where it was never made. */
export async function findSideTable(sql: Sql, side: SideTable): Promise<string | null> {
  return (await findStanding(sql, side))?.table ?? null;
}

interface Standing {
  readonly table: string;
  readonly isWhole: boolean;
}

async function findStanding(
  sql: Sql,
  { trigger, told, writing }: SideTable,
): Promise<Standing | null> {
  const columns = Object.keys(told);
  const triggers = writing?.triggers ?? [];
  const [row] = await sql.query<{ name: string; told: number; triggers: number }>(
    `SELECT c.relname::text AS name,
            (SELECT count(*)::integer FROM pg_attribute AS a
              WHERE a.attrelid = c.oid AND a.attname = ANY($3::text[]) AND NOT a.attisdropped) AS told,
            (SELECT count(*)::integer FROM pg_trigger AS w
              WHERE w.tgrelid = c.oid AND w.tgname = ANY($4::text[])) AS triggers
       FROM pg_trigger AS t
       JOIN pg_class AS c ON c.oid = t.tgrelid
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND t.tgname = $2`,
    [
      sql.schemas.mirror,
      triggerName(sql.schemas, trigger),
      columns,
      triggers.map(([name]) => triggerName(sql.schemas, name)),
    ],
  );
  if (row === undefined) return null;
  const isWhole = row.told === columns.length && row.triggers === triggers.length;
  return { table: qualify(row.name), isWhole };
}

function toldColumns({ told }: SideTable): readonly string[] {
  return Object.entries(told).map(
    ([name, [type, from]]) => `${quoteIdent(name)} ${type} GENERATED ALWAYS AS (${from}) STORED`,
  );
}

/** What one made earlier lacks. Columns of the same name that users added stay theirs. */
function completion(table: string, side: SideTable, title: string): string[] {
  const { id, writing } = side;
  const added = toldColumns(side).map((column) => `ADD COLUMN IF NOT EXISTS ${column}`);
  const statements = [`ALTER TABLE ${table} ${added.join(', ')}`];
  if (writing === undefined) return statements;
  for (const [name, [type, from, says]] of Object.entries(writing.columns)) {
    const column = quoteIdent(name);
    statements.push(
      `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${column} ${type}`,
      // No trigger fires, and no row is one that was changed.
      `ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${type} USING ${from}`,
      describe(table, { column: name, says, title }),
    );
  }
  return [
    ...statements,
    `ALTER TABLE ${table} ALTER COLUMN ${quoteIdent(id.name)} SET DEFAULT ${writing.newId}`,
    `COMMENT ON TABLE ${table} IS ${quoteLiteral(side.says)}`,
    ...triggersOf(table, side),
  ];
}

function describe(
  table: string,
  { column, says, title }: { readonly column: string; says: string; title: string },
): string {
  const comment = quoteLiteral(says.replaceAll('{title}', title));
  return `COMMENT ON COLUMN ${table}.${quoteIdent(column)} IS ${comment}`;
}

/** That of others' writes was another one where rows could not be written. */
function triggersOf(table: string, { trigger, refusal, writing }: SideTable): string[] {
  return [
    // By this one the table is known, whatever its name had to be.
    `CREATE OR REPLACE TRIGGER {mirror}_${trigger} BEFORE INSERT OR UPDATE OR DELETE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION {sync}.${refusal}()`,
    ...(writing?.triggers ?? []).map(
      ([name, when, executes]) =>
        `CREATE OR REPLACE TRIGGER {mirror}_${name} ${when.replace('{on}', `ON ${table}`)}
           EXECUTE FUNCTION {sync}.${executes}()`,
    ),
  ];
}

function definition(table: string, side: SideTable, title: string): string[] {
  const { object, parent, id, fields, told, indexes, writing } = side;
  const keys = keyColumns(side).map(quoteIdent);
  const written = Object.entries(writing?.columns ?? {});
  const newId = writing === undefined ? '' : ` DEFAULT ${writing.newId}`;
  const comments = [
    ...[object ?? [], parent ?? [], id].flat().map(({ name, says }) => [name, says] as const),
    ...(fields === null ? [] : [['fields', fields] as const]),
    ...[...Object.entries(told), ...written].map(([name, [, , says]]) => [name, says] as const),
    ['_synced_at', 'When clarify-sync last wrote the row.'] as const,
  ];
  return [
    `CREATE TABLE ${table} (
       ${[
         ...keyColumns(side).map(
           (key) => `${quoteIdent(key)} text NOT NULL${key === id.name ? newId : ''}`,
         ),
         ...toldColumns(side),
         ...written.map(([name, [type]]) => `${quoteIdent(name)} ${type}`),
         ...(fields === null ? [] : ['fields jsonb NOT NULL']),
         '_synced_at timestamptz NOT NULL DEFAULT clock_timestamp()',
         `PRIMARY KEY (${keys.join(', ')})`,
       ].join(',\n       ')}
     )`,
    `COMMENT ON TABLE ${table} IS ${quoteLiteral(side.says)}`,
    ...comments.map(([column, says]) => describe(table, { column, says, title })),
    ...indexes.map((column) => `CREATE INDEX ON ${table} (${quoteIdent(column)})`),
    ...triggersOf(table, side),
    `CREATE TRIGGER {mirror}_refuse_truncate BEFORE TRUNCATE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION {sync}.refuse_truncate()`,
  ];
}
