import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  const none = { company: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({
    emulator: { sizes: { ...none, person: 700, deal: 600 }, switches: { linksBump: 'none' } },
  });
  await pullAll(workspace.session, reading());
});
afterAll(() => workspace.stop());

const reading = (objects?: string[]) =>
  ({ objects, signal: workspace.signal, priority: 'pull' }) as const;

const linksOf = async (deal: string) => {
  const rows = await workspace.sql(
    'SELECT person_id FROM clarify.deal_people WHERE deal_id = $1 ORDER BY 1',
    [deal],
  );
  return rows.map((row) => String(row['person_id']));
};

test('a comparison finds what was linked anew without a word, at one pass over the pages', async () => {
  const { session, emulator } = workspace;
  const { store } = emulator;
  const [deal = ''] = store.ids('deal').slice(300);
  const before = store.linked('deal', deal, 'people');
  const [old] = before;
  const other = store.ids('person').find((id) => !before.includes(id)) ?? '';
  store.link('deal', deal, 'people', [other]);
  if (old !== undefined) store.unlink('deal', deal, 'people', [old]);
  const wanted = store.linked('deal', deal, 'people').toSorted();
  await pullAll(session, reading());
  expect(await linksOf(deal)).not.toEqual(wanted);

  emulator.resetStats();
  const [run] = await reconcileAll(session, reading(['deal']));
  expect(run).toMatchObject({ state: 'ok', counts: { deleted: 0, missing: 0 } });
  expect(run?.counts['linked']).toBeGreaterThanOrEqual(1);
  expect(await linksOf(deal)).toEqual(wanted);
  expect(emulator.stats().recordsRead).toBeLessThan(1.2 * 600);
});

test('the object at the other end is compared by its counts', async () => {
  const [run] = await reconcileAll(workspace.session, reading(['person']));
  expect(run?.state).toBe('ok');
  expect(run?.counts['read']).toBeLessThan(100);
});
