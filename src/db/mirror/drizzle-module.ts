import { fitName } from '../../domain/names.ts';
import type { Field, ObjectSchema } from '../../domain/schema.ts';
import type { Sql } from '../connection/database.ts';
import type { Schemas } from '../control/schemas.ts';
import { readCatalog } from './catalog.ts';
import { type LinkTable, linkTables } from './links.ts';
import { type PlanOptions, planMirror } from './plan.ts';
import type { MirrorProblem } from './problem.ts';
import { type MirrorTable, partExpression, type SqlType, SYSTEM_COLUMNS } from './table.ts';

/**
 * The mirror and link tables of a workspace as TypeScript for the user's own Drizzle code: those
 * that stand, and those a sync would make. Changes nothing.
 */
export async function planDrizzleModule(
  sql: Sql,
  schemas: readonly ObjectSchema[],
  options: PlanOptions = {},
): Promise<{ readonly module: string; readonly problems: readonly MirrorProblem[] }> {
  const catalog = await readCatalog(sql);
  const { objects, problems } = planMirror(catalog, schemas, options);
  const tables = objects.map(({ table }) => table);
  const taken = new Set([
    ...[...catalog.mirrors.values()].map(({ table }) => table),
    ...tables.map(({ name }) => name),
  ]);
  const links = linkTables(
    tables.map(({ schema }) => schema),
    (name) => taken.has(name),
  );
  const failed = new Set(problems.map(({ object }) => object));
  const module = drizzleModule(
    sql.schemas,
    tables,
    links.filter(({ name }) => !failed.has(name)),
  );
  return { module, problems };
}

/**
 * The text of the module. A table is exported under its own name and a column is a property of its
 * own name, so that no other field ever changes what either is called; where a name is no
 * identifier, or Drizzle has it for itself, eight digits of its hash follow it (and in a table's
 * name `_` stands for what no identifier holds). Pure.
 */
export function drizzleModule(
  { mirror }: Pick<Schemas, 'mirror'>,
  tables: readonly MirrorTable[],
  links: readonly LinkTable[] = [],
): string {
  // It names no table: one of its name is exported by another.
  const schema = RESERVED_WORDS.has(mirror) ? `${mirror}_schema` : mirror;
  const exported = exportNames(
    [...tables, ...links].map(({ name }) => name),
    new Set([...RESERVED_WORDS, schema]),
  );
  const exportOf = (table: string) => `export const ${exported.get(table) ?? ''} = ${schema}.table`;
  return [
    head(schema, mirror),
    ...tables.map((table) => tableText(exportOf(table.name), table)),
    ...links.map((link) => linkText(exportOf(link.name), link)),
  ].join('\n');
}

const head = (
  schema: string,
  mirror: string,
) => `// Made by \`clarify-sync schema --drizzle\`. For queries and edits: clarify-sync changes the tables itself.
import { sql } from 'drizzle-orm';
import * as pg from 'drizzle-orm/pg-core';

export const ${schema} = pg.pgSchema(${JSON.stringify(mirror)});
`;

function tableText(exportedTable: string, { name, schema, columns }: MirrorTable): string {
  const lines: Line[] = SYSTEM_COLUMNS.map((column) => ({
    name: column.name,
    code: KEYS.get(column.name) ?? builder(column.name, column.sqlType),
    comment: null,
  }));
  for (const { field, column, sqlType, parts } of columns) {
    lines.push({ name: column, code: builder(column, sqlType), comment: aboutField(field) });
    for (const { part, column: partColumn } of parts) {
      const type = part.kind === 'number' ? 'numeric' : part.kind;
      const expression = literal(partExpression(column, part));
      const code = `${builder(partColumn, type)}.generatedAlwaysAs(sql.raw(${expression}))`;
      lines.push({ name: partColumn, code, comment: null });
    }
  }
  const properties = propertyNames(lines.map((line) => line.name));
  return [
    ...comment(schema.label.plural, ''),
    `${exportedTable}(${literal(name)}, {`,
    ...lines.flatMap((line) => [
      ...comment(line.comment, '  '),
      `  ${literal(properties.get(line.name) ?? line.name)}: ${line.code},`,
    ]),
    '});\n',
  ].join('\n');
}

