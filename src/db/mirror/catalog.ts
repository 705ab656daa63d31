import type { ObjectSchema } from '../../domain/schema.ts';
import type { Sql } from '../database.ts';
import { parseDefinition, parseObjects, type StandingField } from './definition.ts';
import { HISTORY_SCHEMA, MIRROR_SCHEMA } from './table.ts';

export interface StandingColumn {
  /** As `format_type` prints it. */
  readonly type: string;
  readonly generated: boolean;
  readonly comment: string | null;
}

/** Anything in the mirror schema that has a name of its own: table, view, index, sequence. */
export interface StandingRelation {
  /** `pg_class.relkind`: `r` is an ordinary table. */
  readonly kind: string;
  readonly comment: string | null;
  readonly columns: ReadonlyMap<string, StandingColumn>;
  readonly triggers: ReadonlySet<string>;
  /** Of an index, the table it is on. */
  readonly indexOf: string | null;
}

/** What is on record about a mirror table. */
export interface StandingMirror {
  readonly object: string;
  readonly table: string;
  readonly labelSingular: string;
  readonly labelPlural: string;
  readonly identity: string | null;
  readonly refusal: string | null;
  readonly deletePolicy: string;
  readonly removed: boolean;
  readonly fields: ReadonlyMap<string, StandingField>;
}

/** What stands in the database, as far as planning needs to know. */
export interface Catalog {
  readonly relations: ReadonlyMap<string, StandingRelation>;
  /** Tables of versions, under the names of their mirror tables. */
  readonly histories: ReadonlyMap<string, StandingRelation>;
  readonly mirrors: ReadonlyMap<string, StandingMirror>;
  /** The objects of the last recorded version. */
  readonly objects: readonly ObjectSchema[];
  /** Functions of the control schema. */
  readonly functions: ReadonlySet<string>;
  /** Objects whose first read is done: only they get the indexes that would slow it down. */
  readonly filled: ReadonlySet<string>;
}

/** Of `pg_catalog`, each by its own index; a few milliseconds in all. Takes no lock that matters. */
export async function readCatalog(sql: Sql): Promise<Catalog> {
  return {
    relations: await readRelations(sql, MIRROR_SCHEMA),
    histories: await readRelations(sql, HISTORY_SCHEMA),
    mirrors: await readMirrors(sql),
    objects: await readObjects(sql),
    ...(await readControl(sql)),
  };
}

async function readRelations(sql: Sql, schema: string): Promise<Map<string, StandingRelation>> {
  const columns = await readColumns(sql, schema);
  const triggers = await readTriggers(sql, schema);
  const relations = await sql.query<{
    name: string;
    kind: string;
    comment: string | null;
    index_of: string | null;
  }>(
    `SELECT c.relname::text AS name, c.relkind::text AS kind, o.relname::text AS index_of,
            obj_description(c.oid, 'pg_class') AS comment
       FROM pg_class AS c
       LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
       LEFT JOIN pg_class AS o ON o.oid = i.indrelid
      WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)`,
    [schema],
  );
  return new Map(
    relations.map(({ name, kind, comment, index_of }) => [
      name,
      {
        kind,
        comment,
        columns: columns.get(name) ?? new Map(),
        triggers: triggers.get(name) ?? new Set(),
        indexOf: index_of,
      },
    ]),
  );
}

async function readColumns(
  sql: Sql,
  schema: string,
): Promise<Map<string, Map<string, StandingColumn>>> {
  const rows = await sql.query<{
    relation: string;
    name: string;
    type: string;
    generated: boolean;
    comment: string | null;
  }>(
    `SELECT c.relname::text AS relation, a.attname::text AS name, a.attgenerated <> '' AS generated,
            format_type(a.atttypid, a.atttypmod) AS type, col_description(c.oid, a.attnum) AS comment
       FROM pg_attribute AS a
       JOIN pg_class AS c ON c.oid = a.attrelid
      WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
        AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`,
    [schema],
  );
  const tables = new Map<string, Map<string, StandingColumn>>();
  for (const { relation, name, ...column } of rows) {
    const known = tables.get(relation) ?? new Map<string, StandingColumn>();
    tables.set(relation, known.set(name, column));
  }
  return tables;
}

async function readTriggers(sql: Sql, schema: string): Promise<Map<string, Set<string>>> {
  const rows = await sql.query<{ relation: string; name: string }>(
    `SELECT c.relname::text AS relation, t.tgname::text AS name
       FROM pg_trigger AS t
       JOIN pg_class AS c ON c.oid = t.tgrelid
      WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
        AND NOT t.tgisinternal`,
    [schema],
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
            label_plural AS "labelPlural", identity, refusal, delete_policy AS "deletePolicy",
            removed_at IS NOT NULL AS removed
       FROM clarify_sync.mirror`,
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
       FROM clarify_sync.mirror_column
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
    'SELECT objects FROM clarify_sync.schema_version ORDER BY id DESC LIMIT 1',
  );
  return latest === undefined ? [] : parseObjects(latest.objects);
}

/** Changes with every change of a mirror table; null before the first. */
export async function readSchemaVersion(sql: Sql): Promise<bigint | null> {
  const [row] = await sql.query<{ version: bigint | null }>(
    'SELECT max(id) AS version FROM clarify_sync.schema_version',
  );
  return row?.version ?? null;
}

async function readControl(sql: Sql): Promise<Pick<Catalog, 'functions' | 'filled'>> {
  const functions = await sql.query<{ name: string }>(
    `SELECT p.proname::text AS name FROM pg_proc AS p
       JOIN pg_namespace AS n ON n.oid = p.pronamespace
      WHERE n.nspname = 'clarify_sync'`,
  );
  const filled = await sql.query<{ object: string }>(
    `SELECT object FROM clarify_sync.cursor WHERE phase = 'incremental'`,
  );
  return {
    functions: new Set(functions.map(({ name }) => name)),
    filled: new Set(filled.map(({ object }) => object)),
  };
}
