import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({
    push: false,
    emulator: {
      sizes: { ...none, person: 30 },
      // Records without `_updated_at` cost a second walk.
      switches: { deletedFeed: 'missing', updatedAtUntilEdit: 'null' },
    },
  });
  const { emulator } = workspace;
  emulator.store.create('person', { job_title: 'new' });
  await pullAll(workspace.session, options());
  // The first pull after a backfill confirms what the backfill has seen; a second 404 is believed.
  await pullAll(workspace.session, options());
});
afterAll(() => workspace.stop());

const options = () => ({
  objects: ['person'],
  signal: workspace.signal,
  priority: 'pull' as const,
});

/** Requests about people that `pass` makes, those to the feed apart. */
async function requestsOf(pass: () => Promise<unknown>) {
  workspace.emulator.resetStats();
  await pass();
  const { endpoints } = workspace.emulator.stats();
  const about = Object.entries(endpoints).filter(([name]) => name.includes('/person/'));
  const count = (found: typeof about) => found.reduce((sum, [, { requests }]) => sum + requests, 0);
  const feed = about.filter(([name]) => name.includes('deleted-resources'));
  return { all: count(about), feed: count(feed) };
}

test('a feed that is missing is not asked for at every tick', async () => {
  expect(await requestsOf(() => pullAll(workspace.session, options()))).toEqual({
    all: 2,
    feed: 0,
  });
});

test('not by another process either, and a sync counts the records instead', async () => {
  const session = await workspace.reopen();
  const { signal } = workspace;
  const { all, feed } = await requestsOf(() => syncOnce(session, { objects: ['person'], signal }));
  expect(feed).toBe(0);
  expect(all).toBeLessThanOrEqual(3);
});

test('a day later it is asked for again, and used where it has come', async () => {
  const { emulator, session } = workspace;
  await workspace.database.db.query(
    `UPDATE clarify_sync.cursor SET deletions_asked_at = deletions_asked_at - interval '25 hours'`,
  );
  expect(await requestsOf(() => pullAll(session, options()))).toMatchObject({ feed: 1 });
  expect(await requestsOf(() => pullAll(session, options()))).toMatchObject({ feed: 0 });
  emulator.switches.deletedFeed = 'present';
  const [id = ''] = emulator.store.ids('person');
  emulator.store.delete('person', id);
  await workspace.database.db.query(
    `UPDATE clarify_sync.cursor SET deletions_asked_at = deletions_asked_at - interval '25 hours'`,
  );
  const [run] = await pullAll(session, options());
  expect(run?.counts).toMatchObject({ removed: 1 });
  expect(await requestsOf(() => pullAll(session, options()))).toMatchObject({ feed: 1 });
});
