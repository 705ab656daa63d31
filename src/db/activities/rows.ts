import type { Activity } from '../../domain/activity.ts';
import { type Json, stringifyJson } from '../../domain/json.ts';
import { fitName, isStorableText } from '../../domain/names.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { guarded } from '../connection/guarded.ts';
import { encodeExtra } from '../mirror/extra.ts';
import { instantText } from '../mirror/instant-text.ts';
import type { MirrorTable } from '../mirror/table.ts';
import { findActivityColumns, findActivityTable } from './table.ts';

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

/** What an event goes by; a key of the table has a limit, and an id of the CRM's none. */
function eventKey({ id }: Pick<Activity, 'id'>): string {
  return fitName(storable(id), () => false);
}

/** What one is known by in its feed, also where another event has its id. */
export function eventName({ id, at }: Pick<Activity, 'id' | 'at'>): string {
  return `${eventKey({ id })} ${at}`;
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
 * These rows, where an id is another event's already with time and type behind it: of two that the CRM gives one
 * id each keeps its rows, and under the same name however often they are told. By the key of the table.
 */
async function distinguish(
  tx: Sql,
  table: string,
  rows: readonly ActivityRow[],
): Promise<readonly ActivityRow[]> {
  const events = rows.filter(([, , position]) => position === 0);
  const others = await tx.query<{ n: bigint }>(
    `SELECT r.n FROM unnest($1::text[], $2::text[], $3::timestamptz[])
                       WITH ORDINALITY AS r(record_id, event_id, at, n)
       JOIN ${table} AS a ON a.record_id = r.record_id AND a.event_id = r.event_id AND a.position = 0
      WHERE a.at <> r.at`,
    [events.map(([id]) => id), events.map(([, id]) => id), events.map(([, , , at]) => at)],
  );
  const named = new Map<string, string>();
  const nameOf = ([record, id, , at, , , type]: ActivityRow, isAnother: boolean): string => {
    const key = JSON.stringify([record, id]);
    const told = JSON.stringify([at, type]);
    if (!isAnother) named.set(key, named.get(key) ?? told);
    const isHolder = !isAnother && named.get(key) === told;
    return isHolder ? String(id) : fitName(`${id} ${at} ${type}`, () => false);
  };
  const odd = new Set(others.map(({ n }) => events[Number(n) - 1]));
  let name = '';
  return rows.map((row) => {
    const [record, , position, ...rest] = row;
    // The rows of an event follow each other.
    if (position === 0) name = nameOf(row, odd.has(row));
    return [record ?? null, name, position ?? null, ...rest];
  });
}

/** Told of an event again, where its column was taken from the table meanwhile. */
const FILLED = COLUMNS.map(([name]) => name).slice(3);

/**
 * Writes events of records that stand; those that are there stay as they are, but for what they lack. In a
 * transaction as writer. Safe to run twice. @returns how many rows are new.
 */
export async function writeActivities(
  tx: Sql,
  { table, mirror }: { readonly table: string; readonly mirror: MirrorTable },
  told: readonly ActivityRow[],
): Promise<number> {
  if (told.length === 0) return 0;
  const rows = await distinguish(tx, table, told);
  const names = COLUMNS.map(([name]) => name).join(', ');
  const arrays = COLUMNS.map(([, type], n) => `$${n + 1}::${type}[]`).join(', ');
  const values = COLUMNS.map((_, n) => rows.map((row) => row[n] ?? null));
  await tx.query(
    `UPDATE ${table} AS a
        SET ${FILLED.map((name) => `${name} = coalesce(a.${name}, r.${name})`).join(', ')},
            feed_id = coalesce(a.feed_id, r.record_id), _synced_at = clock_timestamp()
       FROM unnest(${arrays}) AS r(${names})
      WHERE a.record_id = r.record_id AND a.event_id = r.event_id AND a.position = r.position
        AND (a.feed_id IS NULL
             OR ${FILLED.map((name) => `(a.${name} IS NULL AND r.${name} IS NOT NULL)`).join(' OR ')})`,
    values,
  );
  const written = await tx.query(
    `INSERT INTO ${table} (${names}, feed_id)
     SELECT ${names}, record_id FROM unnest(${arrays}) AS r(${names})
      WHERE EXISTS (SELECT FROM ${mirror.qualified} AS t WHERE t.id = r.record_id)
         ON CONFLICT DO NOTHING RETURNING 1`,
    values,
  );
  return written.length;
}

/**
 * What happened to records that were merged goes to those they live on in, in the columns that there are: no
 * merge waits for a table to be mended, or for a constraint of somebody else's, which leaves rows where
 * they are. In a transaction as writer; repeatable.
 */
export async function moveActivities(
  tx: Transaction,
  object: string,
  merges: readonly { readonly oldId: string; readonly id: string }[],
): Promise<void> {
  const found = await findActivityColumns(tx, object);
  if (found === null) return;
  const { table, names } = found;
  const kept = names.filter((name) => name !== 'record_id' && name !== '_synced_at').join(', ');
  await guarded(tx, table, merges, async (part) => {
    await tx.query(
      `WITH moved AS (
         DELETE FROM ${table} AS a USING unnest($1::text[], $2::text[]) AS m(old_id, id)
          WHERE a.record_id = m.old_id AND m.old_id <> m.id RETURNING m.id AS to_id, a.*)
       INSERT INTO ${table} (record_id, ${kept}) SELECT to_id, ${kept} FROM moved
           ON CONFLICT DO NOTHING`,
      [part.map(({ oldId }) => oldId), part.map(({ id }) => id)],
    );
  });
  await tx.query(
    `DELETE FROM {sync}.activity_feed WHERE object = $2 AND record_id = ANY($1::text[])`,
    [merges.map(({ oldId }) => oldId), object],
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
