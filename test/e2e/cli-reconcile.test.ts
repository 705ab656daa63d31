import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { lastDocument, runCli } from './cli-process.ts';

let emulator: Emulator;
let database: TestDatabase;
let env: Record<string, string>;

beforeAll(async () => {
  const none = { deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  emulator = await startCheckedEmulator({
    sizes: { person: 200, company: 5, ...none },
    switches: { deletedFeed: 'missing' },
  });
  database = await createTestDatabase();
  env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    DATABASE_URL: database.url,
  };
  await runCli(['sync'], { env });
});
afterAll(async () => {
  await emulator?.stop();
  await database?.drop();
});

test('a sync finds deletions although nothing tells of them', async () => {
  emulator.store.delete('person', emulator.store.ids('person').slice(20, 22));
  const result = await runCli(['sync', 'person', '--json'], { env });
  expect(result.code).toBe(0);
  expect(lastDocument(result)).toMatchObject({
    objects: [{ object: 'person', state: 'ok', counts: { removed: 2 } }],
  });
});

test('too many wait for a person, who approves', async () => {
  emulator.store.delete('person', emulator.store.ids('person').slice(0, 60));
  const waiting = await runCli(['reconcile', 'person'], { env });
  expect(waiting.code).toBe(3);
  expect(waiting.stdout).toMatch(/person +waits for you/);
  expect(waiting.stderr).toContain('clarify-sync reconcile person --approve');

  const status = await runCli(['status', '--json'], { env });
  expect(status.code).toBe(3);
  expect(lastDocument(status)['objects']).toContainEqual(
    expect.objectContaining({ object: 'person', lastError: 'reconcile-mass-delete', rows: 198 }),
  );

  const approved = await runCli(['reconcile', 'person', '--approve', '--json'], { env });
  expect(approved.code).toBe(0);
  expect(lastDocument(approved)).toMatchObject({
    type: 'result',
    objects: [{ object: 'person', kind: 'reconcile', state: 'ok', counts: { deleted: 60 } }],
    next: null,
  });
  expect((await runCli(['status'], { env })).code).toBe(0);
});
