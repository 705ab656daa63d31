import { afterEach, expect, test } from 'vitest';
import { runDaemon } from '../../src/app/daemon/daemon.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { readStatus } from '../../src/app/status.ts';
import { readTroubles } from '../../src/db/service/trouble.ts';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Invariant 10: one object's trouble is that object's alone.

let workspace: TestWorkspace;
let daemon: RunningDaemon | null = null;

async function open(): Promise<void> {
  const sizes = { person: 6, company: 4, deal: 5, task: 3, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
}

afterEach(async () => {
  await daemon?.stop();
  daemon = null;
  await workspace?.stop();
});

function list(object: string, status: number) {
  const path = `objects/${object}/resources`;
  return workspace.emulator.faults.add({ kind: 'status', status, path, method: 'GET' });
}

async function troubleOf(object: string, part = 'pull') {
  const all = await readTroubles(workspace.session.db);
  return all.find((one) => one.object === object && one.part === part);
}

const PATIENT = { timeout: 25_000 };

test.each([
  [402, 'remote-payment-required'],
  [403, 'remote-forbidden'],
  [404, 'remote-not-found'],
])(
  'a list that answers %i stops its object alone, visibly, until it answers again',
  async (status, code) => {
    await open();
    const fault = list('company', status);
    daemon = await startDaemon(workspace);
    await expect.poll(() => troubleOf('company'), PATIENT).toMatchObject({ code, part: 'pull' });
    // Whether it is to be had at all, only a person knows.
    const { hint } = (await troubleOf('company')) ?? {};
    expect(hint?.includes('`exclude: [company]`') ?? false).toBe(status !== 404);
    const { objects } = await readStatus(workspace.session.db);
    expect(objects.find(({ object }) => object === 'company')).toMatchObject({ lastError: code });
    expect(objects.find(({ object }) => object === 'person')?.lastError).toBeNull();
    workspace.emulator.faults.clear(fault);
    await expect.poll(() => troubleOf('company'), PATIENT).toBeUndefined();
  },
  60_000,
);

test('a read of every object ends with those that can be read', async () => {
  await open();
  list('company', 403);
  list('deal', 503);
  const runs = await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
  const states = Object.fromEntries(runs.map(({ object, state }) => [object, state]));
  expect(states).toMatchObject({ company: 'failed', deal: 'failed', person: 'ok', task: 'ok' });
}, 60_000);

test('the service ends where every object is refused', async () => {
  await open();
  const path = 'objects/[^/]+/resources';
  workspace.emulator.faults.add({ kind: 'status', status: 403, path, method: 'GET' });
  const running = runDaemon(workspace.session, { signal: workspace.signal });
  await expect(running).rejects.toMatchObject({ code: 'remote-forbidden', disposition: 'halt' });
});

test('a bug in one object’s run is its trouble alone', async () => {
  await open();
  const { session } = workspace;
  const remote = {
    ...session.remote,
    limits: session.remote.limits,
    clockSkewMs: 0,
    readPage: (...call: Parameters<typeof session.remote.readPage>) => {
      if (call[0].object.object === 'company') throw new TypeError('a bug');
      return session.remote.readPage(...call);
    },
  };
  const broken = Object.create(session, { remote: { value: remote } });
  const runs = await pullAll(broken, { signal: workspace.signal, priority: 'pull' });
  expect(runs.find(({ object }) => object === 'company')?.error?.code).toBe('unexpected');
  expect(runs.filter(({ state }) => state === 'ok').length).toBeGreaterThan(2);
});
