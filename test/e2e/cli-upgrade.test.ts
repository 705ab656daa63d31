import { afterEach, expect, test } from 'vitest';
import { startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase } from '../support/database.ts';
import { type RunningCli, runCli, startCli } from './cli-process.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startWorkspace() {
  const emulator = await startCheckedEmulator({ sizes: { person: 3, company: 2 } });
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
  const [person = ''] = emulator.store.ids('person');
  return {
    db: database.db,
    env,
    start(): RunningCli {
      const running = startCli(['run'], { env });
      cleanups.push(async () => {
        running.child.kill('SIGKILL');
        await running.ended;
      });
      return running;
    },
    /** Commits an edit, and waits until Clarify has it. */
    async edit(title: string): Promise<void> {
      const { db } = database;
      await db.query('update clarify.person set job_title = $1 where id = $2', [title, person]);
      const arrived = () => emulator.store.get('person', person)?.attributes['job_title'];
      await expect.poll(arrived, { timeout: 30_000 }).toBe(title);
    },
    /** What a newer version leaves: a migration that this one does not know. */
    async migrateBeyond(): Promise<void> {
      await database.db.query(
        `insert into clarify_sync.migration (hash, created_at) values ('of a newer version', 1)`,
      );
    },
  };
}

test('two daemons: one takes over from the other, and no edit waits for a restart', async () => {
  const workspace = await startWorkspace();
  const former = workspace.start();
  await former.saw(/"leading"/);
  await former.saw(/"running"/);
  await expect.poll(() => countPeople(workspace.db), { timeout: 30_000 }).toBe(3);
  const next = workspace.start();
  await next.saw(/"running"/);
  await workspace.edit('before');

  former.child.kill('SIGTERM');
  expect((await former.ended).code).toBe(0);
  await workspace.edit('after');
  await next.saw(/"leading"/);
  next.child.kill('SIGTERM');
  expect((await next.ended).code).toBe(0);
});

test('beside a newer version the older one works on, and does not start again', async () => {
  const workspace = await startWorkspace();
  const older = workspace.start();
  const page = await older.saw(/"statusUrl":"([^"]+)"/);
  await expect.poll(() => countPeople(workspace.db), { timeout: 30_000 }).toBe(3);
  await workspace.migrateBeyond();
  await workspace.edit('meanwhile');
  await expect
    .poll(async () => await (await fetch(`${page}/readyz`)).text(), { timeout: 10_000 })
    .toContain('ok - migrations: all, and more of a newer version');
  older.child.kill('SIGTERM');
  expect((await older.ended).code).toBe(0);

  const again = await runCli(['run'], { env: workspace.env });
  expect(again.stderr).toMatch(/^error \[schema-newer\]: the database has \d+ migrations/);
  expect(again.stderr).toContain('→ install the newer version of clarify-sync');
  expect(again.code).toBe(1);
});

async function countPeople(
  db: Awaited<ReturnType<typeof createTestDatabase>>['db'],
): Promise<number> {
  const standing = await db.query(`select from pg_class where oid = to_regclass('clarify.person')`);
  if (standing.length === 0) return 0;
  const [row] = await db.query<{ people: number }>(
    'select count(*)::int4 as people from clarify.person',
  );
  return row?.people ?? 0;
}
