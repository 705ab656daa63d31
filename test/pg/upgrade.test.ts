import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** What an older version left goes on, without a step by hand: see fixtures/README.md. */

let database: TestDatabase;
let emulator: Emulator;
let session: Session;
let daemon: RunningDaemon;
let user: pg.Client;
/** Names in the catalog before this version first saw the database. */
let before: readonly string[];

const sql = async (text: string, values: unknown[] = []) => (await user.query(text, values)).rows;

/** Every table, trigger, function and index by name, with its schema. */
async function names(): Promise<string[]> {
  const rows = await sql(`
    SELECT c.oid::regclass::text AS name FROM pg_class AS c WHERE c.relnamespace::regnamespace::text ~ '^clarify'
    UNION SELECT t.tgrelid::regclass || ' ' || t.tgname FROM pg_trigger AS t
           WHERE NOT t.tgisinternal AND t.tgrelid::regclass::text ~ '^clarify'
    UNION SELECT p.oid::regprocedure::text FROM pg_proc AS p WHERE p.pronamespace::regnamespace::text ~ '^clarify'`);
  return rows.map(({ name }) => String(name)).toSorted();
}

/** The dump is of this very database, and not of another that it is a copy of. */
const SAME_DATABASE = `
  UPDATE clarify_sync.installation SET fingerprint = concat_ws('/',
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    'clarify_sync.installation'::regclass::oid,
    (SELECT system_identifier FROM pg_control_system()))`;

/** Somebody's report of each control table: what a migration changes may be looked at. */
const LOOKED_AT = `
  DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'clarify_sync'::regnamespace AND relkind = 'r' LOOP
      EXECUTE format('CREATE VIEW public.%1$I AS SELECT * FROM clarify_sync.%1$I', name);
    END LOOP;
  END $$`;

beforeAll(async () => {
  const sizes = { person: 12, company: 6, deal: 6, task: 5, meeting: 2, message: 0, c_project: 2 };
  emulator = await startCheckedEmulator({ workspace: 'acme', seed: 'upgrade', sizes });
  database = await createTestDatabase({ migrated: false });
  user = new pg.Client({ connectionString: database.url });
  await user.connect();
  await user.query(await readFile(new URL('fixtures/before-schemas.sql', import.meta.url), 'utf8'));
  await user.query('RESET ALL');
  await user.query(SAME_DATABASE);
  await user.query(LOOKED_AT);
  before = await names();

  // What the CRM held when the dump was made, as far as the sample data have it not.
  const [task] = emulator.store.ids('task').toSorted();
  emulator.store.delete('task', task ?? '');
  const [person] = emulator.store.ids('person').toSorted().toReversed();
  emulator.store.update('person', person ?? '', { job_title: 'Intern' });
  const [company] = emulator.store.ids('company').toSorted();
  emulator.store.update('company', company ?? '', { name: 'There and Here' });

  const config: Config = {
    ...(await loadConfig({
      env: {
        CLARIFY_API_KEY: emulator.apiKey,
        CLARIFY_WORKSPACE: 'acme',
        CLARIFY_API_URL: emulator.url,
        DATABASE_URL: database.url,
        CLARIFY_SYNC_PUSH: 'on',
        CLARIFY_SYNC_HTTP: 'off',
      },
    })),
    objects: {
      deal: { fields: {}, history: true, delete: 'push' },
      company: { fields: {}, history: false, delete: 'push', conflicts: 'manual' },
    },
    exclude: ['message', 'meeting', 'meeting_recording', 'campaign', 'user'],
  };
  const { signal } = new AbortController();
  session = await openSession(config, { log: createLog({ level: 'silent' }), signal });
  daemon = await startDaemon({ session });
});
afterAll(async () => {
  await daemon.stop();
  await session.stop();
  await user.end();
  await database.drop();
  await emulator.stop();
});

const named = (object: string, field: string, value: unknown) =>
  emulator.store.all(object).filter(({ attributes }) => attributes[field] === value);

test('what was pending or being sent is delivered, once', async () => {
  const states = async () =>
    (await sql('SELECT id::int, state FROM clarify_sync.outbox WHERE id <= 12 ORDER BY id'))
      .map(({ state }) => String(state))
      .join(' ');
  await expect.poll(states).toBe(
    [
      // Two that were over, one overruled, two parked; two that were being sent; five not begun with.
      'done done superseded parked parked',
      'done done',
      'done done done done done',
    ].join(' '),
  );
  expect(named('person', 'job_title', 'Sent by nobody yet')).toHaveLength(1);
  expect(named('company', 'name', 'Half sent')).toHaveLength(1);
  expect(named('deal', 'name', 'Edited while nobody looked')).toHaveLength(1);
  const [made, ...others] = named('company', 'name', 'Made while nobody looked');
  expect(others).toEqual([]);
  expect(named('person', 'company_id', made?.id)).toHaveLength(1);
  expect(emulator.store.get('task', 'e4fca5a6-62d6-4c12-885f-c03d11ad10ab')).toBeNull();
});

test('what waited for a person still does', async () => {
  const reasons = await sql(
    `SELECT last_error FROM clarify_sync.outbox WHERE state = 'parked' ORDER BY id`,
  );
  expect(reasons.map(({ last_error: reason }) => String(reason))).toEqual([
    expect.stringContaining('remote-invalid'),
    'conflict-open',
  ]);
  expect(await sql('SELECT field FROM clarify_sync.conflict WHERE resolved_at IS NULL')).toEqual([
    { field: 'name' },
  ]);
  // An answer may have met a page that was being written: such a row is tried again soon.
  await expect
    .poll(() => sql(`SELECT object FROM clarify_sync.deferred WHERE kind = 'apply'`))
    .toEqual([{ object: 'person' }]);
  expect(
    await sql('SELECT object, reason FROM clarify_sync.tombstone ORDER BY noticed_at'),
  ).toContainEqual({ object: 'task', reason: 'deleted' });
});

test('what users built goes on, and so does the history', async () => {
  const edited = `WHERE name = 'Edited while nobody looked'`;
  expect(await sql(`SELECT 1 AS one FROM public.open_deals ${edited}`)).toEqual([{ one: 1 }]);
  expect(await sql('SELECT * FROM clarify.people_by_company')).not.toEqual([]);
  const versions = (amount: string) =>
    sql(`SELECT count(*)::int AS n FROM clarify_history.deal ${edited} AND amount ${amount}`);
  const [others] = await versions('<> 17');
  await user.query(`UPDATE clarify.deal SET amount = 17 ${edited}`);
  await expect
    .poll(() =>
      named('deal', 'name', 'Edited while nobody looked').map((one) => one.attributes['amount']),
    )
    .toEqual([17]);
  // The edit, and what the CRM made of it: who wrote it when.
  await expect.poll(() => versions('= 17')).toEqual([{ n: 2 }]);
  expect(await versions('<> 17')).toEqual([others]);
});

test('nothing was given another name, and nothing stands beside it', async () => {
  const now = await names();
  expect(before.filter((name) => !now.includes(name))).toEqual([]);
  const triggers = now.filter((name) => /^clarify\.\w+ /.test(name));
  expect(triggers.filter((name) => !/^clarify\.\w+ clarify_\w+$/.test(name))).toEqual([]);
  expect(
    await sql(
      `SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)' ORDER BY 1`,
    ),
  ).toEqual(['clarify', 'clarify_history', 'clarify_sync'].map((nspname) => ({ nspname })));
});