function aboutField({ label, name, readOnly }: Field): string | null {
  return readOnly === true ? `${label ?? name}, read-only` : label;
}

interface Line {
  readonly name: string;
  readonly code: string;
  readonly comment: string | null;
}

/** What rows are known by: an insert gives neither. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ['id', "pg.text('id').primaryKey().default(sql.raw(\"('local:' || gen_random_uuid())\"))"],
  ['_key', "pg.text('_key').notNull().unique().default('local:')"],
]);

function linkText(exportedTable: string, { name, sides }: LinkTable): string {
  const properties = propertyNames(sides.map(({ column }) => column));
  const keys = sides.map(({ column }) => literal(properties.get(column) ?? column));
  return [
    `${exportedTable}(`,
    `  ${literal(name)},`,
    '  {',
    ...sides.map(({ column }, at) => `    ${keys[at]}: pg.text(${literal(column)}).notNull(),`),
    '  },',
    `  (t) => [pg.primaryKey({ columns: [${keys.map((key) => `t[${key}]`).join(', ')}] })],`,
    ');\n',
  ].join('\n');
}

function builder(column: string, sqlType: SqlType): string {
  const name = literal(column);
  switch (sqlType) {
    case 'text':
    case 'smallint':
    case 'integer':
    case 'numeric':
    case 'boolean':
    case 'jsonb':
      return `pg.${sqlType}(${name})`;
    case 'numeric(20,4)':
      return `pg.numeric(${name}, { precision: 20, scale: 4 })`;
    case 'double precision':
      return `pg.doublePrecision(${name})`;
    case 'date':
      return `pg.date(${name}, { mode: 'string' })`;
    case 'timestamptz':
      return `pg.timestamp(${name}, { withTimezone: true, mode: 'string' })`;
    case 'text[]':
      return `pg.text(${name}).array()`;
  }
}

/** What a property of a Drizzle table must not be called: it has these itself, or everything has. */
const TAKEN_PROPERTIES: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  '_',
  '$inferSelect',
  '$inferInsert',
  'enableRLS',
  'getSQL',
  'shouldOmitSQLParens',
  'then',
]);

function propertyNames(columns: readonly string[]): ReadonlyMap<string, string> {
  const all = new Set(columns);
  return new Map(
    columns.map((column) => {
      const isTaken = (name: string) =>
        TAKEN_PROPERTIES.has(name) || (name !== column && all.has(name));
      return [column, fitName(column, isTaken)];
    }),
  );
}

/** `pg` and `sql` are the module's own; the rest cannot name a constant. */
const RESERVED_WORDS: ReadonlySet<string> = new Set(
  `pg sql arguments await break case catch class const continue debugger default delete do
   else enum eval export extends false finally for function if implements import in instanceof
   interface let new null package private protected public return static super switch this throw
   true try typeof undefined var void while with yield`.split(/\s+/),
);
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

function exportNames(
  tables: readonly string[],
  taken: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const all = new Set(tables);
  return new Map(
    tables.map((table) => {
      const isPlain = IDENTIFIER.test(table) && !taken.has(table);
      if (isPlain) return [table, table];
      const isTaken = (name: string) => name === table || all.has(identifier(name));
      return [table, identifier(fitName(table, isTaken))];
    }),
  );
}

function identifier(name: string): string {
  return name.replace(/[^\w$]/g, '_').replace(/^(?=\d)/, '_');
}

/** What ends a line for JavaScript, or shows as something else than it is. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A string literal that means exactly this text. */
function literal(text: string): string {
  return JSON.stringify(text).replace(UNSEEN, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A label cannot end its comment. */
function comment(label: string | null, indent: string): readonly string[] {
  if (label === null || label.trim() === '') return [];
  return [`${indent}/** ${label.replace(UNSEEN, ' ').replaceAll('*/', '* /')} */`];
}
