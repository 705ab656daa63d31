import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 60, company: 5, deal: 12, task: 3, meeting: 3, c_project: 6 } },
  });
});
afterAll(() => workspace.stop());

const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });

test('the first pull brings the links', async () => {
  const { store } = workspace.emulator;
  const [deal = ''] = store.ids('deal');
  store.link('deal', deal, 'people', store.ids('person'));
  await pull();
  expect(await differences(workspace)).toEqual([]);
  expect(await linkDifferences(workspace)).toEqual([]);
});
