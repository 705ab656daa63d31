import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Invariant 4: a create that may have arrived, and that nothing identifies.

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});
afterAll(() => workspace.stop());

beforeEach(() => {
  workspace.emulator.faults.clear();
  workspace.emulator.switches.activities = 'ok';
});

const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
const titles = () => workspace.emulator.store.all('task').map(({ attributes }) => attributes.title);

async function push() {
  const keeper = new LeaseKeeper(workspace.session.db, { holder: workspace.session.holder });
  await keeper.start();
  try {
    return await runPush(pushDeps(workspace.session, keeper), workspace.signal);
  } finally {
    await keeper.stop();
  }
}

/** As if the time that a late write may take had passed. */
const letItSettle = () =>
  workspace.sql(
    `UPDATE clarify_sync.outbox SET next_attempt_at = clock_timestamp() WHERE state = 'sending'`,
  );

async function insertAndLoseTheAnswer(title: string): Promise<void> {
  workspace.emulator.faults.add({ kind: 'reset-after-write', method: 'POST', count: 1 });
  await workspace.sql(`INSERT INTO clarify.task (title, status) VALUES ($1, 'To Do')`, [title]);
  expect(await push()).toMatchObject({ unclear: 1 });
}

test('is waited for, then recognised by what was sent', async () => {
  await insertAndLoseTheAnswer('Lost answer');
  // The time to settle starts when nobody sends any more, not when the entry was claimed.
  await workspace.sql(
    `UPDATE clarify_sync.outbox SET sent_at = sent_at - interval '1 minute' WHERE state = 'sending'`,
  );
  const early = await push();
  expect(early.waitMs).toBeGreaterThan(10_000);
  expect(titles()).toEqual(['Lost answer']);
  await letItSettle();
  expect(await push()).toMatchObject({ waitMs: null });
  expect(titles()).toEqual(['Lost answer']);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test('is recognised by its history where little of what was sent is left', async () => {
  const { emulator, sql } = workspace;
  await insertAndLoseTheAnswer('Edited soon');
  const [task] = emulator.store.all('task').slice(-1);
  emulator.store.update('task', task?.id ?? '', { title: 'Edited at once', status: 'Done' });
  await letItSettle();
  await push();
  expect(titles()).toEqual(['Lost answer', 'Edited at once']);
  expect(await sql(`SELECT id FROM clarify_sync.outbox WHERE state <> 'done'`)).toEqual([]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
  emulator.store.delete('task', task?.id ?? '');
  await pull();
});

test('is left to a person where a record like it was edited since', async () => {
  workspace.emulator.switches.activities = '500';
  await insertAndLoseTheAnswer('Edited since');
  const [task] = workspace.emulator.store.all('task').slice(-1);
  workspace.emulator.store.update('task', task?.id ?? '', { status: 'Done', priority: 'High' });
  await letItSettle();
  await push();
  const waiting = await workspace.sql(
    `SELECT state, last_error FROM clarify_sync.outbox WHERE state <> 'done'`,
  );
  expect(waiting).toEqual([
    { state: 'parked', last_error: expect.stringMatching(/^create-ambiguous: /) },
  ]);
  expect(titles()).toEqual(['Lost answer', 'Edited since']);
});

test('is recognised although it came in by itself and was edited here since', async () => {
  const { emulator, sql } = workspace;
  await insertAndLoseTheAnswer('Came in by itself');
  await pull();
  // By its title: the row inserted here and the one that came in alike.
  await sql(`UPDATE clarify.task SET status = 'Done' WHERE title = 'Came in by itself'`);
  await push();
  await sql(`UPDATE clarify.task SET priority = 'High' WHERE title = 'Came in by itself'`);
  await push();
  expect(emulator.store.all('task').at(-1)?.attributes).toMatchObject({ status: 'Done' });
  await letItSettle();
  await push();
  await push();
  expect(titles().filter((title) => title === 'Came in by itself')).toHaveLength(1);
  const rows = await sql(`SELECT status, priority FROM clarify.task WHERE title LIKE 'Came in%'`);
  expect(rows).toEqual([{ status: 'Done', priority: 'High' }]);
  expect(
    await sql(
      `SELECT id FROM clarify_sync.outbox WHERE state IN ('pending', 'sending', 'parked')
          AND record_id NOT IN (SELECT record_id FROM clarify_sync.outbox WHERE changes -> 'title' ->> 'value' = 'Edited since')`,
    ),
  ).toEqual([]);
});

test('came in by itself: edits of either row count in the order they were made in', async () => {
  const { emulator, sql } = workspace;
  await insertAndLoseTheAnswer('Two rows');
  await pull();
  const edit = (which: string, status: string) =>
    sql(`UPDATE clarify.task SET status = $1 WHERE title = 'Two rows' AND id ${which} 'local:%'`, [
      status,
    ]);
  await edit('NOT LIKE', 'Done');
  await push();
  expect(emulator.store.all('task').at(-1)?.attributes).toMatchObject({ status: 'Done' });
  await edit('LIKE', 'Canceled');
  await letItSettle();
  await push();
  await push();
  expect(emulator.store.all('task').at(-1)?.attributes).toMatchObject({ status: 'Canceled' });
  const rows = await sql(`SELECT id, status FROM clarify.task WHERE title = 'Two rows'`);
  expect(rows).toEqual([{ id: expect.not.stringMatching(/^local:/), status: 'Canceled' }]);
  const conflicts = await sql('SELECT field FROM clarify_sync.conflict WHERE record_id = $1', [
    rows[0]?.['id'],
  ]);
  expect(conflicts).toEqual([]);
});

test('goes out again as it was sent, before what identifies it changes', async () => {
  const { emulator, sql } = workspace;
  // Every attempt arrives, and no answer.
  emulator.faults.add({ kind: 'reset-after-write', method: 'POST' });
  const [person] = await sql(
    `INSERT INTO clarify.person (email_addresses) VALUES ('{old@example.com}') RETURNING id`,
  );
  expect(await push()).toMatchObject({ failed: 1 });
  expect(emulator.store.count('person')).toBe(1);
  emulator.faults.clear();
  await sql(`UPDATE clarify.person SET email_addresses = '{new@example.com}' WHERE id = $1`, [
    person?.id,
  ]);
  await sql(`UPDATE clarify_sync.outbox SET next_attempt_at = now() WHERE state = 'pending'`);
  await push();
  const waiting = `SELECT op, state, attempts, last_error FROM clarify_sync.outbox
    WHERE object = 'person' AND state <> 'done'`;
  expect(await sql(waiting)).toEqual([]);
  await pull();
  const people = emulator.store.all('person').map(({ attributes }) => attributes.email_addresses);
  expect(people).toEqual([{ items: ['new@example.com'] }]);
  const rows = await sql('SELECT email_addresses FROM clarify.person');
  expect(rows).toEqual([{ email_addresses: ['new@example.com'] }]);
});

/** Someone whose company is gone in Clarify, which refuses them therefore. */
async function insertRefused(email: string): Promise<string> {
  const { emulator, sql } = workspace;
  const company = emulator.store.create('company', { name: email });
  await pull();
  const [row] = await sql(
    `INSERT INTO clarify.person (email_addresses, company_id) VALUES (ARRAY[$1], $2) RETURNING id`,
    [email, company],
  );
  return String(row?.id);
}

const bearersOf = (email: string) =>
  workspace.emulator.store
    .all('person')
    .filter(({ attributes }) => JSON.stringify(attributes.email_addresses).includes(email));

const deleteCompany = (name: string) => {
  const { store } = workspace.emulator;
  for (const { id, attributes } of store.all('company')) {
    if (attributes.name === name) store.delete('company', id);
  }
};

const left = (id: string) =>
  workspace.sql(
    `SELECT op, state, sent IS NOT NULL AS sent FROM clarify_sync.outbox
      WHERE clarify_sync.current_id('person', record_id) = clarify_sync.current_id('person', $1)
        AND state NOT IN ('done', 'superseded', 'cancelled') ORDER BY id`,
    [id],
  );

const writes = () => {
  const { silentWrites, loudWrites } = workspace.emulator.stats();
  return silentWrites + loudWrites;
};

test('what was refused outright has not arrived, and is forgotten with its row', async () => {
  const id = await insertRefused('refused@example.com');
  deleteCompany('refused@example.com');
  await push();
  expect(await left(id)).toEqual([{ op: 'insert', state: 'parked', sent: false }]);
  await workspace.sql('DELETE FROM clarify.person WHERE id = $1', [id]);
  const before = writes();
  await push();
  expect(await left(id)).toEqual([]);
  expect(writes()).toBe(before);
});

test('refused after an attempt that never arrived, it is looked for, then forgotten', async () => {
  const { emulator, sql } = workspace;
  const id = await insertRefused('lost@example.com');
  emulator.faults.add({ kind: 'reset-before-write', method: 'POST' });
  expect(await push()).toMatchObject({ failed: 1 });
  emulator.faults.clear();
  deleteCompany('lost@example.com');
  await sql('DELETE FROM clarify.person WHERE id = $1', [id]);
  expect(await push()).toMatchObject({ unclear: 1 });
  // The delete waits for it.
  const before = writes();
  await push();
  expect(writes()).toBe(before);
  expect(await left(id)).toMatchObject([{ state: 'sending' }, { state: 'pending' }]);
  await letItSettle();
  await push();
  expect(await left(id)).toEqual([]);
  expect(bearersOf('lost@example.com')).toEqual([]);
});

test('refused after an attempt that has arrived, it is found and deleted', async () => {
  const { emulator, sql } = workspace;
  const id = await insertRefused('arrived@example.com');
  emulator.faults.add({ kind: 'reset-after-write', method: 'POST' });
  expect(await push()).toMatchObject({ failed: 1 });
  const ids = bearersOf('arrived@example.com').map((person) => person.id);
  expect(ids).toHaveLength(1);
  // It takes a while to show.
  emulator.store.hide('person', ids);
  emulator.faults.clear();
  deleteCompany('arrived@example.com');
  await sql('DELETE FROM clarify.person WHERE id = $1', [id]);
  await sql(`UPDATE clarify_sync.outbox SET next_attempt_at = now() WHERE state = 'pending'`);
  expect(await push()).toMatchObject({ unclear: 1 });
  emulator.store.unhide('person', ids);
  await letItSettle();
  await push();
  expect(await left(id)).toEqual([]);
  expect(bearersOf('arrived@example.com')).toEqual([]);
});
