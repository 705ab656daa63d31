import { fitName } from '../../domain/names.ts';
import type { StandingMirror } from './catalog.ts';
import {
  addColumnsSql,
  addKeySql,
  addRowKeySql,
  alterColumnsSql,
  columnDdl,
  commentSql,
  defaultSql,
  notNullSql,
  renameColumnSql,
  retypeClause,
} from './ddl.ts';
import { isPromisedAnew } from './number-columns.ts';
import { isNumberType } from './number-type.ts';
import type { StandingRelation } from './standing-relations.ts';
import {
  type ColumnShape,
  columnShapes,
  type MirrorColumn,
  type MirrorTable,
  SYSTEM_COLUMNS,
} from './table.ts';

/** One statement, and what it is for. */
export interface Step {
  /** The object or link table it belongs to. */
  readonly object: string;
  readonly description: string;
  readonly sql: string;
}

export interface ColumnPlan {
  readonly steps: readonly Step[];
  /** Columns that are new on a table that stood: their values are still to come. */
  readonly added: readonly MirrorColumn[];
  /** Columns that get a type which holds more. */
  readonly widened: readonly MirrorColumn[];
  /** Columns that make way, whose own indexes are of no more use. */
  readonly replaced: ReadonlySet<string>;
  /** System columns that somebody changed. */
  readonly damaged: readonly string[];
  /** The key by which rows are found is gone: the steps make it again, and nothing goes without. */
  readonly keyless: boolean;
}

interface Standing {
  readonly relation: StandingRelation;
  /** What is on record; null where the table is new. */
  readonly mirror: StandingMirror | null;
  /** Of the CRM. */
  readonly title: string;
}

/**
 * What leads from the columns that stand to the columns that are wanted. Nothing is ever dropped:
 * a column of another type makes way under the name `<column>__was_<n>`, and so do its parts, so
 * that views which use them keep working.
 */
export function planColumns(table: MirrorTable, { relation, mirror, title }: Standing): ColumnPlan {
  const shapes = columnShapes(table);
  const taken = new Set([...relation.columns.keys(), ...shapes.keys()]);
  const renames: Step[] = [];
  const addedNames: string[] = [];
  const replaced = new Set<string>();

  const makeWay = (column: string): void => {
    const to = replacedName(column, taken);
    taken.add(to);
    replaced.add(column);
    renames.push(
      {
        object: table.object,
        description: `keep column ${column} as ${to}: its type changed`,
        sql: renameColumnSql(table.name, column, to),
      },
      {
        object: table.object,
        description: `note what ${to} was`,
        sql: commentSql(table.name, to, `${column} as it was before its type changed in ${title}`),
      },
    );
  };
  const add = (name: string): void => {
    addedNames.push(name);
  };
  const wanted = (name: string): ColumnShape => {
    const column = shapes.get(name);
    if (column === undefined) throw new Error(`no definition of column ${name}`);
    return column;
  };

  const damaged: string[] = [];
  for (const { name } of SYSTEM_COLUMNS) {
    const standing = relation.columns.get(name);
    if (standing !== undefined) {
      if (!fits(standing, wanted(name))) damaged.push(name);
    } else if (name !== '_key') add(name);
  }
  const added: MirrorColumn[] = [];
  const widened: MirrorColumn[] = [];
  const retyped: string[] = [];
  for (const column of table.columns) {
    const standing = relation.columns.get(column.column);
    // Also once it has been widened: who was writing just then knew the former type.
    const isOverflown = mirror?.fields.get(column.field.name)?.overflown === true;
    if (isOverflown && column.sqlType === 'numeric') widened.push(column);
    const isRetyped = isOtherNumber(column, standing?.type, mirror);
    if (isRetyped) {
      retyped.push(retypeClause(column.column, column.sqlType));
      if (column.sqlType === 'numeric' && !widened.includes(column)) widened.push(column);
      continue;
    }
    const isStale = standing !== undefined && !fits(standing, wanted(column.column));
    if (isStale) {
      makeWay(column.column);
      for (const part of mirror?.fields.get(column.field.name)?.partColumns.values() ?? []) {
        if (relation.columns.has(part)) makeWay(part);
      }
    }
    if (standing === undefined || isStale) {
      add(column.column);
      added.push(column);
    }
    for (const part of column.parts) {
      const partStanding = relation.columns.get(part.column);
      const partFits = partStanding !== undefined && fits(partStanding, wanted(part.column));
      if (partFits && !isStale) continue;
      if (partStanding !== undefined && !replaced.has(part.column)) makeWay(part.column);
      add(part.column);
    }
  }
  const steps = [...renames];
  if (addedNames.length > 0) {
    const ddl = new Map(columnDdl(table.drizzle).map(({ name, clause }) => [name, clause]));
    steps.push({
      object: table.object,
      description: `add ${addedNames.length === 1 ? 'column' : 'columns'} ${addedNames.join(', ')}`,
      sql: addColumnsSql(
        table.name,
        addedNames.flatMap((name) => ddl.get(name) ?? []),
      ),
    });
  }
  if (retyped.length > 0) {
    const names = retyped.length === 1 ? 'a column' : `${retyped.length} columns`;
    const description = `give ${names} of numbers the digits they need`;
    steps.push({ object: table.object, description, sql: alterColumnsSql(table.name, retyped) });
  }
  const shape = planShape(table, relation);
  steps.push(...shape.steps);
  return { steps, added, widened, replaced, damaged, keyless: shape.keyless };
}

