import { backfillObject } from '../../src/backfill/backfill-object.ts';
import { pullObject } from '../../src/pull/pull-object.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };

export async function open(switches: object, people = 1_500): Promise<TestWorkspace> {
  return await openWorkspace({
    emulator: {
      sizes: { ...none, person: people },
      switches: { pageMax: 25, ratePerMinute: 1_000_000, ...switches },
    },
  });
}

function person({ session }: TestWorkspace) {
  const table = session.tables.find(({ object }) => object === 'person');
  if (table === undefined) throw new Error('no people');
  return table;
}

export async function backfill(workspace: TestWorkspace, options: object = {}) {
  const { session, signal } = workspace;
  const all = { signal, priority: 'backfill', ...options } as const;
  return await backfillObject(session, person(workspace), all);
}

export async function pull(workspace: TestWorkspace) {
  const { session, signal } = workspace;
  return await pullObject(session, person(workspace), { signal, priority: 'pull' });
}
