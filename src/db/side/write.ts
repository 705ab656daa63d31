import { stringifyJson } from '../../domain/json.ts';
import { isStorableText, quoteIdent } from '../../domain/names.ts';
import type { SideItem, SidePart, SideUnit } from '../../domain/side.ts';
import type { Sql } from '../connection/database.ts';
import { encodeExtra } from '../mirror/extra.ts';
import { keyColumns, type SideTable } from './tables.ts';

/** What was read of one unit. */
export interface SideReading extends SideUnit {
  readonly items: readonly SideItem[];
  /** Of what no list tells: the ids that were asked for. No other row goes. */
  readonly asked?: readonly string[] | undefined;
}

export interface SideWrites {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/**
 * Brings the rows of these units up to what was read of them: those that were not read go. In a
 * transaction as writer. Rows that are equal are neither written nor locked, and those that somebody
 * holds are left to the next time. Safe to run twice.
 */
export async function writeSide(
  tx: Sql,
  { table, side }: { readonly table: string; readonly side: SideTable },
  readings: readonly SideReading[],
): Promise<SideWrites> {
  const rows = readings.flatMap(({ object, key, items }) =>
    items.filter(({ id }) => isStorableText(id)).map((item) => ({ object, key, ...item })),
  );
  const told = `SELECT DISTINCT ON (object, parent, id) object, parent, id, fields::jsonb AS fields
    FROM unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS t(object, parent, id, fields)`;
  const asked = readings.flatMap((reading) => reading.asked ?? []);
  const isAsked = readings.some((reading) => reading.asked !== undefined);
  const stays = isAsked ? 's.id <> ALL($8::text[])' : 'false';
  return await merge(tx, side, { table, told, isWhole: true, stays }, [
    ...unitsOf(readings),
    rows.map(({ object }) => object),
    rows.map(({ key }) => key),
    rows.map(({ id }) => id),
    rows.map(({ fields }) => stringifyJson(encodeExtra(fields))),
    ...(isAsked ? [asked] : []),
  ]);
}

/** As {@link writeSide}, of the pages that were put down of one unit; not `whole`: no row goes. */
export async function writeSidePages(
  tx: Sql,
  { table, side, part }: { table: string; side: SideTable; part: SidePart },
  { isWhole, ...unit }: SideUnit & { readonly isWhole: boolean },
): Promise<SideWrites> {
  const told = `SELECT DISTINCT ON (i.id) p.object, p.key AS parent, i.id, i.fields
    FROM {sync}.side_page AS p CROSS JOIN LATERAL jsonb_to_recordset(p.items) AS i(id text, fields jsonb)
   WHERE p.part = $4 AND p.object = ($1::text[])[1] AND p.key = ($2::text[])[1]`;
  return await merge(tx, side, { table, told, isWhole, stays: 'false' }, [
    ...unitsOf([unit]),
    part,
  ]);
}

function unitsOf(units: readonly SideUnit[]): [readonly string[], readonly string[]] {
  return [units.map(({ object }) => object), units.map(({ key }) => key)];
}

/**
 * `$1` and `$2` are objects and keys of the units, `$3` whether rows go that were not told; `stays`: SQL
 * of those rows `s` that do not.
 */
async function merge(
  tx: Sql,
  side: SideTable,
  {
    table,
    told,
    isWhole,
    stays,
  }: { readonly table: string; told: string; isWhole: boolean; stays: string },
  [objects, parents, ...others]: readonly unknown[],
): Promise<SideWrites> {
  const { object, parent, id, fields } = side;
  const column = (name: string | undefined) => (name === undefined ? [] : [quoteIdent(name)]);
  // In the order of the key.
  const scope = [
    ...column(parent?.name).map((name) => [name, 'parent'] as const),
    ...column(object?.name).map((name) => [name, 'object'] as const),
  ];
  const inUnit = scope.map(([own, its]) => `s.${own} = u.${its}`);
  const same = [...scope, [quoteIdent(id.name), 'id'] as const].map(
    ([own, its]) => `s.${own} = t.${its}`,
  );
  const keys = keyColumns(side).map(quoteIdent);
  const found = keys.map((key) => `s.${key} = f.${key}`).join(' AND ');
  const kept = fields === null ? [] : ['fields'];
  const [row] = await tx.query<{ added: number; changed: number; removed: number }>(
    `WITH told AS MATERIALIZED (${told}), unit AS (
       SELECT object, parent FROM unnest($1::text[], $2::text[]) AS u(object, parent)
     ), stale AS MATERIALIZED (
       SELECT ${keys.map((key) => `s.${key}`).join(', ')}, t.id IS NULL AS gone, t.fields
         FROM ${table} AS s JOIN unit AS u ON ${inUnit.join(' AND ') || 'true'}
         LEFT JOIN told AS t ON ${same.join(' AND ')}
        WHERE (t.id IS NULL AND $3 AND NOT ${stays}) ${fields === null ? '' : 'OR (t.id IS NOT NULL AND s.fields IS DISTINCT FROM t.fields)'}
          FOR UPDATE OF s SKIP LOCKED
     ), gone AS (
       DELETE FROM ${table} AS s USING stale AS f WHERE f.gone AND ${found} RETURNING 1
     ), changed AS (
       ${
         fields === null
           ? 'SELECT 1 WHERE false'
           : `UPDATE ${table} AS s SET fields = f.fields, _synced_at = clock_timestamp()
                FROM stale AS f WHERE NOT f.gone AND ${found} RETURNING 1`
       }
     ), added AS (
       INSERT INTO ${table} (${[...keys, ...kept].join(', ')})
       SELECT ${[...scope.map(([, its]) => `t.${its}`), 't.id', ...kept.map((name) => `t.${name}`)].join(', ')}
         FROM told AS t WHERE NOT EXISTS (SELECT FROM ${table} AS s WHERE ${same.join(' AND ')})
           ON CONFLICT DO NOTHING RETURNING 1
     )
     SELECT (SELECT count(*) FROM added)::int4 AS added, (SELECT count(*) FROM changed)::int4 AS changed,
            (SELECT count(*) FROM gone)::int4 AS removed`,
    [objects, parents, isWhole, ...others],
  );
  return row ?? { added: 0, changed: 0, removed: 0 };
}
