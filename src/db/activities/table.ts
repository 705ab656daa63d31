import { ACTIVITY_KINDS } from '../../domain/activity.ts';
import { fitName, quoteLiteral } from '../../domain/names.ts';
import type { Database, Sql } from '../connection/database.ts';
import type { Schemas } from '../control/schemas.ts';
import { readOnlyTriggers } from '../mirror/attachments.ts';
import { commentSql } from '../mirror/ddl.ts';
import { type OwnColumn, type OwnPlan, planOwnColumns } from '../mirror/own-columns.ts';
import { readShape } from '../mirror/standing-relations.ts';
import { type MirrorTable, qualify } from '../mirror/table.ts';

/** Longer no DDL waits for a lock: it is tried again the next time. */
const DDL_LOCK_MS = 2_000;

/**
 * The table of what happened to the records of an object, quoted with its schema; made where there is
 * none, and given what somebody took from it. It is called `<table>_activity`, or by the hashed name where
 * somebody else has that. Who comes second waits, and finds it made. One that somebody dropped is made
 * anew, and all is read again; so it is where a column was empty.
 *
 * @throws SyncError `mirror-damaged` where its rows cannot be told apart any more.
 */
export async function ensureActivityTable(db: Database, mirror: MirrorTable): Promise<string> {
  const { object } = mirror;
  const standing = await findName(db, object);
  if (standing !== null && (await planMending(db, standing, mirror)).statements.length === 0) {
    return qualify(standing);
  }
  return await db.transaction(
    async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0))`);
      const made = await findName(tx, object);
      if (made !== null) {
        const { statements, added } = await planMending(tx, made, mirror);
        for (const statement of statements) await tx.query(statement);
        if (added.size > 0) await readAllAgain(tx, object);
        return qualify(made);
      }
      const taken = await tx.query<{ name: string }>(
        `SELECT relname::text AS name FROM pg_class
          WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
         UNION SELECT table_name FROM {sync}.mirror
         UNION SELECT table_name FROM {sync}.activity WHERE object <> $2`,
        [tx.schemas.mirror, object],
      );
      const names = new Set(taken.map(({ name }) => name));
      const name = fitName(`${mirror.name}_activity`, (candidate) => names.has(candidate));
      for (const statement of definition(name, mirror, tx.schemas)) await tx.query(statement);
      await tx.query('DELETE FROM {sync}.activity_feed WHERE object = $1', [object]);
      await tx.query(
        `INSERT INTO {sync}.activity (object, table_name) VALUES ($1, $2)
             ON CONFLICT (object) DO UPDATE SET table_name = excluded.table_name, looked_at = NULL`,
        [object, name],
      );
      return qualify(name);
    },
    { lockTimeoutMs: DDL_LOCK_MS, asWriter: true },
  );
}

/** Null where there is none, or somebody dropped it. */
export async function findActivityTable(sql: Sql, object: string): Promise<string | null> {
  const name = await findName(sql, object);
  return name === null ? null : qualify(name);
}

export interface ActivityColumns {
  readonly table: string;
  /** The columns of ours that it has. */
  readonly names: readonly string[];
  readonly isWhole: boolean;
}

/** Null where there is no table, or its rows cannot be told apart. */
export async function findActivityColumns(
  sql: Sql,
  object: string,
): Promise<ActivityColumns | null> {
  const name = await findName(sql, object);
  if (name === null) return null;
  const standing = (await readShape(sql, name)).columns;
  if (!KEY.every((one) => standing.has(one))) return null;
  const own = columns(sql.schemas.title).map((column) => column.name);
  const names = own.filter((one) => standing.has(one));
  return { table: qualify(name), names, isWhole: names.length === own.length };
}

async function findName(sql: Sql, object: string): Promise<string | null> {
  const [row] = await sql.query<{ name: string }>(
    `SELECT table_name AS name FROM {sync}.activity
      WHERE object = $1 AND to_regclass(format('%I.%I', $2::text, table_name)) IS NOT NULL`,
    [object, sql.schemas.mirror],
  );
  return row?.name ?? null;
}

async function planMending(sql: Sql, name: string, mirror: MirrorTable): Promise<OwnPlan> {
  return planOwnColumns(ownTable(name, mirror, sql.schemas), await readShape(sql, name));
}

function ownTable(name: string, { schema, object }: MirrorTable, schemas: Schemas) {
  const { title } = schemas;
  return {
    name,
    says: `${schema.label.plural || object}: what ${title} tells of their past. Read-only.`,
    columns: columns(title),
    key: KEY,
    indexes: [INDEX],
    triggers: readOnlyTriggers(schemas, name, ['activity_read_only', 'refuse_activity_write']),
  };
}

/** Down to the creation: what a row lacks is filled in. */
async function readAllAgain(tx: Sql, object: string): Promise<void> {
  await tx.query(
    `UPDATE {sync}.activity_feed
        SET read_version = NULL, read_at = NULL, newest_event = NULL, is_whole = false,
            attempts = 0, error = NULL, next_attempt_at = clock_timestamp()
      WHERE object = $1`,
    [object],
  );
}

const KEY = ['record_id', 'event_id', 'position'] as const;
/** By field: what a field was at a time, and how long it stayed so. */
const INDEX = ['field', 'at'] as const;

interface Column extends OwnColumn {
  /** In rows that come from a feed; where it is added later, what nobody tells any more is null. */
  readonly required: boolean;
}

function columns(title: string): readonly Column[] {
  const column = (name: string, told: string, comment: string, rest = ''): Column => {
    const type = told.replace(' NOT NULL', '');
    return { name, type, rest, comment, required: type !== told, isMade: false };
  };
  const kinds = ACTIVITY_KINDS.map(quoteLiteral).join(', ');
  return [
    column('record_id', 'text NOT NULL', 'The record; the one it lives on in where it was merged.'),
    column('event_id', 'text NOT NULL', 'The event; several rows where it changed several fields.'),
    column(
      'position',
      'integer NOT NULL',
      'From 0, in the order in which the event tells of them.',
    ),
    column(
      'at',
      'timestamp with time zone NOT NULL',
      `When it happened, by the clock of ${title}.`,
    ),
    column('actor', 'text', 'Who did it: an id, as in _created_by.'),
    column(
      'kind',
      'text NOT NULL',
      `What happened: ${ACTIVITY_KINDS.join(', ')}.`,
      `CHECK (kind IN (${kinds}))`,
    ),
    column('type', 'text NOT NULL', `What ${title} calls it.`),
    column(
      'field',
      'text',
      'The field that changed, as its column is called; null where none is named.',
    ),
    column('path', 'jsonb', 'Where inside the field: keys and indexes; null for all of it.'),
    column(
      'value',
      'jsonb',
      'What it became; null where that is not told, JSON null where it was emptied.',
    ),
    column(
      'was',
      'jsonb',
      'What it was before; null where that is not told, JSON null where it was empty.',
    ),
    column('op', 'text', 'How it is told: add, update or delete.'),
    column('feed_id', 'text NOT NULL', 'The record whose past told it, before any merge.'),
    column(
      '_synced_at',
      'timestamp with time zone',
      'When clarify-sync wrote the row.',
      'NOT NULL DEFAULT clock_timestamp()',
    ),
  ];
}

function definition(name: string, mirror: MirrorTable, schemas: Schemas): readonly string[] {
  const { says, triggers, columns: all } = ownTable(name, mirror, schemas);
  const table = qualify(name);
  const lines = all.map(({ name: column, type, rest, required }) => {
    return `${column} ${type} ${rest}${required ? ' NOT NULL' : ''}`;
  });
  return [
    `CREATE TABLE ${table} (${lines.join(', ')}, PRIMARY KEY (${KEY.join(', ')}))`,
    `CREATE INDEX ON ${table} (${INDEX.join(', ')})`,
    commentSql(name, null, says),
    ...all.map((column) => commentSql(name, column.name, column.comment)),
    ...triggers.map(({ sql }) => sql),
  ];
}
