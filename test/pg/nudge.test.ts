import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const SECRET = 'a-secret-that-nobody-guesses';
/** Once a year: what arrives was asked for. */
const NEVER = '0 0 1 1 *';

let workspace: TestWorkspace;
let leader: RunningDaemon;
let standby: RunningDaemon;

beforeAll(async () => {
  const quiet = { pull: NEVER, fields: {}, history: false, delete: 'push' as const };
  workspace = await openWorkspace({
    emulator: { sizes: { person: 4, company: 2 } },
    push: false,
    config: {
      http: { host: '127.0.0.1', port: 0, token: null, nudgeSecret: SECRET },
      objects: { person: quiet, company: quiet },
    },
  });
  leader = await startDaemon(workspace);
  const isRead = async () => {
    if ((await titles()).length !== 4) throw new Error('not read yet');
  };
  await vi.waitFor(isRead, { timeout: 20_000 });
  standby = await startDaemon({ ...workspace, session: await workspace.reopen() });
});

afterAll(async () => {
  await standby?.stop();
  await leader?.stop();
  await workspace?.stop();
});

async function titles(): Promise<unknown[]> {
  const rows = await workspace.sql('select job_title from clarify.person');
  return rows.map((row) => row['job_title']);
}

function edit(title: string): void {
  const [id = ''] = workspace.emulator.store.ids('person');
  workspace.emulator.store.update('person', id, { job_title: title });
}

async function nudge({ statusUrl }: RunningDaemon, body: string): Promise<number> {
  const answer = await fetch(`${statusUrl}/nudge/${SECRET}`, { method: 'POST', body });
  return answer.status;
}

test('a nudge brings what changed, long before the schedule would', async () => {
  edit('Nudged');
  expect(await nudge(leader, '{"object":"person"}')).toBe(202);
  await expect.poll(titles, { timeout: 15_000 }).toContain('Nudged');
});

test('the leader pulls, whichever daemon is called, and whatever the body says', async () => {
  edit('Passed on');
  expect(await nudge(standby, '{"object":"no such thing"}')).toBe(202);
  await expect.poll(titles, { timeout: 15_000 }).toContain('Passed on');
});

test('the secret is nowhere to be seen', async () => {
  const page = await (await fetch(leader.statusUrl)).text();
  const metrics = await (await fetch(`${leader.statusUrl}/metrics`)).text();
  expect(page + metrics).not.toContain(SECRET);
  expect(metrics).toMatch(/clarify_sync_nudges_total 1\b/);
});
