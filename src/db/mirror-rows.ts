import { escapeIdentifier, escapeLiteral } from 'pg';
import { SyncError } from '../domain/errors.ts';
import type { Sql } from './database.ts';
import { DatabaseSyncError } from './database-error.ts';
import { isDistinct } from './mirror/distinct.ts';
import { type MirrorTable, SYSTEM_COLUMNS } from './mirror/table.ts';

/** A record in the text form Postgres reads, column by column as `columnText` gives it. */
export interface IncomingRow {
  readonly id: string;
  readonly values: readonly (string | null)[];
  /** Fields whose column keeps what it holds: unknown in the answer, or edited locally. */
  readonly keep: readonly string[];
}

interface IncomingColumn {
  readonly name: string;
  readonly sqlType: string;
  /** The field it mirrors; null for a system column. */
  readonly field: string | null;
  /** Where `IncomingRow.values` has it. */
  readonly position: number;
}

/** Written by the statements themselves, or never. */
const OURS: ReadonlySet<string> = new Set(['id', '_local_id', '_synced_at']);

/** To the millisecond, which is as much as many programs that write a row back can tell. */
const NOW = `date_trunc('milliseconds', clock_timestamp())`;

/** Set once and never cleared: null says only that the answer did not have it. */
const LASTING: ReadonlySet<string> = new Set(['_created_at', '_created_by', '_updated_at']);

function incomingColumns(table: MirrorTable): readonly IncomingColumn[] {
  const fields = table.columns.map(({ column, sqlType, field }) => {
    return { name: column, sqlType, field: field.name };
  });
  return [...SYSTEM_COLUMNS.map((column) => ({ ...column, field: null })), ...fields]
    .map((column, position) => ({ ...column, position }))
    .filter(({ name, field }) => field !== null || !OURS.has(name));
}

/** What stands in the mirror of a record that was read. */
export interface Standing {
  /** Position in the rows given. */
  readonly index: number;
  readonly present: boolean;
  /** The row holds a newer version than the one read. */
  readonly newer: boolean;
  /** The row is not what was read. */
  readonly differs: boolean;
  /** The row holds a dated version, and what was read has no date that could be compared. */
  readonly undated: boolean;
}

/**
 * Which of the rows differ from what stands. Takes no lock; one scan of the primary key. Rows
 * that are equal are left out, so that reading the overlap again costs no write. Without a date, it
 * is the time of reading that tells which is newer: what was written here since `readAt`.
 */
export async function compareRows(
  sql: Sql,
  table: MirrorTable,
  { rows, readAt }: { readonly rows: readonly IncomingRow[]; readonly readAt: string },
): Promise<Standing[]> {
  const source = incomingSource(table, rows);
  const at = `$${source.parameters.length + 1}::timestamptz`;
  const found = await sql.query<Omit<Standing, 'index'> & { index: string }>(
    `SELECT i.n - 1 AS index, t.id IS NOT NULL AS present, s.differs, s.undated,
            coalesce(t._updated_at > ${source.updatedAt}, false)
              OR (s.undated AND t._synced_at >= date_trunc('milliseconds', ${at})) AS newer
       FROM ${source.from}
       LEFT JOIN ${table.qualified} AS t ON t.id = i.id
      CROSS JOIN LATERAL (
        SELECT t.id IS NULL OR ${source.differs} AS differs,
               t._updated_at IS NOT NULL AND ${source.updatedAt} IS NULL AS undated) AS s
      WHERE s.differs OR s.undated`,
    [...source.parameters, readAt],
  );
  return found.map((standing) => ({ ...standing, index: Number(standing.index) }));
}

/** Locks the rows that nobody else holds, in id order. @returns the ids locked. */
export async function lockRows(
  tx: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const locked = await tx.query<{ id: string }>(
    `SELECT id FROM ${table.qualified} WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE SKIP LOCKED`,
    [ids],
  );
  return new Set(locked.map(({ id }) => id));
}

/**
 * Inserts rows that do not stand yet. Safe to run twice, and beside another reader: who comes
 * second does nothing, and its version arrives with the next overlap.
 */
export async function insertRows(
  tx: Sql,
  table: MirrorTable,
  rows: readonly IncomingRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const source = incomingSource(table, rows);
  const columns = incomingColumns(table);
  await tx.query(
    `INSERT INTO ${table.qualified} (id, _synced_at, ${columns.map((c) => escapeIdentifier(c.name)).join(', ')})
     SELECT i.id, ${NOW}, ${columns.map(source.value).join(', ')}
       FROM ${source.from}
      ORDER BY i.id
         ON CONFLICT (id) DO NOTHING`,
    source.parameters,
  );
}

/**
 * Overwrites rows that the caller has locked, except the fields each row keeps. Rows that would
 * not change are not written: one with a pending edit comes by with every overlap.
 *
 * @returns how many rows were written.
 */
