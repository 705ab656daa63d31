import { afterAll, beforeAll, expect, test } from 'vitest';
import { revertChange } from '../../../src/app/decisions/revert-change.ts';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { cancelEntries, listEntries, readEntry } from '../../../src/db/outbox/review.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});

afterAll(async () => {
  await workspace?.stop();
});

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const revert = (id: bigint) => revertChange(workspace.session, id);
const remote = (object: string, id: string) => workspace.emulator.store.get(object, id)?.attributes;

async function newest(): Promise<bigint> {
  const [row] = await workspace.session.db.query<{ id: bigint }>(
    'select max(id) as id from clarify_sync.outbox',
  );
  return row?.id ?? 0n;
}

/** Runs a statement of a user's, sends what comes of it, and tells its last entry. */
async function sent(statement: string, values?: readonly unknown[]): Promise<bigint> {
  await workspace.sql(statement, values);
  const id = await newest();
  await sync();
  expect(await readEntry(workspace.session.db, id)).toMatchObject({ state: 'done' });
  return id;
}

async function deal(): Promise<string> {
  const id = workspace.emulator.store.create('deal', { name: 'D', stage: 'Discovery', amount: 1 });
  await sync();
  return id;
}

test('an update gives the fields back what they held, and goes out like any other', async () => {
  const id = await deal();
  const change = await sent(`update clarify.deal set stage = 'Won', amount = 2.5 where id = $1`, [
    id,
  ]);
  const reverted = await revert(change);
  expect(reverted).toMatchObject({ kind: 'updated', object: 'deal', recordId: id });
  const { entries } = await listEntries(workspace.session.db, { states: ['pending'], limit: 9 });
  expect(entries).toMatchObject([
    {
      id: reverted.change,
      op: 'update',
      changes: { stage: { base: 'Won', value: 'Discovery' }, amount: { value: 1 } },
    },
  ]);
  await sync();
  expect(remote('deal', id)).toMatchObject({ stage: 'Discovery', amount: 1 });
  await expect(revert(change)).rejects.toThrow(`was undone already, by change ${reverted.change}`);
  await revert(reverted.change);
  await sync();
  expect(remote('deal', id)).toMatchObject({ stage: 'Won', amount: 2.5 });
});

test('where a field has moved on nothing is changed, and the field is named', async () => {
  const id = await deal();
  const change = await sent(`update clarify.deal set stage = 'Won', amount = 2 where id = $1`, [
    id,
  ]);
  workspace.emulator.store.update('deal', id, { stage: 'Lost' });
  await sync();
  const before = await newest();
  await expect(revert(change)).rejects.toThrow(/^stage has moved on since/);
  expect(await newest()).toBe(before);
  expect(remote('deal', id)).toMatchObject({ stage: 'Lost', amount: 2 });
});

test('what Clarify adds to an object does not count as moved on', async () => {
  const { emulator } = workspace;
  const id = emulator.store.create('person', { name: { first_name: 'Ada', last_name: 'King' } });
  await sync();
  const change = await sent(
    `update clarify.person set name = '{"first_name":"Ada","last_name":"Lovelace"}' where id = $1`,
    [id],
  );
  const name = { first_name: 'Ada', last_name: 'Lovelace', full_name: 'Ada Lovelace' };
  emulator.store.update('person', id, { name });
  await sync();
  await revert(change);
  await sync();
  expect(remote('person', id)?.['name']).toMatchObject({ last_name: 'King' });
});

test('an insert is undone by a delete', async () => {
  const change = await sent(`insert into clarify.task (title) values ('Once')`);
  const entry = await readEntry(workspace.session.db, change);
  const reverted = await revert(change);
  expect(reverted).toMatchObject({ kind: 'deleted', recordId: entry?.recordId });
  await sync();
  expect(workspace.emulator.store.get('task', reverted.recordId)).toBeNull();
  await expect(revert(change)).rejects.toThrow('was undone already');
});

test('an insert that was found to be a record there was gives back what it overwrote', async () => {
  const { emulator } = workspace;
  const id = emulator.store.create('person', {
    email_addresses: { items: ['grace@example.com'] },
    job_title: 'Admiral',
  });
  await sync();
  await sent(
    `insert into clarify.person (email_addresses, job_title) values ('{grace@example.com}', 'Programmer')`,
  );
  const change = await newest();
  expect(remote('person', id)).toMatchObject({ job_title: 'Programmer' });
  expect(await revert(change)).toMatchObject({ kind: 'updated', recordId: id });
  await sync();
  expect(remote('person', id)).toMatchObject({ job_title: 'Admiral' });
});

test('a delete is undone by a new record, once', async () => {
  const { emulator, session } = workspace;
  const company = emulator.store.create('company', { name: 'Home' });
  const id = emulator.store.create('person', {
    name: { first_name: 'Mary' },
    email_addresses: { items: ['mary@example.com'] },
    company_id: company,
  });
  await sync();
  const change = await sent('delete from clarify.person where id = $1', [id]);
  expect(emulator.store.get('person', id)).toBeNull();
  const first = await revert(change);
  expect(first).toMatchObject({ kind: 'inserted', left: [] });
  expect(first.recordId).toMatch(/^local:/);
  await expect(revert(change)).rejects.toThrow('was undone already');

  // Given up again, it can be undone again.
  await session.db.transaction((tx) => cancelEntries(tx, [first.change]));
  await session.db.transaction(
    (tx) => tx.query('delete from clarify.person where id = $1', [first.recordId]),
    { asWriter: true },
  );
  const second = await revert(change);
  await sync();
  const entry = await readEntry(session.db, second.change);
  expect(entry?.recordId).not.toBe(id);
  expect(remote('person', entry?.recordId ?? '')).toMatchObject({
    name: { first_name: 'Mary' },
    email_addresses: { items: ['mary@example.com'] },
    company_id: company,
  });
});

test('only what is done can be undone', async () => {
  const id = await deal();
  await workspace.sql(`update clarify.deal set stage = 'Won' where id = $1`, [id]);
  await expect(revert(await newest())).rejects.toMatchObject({
    message: expect.stringContaining('was not sent yet'),
    hint: expect.stringContaining('outbox discard'),
  });
  await expect(revert(999_999n)).rejects.toThrow('there is no change 999999');
  await sync();
});

test('a row that somebody holds is left as it is', async () => {
  const id = await deal();
  const change = await sent(`update clarify.deal set stage = 'Won' where id = $1`, [id]);
  await workspace.sql('begin');
  await workspace.sql('select from clarify.deal where id = $1 for update', [id]);
  await expect(revert(change)).rejects.toMatchObject({ code: 'row-held' });
  await workspace.sql('rollback');
  expect(await revert(change)).toMatchObject({ kind: 'updated' });
});

test('where push is off the triggers refuse, and nothing is marked', async () => {
  const id = await deal();
  const change = await sent(`update clarify.deal set stage = 'Won' where id = $1`, [id]);
  await workspace.sql('update clarify_sync.installation set push = false');
  await expect(revert(change)).rejects.toMatchObject({ code: 'write-refused' });
  await workspace.sql('update clarify_sync.installation set push = true');
  expect(await readEntry(workspace.session.db, change)).toMatchObject({ lastError: null });
});
