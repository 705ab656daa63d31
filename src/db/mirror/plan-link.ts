import type { SyncError } from '../../domain/errors.ts';
import { fitName, quoteIdent } from '../../domain/names.ts';
import { linkTriggers, localLinkIndex, triggerName } from './attachments.ts';
import type { Catalog } from './catalog.ts';
import { commentSql, createTableSql } from './ddl.ts';
import type { LinkTable } from './links.ts';
import { hasKey, keyStep, type Step } from './plan-columns.ts';
import { damagedLinks, inheritedTable, nameTaken } from './problem.ts';

/** One link table: its statements belong together, all of them or none. */
export interface LinkPlan {
  readonly object: string;
  readonly link: LinkTable;
  readonly steps: readonly Step[];
  /** Nothing can be written unless the steps succeed. */
  readonly keyless: boolean;
  /** The table is new and empty: its links have to be read. */
  readonly created: boolean;
}

/** Whether a link table of ours has the name: our trigger is on it, and no object is. */
export function isLinkTable({ schemas, relations, mirrors }: Catalog, name: string): boolean {
  const mark = triggerName(schemas, 'refuse_truncate');
  const isMarked = relations.get(name)?.triggers.has(mark) ?? false;
  return isMarked && ![...mirrors.values()].some(({ table }) => table === name);
}

export function planLink(
  catalog: Catalog,
  link: LinkTable,
  claimed: Set<string>,
): LinkPlan | SyncError {
  const object = link.name;
  const { schemas } = catalog;
  const shown = `${schemas.mirror}.${object}`;
  const relation = catalog.relations.get(object);
  const isOurs = relation ? isLinkTable(catalog, object) : !claimed.has(object);
  if (!isOurs) return nameTaken(object, shown);
  claimed.add(object);
  if (relation && relation.kin.length > 0) return inheritedTable(object, shown, relation.kin);
  const lost = link.sides.flatMap(({ column }) =>
    relation && relation.columns.get(column)?.type !== 'text' ? [column] : [],
  );
  if (lost.length > 0) return damagedLinks(object, shown, lost);
  const [first, second] = link.sides;
  const comment = `Links: ${first.object}.${first.field ?? '?'} and ${second.object}.${second.field ?? '?'}`;
  const steps: Step[] = [];
  const step = (description: string, sql: string) => steps.push({ object, description, sql });
  if (!relation) {
    step(`create link table ${object}`, createTableSql(link.drizzle));
    const other = quoteIdent(second.column);
    step(`index ${object} from its other end`, `CREATE INDEX ON ${link.qualified} (${other})`);
  }
  const key = link.sides.map(({ column }) => column);
  const keyless = relation !== undefined && !hasKey(relation, key);
  if (keyless) steps.push(keyStep(object, object, relation, key));
  if (relation?.comment !== comment) step(`label ${object}`, commentSql(object, null, comment));
  const index = localLinkIndex(link);
  const isOurIndex = (name: string) => catalog.relations.get(name)?.indexOf === object;
  const indexName = fitName(index.name, (name) => claimed.has(name) && !isOurIndex(name));
  claimed.add(indexName);
  if (!isOurIndex(indexName)) {
    const sql = `CREATE INDEX ${quoteIdent(indexName)} ON ${link.qualified} ${index.definition}`;
    step(index.description, sql);
  }
  for (const trigger of linkTriggers(schemas, link)) {
    if (!relation?.triggers.has(trigger.name)) step(`attach ${trigger.name}`, trigger.sql);
  }
  // Of the time when links were only read.
  const former = new Set(
    (['insert', 'update', 'delete'] as const).map((event) =>
      triggerName(schemas, `capture_${event}`),
    ),
  );
  for (const name of relation?.triggers ?? []) {
    if (!former.has(name)) continue;
    step(`detach ${name}`, `DROP TRIGGER ${quoteIdent(name)} ON ${link.qualified}`);
  }
  return { object, link, steps, keyless, created: !relation };
}
