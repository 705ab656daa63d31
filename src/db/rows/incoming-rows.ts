import { quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { guarded } from '../connection/guarded.ts';
import { differing, type Refusals } from '../connection/row-trouble.ts';
import { hasAlteringTriggers } from '../mirror/altering-triggers.ts';
import { isDistinct } from '../mirror/distinct.ts';
import { type MirrorTable, SYSTEM_COLUMNS } from '../mirror/table.ts';

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
const OURS: ReadonlySet<string> = new Set(['id', '_local_id', '_key', '_synced_at']);

/** To the millisecond, which is as much as many programs that write a row back can tell. */
const NOW = `date_trunc('milliseconds', clock_timestamp())`;

/** Set once and never cleared: null says only that the answer did not have it. */
const LASTING: ReadonlySet<string> = new Set([
  '_created_at',
  '_created_by',
  '_updated_at',
  '_merged_ids',
]);

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
  /** It holds this very version, and yet another value. */
  readonly same: boolean;
  /** `ctid` and `xmin` of the row; null where none stands. */
  readonly place: string | null;
  readonly by: string | null;
}

/**
 * Which of the rows differ from what stands. Takes no lock; one scan of the primary key. Rows
 * that are equal are left out, so that reading the overlap again costs no write. Without a date, and
 * where dates tell no versions apart, it is the time of reading that tells which is newer: what was written here since `readAt`.
 *
 * @param what.equal tells of rows that are equal as well.
 */
export async function compareRows(
  sql: Sql,
  table: MirrorTable,
  {
    rows,
    readAt,
    versions,
    equal = false,
  }: {
    readonly rows: readonly IncomingRow[];
    readonly readAt: string;
    readonly versions: 'stamped' | 'read';
    readonly equal?: boolean;
  },
): Promise<Standing[]> {
  const source = incomingSource(table, rows);
  const at = `$${source.parameters.length + 1}::timestamptz`;
  const told = versionSql(versions, { updatedAt: source.updatedAt, readAt: at });
  const found = await sql.query<Omit<Standing, 'index'> & { index: string }>(
    `SELECT i.n - 1 AS index, t.id IS NOT NULL AS present, s.differs, s.undated,
            t.id IS NOT NULL AND ${told.same} AS same, ${told.newer} AS newer, t.ctid::text AS place, t.xmin::text AS by
       FROM ${source.from}
       LEFT JOIN ${source.standing} AS t ON t.id = i.id
      CROSS JOIN LATERAL (
        SELECT t.id IS NULL OR ${source.differs} AS differs,
               ${told.undated} AS undated) AS s
      WHERE ${equal ? 'true' : 's.differs OR s.undated'}`,
    [...source.parameters, readAt],
  );
  return found.map((standing) => ({ ...standing, index: Number(standing.index) }));
}

/** SQL that measures a version, by its date and the time it was read, against the row `t`. */
function versionSql(
  versions: 'stamped' | 'read',
  { updatedAt, readAt }: { readonly updatedAt: string; readonly readAt: string },
) {
  const same = `t._updated_at IS NOT DISTINCT FROM ${updatedAt}`;
  const writtenSince = `coalesce(t._synced_at >= date_trunc('milliseconds', ${readAt}), false)`;
  if (versions === 'read') return { same, newer: writtenSince, undated: 'false' };
  const undated = `(t._updated_at IS NOT NULL AND ${updatedAt} IS NULL)`;
  const newer = `coalesce(t._updated_at > ${updatedAt}, ${undated} AND ${writtenSince})`;
  return { same, newer, undated };
}

/**
 * Locks the rows that nobody else holds, in id order, and tells how the version of each stands to the
 * one that came. One scan of the primary key, by a list: joined alone the table is scanned from end to
 * end. What the rows hold is not compared.
 */
