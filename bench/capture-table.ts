import { type Database, openDatabase } from '../src/db/connection/database.ts';
import { migrateControl } from '../src/db/migrate.ts';
import { applyMirror } from '../src/db/mirror/apply.ts';
import { ensureInstallation } from '../src/db/service/installation.ts';
import type { Field, FieldKind } from '../src/domain/schema.ts';

/** Kinds of fields, how many of each, and what stands in them in row `i`. */
const KINDS: readonly (readonly [FieldKind, number, string])[] = [
  ['text', 11, `'some text of row ' || i`],
  ['number', 3, 'i + 0.25'],
  ['boolean', 1, 'i % 2 = 0'],
  ['date', 1, `date '2026-01-01' + i % 365`],
  ['timestamp', 2, `timestamptz '2026-01-01T00:00:00Z' + i * interval '1 minute'`],
  ['texts', 1, `array['a' || i || '@example.com', 'b' || i || '@example.com']`],
  ['json', 1, `jsonb_build_object('first_name', 'First' || i, 'last_name', 'Last' || i)`],
];

/** An assignment that changes a column of the kind in every row. */
const CHANGE: Readonly<Partial<Record<FieldKind, (column: string) => string>>> = {
  text: (column) => `${column} = ${column} || 'x'`,
  number: (column) => `${column} = ${column} + 1`,
  boolean: (column) => `${column} = NOT ${column}`,
  date: (column) => `${column} = ${column} + 1`,
  timestamp: (column) => `${column} = ${column} + interval '1 hour'`,
  texts: (column) => `${column} = ${column} || 'c@example.com'::text`,
  json: (column) => `${column} = ${column} || '{"prefix": "Dr"}'`,
};

const columns = KINDS.flatMap(([kind, count, value]) =>
  Array.from({ length: count }, (_, index) => ({ name: `${kind}_${index}`, kind, value })),
);

/** Assignments for bulk updates, by what they are called. */
export function bulkUpdates(): ReadonlyMap<string, string> {
  const first = (kind: FieldKind) => columns.find((column) => column.kind === kind);
  const five = (['text', 'number', 'boolean', 'date', 'timestamp'] as const).flatMap(
    (kind) => first(kind) ?? [],
  );
  const assign = (changed: typeof columns) =>
    changed.flatMap(({ name, kind }) => CHANGE[kind]?.(name) ?? []).join(', ');
  return new Map([
    ['1 column', assign(columns.slice(0, 1))],
    ['5 columns', assign(five)],
    [`all ${columns.length} columns`, assign(columns)],
  ]);
}

/** Makes a mirror table `clarify.deal` of that many rows, with the indexes it has in operation. */
export async function openCaptureTable(databaseUrl: string, rows: number): Promise<Database> {
  const db = openDatabase({ url: databaseUrl, applicationName: 'bench', max: 1 });
  await migrateControl(db);
  await ensureInstallation(db, { workspace: 'bench', push: true });
  const fields = columns.map(({ name, kind }): Field => {
    const plain = { label: null, unique: false, caseInsensitive: false, relationship: null };
    return { name, kind, parts: [], ...plain, ...(kind === 'number' && { scale: 4 }) };
  });
  const label = { singular: 'Deal', plural: 'Deals' };
  const deal = { object: 'deal', label, fields, identity: 'texts_0', readOnly: null };
  await applyMirror(db, [deal]);
  await db.transaction(
    (tx) =>
      tx.query(
        `INSERT INTO clarify.deal
           (id, _created_at, _updated_at, _synced_at, ${columns.map(({ name }) => name).join(', ')})
         SELECT gen_random_uuid()::text, now(), now(), now(), ${columns.map(({ value }) => value).join(', ')}
           FROM generate_series(1, ${rows}) AS i`,
      ),
    { asWriter: true },
  );
  // As after an object's first read: the indexes that its look-ups need.
  await db.query(`INSERT INTO clarify_sync.cursor (object, phase) VALUES ('deal', 'incremental')`);
  await applyMirror(db, [deal]);
  return db;
}
