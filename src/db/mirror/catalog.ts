import type { ObjectSchema } from '../../domain/schema.ts';
import type { Sql } from '../database.ts';
import type { Schemas } from '../schemas.ts';
import { IDENTITY_FUNCTION } from './attachments.ts';
import { parseDefinition, parseObjects, type StandingField } from './definition.ts';
import { type NumberColumns, readNumberColumns } from './number-columns.ts';

export interface StandingColumn {
  /** As `format_type` prints it, and with its collation where texts that differ are equal by that. */
  readonly type: string;
  readonly generated: boolean;
  readonly hasDefault: boolean;
  readonly notNull: boolean;
  readonly comment: string | null;
}

/** Anything in the mirror schema that has a name of its own: table, view, index, sequence. */
export interface StandingRelation {
  /** `pg_class.oid`: another table under the same name has another one. */
  readonly oid: string;
  /** `pg_class.relkind`: `r` is an ordinary table. */
  readonly kind: string;
  readonly comment: string | null;
  readonly columns: ReadonlyMap<string, StandingColumn>;
  readonly triggers: ReadonlySet<string>;
  /** Columns of each unique key that `ON CONFLICT` can name; the primary key is among them. */
  readonly keys: readonly (readonly string[])[];
  readonly hasPrimaryKey: boolean;
  readonly foreignKeys: readonly StandingForeignKey[];
  /** Of an index, the table it is on. */
  readonly indexOf: string | null;
  /** Of a table, those that it inherits from or is a partition of, and those that inherit from it. */
  readonly kin: readonly string[];
}

/** A foreign key of a table, enforced or not. */
export interface StandingForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** The table it refers to; null where that is in another schema. */
  readonly target: string | null;
  readonly comment: string | null;
}

/** What is on record about a mirror table. */
export interface StandingMirror {
  readonly object: string;
  readonly table: string;
  readonly labelSingular: string;
  readonly labelPlural: string;
  readonly identity: string | null;
  readonly refusal: string | null;
  readonly readOnlyLinks: readonly string[];
  readonly deletePolicy: string;
  readonly removed: boolean;
  /** The table it was made as, as {@link relationName} writes it; null before that was recorded. */
  readonly relation: string | null;
  readonly fields: ReadonlyMap<string, StandingField>;
}

/** What stands in the database, as far as planning needs to know. */
export interface Catalog {
  /** Which schemas these are. */
  readonly schemas: Schemas;
  /** Names the database itself: tables have other ids in a copy. */
  readonly home: string;
  /** Whether the schema of the mirror tables stands. */
  readonly schemaStands: boolean;
  /** Whether that of the versions does. */
  readonly historyStands: boolean;
  readonly relations: ReadonlyMap<string, StandingRelation>;
  /** Tables of versions, under the names of their mirror tables. */
  readonly histories: ReadonlyMap<string, StandingRelation>;
  readonly mirrors: ReadonlyMap<string, StandingMirror>;
  /** The objects of the last recorded version. */
  readonly objects: readonly ObjectSchema[];
  /** Of the functions that the planner may have to make, those that everybody may call. */
  readonly functions: ReadonlySet<string>;
  /** Whether foreign keys can stand without being enforced: since Postgres 18. */
  readonly unenforced: boolean;
  /** Objects whose first read is done: only they get the indexes that would slow it down. */
  readonly filled: ReadonlySet<string>;
  readonly numbers: NumberColumns;
}

/** Of `pg_catalog`, each by its own index; a few milliseconds in all. Takes no lock that matters. */
export async function readCatalog(sql: Sql): Promise<Catalog> {
  const { schemas } = sql;
  const control = await readControl(sql);
  return {
    schemas,
    home: await readHome(sql),
    relations: await readRelations(sql, schemas.mirror),
    histories: control.historyStands ? await readRelations(sql, schemas.history) : new Map(),
    mirrors: await readMirrors(sql),
    objects: await readObjects(sql),
    ...control,
    numbers: await readNumberColumns(sql),
  };
}

/**
 * SQL of a schema's tables, views and sequences, `$1` its name: found by what depends on the schema.
 * Of `pg_class` no index leads with the schema, and where many workspaces share a database it is long.
 */
export const RELATIONS = `(SELECT d.objid AS oid FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.refclassid = 'pg_namespace'::regclass
      AND d.refobjid = (SELECT oid FROM pg_namespace WHERE nspname = $1))`;

async function readHome(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ home: string }>(`SELECT ${HOME} AS home`);
  return row?.home ?? '';
}

/** SQL of {@link Catalog.home}: the database's id, and that of a table that came with it. */
const HOME = `(SELECT concat(d.oid, '/', '{sync}.installation'::regclass::oid)
                 FROM pg_database AS d WHERE d.datname = current_database())`;

/** A table for good: `<home>/<oid>`. */
export function relationName(home: string, oid: string): string {
  return `${home}/${oid}`;
}

