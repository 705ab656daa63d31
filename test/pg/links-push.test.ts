import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { discardChange } from '../../src/app/decisions/discard-change.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { Database } from '../../src/db/connection/database.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { linkViews } from '../../src/db/mirror/links.ts';
import { claimLinkChanges } from '../../src/push/link-claim.ts';
import { runPush } from '../../src/push/push.ts';
import { linkDifferences } from '../support/agreement.ts';
import { asWritten } from '../support/schemas.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let deal: string;
let people: readonly string[];

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 40, company: 3, deal: 3, task: 0, meeting: 0, c_project: 2 } },
  });
  await sync();
});
afterAll(() => workspace.stop());

let deals = 0;
beforeEach(async () => {
  const { store } = workspace.emulator;
  people = store.ids('person');
  deals += 1;
  const at = Date.now() - 30_000;
  deal = store.create('deal', { name: `Deal ${deals}` }, { at });
  store.link('deal', deal, 'people', people.slice(0, 2), { at });
  await pullAll(workspace.session, {
    objects: ['deal'],
    signal: workspace.signal,
    priority: 'pull',
  });
});

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const inOrder = (ids: readonly unknown[]) => ids.map(String).toSorted();
const linked = () => workspace.emulator.store.linked('deal', deal, 'people').toSorted();
const insert = (...ids: readonly (string | undefined)[]) =>
  workspace.sql(
    `INSERT INTO clarify.deal_people (deal_id, person_id) SELECT $1, unnest($2::text[])`,
    [deal, ids],
  );
const remove = (...ids: readonly (string | undefined)[]) =>
  workspace.sql('DELETE FROM clarify.deal_people WHERE deal_id = $1 AND person_id = ANY($2)', [
    deal,
    ids,
  ]);
const entries = () =>
  workspace.sql(
    'SELECT op, state, changes, last_error FROM clarify_sync.outbox WHERE record_id = $1 ORDER BY id',
    [deal],
  );

test('a row more is a link more, and leaves the others alone', async () => {
  await insert(people[5], people[6]);
  expect(await entries()).toMatchObject([
    { op: 'link', state: 'pending', changes: { people: { base: null, value: people[5] } } },
    { op: 'link', state: 'pending', changes: { people: { base: null, value: people[6] } } },
  ]);
  workspace.emulator.resetStats();
  const { push, left } = await sync();
  expect(push).toMatchObject({ delivered: 2, refused: 0, failed: 0 });
  expect(left).toEqual({ pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 });
  expect(linked()).toEqual(inOrder([people[0], people[1], people[5], people[6]]));
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a row less is a link less', async () => {
  await remove(people[0]);
  expect(await entries()).toMatchObject([
    { op: 'unlink', changes: { people: { base: people[0], value: null } } },
  ]);
  await sync();
  expect(linked()).toEqual([people[1]]);
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a row that is updated is one link less and one more', async () => {
  await workspace.sql(
    'UPDATE clarify.deal_people SET person_id = $3 WHERE deal_id = $1 AND person_id = $2',
    [deal, people[0], people[7]],
  );
  expect((await entries()).map(({ op }) => op)).toEqual(['unlink', 'link']);
  await sync();
  expect(linked()).toEqual(inOrder([people[1], people[7]]));
});

test('made and taken back before anything was sent, nothing is sent', async () => {
  await insert(people[9]);
  await remove(people[9]);
  await remove(people[0]);
  await insert(people[0]);
  const { push } = await sync();
  expect(push).toMatchObject({ delivered: 0, failed: 0 });
  expect((await entries()).map(({ state }) => state)).toEqual([
    'superseded',
    'done',
    'superseded',
    'done',
  ]);
  expect(linked()).toEqual(inOrder([people[0], people[1]]));
});

