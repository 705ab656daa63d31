import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { type ReconcileRunOptions, reconcileAll } from '../../src/app/reconcile-all.ts';
import { readStatus } from '../../src/app/status.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const PEOPLE = 1_200;

let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = { person: PEOPLE, company: 3, deal: 5, task: 3, meeting: 3, message: 3 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
});
afterAll(() => workspace.stop());

beforeEach(() => {
  workspace.emulator.faults.clear();
  workspace.emulator.switches.deletedFeed = 'present';
});

async function reconcile(object = 'person', options: Partial<ReconcileRunOptions> = {}) {
  const { session, signal } = workspace;
  const [run] = await reconcileAll(session, {
    objects: [object],
    signal,
    priority: 'pull',
    ...options,
  });
  return run;
}

const ids = (count: number, from = 0) =>
  workspace.emulator.store.ids('person').slice(from, from + count);
const rows = async (table = 'person') => {
  const [row] = await workspace.sql(`SELECT count(*)::int AS rows FROM clarify.${table}`);
  return row?.rows;
};
const reasons = (of: readonly string[]) =>
  workspace.sql(
    `SELECT reason, count(*)::int AS tombstones, count(DISTINCT xmin::text)::int AS transactions
       FROM clarify_sync.tombstone WHERE id = ANY($1) GROUP BY reason`,
    [of],
  );
const setCursor = (change: string) =>
  workspace.database.db.query(`UPDATE clarify_sync.cursor SET ${change} WHERE object = 'person'`);

test('records out of sight leave a tombstone, in one transaction, and come back', async () => {
  const { store } = workspace.emulator;
  const hidden = ids(4, 100);
  const before = await rows();
  store.hide('person', hidden);
  expect(await reconcile()).toMatchObject({ state: 'ok', counts: { deleted: 4, suspects: 4 } });
  expect(await rows()).toBe(PEOPLE - 4);
  expect(await reasons(hidden)).toEqual([
    { reason: 'not_visible', tombstones: 4, transactions: 1 },
  ]);
  store.unhide('person', hidden);
  expect(await reconcile()).toMatchObject({ state: 'ok', counts: { missing: 4 } });
  expect(await rows()).toBe(before);
  expect(await reasons(hidden)).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});

test('what went out of sight and is in the feed after all was deleted', async () => {
  const { store } = workspace.emulator;
  const [id = ''] = ids(1, 50);
  store.hide('person', [id]);
  await reconcile();
  store.unhide('person', [id]);
  store.delete('person', id);
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
  expect(await reasons([id])).toMatchObject([{ reason: 'deleted' }]);
});

test('more than may go waits for a person, and goes once approved', async () => {
  const { store } = workspace.emulator;
  const hidden = ids(80, 200);
  const before = await rows();
  store.hide('person', hidden);
  for (let time = 1; time <= 2; time += 1) {
    const run = await reconcile();
    expect(run).toMatchObject({
      state: 'incomplete',
      error: { code: 'reconcile-mass-delete', hint: expect.stringContaining('--approve') },
      counts: { deleted: 0, waiting: 80 },
    });
    expect(await rows()).toBe(before);
  }
  const [logged] = await workspace.sql(
    `SELECT state, error FROM clarify_sync.run WHERE kind = 'reconcile' ORDER BY id DESC LIMIT 1`,
  );
  expect(logged).toEqual({ state: 'incomplete', error: 'reconcile-mass-delete' });
  const { objects } = await readStatus(workspace.session.db);
  const standing = objects.find(({ object }) => object === 'person');
  expect(standing).toMatchObject({ lastError: 'reconcile-mass-delete' });
  expect(await reconcile('person', { approve: true })).toMatchObject({
    state: 'ok',
    counts: { deleted: 80 },
  });
  expect(await reasons(hidden)).toMatchObject([{ tombstones: 80, transactions: 1 }]);
  store.unhide('person', hidden);
  await reconcile();
  expect(await differences(workspace)).toEqual([]);
});

test('a list that is suddenly empty takes nothing away', async () => {
  const { store } = workspace.emulator;
  const all = store.ids('person');
  store.hide('person', all);
  for (const deep of [false, true]) {
    expect(await reconcile('person', { deep })).toMatchObject({
      state: 'incomplete',
      error: { code: 'reconcile-mass-delete' },
      counts: { deleted: 0 },
    });
  }
  expect(await rows()).toBe(all.length);
  store.unhide('person', all);
  expect(await reconcile()).toMatchObject({ state: 'ok' });
});

