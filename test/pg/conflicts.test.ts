import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let id: string;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 5, company: 5, deal: 5, task: 3, meeting: 3, c_project: 3 } },
  });
  await pull();
});
afterAll(() => workspace.stop());

beforeEach(async () => {
  const { emulator } = workspace;
  id = emulator.store.create(
    'person',
    {
      name: { first_name: 'Ada', last_name: 'Byron', full_name: 'Ada Byron' },
      job_title: 'Analyst',
      email_addresses: { items: [`ada${emulator.store.count('person')}@example.com`] },
    },
    { at: Date.now() - 30_000 },
  );
  await pull();
});

const pull = () =>
  pullAll(workspace.session, { objects: ['person'], signal: workspace.signal, priority: 'pull' });
const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const remote = () => workspace.emulator.store.get('person', id)?.attributes;
const row = async () =>
  (await workspace.sql('SELECT * FROM clarify.person WHERE id = $1', [id]))[0];
const conflicts = () =>
  workspace.sql(
    'SELECT field, base, local, remote, policy, resolution FROM clarify_sync.conflict WHERE record_id = $1 ORDER BY id',
    [id],
  );
const unsettled = () =>
  workspace.sql(
    `SELECT state FROM clarify_sync.outbox WHERE record_id = $1 AND state NOT IN ('done', 'superseded', 'cancelled')`,
    [id],
  );

test('edits of different fields go both ways without a conflict (invariant 5)', async () => {
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Countess' WHERE id = $1`, [id]);
  workspace.emulator.store.update('person', id, {
    name: { first_name: 'Ada', last_name: 'Lovelace', full_name: 'Ada Lovelace' },
  });
  await sync();
  expect(remote()).toMatchObject({ job_title: 'Countess', name: { last_name: 'Lovelace' } });
  expect(await row()).toMatchObject({ job_title: 'Countess', name__last_name: 'Lovelace' });
  expect(await conflicts()).toEqual([]);
});

test('the newer edit of one field wins, and the conflict is logged once', async () => {
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  // The Date header tells whole seconds: what lies closer together cannot be told apart.
  workspace.emulator.store.update(
    'person',
    id,
    { job_title: 'Remote' },
    { at: Date.now() + 2_000 },
  );
  await sync();
  await sync();
  expect(remote()?.job_title).toBe('Remote');
  expect(await row()).toMatchObject({ job_title: 'Remote' });
  expect(await conflicts()).toMatchObject([
    {
      field: 'job_title',
      base: 'Analyst',
      local: 'Local',
      remote: 'Remote',
      policy: 'newest',
      resolution: 'remote',
    },
  ]);
  expect(await unsettled()).toEqual([]);
});

test('a local edit made after the remote one wins', async () => {
  workspace.emulator.store.update(
    'person',
    id,
    { job_title: 'Remote' },
    { at: Date.now() - 5_000 },
  );
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  await sync();
  expect(remote()?.job_title).toBe('Local');
  expect(await conflicts()).toMatchObject([
    { local: 'Local', remote: 'Remote', resolution: 'local' },
  ]);
});

test('collections merge as sets', async () => {
  const [email] = ((await row())?.email_addresses ?? []) as string[];
  await workspace.sql(
    `UPDATE clarify.person SET email_addresses = email_addresses || '{local@example.org}' WHERE id = $1`,
    [id],
  );
  workspace.emulator.store.update('person', id, {
    email_addresses: { items: [email ?? '', 'remote@example.org'] },
  });
  await sync();
  expect(await row()).toMatchObject({
    email_addresses: [email, 'remote@example.org', 'local@example.org'],
  });
  expect(remote()?.email_addresses).toEqual({
    items: [email, 'remote@example.org', 'local@example.org'],
  });
});

test('a pull never waits on a row a user holds, nor overwrites it (invariant 2)', async () => {
  const user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  try {
    await user.query('BEGIN');
    await user.query(`UPDATE clarify.person SET job_title = 'Held' WHERE id = $1`, [id]);
    workspace.emulator.store.update('person', id, {
      phone_numbers: { items: ['+44 20 7946 0000'] },
    });
    const [run] = await pull();
    expect(run).toMatchObject({ state: 'ok', counts: { deferred: 1 } });
    await user.query('COMMIT');
  } finally {
    await user.end();
  }
  await sync();
  expect(remote()).toMatchObject({
    job_title: 'Held',
    phone_numbers: { items: ['+44 20 7946 0000'] },
  });
  expect(await row()).toMatchObject({ job_title: 'Held', phone_numbers: ['+44 20 7946 0000'] });
});

test('a local edit of a record deleted in Clarify is cancelled and on record (invariant 6)', async () => {
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Late' WHERE id = $1`, [id]);
  workspace.emulator.store.delete('person', id);
  await sync();
  expect(await row()).toBeUndefined();
  expect(await conflicts()).toMatchObject([
    { local: 'Late', policy: 'deleted', resolution: 'remote' },
  ]);
  expect(await unsettled()).toEqual([]);
  const [tombstone] = await workspace.sql(
    'SELECT reason FROM clarify_sync.tombstone WHERE id = $1',
    [id],
  );
  expect(tombstone).toEqual({ reason: 'deleted' });
});

test('a deleted row stays away although the record was edited meanwhile (invariant 3)', async () => {
  await workspace.sql('DELETE FROM clarify.person WHERE id = $1', [id]);
  workspace.emulator.store.update('person', id, { job_title: 'Edited' });
  await pull();
  expect(await row()).toBeUndefined();
  await sync();
  expect(remote()).toBeUndefined();
  await pull();
  expect(await row()).toBeUndefined();
});

test('insert and delete before the id returns leave nothing anywhere', async () => {
  const before = workspace.emulator.store.count('task');
  const [task] = await workspace.sql(
    `INSERT INTO clarify.task (title) VALUES ('Gone') RETURNING id`,
  );
  await workspace.sql('DELETE FROM clarify.task WHERE id = $1', [task?.id]);
  await sync();
  expect(workspace.emulator.store.count('task')).toBe(before);
});

test('where push is off, local writes are refused and say so', async () => {
  await workspace.database.db.query('UPDATE clarify_sync.installation SET push = false');
  await expect(
    workspace.sql(`UPDATE clarify.person SET job_title = 'No' WHERE id = $1`, [id]),
  ).rejects.toThrow(/CLARIFY_SYNC_PUSH=on/);
  await workspace.database.db.query('UPDATE clarify_sync.installation SET push = true');
});

test('both sides agree in the end', async () => {
  await sync();
  await sync();
  expect(await differences(workspace)).toEqual([]);
});

test('an edit in flight follows a merge to the survivor (invariant 6)', async () => {
  const { emulator, sql } = workspace;
  const { store, faults } = emulator;
  const survivor = store.create('person', { job_title: 'Stays' }, { at: Date.now() - 30_000 });
  await pull();
  await sql('UPDATE clarify.person SET do_not_contact = true WHERE id = $1', [id]);
  // Carried out a moment later: by then the record is merged away.
  faults.add({ kind: 'slow', ms: 1_000, method: 'PATCH', count: 1, applied: false });
  const syncing = sync();
  await expect.poll(unsettled).toEqual([{ state: 'sending' }]);
  store.merge('person', survivor, [id]);
  await syncing;
  await sync();
  expect(store.get('person', survivor)?.attributes).toMatchObject({
    job_title: 'Stays',
    do_not_contact: true,
  });
  expect(await conflicts()).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});