export async function updateRows(
  tx: Sql,
  table: MirrorTable,
  rows: readonly IncomingRow[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const source = incomingSource(table, rows);
  const assignments = incomingColumns(table).map((column) => {
    const name = escapeIdentifier(column.name);
    if (column.name === '_extra') return `_extra = ${source.extra(column)}`;
    const kept = source.kept(column);
    const value = source.next(column);
    return kept
      ? `${name} = CASE WHEN ${kept} THEN t.${name} ELSE ${value} END`
      : `${name} = ${value}`;
  });
  const [counted] = await tx.query<{ written: number }>(
    `WITH written AS (
       UPDATE ${table.qualified} AS t
          SET _synced_at = ${NOW}, ${assignments.join(', ')}
         FROM ${source.from}
        WHERE t.id = i.id AND (${source.differs})
       RETURNING 1)
     SELECT count(*)::integer AS written FROM written`,
    source.parameters,
  );
  return counted?.written ?? 0;
}

/**
 * Gives rows born here the id the CRM knows them by. Where the record has come in by itself
 * meanwhile, its row makes way: the one born here has what users have written since.
 *
 * @throws SyncError `row-raced` (retry) where a reader inserts the record's row at this moment.
 */
export async function renameRows(
  tx: Sql,
  table: MirrorTable,
  renames: readonly { readonly oldId: string; readonly id: string }[],
): Promise<void> {
  if (renames.length === 0) return;
  // Rows born here may turn out to be one record: the last one takes its id.
  const last = new Map(renames.map((rename) => [rename.id, rename.oldId]));
  const others = renames.filter(({ oldId, id }) => last.get(id) !== oldId);
  const inTheWay = [...last.keys(), ...others.map(({ oldId }) => oldId)];
  await tx.query(`DELETE FROM ${table.qualified} WHERE id = ANY($1::text[])`, [inTheWay]);
  const parameters = [[...last.values()], [...last.keys()]];
  try {
    await tx.query(
      `UPDATE ${table.qualified} AS t SET id = m.id
         FROM unnest($1::text[], $2::text[]) AS m(old_id, id)
        WHERE t.id = m.old_id`,
      parameters,
    );
  } catch (cause) {
    // Its row was not committed yet when we looked, and is now: the next attempt finds it.
    if (!(cause instanceof DatabaseSyncError && cause.sqlState === UNIQUE_VIOLATION)) throw cause;
    throw new SyncError(`a record of ${table.object} came in while its row was given its id`, {
      code: 'row-raced',
      disposition: 'retry',
      cause,
    });
  }
}

const UNIQUE_VIOLATION = '23505';

/** The rows as a joined source: one text array per column, cast where they are used. */
function incomingSource(table: MirrorTable, rows: readonly IncomingRow[]) {
  const columns = incomingColumns(table);
  const anyKept = new Set(rows.flatMap(({ keep }) => keep));
  const parameters: unknown[] = [
    rows.map(({ id }) => id),
    rows.map(({ keep }) => (keep.length === 0 ? null : JSON.stringify(keep))),
    ...columns.map(({ position }) => rows.map(({ values }) => values[position] ?? null)),
  ];
  const alias = new Map(columns.map(({ name }, c) => [name, `i.c${c}`]));
  const value = (column: IncomingColumn) => `${alias.get(column.name)}::${column.sqlType}`;
  /** What a row that stands, `t`, is to hold. */
  const next = (column: IncomingColumn) =>
    LASTING.has(column.name)
      ? `coalesce(${value(column)}, t.${escapeIdentifier(column.name)})`
      : value(column);
  /** A condition true where the row keeps this column; null where none of the rows does. */
  const kept = (column: IncomingColumn) =>
    column.field !== null && anyKept.has(column.field)
      ? `(i.keep IS NOT NULL AND i.keep::jsonb ? ${escapeLiteral(column.field)})`
      : null;
  /** `_extra` keeps what it holds of fields that the row keeps. */
  const extra = (column: IncomingColumn) =>
    anyKept.size === 0
      ? value(column)
      : `nullif(coalesce((SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(t._extra) AS e
           WHERE i.keep::jsonb ? e.key), '{}') || coalesce(${value(column)}, '{}'), '{}')`;
  const differs = columns.map((column) => {
    const current = `t.${escapeIdentifier(column.name)}`;
    if (column.name === '_extra') return `${current} IS DISTINCT FROM ${extra(column)}`;
    const distinct = isDistinct(column.sqlType, current, next(column));
    const keeps = kept(column);
    return keeps === null ? distinct : `(NOT ${keeps} AND ${distinct})`;
  });
  const names = ['id', 'keep', ...columns.map((_, c) => `c${c}`), 'n'];
  return {
    from: `unnest(${parameters.map((_, p) => `$${p + 1}::text[]`).join(', ')})
             WITH ORDINALITY AS i(${names.join(', ')})`,
    parameters,
    value,
    next,
    kept,
    extra,
    differs: differs.join('\n OR '),
    updatedAt: `${alias.get('_updated_at')}::timestamptz`,
  };
}

/** Takes rows away whose records are gone. Skips what a user holds: the next comparison finds it. */
export async function deleteRows(
  tx: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const deleted = await tx.query<{ id: string }>(
    `DELETE FROM ${table.qualified}
      WHERE id IN (SELECT id FROM ${table.qualified} WHERE id = ANY($1::text[])
                    ORDER BY id FOR UPDATE SKIP LOCKED)
      RETURNING id`,
    [ids],
  );
  return new Set(deleted.map(({ id }) => id));
}

/** `_updated_at` of the rows that stand, by id. */
export async function readVersions(
  sql: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await sql.query<{ id: string; updatedAt: string | null }>(
    `SELECT id, _updated_at AS "updatedAt" FROM ${table.qualified} WHERE id = ANY($1::text[])`,
    [ids],
  );
  return new Map(rows.map(({ id, updatedAt }) => [id, updatedAt]));
}
