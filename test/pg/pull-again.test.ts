import { afterEach, beforeEach, expect, test } from 'vitest';
import { Pulls } from '../../src/app/daemon/pulls.ts';
import { type ObjectRun, pullAll } from '../../src/app/pull-all.ts';
import type { Session } from '../../src/app/session.ts';
import { SyncError } from '../../src/domain/errors.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// A pull that could not be is tried again within seconds, and not when its schedule comes by
// (docs/decisions/015 and 016): here that is once in four years.

let workspace: TestWorkspace;
let lease: { epoch: bigint | null; readonly remainingMs: () => number };
let runs: ObjectRun[];
let pulls: Pulls | null;
let stopping: AbortController;

beforeEach(async () => {
  const sizes = { person: 6, company: 4, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({
    emulator: { sizes },
    config: {
      objects: { company: { pull: '0 0 29 2 *', fields: {}, history: false, delete: 'push' } },
    },
  });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
  lease = { epoch: 1n, remainingMs: () => 10_000 };
  runs = [];
  pulls = null;
  stopping = new AbortController();
});
afterEach(async () => {
  stopping.abort();
  await pulls?.stop();
  await workspace.stop();
});

/** With what is otherwise of the session. */
function start(more: Partial<Session>): void {
  const session: Session = Object.create(workspace.session, Object.getOwnPropertyDescriptors(more));
  const onRun = (run: ObjectRun) => runs.push(run);
  const halt = (error: unknown) => expect.unreachable(String(error));
  pulls = new Pulls(session, lease, { signal: stopping.signal, onRun }, halt);
  pulls.start();
}

function refuse(): number {
  const path = 'objects/company/resources';
  return workspace.emulator.faults.add({ kind: 'status', status: 403, path, method: 'GET' });
}

const states = () => runs.filter(({ object }) => object === 'company').map(({ state }) => state);

test('one that is tried a moment early is tried again after that moment', async () => {
  const { troubles } = workspace.session;
  // Its timer fires before its time, and that has come when it is asked for once more.
  const left = [5, 0.001, 0];
  start({
    troubles: {
      ...troubles,
      waitMs(part) {
        const isCompany = part.part === 'pull' && part.object === 'company';
        const isStopped = isCompany && troubles.stands(part);
        return (isStopped ? left.shift() : undefined) ?? troubles.waitMs(part);
      },
    },
  });
  const fault = refuse();
  await expect.poll(states).toContain('failed');
  workspace.emulator.faults.clear(fault);
  await expect.poll(states).toContain('ok');
  expect(left).toEqual([]);
}, 60_000);

test('one whose pause is over before its trouble is on record is tried again at once', async () => {
  const { troubles } = workspace.session;
  start({
    troubles: {
      ...troubles,
      async failed(part, error, quiet) {
        const pauseMs = await troubles.failed(part, error, quiet);
        await expect.poll(() => troubles.waitMs(part)).toBe(0);
        return pauseMs;
      },
    },
  });
  const fault = refuse();
  await expect.poll(states).toContain('failed');
  workspace.emulator.faults.clear(fault);
  await expect.poll(states).toContain('ok');
}, 60_000);

test('one whose lease is lost while the tables are looked at is made up for once it is back', async () => {
  const { session } = workspace;
  let looks = 0;
  start({
    async followSchema(withinMs) {
      const changed = await session.followSchema(withinMs);
      looks += 1;
      if (looks === 1) lease.epoch = null;
      return changed;
    },
  });
  await expect.poll(() => lease.epoch).toBeNull();
  expect(runs).toEqual([]);
  lease.epoch = 2n;
  await expect.poll(states).toContain('ok');
}, 60_000);

test('what is everybody’s trouble is nobody’s to try again: it is due with the schedule', async () => {
  const { troubles } = workspace.session;
  const part = { object: 'company', part: 'pull' } as const;
  await troubles.failed(part, new Error('its own, long ago'));
  await expect.poll(() => troubles.waitMs(part)).toBe(0);
  let reads = 0;
  const { readPage } = workspace.session.remote;
  start({
    remote: Object.create(workspace.session.remote, {
      readPage: {
        value: async (...call: Parameters<typeof readPage>) => {
          if (call[0].object.object !== 'company') return await readPage(...call);
          reads += 1;
          throw new SyncError('nobody answers', {
            code: 'database-unreachable',
            disposition: 'retry',
          });
        },
      },
    }),
  });
  await expect.poll(states).toContain('failed');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(reads).toBe(1);
}, 60_000);
