import { fitName, quoteIdent, quoteLiteral } from '../../domain/names.ts';
import { historyTriggers } from './attachments.ts';
import type { Catalog } from './catalog.ts';
import { addRowKeySql, columnDdl } from './ddl.ts';
import { isNumberType } from './number-type.ts';
import type { Step } from './plan-columns.ts';
import type { StandingRelation } from './standing-relations.ts';
import type { MirrorTable } from './table.ts';

/** The history of one object: its statements belong together, all of them or none. */
export interface HistoryPlan {
  /** How a problem names it. */
  readonly object: string;
  readonly steps: readonly Step[];
}

/** Columns of a version that the row itself does not have. */
const OWN_COLUMNS: readonly (readonly [name: string, clause: string, comment: string])[] = [
  ['_valid_from', 'timestamptz NOT NULL', 'Since when the mirror showed this'],
  ['_valid_to', 'timestamptz', 'Until when it did; null where it still does'],
  ['_operation', 'text NOT NULL', 'What began it: insert, update, or found when history was begun'],
  [
    '_ended_by',
    'text',
    'What ended it: update, delete, merge, stop of the history, or found where it was seen from then on',
  ],
  [
    '_reconstructed',
    'boolean NOT NULL DEFAULT false',
    'Nobody saw it: it follows from what the CRM tells of its records’ past, and its times are those of the CRM',
  ],
  [
    '_unknown',
    'text[]',
    'Of a reconstructed version, the columns of which nobody knows what they held; null of one that was seen',
  ],
];

function qualify(name: string): string {
  return `"{history}".${quoteIdent(name)}`;
}

/** The columns of the mirror table, as plain ones: a version computes nothing. */
function wantedColumns(table: MirrorTable): { readonly name: string; readonly type: string }[] {
  const own = new Set(OWN_COLUMNS.map(([name]) => name));
  return (
    columnDdl(table.drizzle)
      .filter(({ name }) => !own.has(name))
      // Versions outlast a change of scale.
      .map(({ name, type }) => ({ name, type: isNumberType(type) ? 'numeric' : type }))
  );
}

/**
 * What leads to a history that follows the mirror table, or, where none is wanted, to one that has
 * stopped. The table is never dropped, nor is a column of it.
 */
export function planHistory(
  catalog: Catalog,
  table: MirrorTable,
  isWanted: boolean,
): HistoryPlan | null {
  const object = `history of ${table.object}`;
  const triggers = catalog.relations.get(table.name)?.triggers ?? new Set<string>();
  const wanted = historyTriggers(catalog.schemas, table.name);
  const steps: Step[] = [];
  const step = (description: string, sql: string) => steps.push({ object, description, sql });
  if (isWanted) {
    const standing = catalog.histories.get(table.name) ?? null;
    if (standing === null) create(table, catalog, step);
    else follow(table, standing, step);
    for (const { name, sql } of wanted) {
      if (!triggers.has(name)) step(`attach ${name}`, sql);
    }
    if (steps.length > 0) {
      const name = quoteLiteral(table.name);
      step('write versions of what stands', `SELECT {sync}.begin_history(${name})`);
    }
  } else {
    const attached = wanted.filter(({ name }) => triggers.has(name));
    for (const { name } of attached) {
      step(`detach ${name}`, `DROP TRIGGER ${quoteIdent(name)} ON ${table.qualified}`);
    }
    if (attached.length > 0) {
      step('stop the history', `SELECT {sync}.end_history(${quoteLiteral(table.name)})`);
    }
  }
  return steps.length === 0 ? null : { object, steps };
}

type AddStep = (description: string, sql: string) => void;

function create(table: MirrorTable, { schemas, historyStands }: Catalog, step: AddStep): void {
  const qualified = qualify(table.name);
  // Asked for only where there is none: it takes rights on the database.
  if (!historyStands) {
    step('create schema', `CREATE SCHEMA IF NOT EXISTS "{history}"`);
  }
  const lines = [
    ...OWN_COLUMNS.map(([name, clause]) => `${name} ${clause}`),
    ...wantedColumns(table).map(({ name, type }) => {
      return `${quoteIdent(name)} ${type}${name === 'id' ? ' NOT NULL' : ''}`;
    }),
    'PRIMARY KEY (id, _valid_from)',
  ];
  step('create table', `CREATE TABLE ${qualified} (\n  ${lines.join(',\n  ')}\n)`);
  const title = `${table.schema.label.plural || table.object}: every version of each row of ${schemas.mirror}.${table.name}`;
  step('label it', `COMMENT ON TABLE ${qualified} IS ${quoteLiteral(title)}`);
  step('label its columns', OWN_COLUMNS.map((column) => labelSql(table, column)).join(';\n'));
  step(
    'have it reach back as far as is told',
    `UPDATE {sync}.activity_feed SET past_at = NULL WHERE object = ${quoteLiteral(table.object)}`,
  );
  step(
    'index rows born here',
    `CREATE INDEX ON ${qualified} (_valid_from) WHERE id LIKE 'local:%'`,
  );
  for (const name of referenceColumns(table)) indexReference(table, name, step);
}

function labelSql(table: MirrorTable, [name, , comment]: (typeof OWN_COLUMNS)[number]): string {
  return `COMMENT ON COLUMN ${qualify(table.name)}.${name} IS ${quoteLiteral(comment)}`;
}

/** A column that came or changed its type does so here; the one of another type makes way. */
function follow(table: MirrorTable, { columns }: StandingRelation, step: AddStep): void {
  const qualified = qualify(table.name);
  for (const column of OWN_COLUMNS) {
    const [name, clause] = column;
    if (columns.has(name)) continue;
    step(`add column ${name}`, `ALTER TABLE ${qualified} ADD COLUMN ${name} ${clause}`);
    step(`label column ${name}`, labelSql(table, column));
  }
  const added = wantedColumns(table).filter(({ name, type }) => columns.get(name)?.type !== type);
  const references = new Set(referenceColumns(table));
  for (const { name, type } of added) {
    if (columns.has(name)) {
      const to = fitWas(name, columns);
      step(
        `keep ${name} as ${to}: its type changed`,
        `ALTER TABLE ${qualified} RENAME COLUMN ${quoteIdent(name)} TO ${quoteIdent(to)}`,
      );
    }
    const sql = `ALTER TABLE ${qualified} ADD COLUMN ${quoteIdent(name)} ${type}`;
    step(`add column ${name}`, name === '_key' ? addRowKeySql(qualified) : sql);
    if (references.has(name)) indexReference(table, name, step);
  }
}

function fitWas(name: string, columns: ReadonlyMap<string, unknown>): string {
  for (let n = 1; ; n += 1) {
    const wanted = `${name}__was_${n}`;
    const fitted = fitName(wanted, (one) => one !== wanted && columns.has(one));
    if (!columns.has(fitted)) return fitted;
  }
}

function referenceColumns(table: MirrorTable): string[] {
  return table.columns.filter(({ field }) => field.kind === 'reference').map((one) => one.column);
}

/** Finds references to what was born here once that has its id; empty in between. */
function indexReference(table: MirrorTable, column: string, step: AddStep): void {
  const name = quoteIdent(column);
  step(
    `index rows born here in ${column}`,
    `CREATE INDEX ON ${qualify(table.name)} (id) WHERE ${name} LIKE 'local:%'`,
  );
}
