import type { StandingMirror } from './catalog.ts';
import { commentSql } from './ddl.ts';
import type { Step } from './plan-columns.ts';
import type { StandingRelation } from './standing-relations.ts';
import type { MirrorTable } from './table.ts';

const systemComments = (title: string): readonly (readonly [column: string, says: string])[] => [
  ['id', `Id in ${title}; local:<uuid> until a row born here has been pushed`],
  ['_local_id', 'Id a row born here had before it was pushed'],
  ['_key', 'Unique, and never changes: the id a row was born with here, or that of its record'],
  ['_created_at', `When the record was created in ${title}`],
  ['_updated_at', `When the record was last edited in ${title}`],
  ['_created_by', `Who created the record in ${title}`],
  ['_updated_by', `Who last edited the record in ${title}`],
  ['_merged_ids', 'Ids of records that were merged into this one'],
  ['_synced_at', 'When clarify-sync last wrote the row'],
  ['_extra', 'What no column holds: unknown fields and values that do not fit'],
];

interface Standing {
  /** Null where the table is new. */
  readonly relation: StandingRelation | null;
  readonly mirror: StandingMirror | null;
}

/** What every column of the table, and the table itself (under null), should say. */
function wantedComments(
  title: string,
  table: MirrorTable,
  standing: Standing,
): Map<string | null, string> {
  const { schema, object } = table;
  const comments = new Map<string | null, string>([
    [null, `${schema.label.plural || object}: mirror of ${title}'s ${object}`],
  ]);
  for (const { column, field } of standing.mirror?.fields.values() ?? []) {
    if (!standing.relation?.columns.has(column)) continue;
    comments.set(
      column,
      `${field.label || field.name || column} (removed in ${title}; kept with its data)`,
    );
  }
  for (const [column, comment] of systemComments(title)) comments.set(column, comment);
  for (const { field, column, parts } of table.columns) {
    const label = field.label || field.name || column;
    comments.set(column, field.readOnly === true ? `${label}, read-only` : label);
    for (const { part, column: partColumn } of parts) {
      comments.set(partColumn, `${label}: ${part.name}, read-only`);
    }
  }
  return comments;
}

/** Comments that differ from what stands; all of them on columns that are `written` anew. */
export function planComments(
  table: MirrorTable,
  { title, ...standing }: Standing & { readonly title: string },
  written: ReadonlySet<string>,
): Step[] {
  const { relation } = standing;
  const steps: Step[] = [];
  for (const [column, comment] of wantedComments(title, table, standing)) {
    const current = column === null ? relation?.comment : relation?.columns.get(column)?.comment;
    if (current === comment && (column === null || !written.has(column))) continue;
    steps.push({
      object: table.object,
      description: column === null ? `label ${table.name}` : `label column ${column}`,
      sql: commentSql(table.name, column, comment),
    });
  }
  return steps;
}
