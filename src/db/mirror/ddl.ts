import { SQL, sql } from 'drizzle-orm';
import { getTableConfig, PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import { quoteIdent, quoteLiteral } from '../../domain/names.ts';
import { qualify } from './table.ts';

/** One column of a Drizzle definition, as DDL. */
export interface ColumnDdl {
  readonly name: string;
  /** As `format_type` prints it. */
  readonly type: string;
  readonly generated: boolean;
  /** SQL; null where there is none. */
  readonly default: string | null;
  /** What follows `ADD COLUMN`. */
  readonly clause: string;
}

const dialect = new PgDialect();

function inline(expression: SQL): string {
  return dialect.sqlToQuery(expression).sql;
}

function defaultOf(value: unknown): string | null {
  if (value instanceof SQL) return inline(value);
  return typeof value === 'string' ? quoteLiteral(value) : null;
}

/** The columns of a definition: what is created can therefore not disagree with what is queried. */
export function columnDdl(table: PgTable): ColumnDdl[] {
  return getTableConfig(table).columns.map((column) => {
    // As `format_type` prints it, and not with the space that Drizzle puts there.
    const type = column.getSQLType().replace(', ', ',');
    const clause = [quoteIdent(column.name), type];
    const byDefault = defaultOf(column.default);
    if (byDefault !== null) clause.push(`DEFAULT ${byDefault}`);
    if (column.generated) {
      const { as } = column.generated;
      const expression = as instanceof SQL ? as : sql.raw(String(as));
      clause.push(`GENERATED ALWAYS AS (${inline(expression)}) STORED`);
    }
    if (column.notNull && !column.primary) clause.push('NOT NULL');
    if (column.isUnique) clause.push('UNIQUE');
    if (column.primary) clause.push('PRIMARY KEY');
    return {
      name: column.name,
      type,
      generated: column.generated !== undefined,
      default: byDefault,
      clause: clause.join(' '),
    };
  });
}

export function createTableSql(table: PgTable): string {
  const { name, primaryKeys } = getTableConfig(table);
  const lines = columnDdl(table).map(({ clause }) => clause);
  for (const key of primaryKeys) {
    lines.push(`PRIMARY KEY (${key.columns.map((column) => quoteIdent(column.name)).join(', ')})`);
  }
  return `CREATE TABLE ${qualify(name)} (\n  ${lines.join(',\n  ')}\n)`;
}

export function addColumnsSql(table: string, clauses: readonly string[]): string {
  return `ALTER TABLE ${qualify(table)}\n  ${clauses.map((clause) => `ADD COLUMN ${clause}`).join(',\n  ')}`;
}

/**
 * Adds `_key` to rows that stand, by what they say of themselves. As an expression that is dropped
 * at once: that writes the table anew without a trigger seeing it, and no version of a row comes
 * of it. `qualified` is quoted.
 */
export function addRowKeySql(qualified: string): string {
  return `ALTER TABLE ${qualified} ADD COLUMN "_key" text GENERATED ALWAYS AS (coalesce("_local_id", "id")) STORED;
ALTER TABLE ${qualified} ALTER COLUMN "_key" DROP EXPRESSION`;
}

export function retypeClause(column: string, type: string): string {
  return `ALTER COLUMN ${quoteIdent(column)} TYPE ${type}`;
}

/** All at once: the table is written anew but one time. */
export function alterColumnsSql(table: string, clauses: readonly string[]): string {
  return `ALTER TABLE ${qualify(table)}\n  ${clauses.join(',\n  ')}`;
}

export function renameColumnSql(table: string, column: string, to: string): string {
  return `ALTER TABLE ${qualify(table)} RENAME COLUMN ${quoteIdent(column)} TO ${quoteIdent(to)}`;
}

export function commentSql(table: string, column: string | null, comment: string): string {
  const target =
    column === null ? `TABLE ${qualify(table)}` : `COLUMN ${qualify(table)}.${quoteIdent(column)}`;
  return `COMMENT ON ${target} IS ${quoteLiteral(comment)}`;
}

/** As the definition says: a row born here gets an id of ours, and that for its key. */
export function defaultSql(table: string, definition: PgTable, column: 'id' | '_key'): string {
  const wanted = columnDdl(definition).find(({ name }) => name === column)?.default;
  if (wanted == null) throw new Error(`${column} has no default`);
  return `ALTER TABLE ${qualify(table)} ALTER COLUMN ${quoteIdent(column)} SET DEFAULT ${wanted}`;
}

export function addKeySql(table: string, columns: readonly string[], primary: boolean): string {
  const names = columns.map(quoteIdent);
  const list = names.join(', ');
  if (primary) return `ALTER TABLE ${qualify(table)} ADD PRIMARY KEY (${list})`;
  const notNull = names.map((name) => `ALTER COLUMN ${name} SET NOT NULL`).join(', ');
  return `ALTER TABLE ${qualify(table)} ${notNull}, ADD UNIQUE (${list})`;
}

export function notNullSql(table: string, column: string): string {
  return `ALTER TABLE ${qualify(table)} ALTER COLUMN ${quoteIdent(column)} SET NOT NULL`;
}
