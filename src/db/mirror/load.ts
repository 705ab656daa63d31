import type { Sql } from '../connection/database.ts';
import { readLists } from '../connection/lists.ts';
import {
  type Catalog,
  mirrorsOf,
  objectsOf,
  RECORD_ROWS,
  type RecordRows,
  type StandingMirror,
} from './catalog.ts';
import { type LinkTable, linkTables } from './links.ts';
import type { NumberType } from './number-type.ts';
import { hasColumn, type MirrorTable, mirrorTable } from './table.ts';

/**
 * The mirror tables that stand and may be written, from what is on record: the CRM is not asked.
 */
export async function loadMirrorTables(sql: Sql): Promise<readonly MirrorTable[]> {
  return (await loadMirror(sql)).tables;
}

/** The tables, and link tables beside them, of objects that may both be written. */
export interface Mirror {
  readonly tables: readonly MirrorTable[];
  readonly links: readonly LinkTable[];
}

export async function loadMirror(sql: Sql): Promise<Mirror> {
  const rows = await readLists<RecordRows & { readonly stopped: readonly { object: string }[] }>(
    sql,
    { ...RECORD_ROWS, stopped: 'SELECT object FROM {sync}.mirror_problem WHERE stops' },
  );
  const stopped = new Set(rows.stopped.map(({ object }) => object));
  return mirrorOnRecord({ mirrors: mirrorsOf(rows), objects: objectsOf(rows), stopped });
}

/** {@link loadMirror} by what was read already. */
export function mirrorOnRecord({
  mirrors,
  objects,
  stopped,
}: Pick<Catalog, 'mirrors' | 'objects'> & { readonly stopped: ReadonlySet<string> }): Mirror {
  const standing = objects.flatMap((schema) => {
    const mirror = mirrors.get(schema.object);
    if (mirror === undefined || mirror.removed) return [];
    const live = schema.fields.filter(
      ({ name, kind }) => !hasColumn(kind) || mirror.fields.get(name)?.removed === false,
    );
    return [mirrorTable({ ...schema, fields: live }, namesOnRecord(mirror))];
  });
  const names = new Set([...mirrors.values()].map(({ table }) => table));
  const links = linkTables(
    standing.map(({ schema }) => schema),
    (name) => names.has(name),
  );
  return {
    tables: standing.filter(({ object }) => !stopped.has(object)),
    links: links.filter(
      ({ name, sides }) => !stopped.has(name) && !sides.some(({ object }) => stopped.has(object)),
    ),
  };
}

function namesOnRecord({ table, fields }: StandingMirror) {
  const given = new Map(
    [...fields].map(([field, { column, partColumns }]) => [field, { column, parts: partColumns }]),
  );
  return { table, given, numberTypes: numberTypesOnRecord(fields), foreign: new Set<string>() };
}

/** The types that stand: of tables from before there was a choice, the one they had. */
function numberTypesOnRecord(fields: StandingMirror['fields']): ReadonlyMap<string, NumberType> {
  return new Map(
    [...fields].flatMap(([name, { kind, numberType }]) =>
      kind === 'number' ? [[name, numberType ?? 'numeric'] as const] : [],
    ),
  );
}

/** For the transaction that completes the reading. Repeatable. */
export async function markFilled(
  tx: Sql,
  object: string,
  fields: readonly string[],
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.mirror_column
        SET definition = definition || '{"unfilled": false}'
      WHERE object = $1 AND field = ANY($2::text[])`,
    [object, fields],
  );
}
