import { SyncError } from '../../domain/errors.ts';
import { fitName, quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { Database, Sql } from '../connection/database.ts';
import type { Schemas } from '../control/schemas.ts';
import { readOnlyTriggers, triggerName, type WantedTrigger } from '../mirror/attachments.ts';
import { commentSql } from '../mirror/ddl.ts';
import { type OwnTable, planOwnColumns } from '../mirror/own-columns.ts';
import { readShape } from '../mirror/standing-relations.ts';
import { qualify } from '../mirror/table.ts';
import { keyColumns, type SideTable } from './tables.ts';

/** Longer no DDL waits for a lock: it is tried again the next time. */
const DDL_LOCK_MS = 2_000;

/**
 * The table, quoted with its schema; made where there is none, and given what one made earlier lacks, or
 * somebody took. It has its name, or the hashed one where somebody else has that. Who comes second
 * waits, and finds it made.
 *
 * @param onMade called once there is one that was not there.
 * @throws SyncError `mirror-damaged` where its rows cannot be told apart any more.
 */
export async function ensureSideTable(
  db: Database,
  side: SideTable,
  onMade: () => Promise<void> = async () => {},
): Promise<string> {
  const standing = await findStanding(db, side);
  if (standing !== null && (await planMending(db, side, standing)).length === 0) {
    return qualify(standing);
  }
  const work = async (tx: Sql) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0))`);
    const made = await findStanding(tx, side);
    if (made !== null) {
      for (const statement of await planMending(tx, side, made)) await tx.query(statement);
      return qualify(made);
    }
    const taken = await tx.query<{ name: string }>(
      `SELECT relname::text AS name FROM pg_class
        WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
       UNION SELECT table_name FROM {sync}.mirror`,
      [tx.schemas.mirror],
    );
    const names = new Set(taken.map(({ name }) => name));
    const name = fitName(side.name, (candidate) => names.has(candidate));
    for (const statement of definition(name, side, tx.schemas)) await tx.query(statement);
    // Of one that somebody dropped everything is read again.
    await tx.query(readAllAgain(side));
    return qualify(name);
  };
  const table = await db.transaction(work, { lockTimeoutMs: DDL_LOCK_MS, asWriter: true });
  await onMade();
  return table;
}

/** The table, quoted with its schema; null where it was never made. */
export async function findSideTable(sql: Sql, side: SideTable): Promise<string | null> {
  const standing = await findStanding(sql, side);
  return standing === null ? null : qualify(standing);
}

/** {@link findSideTable}; null also where its rows cannot be told apart. */
export async function findKeyedTable(sql: Sql, side: SideTable): Promise<string | null> {
  const standing = await findStanding(sql, side);
  if (standing === null) return null;
  const { columns } = await readShape(sql, standing);
  return keyColumns(side).every((one) => columns.has(one)) ? qualify(standing) : null;
}

/** {@link ensureSideTable} of one that stands; null also where it cannot be written as things are. */
export async function mendSideTable(db: Database, side: SideTable): Promise<string | null> {
  if ((await findStanding(db, side)) === null) return null;
  try {
    return await ensureSideTable(db, side);
  } catch (error) {
    if (error instanceof SyncError && error.code === 'mirror-damaged') return null;
    throw error;
  }
}

function readAllAgain({ name }: SideTable): string {
  return `UPDATE {sync}.side_reading SET read_at = NULL, due_at = clock_timestamp(), attempts = 0, error = NULL
           WHERE part = ${quoteLiteral(name)}`;
}

/** By its trigger; one that lost it, by a name that it may have and by what its comment says. */
async function findStanding(sql: Sql, side: SideTable): Promise<string | null> {
  const { mirror } = sql.schemas;
  const [marked] = await sql.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_trigger AS t
       JOIN pg_class AS c ON c.oid = t.tgrelid
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND t.tgname = $2`,
    [mirror, triggerName(sql.schemas, side.trigger)],
  );
  if (marked !== undefined) return marked.name;
  const names = [side.name, fitName(side.name, (one) => one === side.name)];
  const [named] = await sql.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_class AS c
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY($2::text[]) AND c.relkind = 'r'
        AND obj_description(c.oid, 'pg_class') = $3`,
    [mirror, names, side.says],
  );
  return named?.name ?? null;
}

/** What leads from the table that stands to the one that is wanted: SQL, to be run as writer. */
async function planMending(sql: Sql, side: SideTable, name: string): Promise<readonly string[]> {
  const shape = await readShape(sql, name);
  const { statements, added } = planOwnColumns(ownTable(name, side, sql.schemas), shape);
  const { id, writing } = side;
  const table = qualify(name);
  const isEmpty = added.has('fields');
  const mended = [...statements, ...(isEmpty ? [dropDefault(table), readAllAgain(side)] : [])];
  if (writing === undefined) return mended;
  if (isEmpty) mended.push(restoreUnsent(table));
  for (const [column, [type, from]] of Object.entries(writing.columns)) {
    // No trigger fires, and no row is one that was changed.
    if (added.has(column)) {
      mended.push(
        `ALTER TABLE ${table} ALTER COLUMN ${quoteIdent(column)} TYPE ${type} USING ${from}`,
      );
    }
  }
  if (shape.columns.get(id.name)?.hasDefault !== true) {
    mended.push(
      `ALTER TABLE ${table} ALTER COLUMN ${quoteIdent(id.name)} SET DEFAULT ${writing.newId}`,
    );
  }
  return mended;
}

/** What is kept of a comment that was not delivered. */
function restoreUnsent(table: string): string {
  return `UPDATE ${table} AS s SET fields = jsonb_build_object('message', e.message)
            FROM {sync}.comment_outbox AS e
           WHERE e.state <> 'done' AND s.record_id = e.record_id AND s.object = e.object AND s.id = e.id`;
}

function dropDefault(table: string): string {
  return `ALTER TABLE ${table} ALTER COLUMN fields DROP DEFAULT`;
}

function ownTable(name: string, side: SideTable, schemas: Schemas): OwnTable {
  const { object, parent, id, fields, told, indexes, writing } = side;
  const column = (own: string, type: string, [rest, says]: readonly [string, string]) => {
    const comment = says.replaceAll('{title}', schemas.title);
    return { name: own, type, rest, comment, isMade: rest.startsWith('GENERATED') };
  };
  const named = new Map([object, parent, id].flatMap((own) => (own ? [[own.name, own]] : [])));
  const newId = writing === undefined ? '' : ` DEFAULT ${writing.newId}`;
  return {
    name,
    says: side.says,
    key: keyColumns(side),
    indexes: indexes.map((one) => [one]),
    columns: [
      ...keyColumns(side).map((key) =>
        column(key, 'text', [
          `NOT NULL${key === id.name ? newId : ''}`,
          named.get(key)?.says ?? '',
        ]),
      ),
      ...Object.entries(told).map(([own, [type, from, says]]) =>
        column(own, type, [`GENERATED ALWAYS AS (${from}) STORED`, says]),
      ),
      ...Object.entries(writing?.columns ?? {}).map(([own, [type, , says]]) =>
        column(own, type, ['', says]),
      ),
      // Of rows that stand when it is added: they are read again.
      ...(fields === null ? [] : [column('fields', 'jsonb', [`NOT NULL DEFAULT '{}'`, fields])]),
      column('_synced_at', 'timestamp with time zone', [
        'NOT NULL DEFAULT clock_timestamp()',
        'When clarify-sync last wrote the row.',
      ]),
    ],
    triggers: triggersOf(name, side, schemas),
  };
}

/** What refuses others' writes was another function where rows could not be written. */
function triggersOf(
  name: string,
  { trigger, refusal, writing }: SideTable,
  schemas: Schemas,
): WantedTrigger[] {
  return [
    ...readOnlyTriggers(schemas, name, [trigger, refusal]),
    ...(writing?.triggers ?? []).map(([task, when, executes]) => ({
      name: triggerName(schemas, task),
      sql: `CREATE OR REPLACE TRIGGER {mirror}_${task} ${when.replace('{on}', `ON ${qualify(name)}`)}
              EXECUTE FUNCTION {sync}.${executes}()`,
    })),
  ];
}

function definition(name: string, side: SideTable, schemas: Schemas): string[] {
  const { says, columns, key, indexes, triggers } = ownTable(name, side, schemas);
  const table = qualify(name);
  const lines = columns.map((one) => `${quoteIdent(one.name)} ${one.type} ${one.rest}`);
  return [
    `CREATE TABLE ${table} (
       ${[...lines, `PRIMARY KEY (${listed(key)})`].join(',\n       ')}
     )`,
    ...(side.fields === null ? [] : [dropDefault(table)]),
    commentSql(name, null, says),
    ...columns.map((one) => commentSql(name, one.name, one.comment)),
    ...indexes.map((one) => `CREATE INDEX ON ${table} (${listed(one)})`),
    ...triggers.map(({ sql }) => sql),
  ];
}

function listed(columns: readonly string[]): string {
  return columns.map(quoteIdent).join(', ');
}
