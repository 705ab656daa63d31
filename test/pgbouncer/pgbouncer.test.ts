import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { loadMirror } from '../../src/db/mirror/load.ts';
import { lastDocument, type RunningCli, runCli, startCli } from '../e2e/cli-process.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Pooler, startPooler } from './pooler.ts';

let pooler: Pooler;
let emulator: Emulator;
let database: TestDatabase;
let user: pg.Client;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  pooler = await startPooler(inject('postgres').url);
  emulator = await startCheckedEmulator({ sizes: { person: 1200, company: 60 } });
  database = await createTestDatabase({ migrated: false });
  // A user of the warehouse comes through the same pool, and gets what others leave behind there.
  user = new pg.Client({ connectionString: pooler.through(database.url) });
  await user.connect();
  env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: 'off',
    DATABASE_URL: pooler.through(database.url),
    DATABASE_URL_DIRECT: database.url,
  };
});
afterAll(async () => {
  await user?.end();
  await database?.drop();
  await emulator?.stop();
  await pooler?.stop();
});

const titleOf = (id: string) => emulator.store.get('person', id)?.attributes.job_title;

async function setTitle(id: string, title: string): Promise<void> {
  await user.query('UPDATE clarify.person SET job_title = $1 WHERE id = $2', [title, id]);
}

async function disagreements(): Promise<string[]> {
  const session = await loadMirror(database.db);
  const sides = { emulator, session, sql: async (text: string) => (await user.query(text)).rows };
  return [...(await differences(sides)), ...(await linkDifferences(sides))];
}

/** What the pool's connections to the server were left with. */
async function leftBehind(): Promise<Record<string, unknown>[]> {
  const { rows } = await user.query(
    `SELECT current_setting('clarify_sync.writer', true) AS writer, current_setting('TimeZone') AS zone,
            current_setting('lock_timeout') AS lock_timeout,
            current_setting('statement_timeout') AS statement_timeout,
            (SELECT count(*)::int FROM pg_prepared_statements WHERE NOT from_sql) AS prepared,
            (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS advisory`,
  );
  return rows;
}

test('commands: migrations, backfill by COPY, push, pull, reconcile, doctor', async () => {
  const backfill = await runCli(['backfill', '--json'], { env });
  expect(backfill).toMatchObject({ code: 0 });
  expect(await disagreements()).toEqual([]);

  const [edited = '', changed = '', deleted = ''] = emulator.store.ids('person');
  await setTitle(edited, 'Pushed');
  await user.query('DELETE FROM clarify.person WHERE id = $1', [deleted]);
  await user.query(
    `WITH company AS (INSERT INTO clarify.company (name) VALUES ('Pool Ltd') RETURNING id)
     INSERT INTO clarify.person (email_addresses, company_id) SELECT '{pool@example.test}', id FROM company`,
  );
  emulator.store.update('person', changed, { job_title: 'Pulled' });
  expect(await runCli(['push', '--json'], { env })).toMatchObject({ code: 0 });
  expect(titleOf(edited)).toBe('Pushed');
  expect(emulator.store.get('person', deleted)).toBeNull();
  expect(await runCli(['pull', '--json'], { env })).toMatchObject({ code: 0 });
  expect(await runCli(['reconcile', '--deep', '--json'], { env })).toMatchObject({ code: 0 });
  expect(await runCli(['doctor', '--json'], { env })).toMatchObject({ code: 0 });
  expect(await disagreements()).toEqual([]);
  for (let n = 0; n < 10; n += 1) {
    expect(await leftBehind()).toEqual([
      {
        writer: expect.toBeOneOf([null, '']),
        zone: expect.any(String),
        lock_timeout: '0',
        statement_timeout: '0',
        prepared: 0,
        advisory: 0,
      },
    ]);
  }
});

describe('a running service', () => {
  let service: RunningCli;

  async function start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    service = startCli(['run'], { env: { ...env, ...more } });
    await service.saw(/"running"/);
  }
  async function stop(): Promise<void> {
    service.child.kill('SIGTERM');
    expect(await service.ended).toMatchObject({ code: 0 });
  }

  test('hears of commits at once, past the pooler', async () => {
    await start();
    const took: number[] = [];
    for (const id of emulator.store.ids('person').slice(10, 30)) {
      await setTitle(id, 'Prompt');
      const startedMs = performance.now();
      await expect.poll(() => titleOf(id), { timeout: 10_000, interval: 10 }).toBe('Prompt');
      took.push(performance.now() - startedMs);
    }
    // It looks every two seconds anyway.
    expect(took.toSorted((a, b) => a - b)[10]).toBeLessThan(1_000);
  });

  test('does the sending for a sync beside it', async () => {
    const ids = emulator.store.ids('person').slice(100, 400);
    await user.query('UPDATE clarify.person SET job_title = $1 WHERE id = ANY($2)', ['Many', ids]);
    const sync = await runCli(['sync', '--json'], { env });
    expect(sync.code).toBe(0);
    expect(lastDocument(sync)).toMatchObject({ push: { delegatedTo: expect.any(String) } });
    expect(ids.filter((id) => titleOf(id) !== 'Many')).toEqual([]);
    expect(await disagreements()).toEqual([]);
    await stop();
  });

  test('works without a way past the pooler, by looking every two seconds', async () => {
    await start({ DATABASE_URL_DIRECT: '' });
    for (const id of emulator.store.ids('person').slice(30, 33)) {
      await setTitle(id, 'Patient');
      await expect.poll(() => titleOf(id), { timeout: 10_000 }).toBe('Patient');
    }
    await stop();
  });

  test('is relieved within seconds where it was killed', async () => {
    await start();
    const first = service;
    const killed = async () => {
      first.child.kill('SIGKILL');
      await first.ended;
    };
    await start();
    await killed();
    await service.saw(/"leading"/);
    const [id = ''] = emulator.store.ids('person').slice(50);
    await setTitle(id, 'Relieved');
    await expect.poll(() => titleOf(id), { timeout: 10_000 }).toBe('Relieved');
    await stop();
    expect(await disagreements()).toEqual([]);
  });
});