test('of a few records all of which vanish, none is taken for deleted', async () => {
  const { store } = workspace.emulator;
  const all = store.ids('company');
  store.hide('company', all);
  expect(await reconcile('company')).toMatchObject({
    state: 'incomplete',
    error: { code: 'reconcile-no-witness' },
    counts: { deleted: 0, waiting: all.length },
  });
  expect(await rows('company')).toBe(all.length);
  store.unhide('company', all);
  expect(await reconcile('company')).toMatchObject({ state: 'ok' });
});

test.each([404, 403])('where every record answers %s, nothing is taken away', async (status) => {
  const { store, faults } = workspace.emulator;
  const hidden = ids(3, 300);
  const before = await rows();
  store.hide('person', hidden);
  faults.add({ kind: 'status', status, method: 'GET', path: 'person/resources/' });
  expect(await reconcile()).toMatchObject({ state: 'incomplete', counts: { deleted: 0 } });
  expect(await rows()).toBe(before);
  faults.clear();
  store.unhide('person', hidden);
});

test('an object that was read before and answers 404 keeps its rows, and says so', async () => {
  const before = await rows();
  workspace.emulator.faults.add({ kind: 'status', status: 404, path: 'objects/person/' });
  expect(await reconcile()).toMatchObject({
    state: 'failed',
    error: { code: 'remote-not-found' },
  });
  expect(await rows()).toBe(before);
});

test('after a change of key every removal waits for a person', async () => {
  const { store } = workspace.emulator;
  await reconcile();
  await setCursor(`reconciled_key = 'another'`);
  const hidden = ids(1, 400);
  store.hide('person', hidden);
  expect(await reconcile()).toMatchObject({
    state: 'incomplete',
    error: { code: 'reconcile-mass-delete' },
    counts: { deleted: 0, waiting: 1 },
  });
  store.unhide('person', hidden);
  // Nothing is gone: the new key sees what the old one saw.
  expect(await reconcile()).toMatchObject({ state: 'ok' });
  store.hide('person', hidden);
  expect(await reconcile()).toMatchObject({ state: 'ok', counts: { deleted: 1 } });
  store.unhide('person', hidden);
  await reconcile();
});

test('after an absence longer than the feed remembers, a sync compares', async () => {
  const { store } = workspace.emulator;
  const [id = ''] = ids(1, 500);
  store.delete('person', id, { at: Date.now() - 31 * 86_400_000 });
  const { session, signal } = workspace;
  const person = async () => (await syncOnce(session, { objects: ['person'], signal })).objects[0];
  await setCursor(`deletions_read_at = clock_timestamp() - interval '20 days'`);
  expect(await person()).toMatchObject({ counts: { removed: 0 } });
  await setCursor(`deletions_read_at = clock_timestamp() - interval '30 days'`);
  expect(await person()).toMatchObject({ state: 'ok', counts: { removed: 1 } });
  expect(await reasons([id])).toMatchObject([{ reason: 'deleted' }]);
  const [cursor] = await workspace.sql(
    `SELECT reconcile_due, deletions_read_at > clock_timestamp() - interval '1 minute' AS read
       FROM clarify_sync.cursor WHERE object = 'person'`,
  );
  expect(cursor).toEqual({ reconcile_due: false, read: true });
});

test('a row that a user holds is left to the next comparison', async () => {
  const { store, switches } = workspace.emulator;
  switches.deletedFeed = 'missing';
  const [id = ''] = ids(1, 600);
  const user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  try {
    await user.query('BEGIN');
    await user.query(`UPDATE clarify.person SET job_title = 'Held' WHERE id = $1`, [id]);
    store.delete('person', id);
    expect(await reconcile()).toMatchObject({
      state: 'incomplete',
      error: { code: 'reconcile-held' },
      counts: { deleted: 0 },
    });
    await user.query('COMMIT');
  } finally {
    await user.end();
  }
  expect(await reconcile()).toMatchObject({ state: 'ok', counts: { deleted: 1, conflicts: 1 } });
  expect(await differences(workspace)).toEqual([]);
});
