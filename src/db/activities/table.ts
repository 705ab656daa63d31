import { ACTIVITY_KINDS } from '../../domain/activity.ts';
import { fitName, quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { Database, Sql } from '../database.ts';
import { type MirrorTable, qualify } from '../mirror/table.ts';

/** Longer no DDL waits for a lock: it is tried again the next time. */
const DDL_LOCK_MS = 2_000;

/**
 * The table of what happened to the records of an object, quoted with its schema; made where there is
 * none. It is called `<table>_activity`, or by the hashed name where somebody else has that. Who comes
 * second waits, and finds it made. One that somebody dropped is made anew, and all is read again.
 */
export async function ensureActivityTable(db: Database, mirror: MirrorTable): Promise<string> {
  const standing = await findActivityTable(db, mirror.object);
  if (standing !== null) return standing;
  return await db.transaction(
    async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0))`);
      const made = await findActivityTable(tx, mirror.object);
      if (made !== null) return made;
      const taken = await tx.query<{ name: string }>(
        `SELECT relname::text AS name FROM pg_class
          WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
         UNION SELECT table_name FROM {sync}.mirror
         UNION SELECT table_name FROM {sync}.activity WHERE object <> $2`,
        [tx.schemas.mirror, mirror.object],
      );
      const names = new Set(taken.map(({ name }) => name));
      const name = fitName(`${mirror.name}_activity`, (candidate) => names.has(candidate));
      for (const statement of definition(name, mirror, tx.schemas.title)) await tx.query(statement);
      await tx.query('DELETE FROM {sync}.activity_feed WHERE object = $1', [mirror.object]);
      await tx.query(
        `INSERT INTO {sync}.activity (object, table_name) VALUES ($1, $2)
             ON CONFLICT (object) DO UPDATE SET table_name = excluded.table_name, looked_at = NULL`,
        [mirror.object, name],
      );
      return qualify(name);
    },
    { lockTimeoutMs: DDL_LOCK_MS },
  );
}

/** Null where there is none, or somebody dropped it. */
export async function findActivityTable(sql: Sql, object: string): Promise<string | null> {
  const [row] = await sql.query<{ name: string }>(
    `SELECT table_name AS name FROM {sync}.activity
      WHERE object = $1 AND to_regclass(format('%I.%I', $2::text, table_name)) IS NOT NULL`,
    [object, sql.schemas.mirror],
  );
  return row === undefined ? null : qualify(row.name);
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly comment: string;
}

function columns(title: string): readonly Column[] {
  const column = (name: string, type: string, comment: string) => ({ name, type, comment });
  const kinds = ACTIVITY_KINDS.map(quoteLiteral).join(', ');
  return [
    column('record_id', 'text NOT NULL', 'The record; the one it lives on in where it was merged.'),
    column('event_id', 'text NOT NULL', 'The event; several rows where it changed several fields.'),
    column(
      'position',
      'integer NOT NULL',
      'From 0, in the order in which the event tells of them.',
    ),
    column('at', 'timestamptz NOT NULL', `When it happened, by the clock of ${title}.`),
    column('actor', 'text', 'Who did it: an id, as in _created_by.'),
    column(
      'kind',
      `text NOT NULL CHECK (kind IN (${kinds}))`,
      `What happened: ${ACTIVITY_KINDS.join(', ')}.`,
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
      'timestamptz NOT NULL DEFAULT clock_timestamp()',
      'When clarify-sync wrote the row.',
    ),
  ];
}

function definition(name: string, mirror: MirrorTable, title: string): readonly string[] {
  const table = qualify(name);
  const all = columns(title);
  const lines = all.map((column) => `${column.name} ${column.type}`);
  const about = `${mirror.schema.label.plural || mirror.object}: what ${title} tells of their past. Read-only.`;
  return [
    `CREATE TABLE ${table} (${lines.join(', ')}, PRIMARY KEY (record_id, event_id, position))`,
    // By field: what a field was at a time, and how long it stayed so.
    `CREATE INDEX ON ${table} (field, at)`,
    `COMMENT ON TABLE ${table} IS ${quoteLiteral(about)}`,
    ...all.map(
      (column) =>
        `COMMENT ON COLUMN ${table}.${quoteIdent(column.name)} IS ${quoteLiteral(column.comment)}`,
    ),
    `CREATE TRIGGER {mirror}_activity_read_only BEFORE INSERT OR UPDATE OR DELETE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION {sync}.refuse_activity_write()`,
    `CREATE TRIGGER {mirror}_refuse_truncate BEFORE TRUNCATE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION {sync}.refuse_truncate()`,
  ];
}
