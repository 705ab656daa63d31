import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let survivor: string;
let vanishing: string;
let round = 0;

beforeAll(async () => {
  const sizes = { person: 5, company: 5, deal: 5, task: 3, meeting: 3, message: 3, c_project: 3 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await pull();
});
afterAll(() => workspace.stop());

beforeEach(async () => {
  const { store, switches } = workspace.emulator;
  switches.mergesBump = 'target';
  switches.mergedInDeletedFeed = false;
  round += 1;
  const at = { at: Date.now() - 30_000 };
  survivor = store.create('company', { name: `Survivor ${round}`, industry: 'Retail' }, at);
  vanishing = store.create('company', { name: `Vanishing ${round}`, industry: 'Banking' }, at);
  await pull();
});

const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const merge = () => workspace.emulator.store.merge('company', survivor, [vanishing]);
const remote = () => workspace.emulator.store.get('company', survivor)?.attributes;
const row = async (id: string) =>
  (await workspace.sql('SELECT * FROM clarify.company WHERE id = $1', [id]))[0];
const one = async (text: string) => (await workspace.sql(text, [vanishing]))[0];
const tombstone = () => one('SELECT reason, record FROM clarify_sync.tombstone WHERE id = $1');
const mapped = () => one('SELECT id, reason FROM clarify_sync.id_map WHERE old_id = $1');

test('an edit that arrived before its record was merged leaves nothing in the survivor', async () => {
  const { emulator, sql } = workspace;
  const { store, switches } = emulator;
  switches.omitNulls = true;
  await sql(`UPDATE clarify.company SET annual_revenue = 5 WHERE id = $1`, [vanishing]);
  await sql(`UPDATE clarify_sync.outbox SET state = 'sending', epoch = 1, sent_at = clock_timestamp()
              WHERE state = 'pending'`);
  store.update('company', vanishing, { annual_revenue: 5 });
  merge();
  // Whether a survivor takes over what it had no value for is the CRM's.
  store.update('company', survivor, { annual_revenue: null });
  await pull();
  await sql(`UPDATE clarify_sync.outbox SET state = 'done', epoch = NULL, done_at = clock_timestamp()
              WHERE state = 'sending'`);
  await sync();
  switches.omitNulls = false;
  expect(remote()?.annual_revenue ?? null).toBeNull();
  expect((await row(survivor))?.annual_revenue).toBeNull();
  expect(await differences(workspace)).toEqual([]);
});

test('an edit that was in flight when its record was merged and did not arrive follows it', async () => {
  const { sql } = workspace;
  await sql(`UPDATE clarify.company SET annual_revenue = 5 WHERE id = $1`, [vanishing]);
  await sql(`UPDATE clarify_sync.outbox SET state = 'sending', epoch = 1, sent_at = clock_timestamp()
              WHERE state = 'pending'`);
  merge();
  await pull();
  await sql(
    `UPDATE clarify_sync.outbox SET state = 'pending', epoch = NULL WHERE state = 'sending'`,
  );
  await sync();
  expect(remote()?.annual_revenue).toBe(5);
  expect((await row(survivor))?.annual_revenue).toBe('5.0000');
  expect(await differences(workspace)).toEqual([]);
});

test('references move to the survivor, and the old id resolves to it', async () => {
  const person = workspace.emulator.store.create('person', { company_id: vanishing });
  await pull();
  const links = `SELECT company_id FROM clarify.person WHERE id = $1`;
  expect(await workspace.sql(links, [person])).toEqual([{ company_id: vanishing }]);
  merge();
  await pull();
  // The person's record tells of it, but nothing says that it was touched.
  expect(await workspace.sql(links, [person])).toEqual([{ company_id: survivor }]);
  expect(await row(vanishing)).toBeUndefined();
  expect(await tombstone()).toMatchObject({
    reason: 'merged',
    record: { name: `Vanishing ${round}` },
  });
  expect(await mapped()).toEqual({ id: survivor, reason: 'merged' });
  expect(await one(`SELECT clarify_sync.current_id('company', $1) AS id`)).toEqual({
    id: survivor,
  });
  expect(await differences(workspace)).toEqual([]);
});

test('an id of the merged record that was given here leads to the survivor', async () => {
  const local = `local:${vanishing}`;
  await workspace.database.db.query(
    `INSERT INTO clarify_sync.id_map (object, old_id, id, reason) VALUES ('company', $1, $2, 'pushed')`,
    [local, vanishing],
  );
  merge();
  await pull();
  const ids = await workspace.sql(
    `SELECT old_id, id, reason FROM clarify_sync.id_map WHERE id = $1 ORDER BY reason`,
    [survivor],
  );
  expect(ids).toEqual([
    { old_id: vanishing, id: survivor, reason: 'merged' },
    { old_id: local, id: survivor, reason: 'pushed' },
  ]);
});

test('a pending edit follows to the survivor and merges there three ways (invariant 6)', async () => {
  // The survivor says otherwise: a conflict. Of what the survivor does not say there is none.
  await workspace.sql(
    `UPDATE clarify.company SET industry = 'Insurance', employee_count = 77 WHERE id = $1`,
    [vanishing],
  );
  // Which came later is told by two clocks, to a few milliseconds.
  await sleep(100);
  merge();
  await pull();
  expect(await row(survivor)).toMatchObject({ employee_count: '77.0000' });
  await sync();
  expect(remote()).toMatchObject({ name: `Survivor ${round}`, employee_count: 77 });
  const conflicts = await workspace.sql(
    'SELECT field, base, local, remote FROM clarify_sync.conflict WHERE record_id = $1',
    [survivor],
  );
  expect(conflicts).toEqual([
    { field: 'industry', base: 'Banking', local: 'Insurance', remote: 'Retail' },
  ]);
  const [open] = await workspace.sql(
    `SELECT count(*)::int AS entries FROM clarify_sync.outbox WHERE state IN ('pending', 'sending', 'parked')`,
  );
  expect(open?.entries).toBe(0);
  expect(await differences(workspace)).toEqual([]);
});

test('what waits elsewhere and refers to the vanished record refers to the survivor', async () => {
  await workspace.sql(
    `UPDATE clarify.person SET company_id = $1 WHERE id = (SELECT min(id) FROM clarify.person)`,
    [vanishing],
  );
  merge();
  const { push, left } = await sync();
  expect(push).toMatchObject({ delivered: 1, refused: 0 });
  expect(left).toMatchObject({ pending: 0, parked: 0 });
  expect(await differences(workspace)).toEqual([]);
});

test('a delete of the merged record leaves the survivor alone', async () => {
  await workspace.sql('DELETE FROM clarify.company WHERE id = $1', [vanishing]);
  merge();
  await sync();
  expect(remote()).toBeDefined();
  expect(await row(survivor)).toBeDefined();
  const states = await workspace.sql(
    `SELECT op, state FROM clarify_sync.outbox WHERE record_id = $1 OR record_id = $2`,
    [vanishing, survivor],
  );
  expect(states).toEqual([{ op: 'delete', state: 'done' }]);
});

test('a row that a user holds is not waited for, and its merge is followed later', async () => {
  const user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  try {
    await user.query('BEGIN');
    await user.query(`UPDATE clarify.company SET employee_count = 78 WHERE id = $1`, [vanishing]);
    merge();
    const runs = await pull();
    expect(runs.find(({ object }) => object === 'company')).toMatchObject({
      state: 'ok',
      counts: { deferred: 1, removed: 0 },
    });
    expect(await row(vanishing)).toBeDefined();
    await user.query('COMMIT');
  } finally {
    await user.end();
  }
  await pull();
  expect(await row(vanishing)).toBeUndefined();
  await sync();
  expect(remote()).toMatchObject({ employee_count: 78 });
  expect(await differences(workspace)).toEqual([]);
});

test('a deletion that a survivor tells of later counts as a merge', async () => {
  workspace.emulator.switches.mergedInDeletedFeed = true;
  merge();
  await pull();
  expect(await tombstone()).toMatchObject({ reason: 'merged' });
  const { db } = workspace.database;
  await db.query(`UPDATE clarify_sync.tombstone SET reason = 'deleted' WHERE id = $1`, [vanishing]);
  await db.query('DELETE FROM clarify_sync.id_map WHERE old_id = $1', [vanishing]);
  workspace.emulator.store.update('company', survivor, { industry: 'Trade' });
  await pull();
  expect(await tombstone()).toMatchObject({ reason: 'merged' });
  expect(await mapped()).toEqual({ id: survivor, reason: 'merged' });
});

test('a record merged into one that was deleted before anybody read it goes with it', async () => {
  const { store } = workspace.emulator;
  const edited = store.create('company', { name: 'Edited', industry: 'Banking' });
  await pull();
  await workspace.sql(`UPDATE clarify.company SET name = 'Edited here' WHERE id = $1`, [edited]);
  store.merge('company', survivor, [vanishing, edited]);
  store.delete('company', survivor);
  await pull();
  expect(await row(vanishing)).toBeUndefined();
  expect(await tombstone()).toMatchObject({
    reason: 'deleted',
    record: { name: `Vanishing ${round}` },
  });
  expect(
    await workspace.sql(
      `SELECT resolution, local FROM clarify_sync.conflict WHERE record_id = $1 AND field = 'name'`,
      [edited],
    ),
  ).toEqual([{ resolution: 'remote', local: 'Edited here' }]);
  expect(await differences(workspace)).toEqual([]);
});

test('a record that this key may not read is left alone, whatever a deleted one tells of it', async () => {
  const { faults, store } = workspace.emulator;
  const path = `/resources/${vanishing}`;
  faults.add({ kind: 'status', status: 403, method: 'GET', path });
  store.merge('company', survivor, [vanishing]);
  store.delete('company', survivor);
  await pull();
  expect(await row(vanishing)).toMatchObject({ name: `Vanishing ${round}` });
  faults.clear();
  await pull();
  expect(await row(vanishing)).toBeUndefined();
});

test('merges that are known cost nothing, and nothing is written', async () => {
  merge();
  await pull();
  workspace.emulator.store.update('company', survivor, { industry: 'Trade' });
  await pull();
  const before = await workspace.sql('SELECT * FROM clarify_sync.id_map ORDER BY old_id');
  const runs = await pull();
  expect(runs.find(({ object }) => object === 'company')).toMatchObject({
    counts: { updated: 0, removed: 0 },
  });
  expect(await workspace.sql('SELECT * FROM clarify_sync.id_map ORDER BY old_id')).toEqual(before);
});
