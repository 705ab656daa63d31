import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { fenced, readPage } from '../unit/docs/page.ts';

// Some queries join mirror tables: a whole workspace, then, without records.
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});

afterAll(() => workspace.stop());

const blocks = fenced(readPage('control-tables.md'), 'sql').map((text) => {
  return { text, title: text.trim().split('\n', 1)[0] };
});

test('the page has queries', () => {
  expect(blocks.length).toBeGreaterThan(10);
});

test.each(blocks)('operators can run: $title', async ({ text }) => {
  const rolledBack = new Error('rolled back');
  const run = workspace.session.db.transaction(async (tx) => {
    if (text.includes(' operator;')) await tx.query('create role operator');
    await tx.query(text);
    throw rolledBack;
  });
  await expect(run).rejects.toBe(rolledBack);
});
