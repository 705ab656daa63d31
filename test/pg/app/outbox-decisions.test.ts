import { afterAll, beforeAll, expect, test } from 'vitest';
import { approveDeletes } from '../../../src/db/outbox/delete-guard.ts';
import { readEntry, retryEntries } from '../../../src/db/outbox/review.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database?.drop();
});

async function park(lastError: string, op = 'update'): Promise<bigint> {
  const [row] = await database.db.query<{ id: bigint }>(
    `insert into clarify_sync.outbox (object, record_id, op, changes, state, last_error, attempts)
     values ('deal', 'dea_1', $1, '{}', 'parked', $2, 3) returning id`,
    [op, lastError],
  );
  return row?.id ?? 0n;
}

test('retrying everything leaves what may have arrived, by name it goes', async () => {
  const { db } = database;
  const plain = await park('remote-invalid: why');
  const ambiguous = await park('identity-ambiguous: several');
  const created = await park('create-ambiguous: several', 'insert');
  const copied = await park('copied-database');
  expect(await retryEntries(db, null)).toEqual([plain, ambiguous]);
  expect(await retryEntries(db, [created, copied])).toEqual([created, copied]);
  expect(await readEntry(db, copied)).toMatchObject({
    state: 'pending',
    attempts: 0,
    lastError: null,
  });
});

test('what is decided elsewhere is never retried', async () => {
  const { db } = database;
  const ids = [
    await park('conflict-open'),
    await park('mass-delete: too many', 'delete'),
    await park('delete-needs-approval', 'delete'),
  ];
  expect(await retryEntries(db, ids)).toEqual([]);
  expect(await retryEntries(db, null)).toEqual([]);
});

test('only deletes that wait for a person are approved', async () => {
  const { db } = database;
  const refused = await park('remote-forbidden: why', 'delete');
  const one = await park('mass-delete: too many', 'delete');
  const two = await park('delete-needs-approval', 'delete');
  expect(await approveDeletes(db, [refused, one, 999n])).toEqual([one]);
  expect(await readEntry(db, one)).toMatchObject({ state: 'pending', lastError: null });
  expect(await approveDeletes(db, null)).toContain(two);
  expect(await readEntry(db, refused)).toMatchObject({ state: 'parked' });
});
