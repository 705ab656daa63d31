import type { Database } from '../../src/db/connection/database.ts';
import { loadMirror } from '../../src/db/mirror/load.ts';
import type { EndState } from './end-state.ts';

interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * Every difference between a stream's end state and the tables, in words; empty where both agree.
 * Rows are found by what the stream calls them: mirror tables by `_key`, link tables by their ends.
 */
export async function streamDifferences(
  db: Database,
  state: EndState,
  prefix: string,
): Promise<string[]> {
  const { tables, links } = await loadMirror(db);
  const found: string[] = [];
  const known = new Set<string>();
  for (const { name, qualified } of [...tables, ...links]) {
    const topic = `${prefix}.clarify.${name}`;
    known.add(topic);
    const columns = await readColumns(db, name);
    const isMirror = columns.some((column) => column.name === '_key');
    const key = isMirror ? ['_key'] : columns.map((column) => column.name);
    const left = new Map(state.get(topic) ?? []);
    for (const { row } of await db.query<{ row: Record<string, unknown> }>(
      `SELECT json_build_object(${columns.map(asJson).join(', ')}) AS row FROM ${qualified}`,
    )) {
      const called = JSON.stringify(Object.fromEntries(key.map((column) => [column, row[column]])));
      const streamed = left.get(called);
      left.delete(called);
      if (streamed === undefined) found.push(`${name} ${called}: not in the stream`);
      else found.push(...compareRow(`${name} ${called}`, columns, { row, streamed }));
    }
    for (const called of left.keys()) found.push(`${name} ${called}: in the stream alone`);
  }
  for (const [topic, rows] of state) {
    if (rows.size > 0 && !known.has(topic)) found.push(`${topic}: not a table of the mirror`);
  }
  return found;
}

/** All that are published: generated columns are not, unless the publication says so. */
async function readColumns(db: Database, table: string): Promise<readonly Column[]> {
  return await db.query<Column & Record<string, unknown>>(
    `SELECT attname::text AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
      WHERE attrelid = format('%I.%I', '{mirror}', $1::text)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      ORDER BY attnum`,
    [table],
  );
}

function asJson({ name, type }: Column): string {
  const literal = `'${name.replaceAll("'", "''")}'`;
  const column = `"${name.replaceAll('"', '""')}"`;
  const isText = type === 'numeric' || type === 'jsonb' || type === 'date';
  return `${literal}, ${isText ? `${column}::text` : column}`;
}

function compareRow(
  called: string,
  columns: readonly Column[],
  { row, streamed }: Record<'row' | 'streamed', Readonly<Record<string, unknown>>>,
): string[] {
  return columns.flatMap(({ name, type }) => {
    const [mine, theirs] = [row, streamed].map((side) => plain(type, side[name] ?? null));
    const same = JSON.stringify(mine) === JSON.stringify(theirs);
    return same ? [] : [`${called} ${name}: ${JSON.stringify({ mirror: mine, stream: theirs })}`];
  });
}

/** One form of what Postgres and Debezium write differently. */
function plain(type: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'timestamp with time zone') return instant(value);
  if (type === 'date') return value.replace(/Z$/, '');
  return value;
}

/** To the microsecond, in UTC. */
function instant(text: string): string {
  const micros = /\.(\d+)/.exec(text)?.[1] ?? '';
  return `${new Date(text).toISOString().slice(0, 19)}.${micros.padEnd(6, '0')}`;
}