/** A column of numbers as we made it, which is to hold more or less digits from now on. */
function isOtherNumber(
  { field, sqlType }: MirrorColumn,
  standing: string | undefined,
  mirror: StandingMirror | null,
): boolean {
  const recorded = mirror?.fields.get(field.name);
  if (isPromisedAnew(field, recorded)) return false;
  const made = recorded?.numberType ?? 'numeric';
  return standing === made && isNumberType(sqlType) && sqlType !== made;
}

/** Keys and the default of `id`, without which nothing finds a row or makes one. */
function planShape(
  table: MirrorTable,
  relation: StandingRelation,
): Pick<ColumnPlan, 'steps' | 'keyless'> {
  const { object } = table;
  const steps: Step[] = [];
  const id = relation.columns.get('id');
  if (id !== undefined && !id.hasDefault) {
    const description = `give id of ${table.name} its default back`;
    steps.push({ object, description, sql: defaultSql(table.name, table.drizzle, 'id') });
  }
  const keyless = id !== undefined && !hasKey(relation, ['id']);
  if (keyless) steps.push(keyStep(object, table.name, relation, ['id']));
  else if (id !== undefined && !id.notNull) {
    const description = `let no row of ${table.name} be without id`;
    steps.push({ object, description, sql: notNullSql(table.name, 'id') });
  }
  return { steps: [...steps, ...rowKeySteps(table, relation)], keyless };
}

/** The key that a row keeps for life, whatever id it gets. */
function rowKeySteps(table: MirrorTable, relation: StandingRelation): Step[] {
  const { object, name, qualified } = table;
  const standing = relation.columns.get('_key');
  const description = `give every row of ${name} a key for life`;
  return [
    ...(standing === undefined ? [addRowKeySql(qualified)] : []),
    ...(standing?.notNull ? [] : [notNullSql(name, '_key')]),
    ...(standing?.hasDefault ? [] : [defaultSql(name, table.drizzle, '_key')]),
    ...(hasKey(relation, ['_key']) ? [] : [addKeySql(name, ['_key'], false)]),
  ].map((sql) => ({ object, description, sql }));
}

export function hasKey(
  { keys }: Pick<StandingRelation, 'keys'>,
  columns: readonly string[],
): boolean {
  return keys.some((key) => key.length === columns.length && columns.every((c) => key.includes(c)));
}

/** A primary key, unless users gave the table another one. */
export function keyStep(
  object: string,
  table: string,
  { hasPrimaryKey }: StandingRelation,
  columns: readonly string[],
): Step {
  const description = `give ${table} its key back`;
  return { object, description, sql: addKeySql(table, columns, !hasPrimaryKey) };
}

function fits(standing: ColumnShape, wanted: ColumnShape): boolean {
  return standing.type === wanted.type && standing.generated === wanted.generated;
}

/** What a column that makes way is called. */
export function replacedName(column: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n += 1) {
    const wanted = `${column}__was_${n}`;
    const name = fitName(wanted, (candidate) => candidate !== wanted && taken.has(candidate));
    if (!taken.has(name)) return name;
  }
}