export async function lockVersions(
  tx: Sql,
  table: MirrorTable,
  {
    rows,
    readAt,
    versions,
  }: {
    readonly rows: readonly IncomingRow[];
    readonly readAt: string;
    readonly versions: 'stamped' | 'read';
  },
): Promise<ReadonlyMap<string, Pick<Standing, 'newer' | 'same' | 'undated'>>> {
  if (rows.length === 0) return new Map();
  const position = SYSTEM_COLUMNS.findIndex(({ name }) => name === '_updated_at');
  const told = versionSql(versions, { updatedAt: 'i.at', readAt: '$3::timestamptz' });
  const locked = await tx.query<Pick<Standing, 'newer' | 'same' | 'undated'> & { id: string }>(
    `SELECT t.id, ${told.newer} AS newer, ${told.same} AS same, ${told.undated} AS undated
       FROM unnest($1::text[], $2::timestamptz[]) AS i(id, at)
       JOIN ${table.qualified} AS t ON t.id = i.id
      WHERE t.id = ANY($1::text[])
      ORDER BY t.id FOR UPDATE OF t SKIP LOCKED`,
    [rows.map(({ id }) => id), rows.map(({ values }) => values[position] ?? null), readAt],
  );
  return new Map(locked.map(({ id, ...standing }) => [id, standing]));
}

/** What came of rows that were to be written. */
export interface Written {
  readonly written: number;
  readonly refused: Refusals;
}

/**
 * Inserts rows that do not stand yet. Safe to run twice, and beside another reader: who comes
 * second does nothing, and its version arrives with the next overlap. A row that was born here, and
 * comes back, has the key it had: index `id_map_current`.
 */
export async function insertRows(
  tx: Transaction,
  table: MirrorTable,
  rows: readonly IncomingRow[],
): Promise<Written> {
  const columns = incomingColumns(table);
  const names = columns.map((c) => quoteIdent(c.name)).join(', ');
  return await write(tx, table, rows, {
    statement: (source) =>
      `INSERT INTO ${table.qualified} (id, _local_id, _key, _synced_at, ${names})
       SELECT i.id, b.old_id, coalesce(b.old_id, i.id), ${NOW}, ${columns.map(source.first).join(', ')}
         FROM ${source.from}
         LEFT JOIN LATERAL (
              SELECT m.old_id FROM {sync}.id_map AS m
               WHERE m.object = ${quoteLiteral(table.object)} AND m.id = i.id AND m.reason = 'pushed'
               ORDER BY m.mapped_at DESC LIMIT 1) AS b ON true
        ORDER BY i.id
           ON CONFLICT (id) DO NOTHING`,
    doubted: () => false,
  });
}

/**
 * Overwrites rows that the caller has locked, except the fields each row keeps. Rows that would
 * not change are not written: one with a pending edit comes by with every overlap.
 */
export async function updateRows(
  tx: Transaction,
  table: MirrorTable,
  rows: readonly IncomingRow[],
  doubted: (row: IncomingRow) => boolean,
): Promise<Written> {
  const assign = (source: IncomingSource) =>
    incomingColumns(table).map((column) => {
      const name = quoteIdent(column.name);
      if (column.name === '_extra') return `_extra = ${source.extra(column)}`;
      const kept = source.kept(column);
      const value = source.next(column);
      return kept
        ? `${name} = CASE WHEN ${kept} THEN t.${name} ELSE ${value} END`
        : `${name} = ${value}`;
    });
  return await write(tx, table, rows, {
    statement: (source) =>
      `UPDATE ${table.qualified} AS t
          SET _synced_at = ${NOW}, ${assign(source).join(', ')}
         FROM ${source.from}
        WHERE t.id = i.id AND (${source.differs})`,
    doubted,
  });
}

/**
 * Writes rows, and looks at them again where a trigger may have changed them, or one is in doubt:
 * what does not equal its record says so, and is not written over and over.
 */
