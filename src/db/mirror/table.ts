import { sql } from 'drizzle-orm';
import type { PgColumnBuilderBase, PgTable } from 'drizzle-orm/pg-core';
import {
  boolean,
  date,
  doublePrecision,
  integer,
  jsonb,
  numeric,
  pgSchema,
  smallint,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';
import {
  columnNames,
  type FieldNames,
  fitName,
  type NamingContext,
  quoteIdent,
  quoteLiteral,
  SYSTEM_COLUMN_NAMES,
} from '../../domain/names.ts';
import type { Field, FieldKind, FieldPart, ObjectSchema } from '../../domain/schema.ts';
import { type NumberType, wantedNumberType } from './number-type.ts';
import { MIRROR_SCHEMA, qualify, regclassSql } from './qualify.ts';

export { MIRROR_SCHEMA, qualify, regclassSql };

export type SqlType = 'text' | NumberType | 'boolean' | 'date' | 'timestamptz' | 'text[]' | 'jsonb';

export interface MirrorColumn {
  readonly field: Field;
  readonly column: string;
  readonly sqlType: SqlType;
  /** Generated, read-only columns: the scalars inside a value object. */
  readonly parts: readonly { readonly part: FieldPart; readonly column: string }[];
}

export interface MirrorTable {
  readonly object: string;
  readonly schema: ObjectSchema;
  /** Not quoted, without the schema. */
  readonly name: string;
  /** Ready for SQL: see {@link qualify}. */
  readonly qualified: string;
  /** Live fields that have a column, in the schema's order; system columns are not among them. */
  readonly columns: readonly MirrorColumn[];
  readonly byField: ReadonlyMap<string, MirrorColumn>;
  /** Made when it is first asked for: most starts have nothing to define. */
  readonly drizzle: PgTable;
}

type SystemColumnName = (typeof SYSTEM_COLUMN_NAMES)[number];

const SYSTEM_TYPES: Readonly<Record<SystemColumnName, SqlType>> = {
  id: 'text',
  _local_id: 'text',
  _key: 'text',
  _created_at: 'timestamptz',
  _updated_at: 'timestamptz',
  _created_by: 'text',
  _updated_by: 'text',
  _merged_ids: 'text[]',
  _synced_at: 'timestamptz',
  _extra: 'jsonb',
};

/** The columns every mirror table begins with, in this order. */
export const SYSTEM_COLUMNS: readonly {
  readonly name: SystemColumnName;
  readonly sqlType: SqlType;
}[] = SYSTEM_COLUMN_NAMES.map((name) => ({ name, sqlType: SYSTEM_TYPES[name] }));

const FIELD_TYPES: Readonly<Record<Exclude<FieldKind, 'references' | 'number'>, SqlType>> = {
  text: 'text',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamptz',
  texts: 'text[]',
  reference: 'text',
  json: 'jsonb',
};

/** Whether a field has a column: to-many links are link tables. */
export function hasColumn(kind: FieldKind): kind is Exclude<FieldKind, 'references'> {
  return kind !== 'references';
}

/** What stands already, so that a definition fits it: by default nothing. */
export interface MirrorNaming extends NamingContext {
  readonly table: string;
  /** By field. */
  readonly numberTypes?: ReadonlyMap<string, NumberType>;
}

/** Every workspace has users, so that their table keeps its name whatever objects there are. */
export const USERS_TABLE = 'user';

/** The table's name: the object's, hashed where Postgres cannot take it as it is. */
export function mirrorTableName(object: string): string {
  return fitName(object, () => false);
}

/**
 * The mirror table of an object. Pure: the same schema gives the same table. Fields whose names
 * Postgres cannot hold get no column; their values stay in `_extra`.
 */
export function mirrorTable(schema: ObjectSchema, naming?: MirrorNaming): MirrorTable {
  const name = naming?.table ?? mirrorTableName(schema.object);
  const names = columnNames(
    schema.fields.filter(({ kind }) => hasColumn(kind)),
    naming,
  );
  const columns = schema.fields.flatMap((field) =>
    mirrorColumn(field, names.get(field.name), naming?.numberTypes),
  );
  let definition: PgTable | null = null;
  return {
    object: schema.object,
    schema,
    name,
    qualified: qualify(name),
    columns,
    byField: new Map(columns.map((column) => [column.field.name, column])),
    get drizzle() {
      definition ??= drizzleTable(name, columns);
      return definition;
    },
  };
}

function mirrorColumn(
  field: Field,
  names: FieldNames | undefined,
  numberTypes: MirrorNaming['numberTypes'],
): MirrorColumn[] {
  const { kind } = field;
  if (!hasColumn(kind) || names === undefined) return [];
  const sqlType =
    kind === 'number'
      ? (numberTypes?.get(field.name) ?? wantedNumberType(field))
      : FIELD_TYPES[kind];
  const parts =
    sqlType !== 'jsonb'
      ? []
      : field.parts.flatMap((part) => {
          const column = names.parts.get(part.name);
          return column === undefined ? [] : [{ part, column }];
        });
  return [{ field, column: names.column, sqlType, parts }];
}

/** What of a column shows whether the one that stands is it. */
export interface ColumnShape {
  /** As `format_type` prints it. */
  readonly type: string;
  readonly generated: boolean;
}

/** Of every column by name: what its definition says, without making one. */
export function columnShapes({ columns }: MirrorTable): ReadonlyMap<string, ColumnShape> {
  const shape = (sqlType: SqlType, generated: boolean) => ({ type: printed(sqlType), generated });
  const shapes = new Map<string, ColumnShape>();
  for (const { name, sqlType } of SYSTEM_COLUMNS) shapes.set(name, shape(sqlType, false));
  for (const { column, sqlType, parts } of columns) {
    shapes.set(column, shape(sqlType, false));
    for (const { part, column: name } of parts) shapes.set(name, shape(partType(part), true));
  }
  return shapes;
}

function printed(sqlType: SqlType): string {
  return sqlType === 'timestamptz' ? 'timestamp with time zone' : sqlType;
}

function partType({ kind }: FieldPart): SqlType {
  return kind === 'number' ? 'numeric' : kind;
}

/**
 * The SQL of a generated part. A part of the wrong type is null: whatever the CRM puts into the
 * value, the row stays storable.
 */
export function partExpression(column: string, part: FieldPart): string {
  const value = quoteIdent(column);
  const key = quoteLiteral(part.name);
  if (part.kind === 'text') return `(${value} ->> ${key})`;
  const sqlType = part.kind === 'number' ? 'numeric' : 'boolean';
  return `CASE WHEN jsonb_typeof(${value} -> ${key}) = '${part.kind}' THEN (${value} ->> ${key})::${sqlType} END`;
}

function columnBuilder(name: string, sqlType: SqlType) {
  switch (sqlType) {
    case 'text':
      return text(name);
    case 'smallint':
      return smallint(name);
    case 'integer':
      return integer(name);
    case 'numeric':
      return numeric(name);
    case 'numeric(20,4)':
      return numeric(name, { precision: 20, scale: 4 });
    case 'double precision':
      return doublePrecision(name);
    case 'boolean':
      return boolean(name);
    case 'date':
      return date(name, { mode: 'string' });
    case 'timestamptz':
      return timestamp(name, { withTimezone: true, mode: 'string' });
    case 'text[]':
      return text(name).array();
    case 'jsonb':
      return jsonb(name);
  }
}

function systemColumn(name: SystemColumnName, sqlType: SqlType): PgColumnBuilderBase {
  if (name === 'id') return text('id').primaryKey().default(sql`('local:' || gen_random_uuid())`);
  // By this default the trigger knows that nobody gave a key.
  if (name === '_key') return text('_key').notNull().unique().default('local:');
  return columnBuilder(name, sqlType);
}

/**
 * Keys say what a column is for (`id`, `field:deal_stage`, `part:name.full_name`): a field called
 * `__proto__` or `enableRLS` must not land among the table object's own properties.
 */
function drizzleTable(name: string, columns: readonly MirrorColumn[]): PgTable {
  const builders: [string, PgColumnBuilderBase][] = SYSTEM_COLUMNS.map((column) => [
    column.name,
    systemColumn(column.name, column.sqlType),
  ]);
  for (const { field, column, sqlType, parts } of columns) {
    builders.push([`field:${field.name}`, columnBuilder(column, sqlType)]);
    for (const { part, column: partColumn } of parts) {
      builders.push([
        `part:${field.name}.${part.name}`,
        columnBuilder(partColumn, partType(part)).generatedAlwaysAs(
          sql.raw(partExpression(column, part)),
        ),
      ]);
    }
  }
  return pgSchema(MIRROR_SCHEMA).table(name, Object.fromEntries(builders));
}
