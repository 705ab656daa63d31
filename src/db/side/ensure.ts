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
      if (!made.isWhole) await tx.query(addTold(made.table, side));
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

async function findStanding(sql: Sql, { trigger, told }: SideTable): Promise<Standing | null> {
  const columns = Object.keys(told);
  const [row] = await sql.query<{ name: string; told: number }>(
    `SELECT c.relname::text AS name,
            (SELECT count(*)::integer FROM pg_attribute AS a
              WHERE a.attrelid = c.oid AND a.attname = ANY($3::text[]) AND NOT a.attisdropped) AS told
       FROM pg_trigger AS t
       JOIN pg_class AS c ON c.oid = t.tgrelid
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND t.tgname = $2`,
    [sql.schemas.mirror, triggerName(sql.schemas, trigger), columns],
  );
  if (row === undefined) return null;
  return { table: qualify(row.name), isWhole: row.told === columns.length };
}

function toldColumns({ told }: SideTable): readonly string[] {
  return Object.entries(told).map(
    ([name, [type, from]]) => `${quoteIdent(name)} ${type} GENERATED ALWAYS AS (${from}) STORED`,
  );
}

/** Columns of the same name that users added stay theirs. */
function addTold(table: string, side: SideTable): string {
  const added = toldColumns(side).map((column) => `ADD COLUMN IF NOT EXISTS ${column}`);
  return `ALTER TABLE ${table} ${added.join(', ')}`;
}

function definition(table: string, side: SideTable, title: string): string[] {
  const { object, parent, id, fields, told, trigger, refusal, indexes } = side;
  const keys = keyColumns(side).map(quoteIdent);
  const comments = [
    ...[object ?? [], parent ?? [], id].flat().map(({ name, says }) => [name, says] as const),
    ...(fields === null ? [] : [['fields', fields] as const]),
    ...Object.entries(told).map(([name, [, , says]]) => [name, says] as const),
    ['_synced_at', 'When clarify-sync last wrote the row.'] as const,
  ];
  return [
    `CREATE TABLE ${table} (
       ${[
         ...keys.map((key) => `${key} text NOT NULL`),
         ...toldColumns(side),
         ...(fields === null ? [] : ['fields jsonb NOT NULL']),
         '_synced_at timestamptz NOT NULL DEFAULT clock_timestamp()',
         `PRIMARY KEY (${keys.join(', ')})`,
       ].join(',\n       ')}
     )`,
    `COMMENT ON TABLE ${table} IS ${quoteLiteral(side.says)}`,
    ...comments.map(([column, says]) => {
      const comment = quoteLiteral(says.replaceAll('{title}', title));
      return `COMMENT ON COLUMN ${table}.${quoteIdent(column)} IS ${comment}`;
    }),
    ...indexes.map((column) => `CREATE INDEX ON ${table} (${quoteIdent(column)})`),
    // By this one the table is known, whatever its name had to be.
    `CREATE TRIGGER {mirror}_${trigger} BEFORE INSERT OR UPDATE OR DELETE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION {sync}.${refusal}()`,
    `CREATE TRIGGER {mirror}_refuse_truncate BEFORE TRUNCATE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION {sync}.refuse_truncate()`,
  ];
}
