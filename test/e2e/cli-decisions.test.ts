import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { lastDocument, runCli } from './cli-process.ts';

let emulator: Emulator;
let database: TestDatabase;
let folder: string;
let env: Record<string, string>;
/** The delete that one test approves and the next one undoes. */
let change: string;

beforeAll(async () => {
  emulator = await startCheckedEmulator({ sizes: 'none' });
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'clarify-sync-'));
  const config = join(folder, 'config.yaml');
  await writeFile(config, 'objects: { deal: { conflicts: manual }, task: { delete: park } }\n');
  env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    DATABASE_URL: database.url,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_CONFIG: config,
  };
});

afterAll(async () => {
  await emulator?.stop();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => runCli(args, { env });

test('a conflict is shown, decided, and what was decided is sent', async () => {
  const id = emulator.store.create('deal', { name: 'One', stage: 'Discovery' });
  expect(await run('sync')).toMatchObject({ code: 0, stderr: '' });
  await database.db.query(`update clarify.deal set stage = 'Lost' where id = $1`, [id]);
  emulator.store.update('deal', id, { stage: 'Won' });
  expect((await run('sync')).code).toBe(3);

  const { conflicts, next } = lastDocument(await run('conflicts', 'list', '--json'));
  expect(next).toContain('conflicts show');
  const conflict = String(JSON.parse(JSON.stringify(conflicts))[0].id);
  const shown = await run('conflicts', 'show', conflict);
  expect(shown.stderr).toContain(`clarify-sync conflicts resolve ${conflict} --take local`);

  const resolved = await run('conflicts', 'resolve', conflict, '--take', 'Proposal', '--json');
  expect(resolved.code).toBe(0);
  expect(lastDocument(resolved)).toMatchObject({
    id: Number(conflict),
    resolution: 'merged',
    next: expect.stringContaining('clarify-sync push'),
  });
  const again = await run('conflicts', 'resolve', conflict, '--take', 'remote');
  expect(again.code).toBe(2);
  expect(again.stderr).toContain(`conflict ${conflict} is settled already: merged`);

  expect((await run('push')).code).toBe(0);
  expect(emulator.store.get('deal', id)?.attributes['stage']).toBe('Proposal');
});

test('a delete that the object parks goes once it is approved', async () => {
  const id = emulator.store.create('task', { title: 'Once' });
  await run('sync');
  await database.db.query('delete from clarify.task where id = $1', [id]);
  const [entry] = await database.db.query<{ id: bigint }>(
    `select max(id) as id from clarify_sync.outbox where op = 'delete'`,
  );
  change = String(entry?.id);
  expect((await run('outbox', 'retry', change)).code).toBe(1);
  const shown = await run('outbox', 'show', change);
  expect(shown.stderr).toContain(`outbox approve ${change}`);
  const asks = [['reconcile', 'task'], ['push', '--dry-run'], ['status'], ['outbox', 'list']];
  const codes = await Promise.all(asks.map(async (args) => (await run(...args)).code));
  expect([shown.code, ...codes]).toEqual([3, 3, 3, 3, 3]);

  const approved = await run('outbox', 'approve', change, '--json');
  expect(approved.code).toBe(0);
  expect(lastDocument(approved)).toMatchObject({ approved: [Number(change)], refused: [] });
  const refused = await run('outbox', 'approve', change);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('error [not-approved]');
  await run('push');
  expect(emulator.store.get('task', id)).toBeNull();
});

test('it is undone as a new record, once, and where push is on', async () => {
  const off = await runCli(['outbox', 'revert', change], {
    env: { ...env, CLARIFY_SYNC_PUSH: 'off' },
  });
  expect(off.code).toBe(1);
  expect(off.stderr).toContain('error [push-off]');
  const reverted = await run('outbox', 'revert', change);
  expect(reverted.code).toBe(0);
  expect(reverted.stdout).toContain('a new record that gets a new id');
  expect((await run('outbox', 'revert', change)).code).toBe(2);
  await run('push');
  expect(emulator.store.all('task').map(({ attributes }) => attributes['title'])).toEqual(['Once']);
});

test('the Drizzle module goes to standard output, and what to do with it does not', async () => {
  const { code, stdout, stderr } = await run('schema', '--drizzle');
  expect(code).toBe(0);
  expect(stdout).toContain('export const deal = clarify.table("deal", {');
  expect(stderr).toMatch(/^→ write it to a file/);
});
