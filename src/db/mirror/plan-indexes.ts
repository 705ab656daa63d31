import { fitName, quoteIdent } from '../../domain/names.ts';
import {
  identityIndexName,
  localReferenceIndex,
  localReferenceIndexName,
  lookupIndexes,
} from './attachments.ts';
import type { Catalog } from './catalog.ts';
import type { Step } from './plan-columns.ts';
import { type MirrorTable, qualify } from './table.ts';

interface IndexContext {
  readonly catalog: Catalog;
  /** Every name that stands or is planned: indexes and tables share one name space. */
  readonly claimed: Set<string>;
  /** Columns that make way for one of another type. */
  readonly replaced: ReadonlySet<string>;
}

/**
 * Our own indexes. One on a column that makes way is dropped (it holds no data): it would follow
 * the old column and keep the name the new one needs.
 */
export function planIndexes(
  table: MirrorTable,
  { catalog, claimed, replaced }: IndexContext,
): { readonly before: Step[]; readonly after: Step[] } {
  const object = table.object;
  const isOurs = (name: string) => catalog.relations.get(name)?.indexOf === table.name;
  const nameOf = (wanted: string) => fitName(wanted, (name) => claimed.has(name) && !isOurs(name));
  const stale = new Set(
    [...replaced]
      .flatMap((column) => [
        localReferenceIndexName(table.name, column),
        identityIndexName(table.name, column),
      ])
      .map(nameOf)
      .filter(isOurs),
  );
  const wanted = [
    ...table.columns
      .filter(({ field }) => field.kind === 'reference')
      .map((column) => localReferenceIndex(table.name, column)),
    ...(catalog.filled.has(object) ? lookupIndexes(table) : []),
  ];
  const after = wanted.flatMap(({ name: wantedName, description, definition }) => {
    const name = nameOf(wantedName);
    if (isOurs(name) && !stale.has(name)) return [];
    claimed.add(name);
    const sql = `CREATE INDEX ${quoteIdent(name)} ON ${table.qualified} ${definition}`;
    return [{ object, description, sql }];
  });
  const before = [...stale].map((name) => ({
    object,
    description: `drop index ${name}: its column is replaced`,
    sql: `DROP INDEX ${qualify(name)}`,
  }));
  return { before, after };
}
