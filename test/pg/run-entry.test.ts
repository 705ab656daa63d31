import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { beginLate } from '../../src/app/run-entry.ts';
import type { Database } from '../../src/db/connection/database.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: Database;
const run = { kind: 'pull', object: 'deal', holder: 'one' } as const;
const done = { state: 'ok', counts: { read: 3 }, error: null } as const;

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterAll(() => database.drop());
afterEach(async () => {
  vi.useRealTimers();
  await db.query('DELETE FROM clarify_sync.run');
});

const rows = () =>
  db.query(
    `SELECT state, counts, error, finished_at IS NULL AS open,
            round(extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at))::int4 AS seconds
       FROM clarify_sync.run WHERE kind = 'pull' AND object = 'deal' AND holder = 'one'`,
  );

test('a short run is one row, written at its end', async () => {
  let nowMs = 0;
  const entry = await beginLate(db, { nowMs: () => nowMs })(run);
  expect(await rows()).toEqual([]);
  nowMs = 900;
  await entry.end(done);
  expect(await rows()).toEqual([
    { state: 'ok', counts: { read: 3 }, error: null, open: false, seconds: 1 },
  ]);
});

test('one that lasts is seen to be under way, since it began', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let nowMs = 0;
  const entry = await beginLate(db, { nowMs: () => nowMs })(run);
  nowMs = 5_000;
  vi.advanceTimersByTime(1_001);
  vi.useRealTimers();
  // And goes on since.
  const fiveAndMore = expect.toSatisfy((seconds: number) => seconds >= 5);
  await expect.poll(rows).toMatchObject([{ state: 'running', open: true, seconds: fiveAndMore }]);
  await entry.end({ state: 'failed', counts: {}, error: 'remote-timeout' });
  expect(await rows()).toMatchObject([{ state: 'failed', error: 'remote-timeout', open: false }]);
});

test('where the database was away when it was to be shown, it is put on record at its end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let isAway = true;
  const away: Database = {
    ...db,
    query: (text, values) => (isAway ? Promise.reject(new Error('away')) : db.query(text, values)),
  };
  const entry = await beginLate(away, { nowMs: () => 0 })(run);
  vi.advanceTimersByTime(1_001);
  vi.useRealTimers();
  isAway = false;
  await entry.end(done);
  expect(await rows()).toMatchObject([{ state: 'ok', open: false }]);
});
