import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import type { Session } from '../../src/app/session.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
const warnings: unknown[][] = [];

beforeAll(async () => {
  const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes: { ...none, person: 30 } } });
});
afterAll(() => workspace.stop());

/** A session whose CRM has a title that no column holds, and whose warnings are kept. */
function odd(): Session {
  const { session } = workspace;
  const { remote } = session;
  return {
    ...session,
    log: Object.assign(Object.create(session.log), {
      warn: (...said: unknown[]) => void warnings.push(said),
    }),
    remote: {
      ...remote,
      limits: remote.limits,
      clock: remote.clock,
      async readPage(request, options) {
        const page = await remote.readPage(request, options);
        const records = page.records.map((record) => ({
          ...record,
          fields: { ...record.fields, job_title: 'half a \ud800 pair' },
        }));
        return { ...page, records };
      },
    },
  };
}

const pull = () =>
  pullAll(odd(), { objects: ['person'], signal: workspace.signal, priority: 'pull' });

test('values that fit no column are counted in a warning, and none is quoted', async () => {
  expect(await pull()).toMatchObject([{ state: 'ok' }]);
  expect(warnings).toEqual([
    [
      { object: 'person', kind: 'backfill', extra: 30 },
      'values that fit no column are kept in _extra',
    ],
  ]);
});

test('it is not said again of rows that stand as they are', async () => {
  warnings.length = 0;
  const [run] = await pull();
  expect(run).toMatchObject({ state: 'ok', counts: { updated: 0 } });
  expect(warnings).toEqual([]);
});
