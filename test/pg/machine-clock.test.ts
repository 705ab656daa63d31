import { afterEach, expect, test, vi } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace | undefined;

afterEach(async () => {
  vi.restoreAllMocks();
  await workspace?.stop();
});

/** Everything of this process believes it is so much later; the CRM and the database do not. */
async function openOff(offMs: number): Promise<TestWorkspace> {
  const now = Date.now;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + offMs);
  workspace = await openWorkspace({ emulator: { sizes: 'none', clock: now } });
  return workspace;
}

test.each([30_000, -30_000, 3_600_000, -3_600_000])(
  'newest compares the CRM and the database, with this machine off by %i ms (invariant 5)',
  async (offMs) => {
    const { emulator, session, signal, sql } = await openOff(offMs);
    const [earlier, later] = ['Earlier', 'Later'].map((name) =>
      emulator.store.create('person', { job_title: name }, { at: Date.now() - offMs - 60_000 }),
    );
    await pullAll(session, { signal, priority: 'pull' });
    const trueMs = Date.now() - offMs;
    for (const [id = '', at] of [
      [earlier, trueMs - 10_000],
      [later, trueMs + 10_000],
    ] as const) {
      emulator.store.update('person', id, { job_title: 'Remote' }, { at, by: 'user_1' });
    }
    await sql(`UPDATE clarify.person SET job_title = 'Local'`);
    await syncOnce(session, { signal });
    const settled = await sql('SELECT id, job_title FROM clarify.person');
    expect(new Map(settled.map(({ id, job_title }) => [id, job_title]))).toEqual(
      new Map([
        [earlier, 'Local'],
        [later, 'Remote'],
      ]),
    );
    const conflicts = await sql('SELECT DISTINCT certain, remote_by FROM clarify_sync.conflict');
    expect(conflicts).toEqual([{ certain: true, remote_by: 'user_1' }]);
  },
);
