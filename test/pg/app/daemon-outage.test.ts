import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullOne } from '../../../src/app/pull-all.ts';
import type { RunOutcome } from '../../../src/app/run-entry.ts';
import { SyncError } from '../../../src/domain/errors.ts';
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

test('an object without records is no reason to stop where Postgres goes away before that is on record', async () => {
  const { session } = workspace;
  const table = session.tables.find(({ object }) => object === 'playbook');
  if (table === undefined) throw new Error('there is no playbook');
  const ends: RunOutcome[] = [];
  const end = async (outcome: RunOutcome) => {
    ends.push(outcome);
    if (ends.length > 1) return;
    throw new SyncError('away', { code: 'database-unreachable', disposition: 'retry' });
  };
  const signal = new AbortController().signal;
  const run = pullOne(session, table, { signal, priority: 'pull', begin: async () => ({ end }) });
  const outcome = { state: 'incomplete', counts: { read: 0 } };
  const code = 'object-unavailable';
  await expect(run).resolves.toMatchObject({ ...outcome, error: { code } });
  expect(ends).toEqual([
    { ...outcome, error: code },
    { ...outcome, error: code },
  ]);
});
