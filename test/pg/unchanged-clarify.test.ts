import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { applyRead } from '../../src/conflicts/apply-read.ts';
import { readLinkedPage } from '../../src/conflicts/link-pages.ts';
import { applyContext } from '../../src/conflicts/read-object.ts';
import { readDatabaseTime } from '../../src/db/position/cursor.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import { reconcileObject } from '../../src/reconcile/reconcile-object.ts';
import { differences } from '../support/agreement.ts';
import { messagesPerPage } from '../support/messages.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Of a CRM that lists its changes everything is read again all the same: by the sweep, and with `--deep`.

const PEOPLE = 30;
let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = { person: PEOPLE, company: 12, deal: 5, task: 3, meeting: 3, message: 3 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await pull();
});
afterAll(() => workspace.stop());

const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });

function tableOf(object: string) {
  const table = workspace.session.tables.find((one) => one.object === object);
  if (table === undefined) throw new Error(`no ${object}`);
  return table;
}

async function reconcile(object: string) {
  const { session, signal } = workspace;
  const how = { objects: [object], signal, deep: true, priority: 'pull' } as const;
  const [run] = await reconcileAll(session, how);
  return run?.counts;
}

async function pageOf(object: string): Promise<readonly RemoteRecord[]> {
  const request = { orderBy: 'created', direction: 'asc', offset: 0, limit: 500 } as const;
  const { session, signal } = workspace;
  const how = { depth: 'all', recognises: true, signal, priority: 'pull' } as const;
  return (await readLinkedPage(session, tableOf(object), request, how)).records;
}

/** Those that were read. */
async function unrecognised(object: string): Promise<string[]> {
  return (await pageOf(object)).flatMap(({ id, isUnchanged }) => (isUnchanged ? [] : [id]));
}

/** The first page of a process teaches how lists travel. */
async function learn(object: string): Promise<void> {
  await reconcile(object);
  await reconcile(object);
}

test('whoever is the same on both sides is not read, and whatever changes on either is', async () => {
  await learn('person');
  expect(await unrecognised('person')).toEqual([]);
  const [first, second, third] = (await pageOf('person')).map(({ id }) => id);
  if (first === undefined || second === undefined) throw new Error('nobody');
  workspace.emulator.store.update('person', first, { job_title: 'Abbess' });
  await workspace.session.db.transaction(
    (tx) => tx.query(`UPDATE {mirror}.person SET job_title = 'Nobody' WHERE id = $1`, [second]),
    { asWriter: true },
  );
  expect((await unrecognised('person')).toSorted()).toEqual([first, second].toSorted());
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Ours' WHERE id = $1`, [third]);
  expect(await unrecognised('person')).toHaveLength(3);
  expect(await reconcile('person')).toMatchObject({ read: PEOPLE, missing: 0 });
  const [row] = await workspace.sql('SELECT job_title FROM clarify.person WHERE id = $1', [first]);
  expect(row).toEqual({ job_title: 'Abbess' });
  await syncOnce(workspace.session, { signal: workspace.signal });
  expect(workspace.emulator.store.get('person', String(third))?.attributes['job_title']).toBe(
    'Ours',
  );
});

test('a page that is known takes a look at what is known, and no other message', async () => {
  await learn('person');
  const { session, signal } = workspace;
  const massDelete = { rows: 0, percent: 0 };
  const how = { signal, priority: 'pull', deep: true, massDelete, key: '' } as const;
  const work = async (deps: typeof session) => {
    const { state, counts } = await reconcileObject(deps, tableOf('person'), how);
    expect(state).toBe('ok');
    return counts.requests;
  };
  expect(await messagesPerPage(session, { sizes: [12, 5], work })).toBe(1);
});

test('records of one moment are recognised in whatever order they come', async () => {
  const { store } = workspace.emulator;
  const at = { at: Date.now() - 60_000 };
  for (let count = 0; count < 20; count += 1) store.create('task', { title: `Task ${count}` }, at);
  await pull();
  await learn('task');
  expect(await unrecognised('task')).toEqual([]);
});

test('a survivor is read each time, for its merges may have to be followed once more', async () => {
  const { store } = workspace.emulator;
  const at = { at: Date.now() - 60_000 };
  const survivor = store.create('company', { name: 'Survivor', industry: 'Retail' }, at);
  const vanishing = store.create('company', { name: 'Vanishing', industry: 'Retail' }, at);
  await pull();
  await learn('company');
  store.merge('company', survivor, [vanishing]);
  await pull();
  await reconcile('company');
  await reconcile('company');
  expect(await unrecognised('company')).toEqual([survivor]);
  expect(await differences(workspace)).toEqual([]);
});

test('whoever is recognised beside the record that tells of having swallowed it has not vanished', async () => {
  const { session } = workspace;
  await learn('person');
  const [known] = await pageOf('person');
  if (known?.isUnchanged !== true) throw new Error('nobody is known');
  const table = tableOf('person');
  const readAt = await readDatabaseTime(session.db);
  const { isUnchanged: _known, ...unread } = known;
  const told = { id: 'survivor', mergedIds: [known.id], links: {} };
  const survivor: RemoteRecord = { ...unread, ...told };
  const context = applyContext(session, table, readAt);
  const counts = await session.db.transaction(
    (tx) => applyRead(tx, table, [survivor, known], context),
    { asWriter: true },
  );
  expect(counts).toMatchObject({ merged: 0, inserted: 1, unchanged: 1 });
  const rows = await workspace.sql('SELECT id FROM clarify.person WHERE id = $1', [known.id]);
  expect(rows).toHaveLength(1);
});
