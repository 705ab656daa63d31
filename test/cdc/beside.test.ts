import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/database.ts';
import { type RunningCli, startCli } from '../e2e/cli-process.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { startTestServer, type TestServer } from '../support/postgres-server.ts';
import { endState } from './end-state.ts';
import { type Engine, findEngine, startEngine } from './engine.ts';

// Users and history, as docs/cdc.md says to stream them: a subscriber of Postgres, and Debezium.

const SOURCE = `clarify_sync_cdc_from_${process.pid}`;
const TARGET = `clarify_sync_cdc_to_${process.pid}`;
const SLOTS = [`${TARGET}_native`, `${TARGET}_debezium`];
const WAIT = { timeout: 45_000, interval: 250 };
const TABLES = ['clarify."user"', 'clarify_history.deal', 'clarify.deal'];

let server: TestServer;
let admin: Database;
let source: Database;
let target: Database;
let emulator: Emulator;
let engine: Engine | undefined;
let service: RunningCli | undefined;
let folder: string;
let page: string;

const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` });
/** Of the section on users and history alone. */
const fromPage = (pattern: RegExp) => {
  const section = /^## Users and history\n[^]*?(?=^## )/m.exec(page)?.[0] ?? '';
  return pattern.exec(section)?.[0] ?? expect.fail(String(pattern));
};

beforeAll(async () => {
  page = await readFile(new URL('../../docs/cdc.md', import.meta.url), 'utf8');
  server = await startTestServer({ wal_level: 'logical' });
  admin = openDatabase({ url: server.url, applicationName: 'clarify-sync test' });
  for (const name of [SOURCE, TARGET]) await admin.query(`CREATE DATABASE ${name}`);
  [source, target] = [SOURCE, TARGET].map((name) =>
    openDatabase({ url: urlOf(name).href, applicationName: 'clarify-sync test' }),
  ) as [Database, Database];
  emulator = await startCheckedEmulator({ sizes: { person: 5, company: 5, deal: 5 } });
  folder = await mkdtemp(join(tmpdir(), 'clarify-sync-cdc-'));
  const config = join(folder, 'config.yaml');
  await writeFile(config, 'publication: true\nobjects: { deal: { history: true } }\n');
  service = startCli(['run'], {
    env: {
      CLARIFY_API_URL: emulator.url,
      CLARIFY_API_KEY: emulator.apiKey,
      CLARIFY_WORKSPACE: emulator.workspace,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: 'off',
      CLARIFY_SYNC_CONFIG: config,
      DATABASE_URL: urlOf(SOURCE).href,
    },
  });
  await service.saw(/"running"/);
});
afterAll(async () => {
  await engine?.stop().catch(() => undefined);
  service?.child.kill('SIGKILL');
  await service?.ended;
  await target?.query('DROP SUBSCRIPTION IF EXISTS crm').catch(() => undefined);
  for (const each of [source, target]) await each?.close();
  await admin?.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
      WHERE slot_name = ANY($1::text[]) AND NOT active`,
    [SLOTS],
  );
  for (const name of [SOURCE, TARGET]) {
    await admin?.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
  await admin?.close();
  await server?.stop();
  await emulator?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** The tables there, with the columns that are sent; then both publications. */
async function subscribe(): Promise<void> {
  for (const schema of ['clarify', 'clarify_history'])
    await target.query(`CREATE SCHEMA ${schema}`);
  const tables = await source.query<{ name: string; columns: string; key: string }>(
    `SELECT c.oid::regclass::text AS name,
            string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) AS columns,
            (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p') AS key
       FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE (c.oid IN (SELECT prrelid FROM pg_publication_rel)) AND a.attgenerated = '' GROUP BY c.oid`,
  );
  for (const { name, columns, key } of tables) {
    const isMirror = columns.includes('_key text') && !name.startsWith('clarify_history');
    await target.query(
      `CREATE TABLE ${name} (${columns}, ${isMirror ? 'PRIMARY KEY (_key)' : key})`,
    );
  }
  const [native = ''] = SLOTS;
  await source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [native]);
  const both = fromPage(/PUBLICATION clarify_mirror, crm_more/);
  // In one cluster a subscription cannot make its own slot.
  await target.query(
    `CREATE SUBSCRIPTION crm CONNECTION '${urlOf(SOURCE).href}' ${both}
       WITH (create_slot = false, slot_name = '${native}')`,
  );
}