async function readRelations(sql: Sql, schema: string): Promise<Map<string, StandingRelation>> {
  const columns = await readColumns(sql, schema);
  const triggers = await readTriggers(sql, schema);
  const keys = await readKeys(sql, schema);
  const foreignKeys = await readForeignKeys(sql, schema);
  const relations = await sql.query<{
    name: string;
    oid: string;
    kind: string;
    comment: string | null;
    index_of: string | null;
    kin: readonly string[];
  }>(
    `SELECT c.relname::text AS name, c.oid::text AS oid, c.relkind::text AS kind, o.relname::text AS index_of,
            obj_description(c.oid, 'pg_class') AS comment,
            CASE WHEN c.relkind = 'r' THEN ARRAY(
              SELECT (CASE WHEN h.inhparent = c.oid THEN h.inhrelid ELSE h.inhparent END)::regclass::text
                FROM pg_inherits AS h WHERE h.inhparent = c.oid OR h.inhrelid = c.oid ORDER BY 1)
            ELSE '{}' END AS kin
       FROM pg_class AS c
       LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
       LEFT JOIN pg_class AS o ON o.oid = i.indrelid
      WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)`,
    [schema],
  );
  return new Map(
    relations.map(({ name, oid, kind, comment, index_of, kin }) => [
      name,
      {
        oid,
        kind,
        comment,
        columns: columns.get(name) ?? new Map(),
        triggers: triggers.get(name) ?? new Set(),
        keys: (keys.get(name) ?? []).filter(({ usable }) => usable).map((key) => key.columns),
        foreignKeys: foreignKeys.get(name) ?? [],
        hasPrimaryKey: (keys.get(name) ?? []).some(({ primary }) => primary),
        indexOf: index_of,
        kin,
      },
    ]),
  );
}

/** Columns, keys and triggers of one table of the mirror schema. By its name. */
export async function readShape(
  sql: Sql,
  table: string,
): Promise<Pick<StandingRelation, 'columns' | 'keys' | 'hasPrimaryKey' | 'triggers'>> {
  const columns = await readColumns(sql, sql.schemas.mirror, table);
  const keys = (await readKeys(sql, sql.schemas.mirror, table)).get(table) ?? [];
  return {
    columns: columns.get(table) ?? new Map(),
    keys: keys.filter(({ usable }) => usable).map((key) => key.columns),
    hasPrimaryKey: keys.some(({ primary }) => primary),
    triggers: (await readTriggers(sql, sql.schemas.mirror, table)).get(table) ?? new Set(),
  };
}

/** @param table null: of all. */
async function readColumns(
  sql: Sql,
  schema: string,
  table: string | null = null,
): Promise<Map<string, Map<string, StandingColumn>>> {
  const rows = await sql.query<{
    relation: string;
    name: string;
    type: string;
    generated: boolean;
    hasDefault: boolean;
    notNull: boolean;
    comment: string | null;
  }>(
    `SELECT c.relname::text AS relation, a.attname::text AS name, a.attgenerated <> '' AS generated,
            a.attnotnull AS "notNull", a.atthasdef AND a.attgenerated = '' AS "hasDefault",
            format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || l.collname, '') AS type,
            col_description(c.oid, a.attnum) AS comment
       FROM ${RELATIONS} AS own
       JOIN pg_class AS c ON c.oid = own.oid
       JOIN pg_attribute AS a ON a.attrelid = c.oid
       LEFT JOIN pg_collation AS l ON l.oid = a.attcollation AND NOT l.collisdeterministic
      WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
        AND ($2::text IS NULL OR c.relname = $2)`,
    [schema, table],
  );
  const tables = new Map<string, Map<string, StandingColumn>>();
  for (const { relation, name, ...column } of rows) {
    const known = tables.get(relation) ?? new Map<string, StandingColumn>();
    tables.set(relation, known.set(name, column));
  }
  return tables;
}

interface StandingKey {
  readonly columns: readonly string[];
  readonly primary: boolean;
  /** Whole, over plain columns and never deferred: `ON CONFLICT` can name it. */
  readonly usable: boolean;
}

async function readKeys(
  sql: Sql,
  schema: string,
  table: string | null = null,
): Promise<Map<string, StandingKey[]>> {
  const rows = await sql.query<{
    relation: string;
    columns: string[];
    primary: boolean;
    usable: boolean;
  }>(
    `SELECT c.relname::text AS relation, i.indisprimary AS primary,
            i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AS usable,
            array_agg(coalesce(a.attname::text, '') ORDER BY k.position) AS columns
       FROM ${RELATIONS} AS own
       JOIN pg_class AS c ON c.oid = own.oid
       JOIN pg_index AS i ON i.indrelid = c.oid
      CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, position)
       LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
      WHERE i.indisunique AND ($2::text IS NULL OR c.relname = $2)
      GROUP BY c.relname, i.indexrelid`,
    [schema, table],
  );
  const keys = new Map<string, StandingKey[]>();
  for (const { relation, ...key } of rows) keys.set(relation, [...(keys.get(relation) ?? []), key]);
  return keys;
}

