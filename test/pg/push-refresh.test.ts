import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ObjectRun, pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import type { Session } from '../../src/app/session.ts';
import { RemoteError } from '../../src/domain/errors.ts';
import type { Remote } from '../../src/domain/remote.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Right before a push, what it is about to overwrite is taken in (invariant 5).

const PEOPLE = 1_200;
let workspace: TestWorkspace;

beforeAll(async () => {
  const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({
    emulator: { sizes: { ...none, person: PEOPLE } },
  });
});
afterAll(() => workspace.stop());

const objects = ['person'];
const pull = (session: Session = workspace.session): Promise<readonly ObjectRun[]> =>
  pullAll(session, { objects, signal: workspace.signal, priority: 'pull' });
const push = (session: Session = workspace.session) =>
  pushOnce(session, { objects, signal: workspace.signal });

/** What cannot go yet is waited for up to a minute. */
async function briefly(session: Session): Promise<void> {
  const signal = AbortSignal.timeout(1_500);
  await pushOnce(session, { objects, signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

const titled = (title: string) => ({ attributes: { job_title: title } });

/** The session, with a client that does something else in some respect. */
function odd(change: (remote: Remote) => Partial<Remote>): Session {
  const { session } = workspace;
  const { remote } = session;
  const limits = { limits: remote.limits, clock: remote.clock };
  return { ...session, remote: { ...remote, ...limits, ...change(remote) } };
}

const conflictsOf = (id: string) =>
  workspace.sql('SELECT field, local, remote FROM clarify_sync.conflict WHERE record_id = $1', [
    id,
  ]);
test('what the first read has not come to again is taken in before it is overwritten', async () => {
  let pages = 0;
  const dying = odd((remote) => ({
    readPage: async (request, options) => {
      pages += 1;
      if (pages < 5) return await remote.readPage(request, options);
      throw new RemoteError('gone', {
        code: 'remote-unreachable',
        disposition: 'retry',
        status: null,
      });
    },
  }));
  expect(await pull(dying)).toMatchObject([{ state: 'failed' }]);
  const [person] = await workspace.sql('SELECT id FROM clarify.person LIMIT 1');
  const id = String(person?.id);
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  workspace.emulator.store.update('person', id, { job_title: 'Remote' });
  await push();
  expect(await conflictsOf(id)).toEqual([{ field: 'job_title', local: 'Local', remote: 'Remote' }]);
});

test('who a create is cannot be told before the first read is through (invariant 4)', async () => {
  const { store } = workspace.emulator;
  const standing = new Set(
    (await workspace.sql('SELECT id FROM clarify.person')).map(({ id }) => String(id)),
  );
  const unread = store.ids('person').find((id) => !standing.has(id)) ?? '';
  store.update('person', unread, {
    email_addresses: { items: ['ada@example.com'] },
    job_title: 'CTO',
  });
  // Known to the list's old page alone: the edit has to be found by the first read.
  await workspace.sql(
    `INSERT INTO clarify.person (email_addresses, job_title) VALUES ('{ada@example.com}', 'CEO')`,
  );
  const blind = odd((remote) => ({
    readPage: async (request, options) => {
      const page = await remote.readPage(request, options);
      return { ...page, records: page.records.filter(({ id }) => id !== unread) };
    },
  }));
  await briefly(blind);
  expect(store.get('person', unread)).toMatchObject(titled('CTO'));
  await pull();
  await push();
  expect(
    await workspace.sql(`SELECT id, reason FROM clarify_sync.id_map WHERE object = 'person'`),
  ).toEqual([{ id: unread, reason: 'adopted' }]);
  expect(store.get('person', unread)).toMatchObject(titled('CEO'));
  expect(await differences(workspace)).toEqual([]);
});

test('an edit made there while a long push runs is met, not overwritten', async () => {
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Everybody'`);
  const [last] = await workspace.sql(
    `SELECT record_id FROM clarify_sync.outbox WHERE state = 'pending' ORDER BY id DESC LIMIT 1`,
  );
  const id = String(last?.record_id);
  let edited = false;
  await push(
    odd((remote) => ({
      update: async (request, options) => {
        if (!edited) workspace.emulator.store.update('person', id, { job_title: 'Remote' });
        edited = true;
        return await remote.update(request, options);
      },
    })),
  );
  expect(await conflictsOf(id)).toMatchObject([{ local: 'Everybody', remote: 'Remote' }]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test('a remote edit that waits for a row held by a user is not overwritten meanwhile', async () => {
  const [, person] = await workspace.sql('SELECT id FROM clarify.person ORDER BY id LIMIT 2');
  const id = String(person?.id);
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  workspace.emulator.store.update('person', id, { job_title: 'Remote' });
  const user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  try {
    await user.query('BEGIN');
    await user.query('SELECT 1 FROM clarify.person WHERE id = $1 FOR UPDATE', [id]);
    await briefly(workspace.session);
    expect(workspace.emulator.store.get('person', id)).toMatchObject(titled('Remote'));
    await user.query('COMMIT');
  } finally {
    await user.end();
  }
  await push();
  expect(await conflictsOf(id)).toMatchObject([{ local: 'Local', remote: 'Remote' }]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test('readers of one object take turns, in one process and in two', async () => {
  const { store } = workspace.emulator;
  const other = await workspace.reopen();
  const ids = store.ids('person');
  const runs: ObjectRun[] = [];
  for (let round = 0; round < 2; round += 1) {
    for (const id of ids.slice(0, 120)) store.update('person', id, { job_title: `R ${round}` });
    await workspace.sql(`UPDATE clarify.person SET linkedin_url = $1 WHERE id = ANY($2)`, [
      `https://example.com/${round}`,
      ids.slice(300, 310),
    ]);
    const reads = await Promise.all([pull(), push(), pull(other), pull()]);
    for (const read of reads) if (Array.isArray(read)) runs.push(...read);
  }
  expect(runs.filter(({ state }) => state !== 'ok')).toEqual([]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});
