import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningDaemon, startDaemon } from '../../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

let workspace: TestWorkspace;
let daemon: RunningDaemon;

beforeAll(async () => {
  const none = { company: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  const often = { pull: '* * * * * *', fields: {}, history: false, delete: 'push' as const };
  workspace = await openWorkspace({
    emulator: { sizes: { ...none, person: 60, deal: 10 } },
    config: { objects: { person: often, deal: often } },
  });
  daemon = await startDaemon(workspace);
});
afterAll(() => workspace.stop());

async function titles(): Promise<unknown[]> {
  const rows = await workspace.sql('SELECT job_title FROM clarify.person');
  return rows.map((row) => row['job_title']);
}

/** What a restart of Postgres does to everyone who is connected but the one who asks. */
const hangUp = () =>
  workspace.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );

test('the service outlasts a Postgres that keeps hanging up, and says nothing runs that does not', async () => {
  await expect.poll(titles, { timeout: 20_000 }).toHaveLength(60);
  const [id = ''] = workspace.emulator.store.ids('person');
  for (let round = 0; round < 60; round += 1) {
    workspace.emulator.store.update('person', id, { job_title: `Round ${round}` });
    await sleep(50 + (round % 7) * 10);
    await hangUp();
  }
  await expect.poll(titles, { timeout: 30_000 }).toContain('Round 59');
  await expect(daemon.stop()).resolves.toBeUndefined();
  const runs = await workspace.sql(
    `SELECT kind, object, state, error FROM clarify_sync.run WHERE state = 'running'`,
  );
  expect(runs).toEqual([]);
}, 90_000);