/** The connector of the page, with what it says of the second one. */
function connector(): Record<string, string> {
  const block = /```properties\n([^`]+)```/.exec(page)?.[1] ?? '';
  const pairs = [...block.matchAll(/^([^=\n]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
  const { 'message.key.columns': _, ...settings } = Object.fromEntries(pairs);
  const said = [
    'publication.name=crm_more',
    'schema.include.list=[^`]+',
    'table.include.list=[^`]+',
  ]
    .map((text) => fromPage(new RegExp(`(?<=\`)${text}(?=\`)`)).split('='))
    .map(([name, value]) => [name, value] as const);
  const url = urlOf(SOURCE);
  return {
    ...settings,
    ...Object.fromEntries(said),
    name: 'clarify-sync',
    'offset.storage': 'org.apache.kafka.connect.storage.FileOffsetBackingStore',
    'database.hostname': url.hostname,
    'database.port': url.port,
    'database.user': url.username,
    'database.password': url.password,
    'database.dbname': SOURCE,
    'topic.prefix': 'more',
    'slot.name': SLOTS[1] ?? '',
    'converter.schemas.enable': 'false',
    'converter.replace.null.with.default': 'false',
  };
}

/** Every row of a table as text, without what is computed. */
async function rowsOf(db: Database, table: string): Promise<string[]> {
  const rows = await db.query<{ row: string }>(
    `SELECT (to_jsonb(t) - ARRAY(
              SELECT attname::text FROM pg_attribute
               WHERE attrelid = $1::regclass AND attgenerated <> ''))::text AS row
       FROM ${table} AS t ORDER BY 1`,
    [table],
  );
  return rows.map(({ row }) => row);
}

async function agreed(): Promise<void> {
  for (const table of TABLES) {
    const same = async () => {
      const [here, there] = [await rowsOf(source, table), await rowsOf(target, table)];
      return here.length > 0 && JSON.stringify(here) === JSON.stringify(there);
    };
    await expect.poll(same, { ...WAIT, message: table }).toBe(true);
  }
  // Debezium has every version and every user.
  const streamed = () => {
    const state = endState(engine?.events ?? []);
    return ['more.clarify.user', 'more.clarify_history.deal'].map(
      (topic) => state.get(topic)?.size,
    );
  };
  const counts = await source.query<{ users: number; versions: number }>(
    `SELECT (SELECT count(*)::int FROM clarify."user") AS users,
            (SELECT count(*)::int FROM clarify_history.deal) AS versions`,
  );
  await expect.poll(streamed, WAIT).toEqual([counts[0]?.users, counts[0]?.versions]);
}

test('what stood', async () => {
  const users = async () =>
    await source.query(`SELECT 1 FROM pg_class WHERE oid = to_regclass('clarify."user"')`);
  await expect.poll(users, WAIT).toHaveLength(1);
  await source.query(fromPage(/CREATE PUBLICATION crm_more[^;]+/));
  await subscribe();
  engine = await startEngine(await findEngine(), connector());
  await agreed();
});

test('an edit, a row born here, and a delete', async () => {
  const [first = '', second = ''] = emulator.store.ids('deal');
  await source.query('UPDATE clarify.deal SET amount = 7 WHERE id = $1', [first]);
  await source.query(`INSERT INTO clarify.deal (_key, name) VALUES ('local:cdc', 'Born')`);
  await source.query('DELETE FROM clarify.deal WHERE id = $1', [second]);
  const pushed = async () =>
    await source.query(
      `SELECT 1 FROM clarify.deal WHERE _key = 'local:cdc' AND id NOT LIKE 'local:%'`,
    );
  await expect.poll(pushed, WAIT).toHaveLength(1);
  await agreed();
  const versions = await target.query(
    `SELECT _ended_by FROM clarify_history.deal WHERE id = $1 AND _valid_to IS NOT NULL`,
    [first],
  );
  expect(versions.length).toBeGreaterThan(0);
});

test('a user that the CRM tells anew', async () => {
  await source.query(
    `BEGIN; SET LOCAL session_replication_role = replica;
     UPDATE clarify."user" SET fields = fields || '{"note": "new"}'; COMMIT`,
  );
  await agreed();
  const notes = await target.query(`SELECT DISTINCT fields ->> 'note' AS note FROM clarify."user"`);
  expect(notes).toEqual([{ note: 'new' }]);
});
