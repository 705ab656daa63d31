/**
 * What capture costs a bulk UPDATE of 100,000 rows × 20 columns: the same statement with and
 * without triggers, in turn, on a freshly vacuumed table. The limit is 3.5 times (docs/design).
 *
 * `npx tsx bench/capture.ts` (TEST_DATABASE_URL chooses the server)
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type Database, openDatabase } from '../src/db/database.ts';
import { ensureInstallation } from '../src/db/installation.ts';
import { migrateControl } from '../src/db/migrate.ts';
import { applyMirror } from '../src/db/mirror/apply.ts';
import type { Field, FieldKind } from '../src/domain/schema.ts';
import { startTestServer } from '../test/support/postgres-server.ts';

const ROWS = 100_000;
const ROUNDS = 5;
const LIMIT = 3.5;

const kinds: readonly (readonly [FieldKind, number])[] = [
  ['text', 11],
  ['number', 3],
  ['boolean', 1],
  ['date', 1],
  ['timestamp', 2],
  ['texts', 1],
  ['json', 1],
];

const fields: readonly Field[] = kinds.flatMap(([kind, count]) =>
  Array.from({ length: count }, (_, index) => ({
    name: `${kind}_${index}`,
    kind,
    label: null,
    unique: false,
    caseInsensitive: false,
    parts: [],
    relationship: null,
  })),
);

const valueOf: Readonly<Partial<Record<FieldKind, string>>> = {
  text: `'some text of row ' || i`,
  number: 'i + 0.25',
  boolean: 'i % 2 = 0',
  date: `date '2026-01-01' + i % 365`,
  timestamp: `timestamptz '2026-01-01T00:00:00Z' + i * interval '1 minute'`,
  texts: `array['a' || i || '@example.com', 'b' || i || '@example.com']`,
  json: `jsonb_build_object('first_name', 'First' || i, 'last_name', 'Last' || i)`,
};

const updates = {
  '1 column': `text_0 = text_0 || 'x'`,
  '5 columns': `text_0 = text_0 || 'x', text_1 = 'same', number_0 = number_0 + 1,
                date_0 = date_0 + 1, timestamp_0 = timestamp_0 + interval '1 hour'`,
  '5 columns, in some rows each': `text_0 = text_0 || left('x', (random() + 0.5)::int),
                text_1 = text_1 || left('x', (random() + 0.5)::int), number_0 = round(number_0 + random()::numeric),
                date_0 = date_0 + round(random())::int, timestamp_0 = timestamp_0 + round(random()) * interval '1 hour'`,
};

async function fill(db: Database): Promise<void> {
  await ensureInstallation(db, { workspace: 'bench', push: true });
  const label = { singular: 'Deal', plural: 'Deals' };
  const deal = { object: 'deal', label, fields, identity: 'texts_0', readOnly: null };
  await applyMirror(db, [deal]);
  const columns = fields.map(({ name }) => name).join(', ');
  const values = fields.map(({ kind }) => valueOf[kind]).join(', ');
  await db.transaction(
    (tx) =>
      tx.query(
        `INSERT INTO clarify.deal (id, _created_at, _updated_at, _synced_at, ${columns})
         SELECT gen_random_uuid()::text, now(), now(), now(), ${values} FROM generate_series(1, ${ROWS}) AS i`,
      ),
    { asWriter: true },
  );
  // As after an object's first read: the indexes that its look-ups need.
  await db.query(`INSERT INTO clarify_sync.cursor (object, phase) VALUES ('deal', 'incremental')`);
  await applyMirror(db, [deal]);
}

async function timeUpdate(db: Database, set: string, capture: boolean): Promise<number> {
  await db.query(`ALTER TABLE clarify.deal ${capture ? 'ENABLE' : 'DISABLE'} TRIGGER USER`);
  await db.query('TRUNCATE clarify_sync.outbox');
  await db.query('VACUUM clarify.deal');
  await db.query('CHECKPOINT');
  const startedMs = performance.now();
  await db.query(`UPDATE clarify.deal SET ${set}`);
  return performance.now() - startedMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare(db: Database): Promise<boolean> {
  let within = true;
  for (const [name, set] of Object.entries(updates)) {
    const withoutMs: number[] = [];
    const withMs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      withoutMs.push(await timeUpdate(db, set, false));
      withMs.push(await timeUpdate(db, set, true));
    }
    const ratio = median(withMs) / median(withoutMs);
    within &&= ratio <= LIMIT;
    process.stdout.write(
      `${name}: ${Math.round(median(withoutMs))} ms without capture, ${Math.round(median(withMs))} ms with: ` +
        `${ratio.toFixed(2)} times (limit ${LIMIT})\n`,
    );
  }
  return within;
}

const server = await startTestServer();
const name = `clarify_sync_bench_${randomBytes(4).toString('hex')}`;
const admin = openDatabase({ url: server.url, applicationName: 'bench', max: 1 });
await admin.query(`CREATE DATABASE ${name}`);
const url = new URL(server.url);
url.pathname = `/${name}`;
const db = openDatabase({ url: url.href, applicationName: 'bench', max: 1 });
try {
  await migrateControl(db);
  await fill(db);
  process.exitCode = (await compare(db)) ? 0 : 1;
} finally {
  await db.close();
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.close();
  await server.stop();
}
