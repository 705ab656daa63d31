import { afterAll, beforeAll, expect, test } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { approveDeletes } from '../../src/db/outbox/delete-guard.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const deleteSome = (rows: number) =>
  workspace.sql(
    'DELETE FROM clarify.person WHERE id IN (SELECT id FROM clarify.person ORDER BY id LIMIT $1)',
    [rows],
  );

beforeAll(async () => {
  const sizes = { person: 200, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await sync();
});
afterAll(() => workspace.stop());

test('a few deletes go at once, what comes in drips counts together (invariant 11)', async () => {
  const { emulator } = workspace;
  await deleteSome(6);
  await sync();
  expect(emulator.store.count('person')).toBe(194);
  await deleteSome(6);
  const { left } = await sync();
  // Twelve within ten minutes are more than five percent of two hundred.
  expect(left.parked).toBe(6);
  expect(emulator.store.count('person')).toBe(194);
});

test('edits of other rows go on meanwhile, and approved deletes go', async () => {
  const { emulator, sql, session } = workspace;
  const [edited] = await sql(
    `UPDATE clarify.person SET job_title = 'Spared' WHERE id = (SELECT min(id) FROM clarify.person) RETURNING id`,
  );
  await deleteSome(0);
  await sync();
  expect(emulator.store.get('person', String(edited?.id))?.attributes.job_title).toBe('Spared');
  const [first] = await sql(`SELECT min(id) AS id FROM clarify_sync.outbox WHERE state = 'parked'`);
  await approveDeletes(session.db, [BigInt(String(first?.id))]);
  expect((await sync()).left.parked).toBe(5);
  expect(emulator.store.count('person')).toBe(193);
  await approveDeletes(session.db, null);
  expect((await sync()).left.parked).toBe(0);
  expect(emulator.store.count('person')).toBe(188);
});
