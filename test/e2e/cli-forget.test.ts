import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { lastDocument, runCli } from './cli-process.ts';

let emulator: Emulator;
let database: TestDatabase;

beforeAll(async () => {
  emulator = await startCheckedEmulator({ sizes: { person: 3 } });
  database = await createTestDatabase();
});

afterAll(async () => {
  await emulator?.stop();
  await database?.drop();
});

const run = (...args: string[]) =>
  runCli(args, {
    env: {
      CLARIFY_API_URL: emulator.url,
      CLARIFY_API_KEY: emulator.apiKey,
      CLARIFY_WORKSPACE: emulator.workspace,
      DATABASE_URL: database.url,
      CLARIFY_SYNC_PUSH: 'on',
    },
  });

test('erases what it is told to, and says before what that is where it is asked', async () => {
  const [id = ''] = emulator.store.ids('person');
  expect((await run('sync')).code).toBe(0);
  const standing = await run('forget', 'person', id);
  expect(standing.code).toBe(3);
  expect(standing.stdout).toContain('left: its row stands');
  expect(standing.stderr).toContain('→ delete the record');

  await database.db.query('DELETE FROM clarify.person WHERE id = $1', [id]);
  expect((await run('sync')).code).toBe(0);
  const asked = await run('forget', 'person', id, '--dry-run', '--json');
  expect(asked.code).toBe(0);
  expect(lastDocument(asked)).toMatchObject({
    erased: false,
    tombstones: 1,
    changes: 1,
    next: expect.stringContaining('without --dry-run'),
  });
  const done = await run('forget', 'person', id, '--json');
  expect(done.code).toBe(0);
  expect(lastDocument(done)).toMatchObject({ erased: true, tombstones: 1, changes: 1, next: null });
  expect(await database.db.query('SELECT record FROM clarify_sync.tombstone')).toEqual([
    { record: {} },
  ]);
  expect((await run('forget', 'person', id)).code).toBe(0);

  const typo = await run('forget', 'person', 'nobody', '--json');
  expect(typo.code).toBe(1);
  expect(typo.stderr + typo.stdout).toContain('nothing was erased');
  expect((await run('forget', 'persn', id)).code).toBe(2);
});
