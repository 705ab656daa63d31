import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { demos } from '../../src/emulator/emulators.ts';
import { startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase } from '../support/database.ts';
import { lastDocument, type RunningCli, runCli, startCli } from './cli-process.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function start(...args: Parameters<typeof startCli>): RunningCli {
  const running = startCli(...args);
  cleanups.push(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  return running;
}

/** Five people and three companies, and an empty database. */
async function openWorkspace() {
  const emulator = await startCheckedEmulator({ sizes: { person: 5, company: 3 } });
  cleanups.push(emulator.stop);
  const database = await createTestDatabase();
  cleanups.push(database.drop);
  const env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    DATABASE_URL: database.url,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: '127.0.0.1:0',
  };
  return { emulator, database, env };
}

test('run keeps both sides in step, leads, and drains on SIGTERM', async () => {
  const { emulator, database, env } = await openWorkspace();
  const service = start(['run'], { env });
  await service.saw(/"running"/);
  await expect.poll(() => personCount(database.db), { timeout: 20_000 }).toBe(5n);

  const status = await runCli(['status', '--json'], { env });
  expect(JSON.parse(status.stdout).leader).toMatchObject({
    holder: expect.any(String),
    epoch: expect.any(Number),
  });
  const [person = ''] = emulator.store.ids('person');
  await database.db.query(`update clarify.person set job_title = 'Pilot' where id = $1`, [person]);
  const push = await runCli(['push', '--json'], { env });
  expect(push.code).toBe(0);
  expect(lastDocument(push)).toMatchObject({ push: { delegatedTo: expect.any(String) } });
  expect(emulator.store.get('person', person)?.attributes['job_title']).toBe('Pilot');

  service.child.kill('SIGTERM');
  const { code, stderr } = await service.ended;
  expect(stderr).not.toContain(emulator.apiKey);
  expect(stderr).not.toContain('Pilot');
  expect(code).toBe(0);
  const after = await runCli(['status', '--json'], { env });
  expect(JSON.parse(after.stdout).leader).toBeNull();
});

test('run that is told to stop while it starts exits with 0', async () => {
  const { env } = await openWorkspace();
  const silent = createServer();
  const asked = once(silent, 'connection');
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  cleanups.push(async () => silent.close());
  const { port } = silent.address() as AddressInfo;
  const service = start(['run'], {
    env: { ...env, CLARIFY_API_URL: `http://127.0.0.1:${port}/v1` },
  });
  await asked;
  service.child.kill('SIGTERM');
  const { code, stderr } = await service.ended;
  expect(stderr).not.toMatch(/error \[/);
  expect(code).toBe(0);
});

/** Whatever has Node read its tables of languages, megabytes of them, fails. */
const WITHOUT_LANGUAGES = `data:text/javascript,${encodeURIComponent(`
  const refuse = (name) => function () { throw new Error(name + ' was asked'); };
  for (const name of ['Collator', 'DateTimeFormat', 'ListFormat', 'NumberFormat', 'PluralRules', 'Segmenter'])
    Intl[name] = refuse(name);
  String.prototype.localeCompare = refuse('localeCompare');
`)}`;

test('run takes no memory for what Node knows of languages', async () => {
  const { database, env } = await openWorkspace();
  const imported = { ...env, NODE_OPTIONS: `--import ${WITHOUT_LANGUAGES}` };
  const service = start(['run'], { env: imported });
  await service.saw(/"running"/);
  await expect.poll(() => personCount(database.db), { timeout: 20_000 }).toBe(5n);
  service.child.kill('SIGTERM');
  const { code, stderr } = await service.ended;
  expect(stderr).not.toContain('was asked');
  expect(code).toBe(0);
});

async function personCount(
  db: Awaited<ReturnType<typeof createTestDatabase>>['db'],
): Promise<bigint | undefined> {
  const exists = await db.query(`select from pg_class where oid = to_regclass('clarify.person')`);
  if (exists.length === 0) return 0n;
  const [row] = await db.query<{ people: bigint }>('select count(*) as people from clarify.person');
  return row?.people;
}

test('the emulator says how to use it, and ends with Ctrl-C', async () => {
  const emulator = start(['emulator', '--port', '0', '--people', '3', '--switch', 'pageMax=2']);
  const url = await emulator.saw(/CLARIFY_API_URL=(\S+)/);
  const answer = await fetch(`${url}/workspaces/demo/objects/person/resources?page[limit]=2`, {
    headers: { authorization: 'api-key demo-key' },
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ meta: { total_records: 3, limit: 2 } });
  emulator.child.kill('SIGINT');
  expect(await emulator.ended).toMatchObject({ code: 0 });
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});

test.each(demos.map(({ name }) => name))(
  'the demo of %s shows every scene to arrive, and leaves nothing behind',
  async (crm) => {
    const cwd = await mkdtemp(join(tmpdir(), 'clarify-sync-demo-'));
    cleanups.push(() => rm(cwd, { recursive: true, force: true }));
    const demo = start(['demo', '--crm', crm, '--once'], { cwd });
    expect(await demo.ended).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^Status page {9}http:\/\/127\.0\.0\.1:\d+$[^]*^everything arrived: [5-9] scenes$/m,
      ),
      stderr: expect.stringMatching(/^→ /),
    });
    expect(await readdir(join(cwd, '.clarify-sync', 'demo'))).toEqual([]);
  },
);
