import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../../src/app/pull-all.ts';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { differences } from '../../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

// A first read meets what users have put on the tables, which a restored or emptied one has.

let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = {
    person: 0,
    company: 120,
    deal: 0,
    task: 1_200,
    meeting: 0,
    message: 0,
    c_project: 0,
  };
  workspace = await openWorkspace({ emulator: { sizes } });
});
afterAll(() => workspace.stop());

const read = async (...objects: string[]) => {
  const { session, signal } = workspace;
  return await pullAll(session, { objects, signal, priority: 'pull', everything: true });
};
const aside = (object: string) =>
  workspace.sql(
    'SELECT id, code, sqlstate FROM clarify_sync.deferred WHERE object = $1 ORDER BY id',
    [object],
  );

test('rows that COPY cannot write are found, and the others are there', async () => {
  const { store } = workspace.emulator;
  const ids = store.ids('task');
  const culprits = [ids[3], ids[600], ids[601], ids[1_199]].map(String).toSorted();
  for (const id of culprits) store.update('task', id, { title: 'Culprit' });
  await workspace.sql(
    `ALTER TABLE clarify.task ADD CONSTRAINT no_culprit CHECK (title <> 'Culprit')`,
  );
  const runs = await read('task');
  expect(runs).toMatchObject([{ object: 'task', kind: 'backfill', state: 'ok', error: null }]);
  expect(await aside('task')).toEqual(
    culprits.map((id) => ({ id, code: 'row-refused', sqlstate: '23514' })),
  );
  expect(await workspace.sql('SELECT count(*)::int AS rows FROM clarify.task')).toEqual([
    { rows: 1_196 },
  ]);
  await workspace.sql('ALTER TABLE clarify.task DROP CONSTRAINT no_culprit');
  await read('task');
  expect(await aside('task')).toEqual([]);
});

test('where nothing can be written the object stops, and says why; it goes on by itself', async () => {
  await workspace.sql(`ALTER TABLE clarify.company ADD CONSTRAINT nobody CHECK (false)`);
  const [refused] = await read('company');
  expect(refused).toMatchObject({ state: 'failed', error: { code: 'table-refuses' } });
  expect(refused?.error?.message).toContain('nobody');
  expect(await aside('company')).toEqual([]);
  expect(await read('task')).toMatchObject([{ state: 'ok' }]);
  await workspace.sql('ALTER TABLE clarify.company DROP CONSTRAINT nobody');
  expect(await read('company')).toMatchObject([{ state: 'ok' }]);
  await syncOnce(workspace.session, { signal: workspace.signal });
  expect(await differences(workspace)).toEqual([]);
});

test('a trigger that rewrites what COPY would write is noticed', async () => {
  const { store } = workspace.emulator;
  const [id = ''] = store.ids('company');
  store.update('company', id, { name: 'Loud' });
  await read('company');
  await workspace.sql(`CREATE FUNCTION public.hush() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.name := lower(NEW.name); RETURN NEW; END $$`);
  await workspace.sql(`CREATE TRIGGER hush BEFORE INSERT OR UPDATE ON clarify.company
    FOR EACH ROW WHEN (NEW.name = 'Loud') EXECUTE FUNCTION public.hush()`);
  await workspace.session.db.transaction((tx) => tx.query('DELETE FROM clarify.company'), {
    asWriter: true,
  });
  await workspace.sql(`DELETE FROM clarify_sync.cursor WHERE object = 'company'`);
  const [run] = await read('company');
  expect(run).toMatchObject({ kind: 'backfill', state: 'ok' });
  expect(await aside('company')).toEqual([{ id, code: 'row-differs', sqlstate: null }]);
  expect(await workspace.sql('SELECT count(*)::int AS rows FROM clarify.company')).toEqual([
    { rows: store.count('company') },
  ]);
  await workspace.sql('DROP FUNCTION public.hush() CASCADE');
  await read('company');
  expect(await aside('company')).toEqual([]);
});