async function write(
  tx: Transaction,
  table: MirrorTable,
  rows: readonly IncomingRow[],
  how: {
    readonly statement: (source: IncomingSource) => string;
    readonly doubted: (row: IncomingRow) => boolean;
  },
): Promise<Written> {
  let written = 0;
  let altering = false;
  const refused = await guarded(tx, table.qualified, rows, async (part) => {
    const source = incomingSource(table, part);
    const [counted] = await tx.query<{ written: number; altering: boolean }>(
      `WITH written AS (${how.statement(source)} RETURNING 1)
       SELECT count(*)::integer AS written, ${hasAlteringTriggers(table)} AS altering FROM written`,
      source.parameters,
    );
    written += counted?.written ?? 0;
    altering ||= counted?.altering ?? false;
  });
  const troubles = new Map(refused.map(({ item, trouble }) => [item.id, trouble]));
  const others = rows.filter(({ id }) => !troubles.has(id));
  for (const [id, columns] of await readDiffering(
    tx,
    table,
    altering ? others : others.filter(how.doubted),
  )) {
    const reason = columns === null ? 'left out' : `changed (${columns.join(', ')})`;
    const said = `it was ${reason} on its way into the table`;
    troubles.set(id, differing(`${tx.schemas.mirror}.${table.name}`, said));
  }
  return { written, refused: troubles };
}

/** Rows that do not stand as they were written, and the columns in which; null: not at all. */
async function readDiffering(
  tx: Sql,
  table: MirrorTable,
  rows: readonly IncomingRow[],
): Promise<ReadonlyMap<string, readonly string[] | null>> {
  if (rows.length === 0) return new Map();
  const source = incomingSource(table, rows);
  const names = source.distinct.map(
    ({ name, condition }) => `CASE WHEN ${condition} THEN ${quoteLiteral(name)} END`,
  );
  const found = await tx.query<{ id: string; columns: readonly string[] | null }>(
    `SELECT i.id, CASE WHEN t.id IS NOT NULL THEN array_remove(ARRAY[${names.join(', ')}], NULL) END AS columns
       FROM ${source.from}
       LEFT JOIN ${source.standing} AS t ON t.id = i.id
      WHERE t.id IS NULL OR ${source.differs}`,
    source.parameters,
  );
  return new Map(found.map(({ id, columns }) => [id, columns]));
}

type IncomingSource = ReturnType<typeof incomingSource>;

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
  /** What a row that does not stand is to hold. */
  const first = (column: IncomingColumn) =>
    column.name === '_merged_ids' ? `coalesce(${value(column)}, '{}')` : value(column);
  /** What a row that stands, `t`, is to hold. */
  const next = (column: IncomingColumn) =>
    LASTING.has(column.name)
      ? `coalesce(${value(column)}, t.${quoteIdent(column.name)})`
      : value(column);
  /** A condition true where the row keeps this column; null where none of the rows does. */
  const kept = (column: IncomingColumn) =>
    column.field !== null && anyKept.has(column.field)
      ? `(i.keep IS NOT NULL AND i.keep::jsonb ? ${quoteLiteral(column.field)})`
      : null;
  /** `_extra` keeps what it holds of fields that the row keeps. */
  const extra = (column: IncomingColumn) =>
    anyKept.size === 0
      ? value(column)
      : `nullif(coalesce((SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(t._extra) AS e
           WHERE i.keep::jsonb ? e.key), '{}') || coalesce(${value(column)}, '{}'), '{}')`;
  const distinct = columns.map((column) => {
    const condition = distinctCondition(column);
    return { name: column.name, condition };
  });
  function distinctCondition(column: IncomingColumn): string {
    const current = `t.${quoteIdent(column.name)}`;
    if (column.name === '_extra') return `${current} IS DISTINCT FROM ${extra(column)}`;
    const differs = isDistinct(column.sqlType, current, next(column));
    const keeps = kept(column);
    return keeps === null ? differs : `(NOT ${keeps} AND ${differs})`;
  }
  const names = ['id', 'keep', ...columns.map((_, c) => `c${c}`), 'n'];
  return {
    from: `unnest(${parameters.map((_, p) => `$${p + 1}::text[]`).join(', ')})
             WITH ORDINALITY AS i(${names.join(', ')})`,
    /** Of the table only the rows in question: joined whole it is scanned from end to end. */
    standing: `(SELECT ctid, xmin, * FROM ${table.qualified} WHERE id = ANY($1::text[]))`,
    parameters,
    first,
    next,
    kept,
    extra,
    distinct,
    differs: distinct.map(({ condition }) => condition).join('\n OR '),
    updatedAt: `${alias.get('_updated_at')}::timestamptz`,
  };
}
