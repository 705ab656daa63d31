import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/database.ts';
import { loadMirror } from '../../src/db/mirror/load.ts';
import { type RunningCli, runCli, startCli } from '../e2e/cli-process.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { startTestServer, type TestServer } from '../support/postgres-server.ts';
import { endState } from './end-state.ts';
import { type Engine, findEngine, startEngine } from './engine.ts';
import { streamDifferences } from './mirror-rows.ts';

// What a consumer of the change stream ends up with is what the mirror holds, whatever happened on
// the way. The settings are those of docs/cdc.md.

const PREFIX = 'crm';
const SLOT = `clarify_sync_cdc_${process.pid}`;
const DATABASE = SLOT;
const WAIT = { timeout: 60_000, interval: 250 };

let server: TestServer;
let admin: Database;
let db: Database;
let emulator: Emulator;
let engine: Engine | undefined;
let service: RunningCli | undefined;
let folder: string;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  const classPath = await findEngine();
  server = await startTestServer({ wal_level: 'logical' });
  admin = openDatabase({ url: server.url, applicationName: 'clarify-sync test' });
  const [level] = await admin.query<{ wal_level: string }>('SHOW wal_level');
  if (level?.wal_level !== 'logical') throw new Error('the server needs wal_level = logical');
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  const url = new URL(server.url);
  url.pathname = `/${DATABASE}`;
  db = openDatabase({ url: url.href, applicationName: 'clarify-sync test' });
  emulator = await startCheckedEmulator({ sizes: { person: 300, company: 40, deal: 30 } });
  folder = await mkdtemp(join(tmpdir(), 'clarify-sync-cdc-'));
  const config = join(folder, 'config.yaml');
  await writeFile(config, 'publication: true\n');
  env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: 'off',
    CLARIFY_SYNC_CONFIG: config,
    DATABASE_URL: url.href,
  };
  // The snapshot finds one object with its rows, and all the others empty.
  const filled = await runCli(['backfill', 'company', '--json'], { env });
  if (filled.code !== 0) throw new Error(filled.stderr);
  engine = await startEngine(classPath, {
    ...(await documentedSettings()),
    name: 'clarify-sync',
    'offset.storage': 'org.apache.kafka.connect.storage.FileOffsetBackingStore',
    'database.hostname': url.hostname,
    'database.port': url.port,
    'database.user': url.username,
    'database.password': url.password,
    'database.dbname': DATABASE,
    'topic.prefix': PREFIX,
    'slot.name': SLOT,
    'converter.schemas.enable': 'false',
    'converter.replace.null.with.default': 'false',
  });
});
afterAll(async () => {
  service?.child.kill('SIGKILL');
  await service?.ended;
  try {
    await engine?.stop();
  } finally {
    await db?.close();
    // A slot that nobody reads keeps all WAL from then on.
    await admin?.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1`,
      [SLOT],
    );
    await admin?.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    await admin?.close();
    await server?.stop();
    await emulator?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  }
});

/** The connector's settings as docs/cdc.md has them. */
async function documentedSettings(): Promise<Record<string, string>> {
  const text = await readFile(new URL('../../docs/cdc.md', import.meta.url), 'utf8');
  const block = /```properties\n([^`]+)```/.exec(text)?.[1] ?? '';
  const pairs = [...block.matchAll(/^([^=\n]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
  return Object.fromEntries(pairs);
}

const sql = async (text: string, values?: readonly unknown[]) => await db.query(text, values);
const streamed = () => engine?.events ?? [];
const topicOf = (table: string) => `${PREFIX}.clarify.${table}`;

async function sync(): Promise<void> {
  expect(await runCli(['sync', '--json'], { env })).toMatchObject({ code: 0 });
}

async function startService(): Promise<void> {
  service = startCli(['run'], { env });
  await service.saw(/"running"/);
}

async function stopService(): Promise<void> {
  service?.child.kill('SIGTERM');
  expect(await service?.ended).toMatchObject({ code: 0 });
}

/** Both sides agree, and the stream has told all of it. */
async function agreed(): Promise<void> {
  const session = await loadMirror(db);
  const sides = { emulator, session, sql };
  const apart = async () => [...(await differences(sides)), ...(await linkDifferences(sides))];
  await expect.poll(apart, WAIT).toEqual([]);
  await expect.poll(() => streamDifferences(db, endState(streamed()), PREFIX), WAIT).toEqual([]);
}

test('a backfill: what stood by snapshot, what came by COPY', async () => {
  const active = async () =>
    (await admin.query('SELECT active FROM pg_replication_slots WHERE slot_name = $1', [SLOT]))[0];
  await expect.poll(active, WAIT).toEqual({ active: true });
  await expect.poll(() => streamed().length, WAIT).toBeGreaterThanOrEqual(40);
  await sync();
  await agreed();
  const ways = (table: string) =>
    new Set(streamed().flatMap(({ topic, value }) => (topic === topicOf(table) ? value?.op : [])));
  expect(ways('company')).toContain('r');
  expect(ways('person')).toContain('c');
  expect(ways('deal_people')).toEqual(new Set(['c']));
  expect(streamed().filter(({ topic }) => topic.includes('clarify_sync'))).toEqual([]);
});

test('edits both ways, and a row that gets its id from the CRM', async () => {
  await startService();
  const [person = '', other = ''] = emulator.store.ids('person');
  await sql(`UPDATE clarify.person SET job_title = 'Edited here' WHERE id = $1`, [person]);
  // So large that Postgres keeps it apart, and leaves it out of updates that do not change it.
  const large = JSON.stringify({
    text: [Array.from({ length: 3_000 }, (_, n) => `${n * 7919}`).join(' ')],
  });
  emulator.store.update('person', other, { job_title: 'Edited there' });
  const [born] = await sql(
    `WITH task AS (INSERT INTO clarify.task (title, description) VALUES ('Born here', $2) RETURNING _key),
          deal AS (INSERT INTO clarify.deal (name, amount) VALUES ('Deal from here', 12345.6789) RETURNING id),
          link AS (INSERT INTO clarify.deal_people (deal_id, person_id) SELECT id, $1 FROM deal)
     SELECT _key FROM task`,
    [person, large],
  );
  const key = { _key: born?.['_key'] };
  const title = async () =>
    (await sql('SELECT id, title FROM clarify.task WHERE _key = $1', [key._key]))[0];
  await expect.poll(async () => String((await title())?.['id']), WAIT).not.toMatch(/^local:/);
  await agreed();
  const events = streamed().filter(
    (event) => event.topic === topicOf('task') && JSON.stringify(event.key) === JSON.stringify(key),
  );
  expect(events.map(({ value }) => value?.op)).toEqual(expect.arrayContaining(['c', 'u']));
  expect(events.map(({ value }) => value?.op)).not.toContain('d');
  // What an old row does not bring along is an empty text in Debezium, in keys as well.
  const nameless = streamed().filter((event) => Object.values(event.key ?? {}).includes(''));
  expect(nameless).toEqual([]);
  expect(events[0]?.value?.after).toMatchObject({ id: key._key });
  expect(events.at(-1)?.value?.after).toMatchObject({ id: (await title())?.['id'] });
});

test('a new field and a new table', async () => {
  // It looks for new ones every five minutes, and at its start.
  await stopService();
  const [person = ''] = emulator.store.ids('person');
  emulator.store.addField('person', { name: 'shoe_size', form: { kind: 'number' } });
  emulator.store.addObject({
    object: 'c_new',
    singular: 'New',
    plural: 'New ones',
    fields: [{ name: 'title', form: { kind: 'text' } }],
  });
  emulator.store.create('c_new', { title: 'There' });
  emulator.store.update('person', person, { shoe_size: 42.5 });
  await startService();
  await sql(`INSERT INTO clarify.c_new (title) VALUES ('Here')`);
  await agreed();
  const [row] = await sql('SELECT shoe_size FROM clarify.person WHERE id = $1', [person]);
  expect(Number(row?.['shoe_size'])).toBe(42.5);
});

test('a delete from either side, and a merge', async () => {
  const [here = '', there = '', target = '', source = ''] = emulator.store.ids('person').slice(10);
  await sql('DELETE FROM clarify.person WHERE id = $1', [here]);
  emulator.store.delete('person', there);
  emulator.store.merge('person', target, [source]);
  await sync();
  await agreed();
  const rows = endState(streamed()).get(topicOf('person'));
  for (const gone of [here, there, source]) {
    expect(rows?.has(JSON.stringify({ _key: gone }))).toBe(false);
  }
});
