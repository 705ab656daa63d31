import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type RunningCli, runCli, startCli } from './cli-process.ts';

// Invariant 9: one leads, the others stand by, and nothing is lost or done twice in between.

let emulator: Emulator;
let database: TestDatabase;
let folder: string;
let env: Readonly<Record<string, string>>;
const running: RunningCli[] = [];

beforeEach(async () => {
  emulator = await startCheckedEmulator({ sizes: { person: 40, company: 5 } });
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'clarify-sync-takeover-'));
  env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: 'off',
    DATABASE_URL: database.url,
  };
  await runCli(['sync'], { env });
});
afterEach(async () => {
  for (const service of running.splice(0)) {
    service.child.kill('SIGKILL');
    await service.ended;
  }
  await database.drop();
  await rm(folder, { recursive: true, force: true });
  await emulator.stop();
});

async function startService(): Promise<RunningCli> {
  const service = startCli(['run'], { env });
  running.push(service);
  await service.saw(/"running"/);
  return service;
}

const insertTask = (title: string) =>
  database.db.query('INSERT INTO clarify.task (title) VALUES ($1)', [title]);
const tasks = (title: string) =>
  emulator.store.all('task').filter(({ attributes }) => attributes.title === title).length;
const arrives = (title: string, timeout = 30_000) =>
  expect.poll(() => tasks(title), { timeout, interval: 50 }).toBe(1);

/** How long it took until somebody else led. */
async function timeToTakeOver(standby: RunningCli, end: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await end();
  await standby.saw(/"leading"/);
  return performance.now() - startedMs;
}

test.each([
  ['is killed', 'SIGKILL'],
  ['is stopped in its tracks', 'SIGSTOP'],
] as const)('a stand-by takes over within seconds of a leader that %s', async (_name, kill) => {
  const leader = await startService();
  await leader.saw(/"leading"/);
  const standby = await startService();
  await insertTask('before');
  await arrives('before');
  const tookMs = await timeToTakeOver(standby, async () => {
    leader.child.kill(kill);
    await insertTask('between');
  });
  // The lease lasts 10 s from its last renewal, and is taken the moment it ends.
  expect(tookMs).toBeLessThan(12_000);
  await arrives('between');
  if (kill === 'SIGKILL') return;
  leader.child.kill('SIGCONT');
  // It finds out that it leads no longer, and sends nothing twice.
  await insertTask('after');
  await arrives('after');
  await leader.saw(/standing by/);
  expect(['before', 'between', 'after'].map(tasks)).toEqual([1, 1, 1]);
});

test('a sync after a killed service waits for its lease to end, and does the sending itself', async () => {
  const leader = await startService();
  await leader.saw(/"leading"/);
  leader.child.kill('SIGKILL');
  await leader.ended;
  await insertTask('left behind');
  const sync = await runCli(['sync'], { env });
  expect(sync).toMatchObject({ code: 0, stdout: expect.stringContaining('push: 1 delivered') });
  expect(tasks('left behind')).toBe(1);
});

test('whose connections are cut again and again goes on, and nothing is lost', async () => {
  const config = join(folder, 'config.yaml');
  await writeFile(
    config,
    'objects: { person: { pull: "* * * * * *" }, task: { pull: "* * * * * *" } }',
  );
  env = { ...env, CLARIFY_SYNC_CONFIG: config };
  const services = [await startService(), await startService()];
  for (let n = 0; n < 20; n += 1) {
    await sleep(250);
    await insertTask(`cut ${n}`);
    await database.db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'clarify-sync%'
          AND application_name <> 'clarify-sync test'`,
    );
  }
  await insertTask('after all');
  for (let n = 0; n < 20; n += 1) await arrives(`cut ${n}`, 60_000);
  await arrives('after all');
  const left = () =>
    database.db.query(
      `SELECT state FROM clarify_sync.outbox WHERE state IN ('pending', 'sending', 'parked')`,
    );
  await expect.poll(left, { timeout: 60_000 }).toEqual([]);
  for (const { child } of services) expect(child.exitCode).toBeNull();
});

test('a rolling restart loses nothing and does nothing twice', async () => {
  let service = await startService();
  const titles: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const next = startCli(['run'], { env });
    running.push(next);
    for (let n = 0; n < 20; n += 1) {
      const title = `${round}-${n}`;
      titles.push(title);
      await insertTask(title);
      if (n === 10) service.child.kill('SIGTERM');
    }
    expect(await service.ended).toMatchObject({ code: 0 });
    // Released, not waited for.
    await next.saw(/"leading"/);
    service = next;
  }
  for (const title of titles) await arrives(title);
  expect(titles.filter((title) => tasks(title) !== 1)).toEqual([]);
});
