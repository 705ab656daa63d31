import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createActivitiesPass } from '../../src/app/daemon/activities-pass.ts';
import { readStatus } from '../../src/app/status.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { forgetRecord } from '../../src/db/forget.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const FEED = 'GET /objects/deal/records/{id}/activities';
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 0, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 } },
    config: {
      objects: { deal: { activities: true, fields: {}, history: false, delete: 'push' } },
      grants: { read: [], write: [] },
    },
  });
});

afterEach(() => workspace.emulator.faults.clear());
afterAll(() => workspace.stop());

const requests = () => workspace.emulator.stats().endpoints[FEED]?.requests ?? 0;

async function told(id: string): Promise<unknown[]> {
  const rows = await workspace.sql(
    `SELECT concat_ws(' ', kind, op, field, path::text, was::text, '->', value::text) AS said
       FROM clarify.deal_activity WHERE record_id = $1 ORDER BY at, event_id, position`,
    [id],
  );
  return rows.map(({ said }) => said);
}

async function feed(id: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await workspace.sql(
    `SELECT is_whole, attempts, error, read_version = wanted AS current, next_attempt_at IS NOT NULL AS due,
            next_attempt_at - clock_timestamp() > interval '10 seconds' AS later
       FROM clarify_sync.activity_feed WHERE object = 'deal' AND record_id = $1`,
    [id],
  );
  return row;
}

async function standing() {
  return (await readStatus(workspace.session.db)).activities;
}

/** As a restarted service would: it looks at once. */
async function pass(): Promise<void> {
  const { session, signal } = workspace;
  await createActivitiesPass(session)({ signal, priority: 'backfill' });
}

test('what happened to a record stands in rows, at one request for each that changed', async () => {
  const { session, emulator, signal } = workspace;
  const { store } = emulator;
  const deal = store.create('deal', { name: 'Rocket', stage: 'Lead' });
  store.create('deal', { name: 'Other' });
  await syncOnce(session, { signal });
  expect(requests()).toBe(2);
  store.update('deal', deal, { stage: 'Won' });
  store.update('deal', deal, { amount: 5 });
  store.update('deal', deal, { amount: null });
  await syncOnce(session, { signal });
  expect(requests()).toBe(3);
  expect(await told(deal)).toEqual([
    'create add name null -> "Rocket"',
    'create add stage null -> "Lead"',
    'update update stage "Lead" -> "Won"',
    'update add amount null -> 5',
    'update delete amount 5 -> null',
  ]);
  expect(await feed(deal)).toMatchObject({ is_whole: true, current: true, due: false });
  expect(await standing()).toEqual([
    {
      object: 'deal',
      records: 2,
      read: 2,
      whole: 2,
      waiting: 0,
      failed: 0,
      error: null,
      isKept: true,
    },
  ]);
  await syncOnce(session, { signal });
  expect(requests()).toBe(3);
});

test('links are told by their field, set or cleared', async () => {
  const { session, emulator, signal } = workspace;
  const { store } = emulator;
  const company = store.create('company', { name: 'Acme' });
  const deal = store.create('deal', { name: 'Linked', company_id: company });
  store.update('deal', deal, { company_id: null });
  await syncOnce(session, { signal });
  expect(await told(deal)).toEqual([
    'create add name null -> "Linked"',
    `create add company_id null -> "${company}"`,
    `update delete company_id "${company}" -> null`,
  ]);
});

test('a feed that fails waits by itself, longer each time, and is counted', async () => {
  const { session, emulator, signal, sql } = workspace;
  const { store } = emulator;
  const [bad, gone, odd] = ['Bad', 'Gone', 'Odd'].map((name) => store.create('deal', { name }));
  const fine = store.create('deal', { name: 'Fine' });
  emulator.faults.add({ kind: 'status', status: 500, path: `${bad}/activities` });
  emulator.faults.add({ kind: 'status', status: 404, path: `${gone}/activities` });
  const body = { data: [{ type: 'activity' }, 7], links: { next: null, prev: null } };
  emulator.faults.add({ kind: 'answer', status: 200, path: `${odd}/activities`, body });
  await syncOnce(session, { signal });
  expect(await told(fine)).toEqual(['create add name null -> "Fine"']);
  expect(await feed(bad ?? '')).toMatchObject({
    attempts: 1,
    error: 'remote-unavailable',
    later: true,
  });
  expect(await feed(gone ?? '')).toMatchObject({
    attempts: 1,
    error: 'remote-not-found',
    later: true,
  });
  expect(await feed(odd ?? '')).toMatchObject({
    attempts: 1,
    error: 'remote-bad-answer',
    later: true,
  });
  expect(await standing()).toMatchObject([{ failed: 3, waiting: 0 }]);
  const before = requests();
  // An edit does not shorten the pause.
  store.update('deal', bad ?? '', { amount: 1 });
  await syncOnce(session, { signal });
  expect(requests()).toBe(before);
  await sql(`UPDATE clarify_sync.activity_feed SET next_attempt_at = now() WHERE attempts > 0`);
  await pass();
  expect(await feed(bad ?? '')).toMatchObject({ attempts: 2 });
  emulator.faults.clear();
  await sql(`UPDATE clarify_sync.activity_feed SET next_attempt_at = now() WHERE attempts > 0`);
  await pass();
  expect(await feed(bad ?? '')).toMatchObject({ attempts: 0, error: null, is_whole: true });
  expect(await standing()).toMatchObject([{ failed: 0, waiting: 0, error: null }]);
  expect(await sql(`SELECT FROM clarify_sync.trouble`)).toEqual([]);
});

