import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { fenced, readPage } from '../unit/docs/page.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database.drop();
});

const blocks = fenced(readPage('control-tables.md'), 'sql').map((text) => {
  return { text, title: text.trim().split('\n', 1)[0] };
});

test('the page has queries', () => {
  expect(blocks.length).toBeGreaterThan(10);
});

test.each(blocks)('operators can run: $title', async ({ text }) => {
  const rolledBack = new Error('rolled back');
  const run = database.db.transaction(async (tx) => {
    if (text.includes(' operator;')) await tx.query('create role operator');
    await tx.query(text);
    throw rolledBack;
  });
  await expect(run).rejects.toBe(rolledBack);
});
