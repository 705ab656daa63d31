import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { type ReconcileRunOptions, reconcileAll } from '../../src/app/reconcile-all.ts';
import type { Page, PageRequest, Remote } from '../../src/domain/remote.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const PEOPLE = 1_500;

let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = { person: PEOPLE, company: 10, deal: 5, task: 3, meeting: 3, message: 3 };
  workspace = await openWorkspace({
    emulator: { sizes, switches: { deletedFeed: 'missing' } },
  });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
});
afterAll(() => workspace.stop());

/** Compares people by way of a client that answers otherwise in some respect. */
async function reconcile(odd: Partial<Remote>, options: Partial<ReconcileRunOptions> = {}) {
  const { session, signal } = workspace;
  const [run] = await reconcileAll(
    { ...session, remote: { ...session.remote, ...odd } },
    { objects: ['person'], signal, priority: 'pull', ...options },
  );
  return run;
}

const ids = (count: number, from = 0) =>
  workspace.emulator.store.ids('person').slice(from, from + count);

/** Lists as they are, but for what they say of their length. */
function totals(change: (total: number, page: Page) => number | null): Partial<Remote> {
  const { remote } = workspace.session;
  return {
    readPage: async (request, options) => {
      const page = await remote.readPage(request, options);
      return { ...page, total: page.total === null ? null : change(page.total, page) };
    },
  };
}

test.each([
  ['are missing', () => null],
  ['are always 0', () => 0],
  ['count a page', (_: number, page: Page) => page.records.length],
  ['end at 1,000', (total: number) => Math.min(total, 1_000)],
  ['take no account of filters', () => PEOPLE],
  ['are a few too high', (total: number) => total + 3],
  ['are estimates', (total: number) => total - (total % 7)],
] as const)('where totals %s, both sides come to agree all the same', async (_, change) => {
  const { store } = workspace.emulator;
  store.delete('person', ids(2, 700));
  store.create('person', { job_title: 'Engineer' }, { at: Date.UTC(2025, 4, 1) });
  const run = await reconcile(totals(change));
  // Where everything had to be read, nothing was hidden.
  expect(run?.counts).toMatchObject({ deleted: 2, missing: 1, unconfirmed: 0 });
  expect(await differences(workspace)).toEqual([]);
});

test('a vanished id that answers with another record was merged into it', async () => {
  const { store } = workspace.emulator;
  const { remote } = workspace.session;
  const [old = '', survivor = ''] = ids(2, 300);
  await workspace.sql(`UPDATE clarify.person SET linkedin_url = 'ours' WHERE id = $1`, [old]);
  store.delete('person', old);
  const run = await reconcile({
    readRecord: (request, options) =>
      remote.readRecord(request.id === old ? { ...request, id: survivor } : request, options),
  });
  expect(run).toMatchObject({ state: 'ok', counts: { merged: 1, deleted: 0 } });
  expect(
    await workspace.sql('SELECT id, reason FROM clarify_sync.id_map WHERE old_id = $1', [old]),
  ).toEqual([{ id: survivor, reason: 'merged' }]);
  expect(
    await workspace.sql('SELECT linkedin_url FROM clarify.person WHERE id = $1', [survivor]),
  ).toEqual([{ linkedin_url: 'ours' }]);
  expect(
    await workspace.sql(`SELECT record_id FROM clarify_sync.outbox WHERE state = 'pending'`),
  ).toEqual([{ record_id: survivor }]);
  await workspace.sql(`UPDATE clarify_sync.outbox SET state = 'cancelled', done_at = now()`);
  store.update('person', survivor, { linkedin_url: 'ours' });
});

test('a record that was taken for merged and is there again stands for itself', async () => {
  const { store } = workspace.emulator;
  const { remote } = workspace.session;
  const [old = '', survivor = ''] = ids(2, 500);
  store.hide('person', [old]);
  const merged = await reconcile({
    readRecord: (request, options) =>
      remote.readRecord(request.id === old ? { ...request, id: survivor } : request, options),
  });
  expect(merged).toMatchObject({ counts: { merged: 1 } });
  store.unhide('person', [old]);
  // A list may show a record for a while after it is gone.
  await workspace.database.db.query(
    `UPDATE clarify_sync.tombstone SET noticed_at = noticed_at - interval '1 minute'`,
  );
  expect(await reconcile({})).toMatchObject({ state: 'ok', counts: { missing: 1 } });
  expect(await workspace.sql(`SELECT clarify_sync.current_id('person', $1) AS id`, [old])).toEqual([
    { id: old },
  ]);
  expect(await differences(workspace)).toEqual([]);
});

test('a record that a list leaves out, and that answers, stays', async () => {
  const { remote } = workspace.session;
  const [left = ''] = ids(1, 400);
  const run = await reconcile({
    readPage: async (request, options) => {
      const page = await remote.readPage(request, options);
      const records = page.records.filter(({ id }) => id !== left);
      const isIn =
        request.from === undefined || records.length < page.records.length || covers(request, left);
      return { ...page, records, total: (page.total ?? 0) - (isIn ? 1 : 0) };
    },
  });
  expect(run).toMatchObject({
    state: 'incomplete',
    error: { code: 'reconcile-unconfirmed' },
    counts: { deleted: 0, unconfirmed: 1 },
  });
  expect(await differences(workspace)).toEqual([]);
});

function covers({ from = '', to = '9' }: PageRequest, id: string): boolean {
  const at = workspace.emulator.store.get('person', id)?.attributes['_created_at'];
  return typeof at === 'string' && at >= from && at <= to;
}

test('a record that comes back while it is asked for stays', async () => {
  const { store } = workspace.emulator;
  const { session, signal } = workspace;
  const { remote } = session;
  const [back = ''] = ids(1, 450);
  store.hide('person', [back]);
  const run = await reconcile({
    readRecord: async (request, options) => {
      const record = await remote.readRecord(request, options);
      if (request.id !== back || record !== null) return record;
      store.unhide('person', [back]);
      store.update('person', back, { job_title: 'Back' });
      await pullAll(session, { objects: ['person'], signal, priority: 'pull' });
      return record;
    },
  });
  expect(run).toMatchObject({ state: 'incomplete', counts: { deleted: 0, deferred: 1 } });
  expect(await differences(workspace)).toEqual([]);
  expect(await reconcile({})).toMatchObject({ state: 'ok' });
});

test('people come and go between any two requests, and nobody is lost', async () => {
  const { store } = workspace.emulator;
  const { remote } = workspace.session;
  let turn = 0;
  const restless: Partial<Remote> = {
    readPage: async (request, options) => {
      turn += 1;
      const all = store.ids('person');
      const one = all[(turn * 7919) % all.length] ?? '';
      if (turn % 3 === 0 && turn < 60) store.delete('person', one);
      if (turn % 3 === 1 && turn < 60) store.create('person', { job_title: 'New' });
      if (turn % 3 === 2) store.update('person', one, { job_title: `Turn ${turn}` });
      return await remote.readPage(request, options);
    },
  };
  store.delete('person', ids(3, 1_000));
  await reconcile(restless);
  // Once it is quiet, one more finds what came after the reading.
  expect(await reconcile({})).toMatchObject({ state: 'ok' });
  expect(await differences(workspace)).toEqual([]);
});
