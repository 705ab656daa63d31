import type { Activity } from '../../domain/activity.ts';
import { type Json, stringifyJson } from '../../domain/json.ts';
import { fitName, isStorableText } from '../../domain/names.ts';
import type { Sql } from '../database.ts';
import { encodeExtra } from '../mirror/extra.ts';
import { instantText } from '../mirror/instant-text.ts';
import type { MirrorTable } from '../mirror/table.ts';
import { findActivityTable } from './table.ts';

/** One difference of one event, as its row: in the order of {@link COLUMNS}. */
export type ActivityRow = readonly (string | number | null)[];

const COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['record_id', 'text'],
  ['event_id', 'text'],
  ['position', 'integer'],
  ['at', 'timestamptz'],
  ['actor', 'text'],
  ['kind', 'text'],
  ['type', 'text'],
  ['field', 'text'],
  ['path', 'jsonb'],
  ['value', 'jsonb'],
  ['was', 'jsonb'],
  ['op', 'text'],
];

/** The rows of an event; null where Postgres has no such time. */
export function activityRows(
  mirror: MirrorTable,
  recordId: string,
  activity: Activity,
): readonly ActivityRow[] | null {
  const at = instantText(activity.at);
  if (at === null) return null;
  const { actor, kind } = activity;
  const id = eventKey(activity);
  const by = actor === null ? null : storable(actor);
  const type = storable(activity.type);
  return activity.changes.map(({ field, path, value, was, op }, position): ActivityRow => {
    const column = field === null ? null : columnOf(mirror, field);
    const place = path.length === 0 ? null : jsonText(path);
    return [
      recordId,
      id,
      position,
      at,
      by,
      kind,
      type,
      column,
      place,
      jsonText(value),
      jsonText(was),
      op,
    ];
  });
}

/** What an event is known by; a key of the table has a limit, and an id of the CRM's none. */
export function eventKey({ id }: Pick<Activity, 'id'>): string {
  return fitName(storable(id), () => false);
}

function columnOf({ byField }: MirrorTable, field: string): string {
  return byField.get(field)?.column ?? fitName(storable(field), () => false);
}

function storable(text: string): string {
  return isStorableText(text) ? text : JSON.stringify(text);
}

function jsonText(value: Json | undefined): string | null {
  return value === undefined ? null : stringifyJson(encodeExtra(value));
}

/**
 * Writes events of records that stand; those that are there stay as they are. In a transaction as
 * writer. Safe to run twice. @returns how many rows are new.
 */
export async function writeActivities(
  tx: Sql,
  { table, mirror }: { readonly table: string; readonly mirror: MirrorTable },
  rows: readonly ActivityRow[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const names = COLUMNS.map(([name]) => name).join(', ');
  const arrays = COLUMNS.map(([, type], n) => `$${n + 1}::${type}[]`).join(', ');
  const written = await tx.query(
    `INSERT INTO ${table} (${names}, feed_id)
     SELECT ${names}, record_id FROM unnest(${arrays}) AS r(${names})
      WHERE EXISTS (SELECT FROM ${mirror.qualified} AS t WHERE t.id = r.record_id)
         ON CONFLICT DO NOTHING RETURNING 1`,
    COLUMNS.map((_, n) => rows.map((row) => row[n] ?? null)),
  );
  return written.length;
}

/**
 * What happened to records that were merged goes to those they live on in. In a transaction as writer;
 * repeatable.
 */
export async function moveActivities(
  tx: Sql,
  object: string,
  merges: readonly { readonly oldId: string; readonly id: string }[],
): Promise<void> {
  const table = await findActivityTable(tx, object);
  if (table === null) return;
  const parameters = [merges.map(({ oldId }) => oldId), merges.map(({ id }) => id)];
  const kept = [...COLUMNS.map(([name]) => name).slice(1), 'feed_id'].join(', ');
  await tx.query(
    `WITH moved AS (
       DELETE FROM ${table} AS a USING unnest($1::text[], $2::text[]) AS m(old_id, id)
        WHERE a.record_id = m.old_id AND m.old_id <> m.id RETURNING m.id AS to_id, a.*)
     INSERT INTO ${table} (record_id, ${kept}) SELECT to_id, ${kept} FROM moved
         ON CONFLICT DO NOTHING`,
    parameters,
  );
  await tx.query(
    `DELETE FROM {sync}.activity_feed WHERE object = $2 AND record_id = ANY($1::text[])`,
    [parameters[0], object],
  );
}

/** @returns how many rows of these records were erased, whichever record they stood under. */
export async function eraseActivities(
  tx: Sql,
  object: string,
  ids: readonly string[],
): Promise<number> {
  await tx.query(
    'DELETE FROM {sync}.activity_feed WHERE object = $1 AND record_id = ANY($2::text[])',
    [object, ids],
  );
  const table = await findActivityTable(tx, object);
  if (table === null) return 0;
  const rows = await tx.query(
    `DELETE FROM ${table} WHERE record_id = ANY($1::text[]) OR feed_id = ANY($1::text[]) RETURNING 1`,
    [ids],
  );
  return rows.length;
}