test('links made in Clarify meanwhile stay', async () => {
  const { store } = workspace.emulator;
  await insert(people[10]);
  store.link('deal', deal, 'people', [people[11] ?? '']);
  store.unlink('deal', deal, 'people', [people[1] ?? '']);
  await sync();
  expect(linked()).toEqual(inOrder([people[0], people[10], people[11]]));
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('rows born here are linked once they exist in Clarify', async () => {
  await workspace.sql('BEGIN');
  const [person] = await workspace.sql(
    `INSERT INTO clarify.person (email_addresses) VALUES ($1) RETURNING id`,
    [[`born${deals}@example.com`]],
  );
  const [born] = await workspace.sql(`INSERT INTO clarify.deal (name) VALUES ($1) RETURNING id`, [
    `Born ${deals}`,
  ]);
  await workspace.sql('INSERT INTO clarify.deal_people VALUES ($1, $2), ($3, $2), ($1, $4)', [
    born?.id,
    person?.id,
    deal,
    people[3],
  ]);
  await workspace.sql('COMMIT');
  const { left } = await sync();
  expect(left).toEqual({ pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 });
  const [ids] = await workspace.sql(
    `SELECT clarify_sync.current_id('person', $1) AS person, clarify_sync.current_id('deal', $2) AS deal`,
    [person?.id, born?.id],
  );
  expect(linked()).toContain(ids?.person);
  expect(workspace.emulator.store.linked('deal', String(ids?.deal), 'people').toSorted()).toEqual(
    inOrder([ids?.person, people[3]]),
  );
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a link is made also where the create of its other end is settled while it is claimed', async () => {
  const { session, signal } = workspace;
  await workspace.sql(
    `WITH born AS (
       INSERT INTO clarify.person (email_addresses) VALUES ('{settled@late.example}') RETURNING id)
     INSERT INTO clarify.deal_people (deal_id, person_id) SELECT $1, id FROM born`,
    [deal],
  );
  const keeper = new LeaseKeeper(session.db, { holder: 'test' });
  await keeper.start();
  const view = linkViews(session.links, 'deal').find(({ here }) => here.field === 'people');
  if (view === undefined || keeper.epoch === null) throw new Error('nothing can be claimed');
  // Objects are sent side by side.
  const db = afterFirst('AS "sentBefore"', async () => {
    await runPush(pushDeps(session, keeper), signal, new Set(['person']));
  });
  const claimed = await claimLinkChanges(db, view, { epoch: keeper.epoch });
  await keeper.stop();
  expect(claimed?.outgoing).toMatchObject([
    { changes: [{ kind: 'link', other: expect.not.stringContaining('local:') }] },
  ]);
  const { left } = await sync();
  expect(left).toMatchObject({ pending: 0, blocked: 0 });
  expect((await entries()).map(({ op, state }) => [op, state])).toEqual([['link', 'done']]);
  expect(linked()).toHaveLength(3);
  expect(await linkDifferences(workspace)).toEqual([]);
});

/** The database, with something that happens once within a transaction, after this statement. */
function afterFirst(part: string, happens: () => Promise<void>): Pick<Database, 'transaction'> {
  let due = true;
  return {
    transaction: (work, options) =>
      workspace.session.db.transaction(
        (tx) =>
          work({
            ...tx,
            query: async (text, values) => {
              const rows = await tx.query<never>(text, values);
              if (due && text.includes(part)) {
                due = false;
                await happens();
              }
              return rows;
            },
          }),
        options,
      ),
  };
}

test('an id from before still names its row', async () => {
  const [person] = await workspace.sql(
    `INSERT INTO clarify.person (email_addresses) VALUES ($1) RETURNING id`,
    [[`old${deals}@example.com`]],
  );
  await sync();
  await insert(String(person?.id));
  await sync();
  expect(linked()).toHaveLength(3);
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a link with a record that is gone is cancelled, and says so', async () => {
  const victim = people[20] ?? '';
  await insert(victim, people[21]);
  workspace.emulator.switches.deletedFeed = 'missing';
  workspace.emulator.store.delete('person', victim);
  await sync();
  workspace.emulator.switches.deletedFeed = 'present';
  expect((await entries()).map(({ state }) => state)).toEqual(['cancelled', 'done']);
  expect(
    await workspace.sql(
      'SELECT field, local, policy, resolution FROM clarify_sync.conflict WHERE record_id = $1',
      [deal],
    ),
  ).toEqual([{ field: 'people', local: victim, policy: 'deleted', resolution: 'remote' }]);
  expect(linked()).toEqual(inOrder([people[0], people[1], people[21]]));
  await sync();
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a link with what became another record is made there', async () => {
  const [source = '', target = ''] = [people[30], people[31]];
  await insert(source);
  workspace.emulator.store.merge('person', target, [source]);
  await sync();
  await sync();
  expect(linked()).toEqual(inOrder([people[0], people[1], target]));
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a row born here and deleted before it was pushed takes its links along', async () => {
  const [person] = await workspace.sql(
    `INSERT INTO clarify.person (email_addresses) VALUES ($1) RETURNING id`,
    [[`brief${deals}@example.com`]],
  );
  await insert(String(person?.id));
  await workspace.sql('DELETE FROM clarify.person WHERE id = $1', [person?.id]);
  const { left } = await sync();
  expect(left).toMatchObject({ pending: 0, blocked: 0, parked: 0 });
  expect((await entries()).map(({ state }) => state)).toEqual(['superseded']);
  expect(linked()).toHaveLength(2);
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a record deleted here takes its links along', async () => {
  await insert(people[12]);
  await workspace.sql('DELETE FROM clarify.deal WHERE id = $1', [deal]);
  const { left } = await sync();
  expect(left).toMatchObject({ pending: 0, blocked: 0, parked: 0 });
  expect(workspace.emulator.store.get('deal', deal)).toBeNull();
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a bad link harms only itself, and is parked with the reason', async () => {
  await insert(people[13], people[14]);
  const { faults } = workspace.emulator;
  faults.add({ kind: 'status', status: 422, method: 'PATCH', path: '/relationships/', count: 2 });
  await sync();
  const states = (await entries()).map(({ state }) => state);
  expect(inOrder(states)).toEqual(['done', 'parked']);
  expect(linked()).toHaveLength(3);
  // A later link of the same record sends it again.
  await insert(people[16]);
  await sync();
  expect((await entries()).map(({ state }) => state)).toEqual(['done', 'done', 'done']);
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a lost answer is made up for', async () => {
  const { faults } = workspace.emulator;
  await insert(people[17]);
  faults.add({ kind: 'reset-after-write', method: 'PATCH', path: '/relationships/', count: 1 });
  await sync();
  await remove(people[17]);
  faults.add({ kind: 'reset-after-write', method: 'DELETE', path: '/relationships/', count: 1 });
  await sync();
  expect((await entries()).map(({ state }) => state)).toEqual(['done', 'done']);
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a link given up stands as it does in Clarify', async () => {
  const { session, signal } = workspace;
  await insert(people[15]);
  await remove(people[0]);
  const waiting = await workspace.sql(
    `SELECT id FROM clarify_sync.outbox WHERE record_id = $1 AND state = 'pending'`,
    [deal],
  );
  for (const { id } of waiting) await discardChange(session, BigInt(String(id)), signal);
  expect(linked()).toEqual(inOrder([people[0], people[1]]));
  expect(await linkDifferences(workspace)).toEqual([]);
  const { push } = await sync();
  expect(push).toMatchObject({ delivered: 0 });
});

test('a version that waits for a held row is not lost to a link that is held as well', async () => {
  const { store } = workspace.emulator;
  const { database, session, signal, sql } = workspace;
  const user = new Client({ connectionString: database.url });
  await user.connect();
  try {
    await insert(people[20]);
    await user.query('BEGIN');
    await user.query(asWritten('UPDATE clarify.deal SET name = name WHERE id = $1'), [deal]);
    await user.query(asWritten('INSERT INTO clarify.deal_people VALUES ($1, $2)'), [
      deal,
      people[21],
    ]);
    store.update('deal', deal, { amount: 77 });
    store.link('deal', deal, 'people', people.slice(21, 22));
    await pullAll(session, { objects: ['deal'], signal, priority: 'pull' });
    await sync();
    const waiting = await sql(
      `SELECT record -> 'fields' ->> 'amount' AS amount FROM clarify_sync.deferred WHERE id = $1`,
      [deal],
    );
    expect(waiting).toEqual([{ amount: '77' }]);
  } finally {
    await user.query('COMMIT');
    await user.end();
  }
  await sync();
  expect(await linkDifferences(workspace)).toEqual([]);
});
