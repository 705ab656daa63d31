import { afterAll, beforeAll, expect, test } from 'vitest';
import { abandonRuns, finishRun, startRun } from '../../src/db/service/run-log.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const states =
  'SELECT holder, state, counts, error, finished_at IS NULL AS open FROM clarify_sync.run ORDER BY id';

test('a run is open until it says how it ended', async () => {
  const { db } = database;
  const id = await startRun(db, { kind: 'pull', object: 'deal', holder: 'ended' });
  expect(await db.query(states)).toEqual([
    { holder: 'ended', state: 'running', counts: {}, error: null, open: true },
  ]);
  await finishRun(db, id, { state: 'incomplete', counts: { read: 3 }, error: 'remote-server' });
  expect(await db.query(states)).toEqual([
    {
      holder: 'ended',
      state: 'incomplete',
      counts: { read: 3 },
      error: 'remote-server',
      open: false,
    },
  ]);
  await db.query('DELETE FROM clarify_sync.run');
});

test('what a process that is no more has left open is closed; ours and fresh ones stay', async () => {
  const { db } = database;
  const dead = await startRun(db, { kind: 'backfill', object: 'deal', holder: 'dead' });
  const ours = await startRun(db, { kind: 'pull', object: null, holder: 'ours' });
  await db.query(`UPDATE clarify_sync.run SET started_at = clock_timestamp() - interval '1 hour'`);
  await startRun(db, { kind: 'pull', object: 'deal', holder: 'alive' });
  await abandonRuns(db, 'ours');
  expect(await db.query(states)).toMatchObject([
    { holder: 'dead', state: 'failed', error: 'abandoned', open: false },
    { holder: 'ours', state: 'running', open: true },
    { holder: 'alive', state: 'running', open: true },
  ]);
  // It was alive after all.
  await finishRun(db, dead, { state: 'ok', counts: {}, error: null });
  await finishRun(db, ours, { state: 'ok', counts: {}, error: null });
  expect(await db.query(states)).toMatchObject([{ state: 'ok', error: null }, { state: 'ok' }, {}]);
});