test('where the CRM lets nothing through, nobody is blamed', async () => {
  const { emulator, signal } = workspace;
  const held = await workspace.reopen();
  const deal = emulator.store.create('deal', { name: 'Later' });
  emulator.faults.add({ kind: 'status', status: 429, retryAfter: 300, path: '/activities' });
  await syncOnce(held, { signal });
  expect(await feed(deal)).toMatchObject({ attempts: 0, due: true });
  expect(held.troubles.stands({ object: 'deal', part: 'activities' })).toBe(true);
  emulator.faults.clear();
  await held.troubles.worked({ object: 'deal', part: 'activities' });
  await pass();
  expect(await feed(deal)).toMatchObject({ attempts: 0, due: false });
});

test('a merged record’s past goes to the one it lives on in, and says whose it was', async () => {
  const { session, emulator, signal, sql } = workspace;
  const { store } = emulator;
  const [source = '', target = ''] = ['Source', 'Target'].map((name) =>
    store.create('deal', { name }),
  );
  await syncOnce(session, { signal });
  store.merge('deal', target, [source]);
  await syncOnce(session, { signal });
  expect(await told(source)).toEqual([]);
  const rows = await sql(
    `SELECT kind, feed_id = $1 AS own, value FROM clarify.deal_activity WHERE record_id = $1
      ORDER BY at, event_id, position`,
    [target],
  );
  expect(rows).toContainEqual({ kind: 'create', own: false, value: 'Source' });
  expect(rows).toContainEqual({ kind: 'create', own: true, value: 'Target' });
  expect(rows).toContainEqual({
    kind: 'merge',
    own: true,
    value: { origin: source, target },
  });
  expect(await feed(source)).toBeUndefined();
  expect(await feed(target)).toMatchObject({ is_whole: true, due: false });
});

test('a deleted record’s past stays, until it is forgotten', async () => {
  const { session, emulator, signal, sql } = workspace;
  const { store } = emulator;
  const deal = store.create('deal', { name: 'Secret' });
  await syncOnce(session, { signal });
  expect(await forgetRecord(session.db, { object: 'deal', id: deal, dry: false })).toMatchObject({
    activities: 0,
    left: { rows: 1 },
  });
  store.delete('deal', [deal]);
  await syncOnce(session, { signal });
  expect(await told(deal)).toEqual(['create add name null -> "Secret"']);
  expect(await forgetRecord(session.db, { object: 'deal', id: deal, dry: true })).toMatchObject({
    activities: 1,
  });
  expect(await told(deal)).toHaveLength(1);
  await forgetRecord(session.db, { object: 'deal', id: deal, dry: false });
  expect(await told(deal)).toEqual([]);
  expect(await feed(deal)).toBeUndefined();
  expect(await sql(`SELECT FROM clarify.deal_activity AS a WHERE a::text LIKE '%Secret%'`)).toEqual(
    [],
  );
});

test('nobody writes to the table, and its columns say what they are', async () => {
  const { sql } = workspace;
  for (const write of [
    `INSERT INTO clarify.deal_activity (record_id, event_id, position, at, kind, type, feed_id)
     VALUES ('a', 'b', 0, now(), 'other', '', 'a')`,
    `UPDATE clarify.deal_activity SET actor = 'me'`,
    'DELETE FROM clarify.deal_activity',
    'TRUNCATE clarify.deal_activity',
  ]) {
    await expect(sql(write)).rejects.toThrow(/clarify-sync: /);
  }
  const silent = await sql(
    `SELECT attname FROM pg_attribute
      WHERE attrelid = 'clarify.deal_activity'::regclass AND attnum > 0
        AND col_description(attrelid, attnum) IS NULL`,
  );
  expect(silent).toEqual([]);
});

test('a table that somebody dropped comes back, with all of the past', async () => {
  const { sql } = workspace;
  const [before] = await sql(
    'SELECT count(*) AS rows FROM clarify.deal_activity WHERE feed_id = record_id',
  );
  await sql('DROP TABLE clarify.deal_activity');
  await pass();
  const [now] = await sql('SELECT count(*) AS rows FROM clarify.deal_activity');
  expect(now).toEqual(before);
});

test('a constraint of somebody else’s keeps out the past of the record that it refuses, and of no other', async () => {
  const { emulator, signal, session, sql } = workspace;
  const [odd, plain] = [1, 2].map((n) => emulator.store.create('deal', { name: `Refused ${n}` }));
  await sql(
    `ALTER TABLE clarify.deal_activity ADD CONSTRAINT not_this CHECK (record_id <> '${odd}') NOT VALID`,
  );
  await syncOnce(session, { signal });
  expect(await feed(odd ?? '')).toMatchObject({ error: 'row-refused', attempts: 1, later: true });
  expect(await told(odd ?? '')).toEqual([]);
  expect(await feed(plain ?? '')).toMatchObject({ error: null, current: true, due: false });
  expect(await told(plain ?? '')).toHaveLength(1);
  expect(await sql(`SELECT code FROM clarify_sync.trouble WHERE part = 'activities'`)).toEqual([]);
  await sql('ALTER TABLE clarify.deal_activity DROP CONSTRAINT not_this');
  await sql(
    `UPDATE clarify_sync.activity_feed SET next_attempt_at = clock_timestamp() WHERE record_id = $1`,
    [odd],
  );
  await pass();
  expect(await told(odd ?? '')).toHaveLength(1);
});
