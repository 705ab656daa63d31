import { afterAll, beforeAll, expect, test } from 'vitest';
import { pruneStep } from '../../src/db/service/retention.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('settled entries go after their time, what waits stays for ever', async () => {
  const { db } = database;
  await db.query(
    `INSERT INTO clarify_sync.outbox (object, record_id, op, changes, state, last_error, created_at, done_at)
     SELECT 'person', s, 'update', '{}', s, CASE WHEN s = 'parked' THEN 'why' END, now() - interval '40 days',
            CASE WHEN s IN ('done', 'superseded', 'cancelled') THEN now() - interval '40 days' END
       FROM unnest('{pending,parked,done,superseded,cancelled}'::text[]) AS s`,
  );
  await db.query(
    `INSERT INTO clarify_sync.outbox (object, record_id, op, changes, state, done_at)
     VALUES ('person', 'fresh', 'update', '{}', 'done', now())`,
  );
  await db.query(
    `INSERT INTO clarify_sync.run (kind, object, state, holder, finished_at)
     SELECT 'pull', 'person', 'ok', 'h', now() - d * interval '1 day' FROM generate_series(60, 40, -1) AS d`,
  );
  const retention = { outboxMs: 30 * 86_400_000, conflictsMs: null, tombstonesMs: null };
  expect(await pruneStep(db, retention)).toBe(3 + 20);
  expect(await pruneStep(db, retention)).toBe(0);
  const left = await db.query('SELECT record_id FROM clarify_sync.outbox ORDER BY id');
  expect(left.map(({ record_id }) => record_id)).toEqual(['pending', 'parked', 'fresh']);
});
