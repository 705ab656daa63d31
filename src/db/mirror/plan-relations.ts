import { fitName, quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { Catalog } from './catalog.ts';
import type { LinkTable } from './links.ts';
import type { Step } from './plan-columns.ts';
import type { StandingForeignKey } from './standing-relations.ts';
import { type MirrorTable, qualify } from './table.ts';

/** One foreign key, to come or to go. */
export interface RelationPlan {
  /** How a problem names it. */
  readonly object: string;
  readonly steps: readonly Step[];
  /** Tables that have to be whole for it. */
  readonly tables: readonly string[];
}

/** A column that names a record, and the table that has its row. */
interface Reference {
  readonly column: string;
  readonly target: string;
}

interface Planned {
  readonly tables: readonly MirrorTable[];
  readonly links: readonly LinkTable[];
}

/**
 * Foreign keys by which tools see what refers to what, where Postgres can keep them without
 * enforcing them (18): the CRM's records come in any order, and some name records that are gone.
 * What stands of ours and is wanted no more goes; keys that users made are theirs.
 */
export function planRelations(catalog: Catalog, planned: Planned): RelationPlan[] {
  if (!catalog.unenforced) return [];
  const names = new Map(planned.tables.map(({ object, name }) => [object, name]));
  const wanted = [
    ...planned.tables.map((table) => ({ name: table.name, references: ofFields(table, names) })),
    ...planned.links.map((link) => ({ name: link.name, references: ofSides(link, names) })),
  ];
  return wanted.flatMap(({ name, references }) =>
    plansFor(name, references, catalog.relations.get(name)?.foreignKeys ?? []),
  );
}

function ofFields(table: MirrorTable, names: ReadonlyMap<string, string>): Reference[] {
  return table.columns.flatMap(({ field, column }) => {
    const target = field.kind === 'reference' && names.get(field.relationship?.object ?? '');
    return target ? [{ column, target }] : [];
  });
}

function ofSides({ sides }: LinkTable, names: ReadonlyMap<string, string>): Reference[] {
  return sides.flatMap(({ object, column }) => {
    const target = names.get(object);
    return target === undefined ? [] : [{ column, target }];
  });
}

/** By this comment a foreign key is known as ours, wherever a dump takes it. */
const MARK = 'Seen in the CRM; not enforced';

function plansFor(
  table: string,
  references: readonly Reference[],
  standing: readonly StandingForeignKey[],
): RelationPlan[] {
  const object = `relations of ${table}`;
  const isWanted = (key: StandingForeignKey) => references.some((one) => isFor(key, one));
  const stale = standing.filter((key) => key.comment === MARK && !isWanted(key));
  const missing = references.filter((one) => !standing.some((key) => isFor(key, one)));
  const names = new Set(standing.map(({ name }) => name));
  return [
    ...stale.map(({ name }) => {
      const sql = `ALTER TABLE ${qualify(table)} DROP CONSTRAINT ${quoteIdent(name)}`;
      return { object, steps: [{ object, description: `drop ${name}`, sql }], tables: [table] };
    }),
    ...missing.map(({ column, target }) => {
      const name = fitName(`${table}_${column}_fkey`, (one) => names.has(one));
      names.add(name);
      const key = `FOREIGN KEY (${quoteIdent(column)}) REFERENCES ${qualify(target)} ("id") NOT ENFORCED`;
      const sql = `ALTER TABLE ${qualify(table)} ADD CONSTRAINT ${quoteIdent(name)} ${key};
COMMENT ON CONSTRAINT ${quoteIdent(name)} ON ${qualify(table)} IS ${quoteLiteral(MARK)}`;
      const description = `relate ${column} to ${target}`;
      return { object, steps: [{ object, description, sql }], tables: [table, target] };
    }),
  ];
}

function isFor(key: StandingForeignKey, { column, target }: Reference): boolean {
  return key.columns.length === 1 && key.columns[0] === column && key.target === target;
}
