import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { backfillAll } from '../../src/app/backfill-all.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Records known in a dated version that come without a readable `_updated_at`.

let workspace: TestWorkspace;
let id: string;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
  for (const title of ['One', 'Two', 'Three']) {
    id = workspace.emulator.store.create('task', { title }, { at: Date.now() - 5_000 });
  }
  await syncOnce(workspace.session, { signal: workspace.signal });
});
afterEach(() => workspace.emulator.faults.clear());
afterAll(() => workspace.stop());

const FORMS = [
  ['unreadable', 'soon'],
  ['null', null],
  ['left out', undefined],
] as const;

function spoil(value: string | null | undefined): void {
  workspace.emulator.faults.add({
    kind: 'attribute',
    attribute: '_updated_at',
    path: '/objects/task/',
    ...(value === undefined ? {} : { value }),
  });
}

const title = async () =>
  (await workspace.sql('SELECT title FROM clarify.task WHERE id = $1', [id]))[0]?.title;
const lastRun = async (kind: string) =>
  (
    await workspace.sql(
      `SELECT state, error, counts FROM clarify_sync.run WHERE kind = $1 AND object = 'task'
        ORDER BY started_at DESC LIMIT 1`,
      [kind],
    )
  )[0];

test.each(FORMS)('a pull takes the values over and is incomplete: %s', async (name, value) => {
  const { session, signal, emulator } = workspace;
  emulator.store.update('task', id, { title: `Edited, ${name}` });
  spoil(value);
  await pullAll(session, { objects: ['task'], signal, priority: 'pull' });
  expect(await title()).toBe(`Edited, ${name}`);
  expect(await lastRun('pull')).toMatchObject({ state: 'incomplete', error: 'undated-records' });
  emulator.faults.clear();
  emulator.store.update('task', id, { title: `Again, ${name}` });
  await pullAll(session, { objects: ['task'], signal, priority: 'pull' });
  expect(await title()).toBe(`Again, ${name}`);
  expect(await lastRun('pull')).toMatchObject({ state: 'ok' });
});

test.each(FORMS)('reconcile --deep compares the values regardless: %s', async (name, value) => {
  const { session, signal, emulator } = workspace;
  // So long ago, by its date, that no pull asks for it.
  emulator.store.update('task', id, { title: `Unseen, ${name}` }, { at: Date.now() - 3_600_000 });
  spoil(value);
  await reconcileAll(session, { objects: ['task'], deep: true, signal, priority: 'pull' });
  expect(await title()).toBe(`Unseen, ${name}`);
  expect(await lastRun('reconcile')).toMatchObject({
    state: 'incomplete',
    error: 'undated-records',
    counts: { missing: 0, differed: 1, deleted: 0, undated: 3 },
  });
  emulator.faults.clear();
  await reconcileAll(session, { objects: ['task'], deep: true, signal, priority: 'pull' });
  expect(await lastRun('reconcile')).toMatchObject({
    state: 'ok',
    counts: { missing: 0, differed: 0, undated: 0 },
  });
});

test('what is missing is found and brought although nothing of it is dated', async () => {
  const { session, signal, emulator, database } = workspace;
  await database.db.transaction((tx) => tx.query('DELETE FROM clarify.task WHERE id = $1', [id]), {
    asWriter: true,
  });
  spoil('soon');
  await reconcileAll(session, { objects: ['task'], deep: true, signal, priority: 'pull' });
  expect(await title()).toBeTypeOf('string');
  expect(await lastRun('reconcile')).toMatchObject({
    state: 'incomplete',
    counts: { missing: 1, undated: 2 },
  });
  emulator.faults.clear();
});

test.each(FORMS)('an answer to a push is taken over: %s', async (name, value) => {
  const { session, signal, emulator, sql } = workspace;
  await syncOnce(session, { signal });
  spoil(value);
  await sql('UPDATE clarify.task SET title = $2 WHERE id = $1', [id, `Local, ${name}`]);
  await syncOnce(session, { signal });
  expect(emulator.store.get('task', id)?.attributes.title).toBe(`Local, ${name}`);
  expect(await title()).toBe(`Local, ${name}`);
  emulator.store.update('task', id, { title: `Back, ${name}` });
  await syncOnce(session, { signal });
  expect(await title()).toBe(`Back, ${name}`);
});

test('a backfill from scratch takes the values over as well', async () => {
  const { session, signal, emulator } = workspace;
  emulator.store.update('task', id, { title: 'From scratch' }, { at: Date.now() - 3_600_000 });
  spoil('soon');
  await backfillAll(session, { objects: ['task'], restart: true, signal });
  expect(await title()).toBe('From scratch');
  expect(await lastRun('backfill')).toMatchObject({
    state: 'incomplete',
    error: 'undated-records',
  });
});

test('what was never edited may have no date: nothing is wrong with that', async () => {
  const quiet = await openWorkspace({
    emulator: { sizes: 'none', switches: { updatedAtUntilEdit: 'null' } },
  });
  const { session, signal, emulator, sql } = quiet;
  try {
    emulator.store.create('task', { title: 'Never edited' });
    await syncOnce(session, { signal });
    await syncOnce(session, { signal });
    await reconcileAll(session, { objects: ['task'], deep: true, signal, priority: 'pull' });
    const runs = await sql(`SELECT DISTINCT state FROM clarify_sync.run WHERE object = 'task'`);
    expect(runs).toEqual([{ state: 'ok' }]);
  } finally {
    await quiet.stop();
  }
});
