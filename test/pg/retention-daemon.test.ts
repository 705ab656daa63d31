import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
const RETENTION = { outboxMs: 1, conflictsMs: 1, tombstonesMs: 1 };

beforeAll(async () => {
  const deal = { fields: {}, history: false, conflicts: 'manual', delete: 'push' } as const;
  const task = { fields: {}, history: false, delete: 'park' } as const;
  workspace = await openWorkspace({
    emulator: {
      sizes: { person: 6, company: 0, deal: 4, task: 3, meeting: 0, message: 0, c_project: 0 },
    },
    config: { objects: { deal, task }, retention: RETENTION },
  });
});

afterAll(() => workspace?.stop());

test('a service clears up what is settled, and nothing that waits', async () => {
  const { session, signal, sql, emulator } = workspace;
  const sync = () => syncOnce(session, { signal });
  await sync();
  const [edited = '', gone = ''] = emulator.store.ids('person');
  const [disputed = ''] = emulator.store.ids('deal');
  await sql(`UPDATE clarify.person SET job_title = 'Here' WHERE id = $1`, [edited]);
  emulator.store.update('person', edited, { job_title: 'There' });
  await sql(`UPDATE clarify.deal SET amount = 1.5 WHERE id = $1`, [disputed]);
  emulator.store.update('deal', disputed, { amount: 2.5 });
  emulator.store.delete('person', gone);
  await sql('DELETE FROM clarify.task WHERE id = (SELECT min(id) FROM clarify.task)');
  await sync();
  const kept = () =>
    sql(
      `SELECT 'entry ' || state || ' ' || split_part(coalesce(last_error, ''), ':', 1) AS what FROM clarify_sync.outbox
        UNION ALL SELECT 'conflict ' || resolution FROM clarify_sync.conflict
        UNION ALL SELECT 'tombstone' FROM clarify_sync.tombstone ORDER BY 1`,
    ).then((rows) => rows.map(({ what }) => what));
  const before = await kept();
  expect(before).toContain('tombstone');
  expect(before).toContain('conflict open');
  expect(before.length).toBeGreaterThan(4);

  const daemon = await startDaemon(workspace);
  try {
    await vi.waitFor(
      async () =>
        expect(await kept()).toEqual([
          'conflict open',
          'entry parked conflict-open',
          'entry parked delete-needs-approval',
        ]),
      { timeout: 20_000, interval: 200 },
    );
  } finally {
    await daemon.stop();
  }
});
