import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../../src/app/log.ts';
import { pullAll } from '../../../src/app/pull-all.ts';
import { openSession } from '../../../src/app/session.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

// One endpoint's trouble must not keep a service from starting that has all it needs (invariant 10).

let workspace: TestWorkspace;
beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { person: 3 } } });
});
afterAll(() => workspace.stop());

const open = () => {
  const { session, signal } = workspace;
  const log = createLog({ level: 'silent' });
  return openSession(session.config, { log, signal }, { outlasts: true });
};

test('a service starts with the schema on record where Clarify does not tell it for now', async () => {
  const { emulator, signal } = workspace;
  emulator.faults.add({ kind: 'status', status: 500, path: '/schemas' });
  const session = await open();
  try {
    expect(session.tables.map(({ object }) => object)).toEqual(
      workspace.session.tables.map(({ object }) => object),
    );
    const runs = await pullAll(session, { objects: ['person'], signal, priority: 'pull' });
    expect(runs).toMatchObject([{ object: 'person', state: 'ok' }]);
    const rows = await workspace.sql(`SELECT FROM clarify.person`);
    expect(rows).toHaveLength(3);
  } finally {
    await session.stop();
  }
}, 60_000);

test('a key that is refused keeps it from starting all the same', async () => {
  workspace.emulator.faults.clear();
  workspace.emulator.faults.add({ kind: 'status', status: 401 });
  await expect(open()).rejects.toMatchObject({ code: 'remote-unauthorized' });
}, 60_000);