async function readForeignKeys(
  sql: Sql,
  schema: string,
): Promise<Map<string, StandingForeignKey[]>> {
  const rows = await sql.query<{ relation: string } & StandingForeignKey & Record<string, unknown>>(
    `SELECT c.relname::text AS relation, k.conname::text AS name,
            CASE WHEN t.relnamespace = c.relnamespace THEN t.relname::text END AS target,
            obj_description(k.oid, 'pg_constraint') AS comment,
            ARRAY(SELECT a.attname::text
                    FROM unnest(k.conkey) WITH ORDINALITY AS n(attnum, position)
                    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = n.attnum
                   ORDER BY n.position) AS columns
       FROM ${RELATIONS} AS own
       JOIN pg_class AS c ON c.oid = own.oid
       JOIN pg_constraint AS k ON k.conrelid = c.oid
       JOIN pg_class AS t ON t.oid = k.confrelid
      WHERE k.contype = 'f'
      ORDER BY k.oid`,
    [schema],
  );
  const keys = new Map<string, StandingForeignKey[]>();
  for (const { relation, ...key } of rows) keys.set(relation, [...(keys.get(relation) ?? []), key]);
  return keys;
}

async function readTriggers(
  sql: Sql,
  schema: string,
  table: string | null = null,
): Promise<Map<string, Set<string>>> {
  const rows = await sql.query<{ relation: string; name: string }>(
    `SELECT c.relname::text AS relation, t.tgname::text AS name
       FROM ${RELATIONS} AS own
       JOIN pg_class AS c ON c.oid = own.oid
       JOIN pg_trigger AS t ON t.tgrelid = c.oid
      WHERE NOT t.tgisinternal AND ($2::text IS NULL OR c.relname = $2)`,
    [schema, table],
  );
  const triggers = new Map<string, Set<string>>();
  for (const { relation, name } of rows) {
    triggers.set(relation, (triggers.get(relation) ?? new Set<string>()).add(name));
  }
  return triggers;
}

/** What is on record about every mirror table, also of objects that are gone. */
export async function readMirrors(sql: Sql): Promise<Map<string, StandingMirror>> {
  const mirrors = await sql.query<Omit<StandingMirror, 'fields'>>(
    `SELECT object, table_name AS "table", label_singular AS "labelSingular",
            label_plural AS "labelPlural", identity, refusal,
            read_only_links AS "readOnlyLinks", delete_policy AS "deletePolicy",
            removed_at IS NOT NULL AS removed, relation
       FROM {sync}.mirror`,
  );
  const columns = await sql.query<{
    object: string;
    field: string;
    column_name: string;
    kind: string;
    definition: unknown;
    position: number;
    removed: boolean;
  }>(
    `SELECT object, field, column_name, kind, definition, position,
            removed_at IS NOT NULL AS removed
       FROM {sync}.mirror_column
      ORDER BY object, position`,
  );
  const fields = new Map<string, Map<string, StandingField>>();
  for (const { object, field, column_name: column, ...rest } of columns) {
    const known = fields.get(object) ?? new Map<string, StandingField>();
    const standing = { column, ...rest, ...parseDefinition(rest.definition) };
    fields.set(object, known.set(field, standing));
  }
  return new Map(
    mirrors.map((mirror) => [
      mirror.object,
      { ...mirror, fields: fields.get(mirror.object) ?? new Map() },
    ]),
  );
}

/** The objects of the last recorded version, as they were then. */
export async function readObjects(sql: Sql): Promise<ObjectSchema[]> {
  const [latest] = await sql.query<{ objects: unknown }>(
    'SELECT objects FROM {sync}.schema_version ORDER BY id DESC LIMIT 1',
  );
  return latest === undefined ? [] : parseObjects(latest.objects);
}

async function readControl(
  sql: Sql,
): Promise<
  Pick<Catalog, 'functions' | 'filled' | 'unenforced' | 'schemaStands' | 'historyStands'>
> {
  const functions = await sql.query<{ name: string }>(
    `SELECT p.proname::text AS name FROM pg_proc AS p
      WHERE p.proname = $1 AND p.pronamespace = '{sync}'::regnamespace
        AND has_function_privilege('public', p.oid, 'EXECUTE')`,
    // By its name: of all functions that there are, Postgres would ask who may call them.
    [IDENTITY_FUNCTION],
  );
  const filled = await sql.query<{ object: string }>(
    `SELECT object FROM {sync}.cursor WHERE phase = 'incremental'`,
  );
  const [server] = await sql.query<{
    unenforced: boolean;
    schemaStands: boolean;
    historyStands: boolean;
  }>(
    `SELECT current_setting('server_version_num')::int >= 180000 AS unenforced,
            EXISTS (SELECT FROM pg_namespace WHERE nspname = '{mirror}') AS "schemaStands",
            EXISTS (SELECT FROM pg_namespace WHERE nspname = '{history}') AS "historyStands"`,
  );
  return {
    unenforced: server?.unenforced ?? false,
    schemaStands: server?.schemaStands ?? false,
    historyStands: server?.historyStands ?? false,
    functions: new Set(functions.map(({ name }) => name)),
    filled: new Set(filled.map(({ object }) => object)),
  };
}
