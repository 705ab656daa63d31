import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../../src/app/pull-all.ts';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { differences } from '../../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});
afterAll(() => workspace.stop());

test('a new field becomes a column although some rows refuse to be written', async () => {
  const { emulator, session, signal, sql } = workspace;
  const { store } = emulator;
  const objects = ['task'];
  const pull = () =>
    pullAll(workspace.session, { objects, signal, priority: 'pull', everything: true });
  const ids = ['Fine', 'Culprit', 'Well'].map((title) => store.create('task', { title }));
  await pull();
  store.addField('task', { name: 'c_size', form: { kind: 'number' } });
  for (const id of ids) store.update('task', id, { c_size: 42 });
  await pull();
  await sql(
    `ALTER TABLE clarify.task ADD CONSTRAINT no_culprit CHECK (title <> 'Culprit') NOT VALID`,
  );
  const { problems } = await session.refreshSchema(signal);
  expect(problems.filter(({ object }) => object === 'task')).toEqual([]);
  const filled = await sql('SELECT title, c_size FROM clarify.task ORDER BY title');
  expect(filled).toEqual([
    { title: 'Culprit', c_size: null },
    { title: 'Fine', c_size: '42.0000' },
    { title: 'Well', c_size: '42.0000' },
  ]);
  const [run] = await pull();
  expect(run).toMatchObject({ state: 'ok' });
  expect(await sql('SELECT id, constraint_name FROM clarify_sync.deferred')).toEqual([
    { id: ids[1], constraint_name: 'no_culprit' },
  ]);
  await sql('ALTER TABLE clarify.task DROP CONSTRAINT no_culprit');
  await syncOnce(session, { signal });
  expect(await sql('SELECT id FROM clarify_sync.deferred')).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});
