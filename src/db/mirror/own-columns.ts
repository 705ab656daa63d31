import { quoteIdent } from '../../domain/names.ts';
import type { WantedTrigger } from './attachments.ts';
import { addKeySql, commentSql, renameColumnSql } from './ddl.ts';
import { hasKey, replacedName } from './plan-columns.ts';
import { damagedKey } from './problem.ts';
import { qualify } from './qualify.ts';
import type { StandingColumn, StandingRelation } from './standing-relations.ts';

/** A column of a table of ours beside the mirror tables. */
export interface OwnColumn {
  readonly name: string;
  /** As `format_type` prints it. */
  readonly type: string;
  /** What follows the type where the column is added to rows that stand. */
  readonly rest: string;
  readonly comment: string;
  /** Made of others. One of that name is let alone whatever it is: nothing writes it. */
  readonly isMade: boolean;
}

export interface OwnTable {
  readonly name: string;
  /** Its comment. */
  readonly says: string;
  readonly columns: readonly OwnColumn[];
  readonly key: readonly string[];
  /** Columns of each further index. */
  readonly indexes: readonly (readonly string[])[];
  /** Each of which takes the place of one of its name. */
  readonly triggers: readonly WantedTrigger[];
}

export interface OwnPlan {
  /** As writer: rows that came twice while there was no key go. */
  readonly statements: readonly string[];
  /** Columns that are empty now. */
  readonly added: ReadonlySet<string>;
}

type Standing = Pick<StandingRelation, 'columns' | 'keys' | 'hasPrimaryKey' | 'triggers'>;

/**
 * What gives a table the columns, the key and the triggers back that somebody took. A column that was renamed is
 * known by its comment and gets its name back; one of another type makes way as in a mirror table; one that is
 * gone is made anew, and empty.
 *
 * @throws SyncError `mirror-damaged` where a column of the key is gone: nothing tells the rows apart.
 */
export function planOwnColumns(table: OwnTable, standing: Standing): OwnPlan {
  const { name, key } = table;
  const statements: string[] = [];
  const added = new Set<string>();
  const lost: string[] = [];
  const names = new Map<string, string>();
  const taken = new Set([...standing.columns.keys(), ...table.columns.map((one) => one.name)]);
  const madeLast = table.columns.toSorted((a, b) => Number(a.isMade) - Number(b.isMade));
  for (const column of madeLast) {
    const stands = standing.columns.get(column.name);
    if (stands !== undefined && (column.isMade || fits(stands, column))) continue;
    const renamed = stands === undefined ? findRenamed(column, table, standing) : null;
    if (renamed !== null) {
      statements.push(renameColumnSql(name, renamed, column.name));
      names.set(renamed, column.name);
      continue;
    }
    if (key.includes(column.name)) {
      lost.push(column.name);
      continue;
    }
    if (stands !== undefined) {
      const to = replacedName(column.name, taken);
      taken.add(to);
      statements.push(
        renameColumnSql(name, column.name, to),
        `ALTER TABLE ${qualify(name)} ALTER COLUMN ${quoteIdent(to)} DROP NOT NULL`,
        commentSql(name, to, `${column.name} as it was before somebody changed its type`),
      );
    }
    added.add(column.name);
    statements.push(
      `ALTER TABLE ${qualify(name)} ADD COLUMN ${quoteIdent(column.name)} ${column.type} ${column.rest}`,
      commentSql(name, column.name, column.comment),
    );
  }
  if (lost.length > 0) throw damagedKey(name, lost);
  for (const columns of table.indexes) {
    if (!columns.some((one) => added.has(one))) continue;
    statements.push(
      `CREATE INDEX ON ${qualify(name)} (${columns.map((one) => quoteIdent(one)).join(', ')})`,
    );
  }
  const keys = standing.keys.map((columns) => columns.map((one) => names.get(one) ?? one));
  statements.push(...keySql(table, { ...standing, keys }));
  if (!table.triggers.every((one) => standing.triggers.has(one.name))) {
    statements.push(commentSql(name, null, table.says), ...table.triggers.map(({ sql }) => sql));
  }
  return { statements, added };
}

function fits(standing: StandingColumn, { type }: OwnColumn): boolean {
  return standing.type === type && !standing.generated;
}

/** What stands under another name, and says that it is this one. */
function findRenamed(
  { comment, type, isMade }: OwnColumn,
  { columns }: OwnTable,
  standing: Standing,
): string | null {
  const own = new Set(columns.map(({ name }) => name));
  const found = [...standing.columns].find(
    ([name, stands]) =>
      !own.has(name) &&
      stands.comment === comment &&
      stands.type === type &&
      stands.generated === isMade,
  );
  return found?.[0] ?? null;
}

/** Without its key a row may have come twice: one of them stays. */
function keySql(
  { name, key }: OwnTable,
  { keys, hasPrimaryKey }: Pick<Standing, 'keys' | 'hasPrimaryKey'>,
): readonly string[] {
  if (hasKey({ keys }, key)) return [];
  const table = qualify(name);
  const same = key.map((one) => `t.${quoteIdent(one)} = o.${quoteIdent(one)}`).join(' AND ');
  return [
    `DELETE FROM ${table} AS t USING ${table} AS o WHERE ${same} AND t.ctid > o.ctid`,
    addKeySql(name, key, !hasPrimaryKey),
  ];
}
