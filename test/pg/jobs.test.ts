import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
import { differences } from '../support/agreement.ts';
import { EXTERNAL_ID, type JobPlan, JobServer, PLAIN } from '../support/job-server.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Invariants 2 to 4, 9 and 10 where changes are taken in jobs, whose answers say nothing of any record.

let workspace: TestWorkspace;
let server: JobServer;
let plans: JobPlan[] = [];
let nowMs = 0;
let before = '0';

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: 'none' },
    config: { massDelete: { rows: 1_000, percent: 100 } },
    prepareEmulator: ({ store }) => {
      store.addField('task', { name: EXTERNAL_ID, form: { kind: 'text' }, unique: true });
    },
  });
});
afterAll(() => workspace.stop());

beforeEach(async () => {
  const [last] = await workspace.sql('SELECT coalesce(max(id), 0) AS id FROM clarify_sync.outbox');
  before = String(last?.id);
  plans = [];
  nowMs = Date.now();
  server = new JobServer({
    store: () => workspace.emulator.store,
    nowMs: () => nowMs,
    plan: () => plans.shift() ?? PLAIN,
  });
});
afterEach(async () => {
  if (server.heldTwice.length > 0) throw new Error(`two open jobs: ${server.heldTwice.join(', ')}`);
  await workspace.sql('DELETE FROM clarify.task');
  for (let n = 0; n < 6; n += 1) await later(60_000);
  await workspace.session.db.query(
    `UPDATE clarify_sync.outbox SET state = 'cancelled', epoch = NULL, done_at = now()
      WHERE state IN ('pending', 'parked')`,
  );
  workspace.emulator.store.delete('task', workspace.emulator.store.ids('task'));
  await pull();
});

const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
const tasks = () =>
  workspace.emulator.store
    .all('task')
    .map(({ attributes: { title, status } }) => ({ title, status }));

/** Another leader each time, as after a restart. */
async function push() {
  const { session } = workspace;
  const remote = server.client(session.remote, ['task']);
  const keeper = new LeaseKeeper(session.db, { holder: session.holder });
  await keeper.start();
  try {
    return await runPush(pushDeps({ ...session, remote }, keeper), workspace.signal);
  } finally {
    await keeper.stop();
  }
}

/** As if so long had passed: by the server's clock, and by what the outbox waits for. */
async function later(ms: number) {
  nowMs += ms;
  await workspace.session.db.query(
    `UPDATE clarify_sync.outbox
        SET next_attempt_at = next_attempt_at - $1 * interval '1 millisecond',
            sent_at = sent_at - $1 * interval '1 millisecond'
      WHERE state IN ('pending', 'sending')`,
    [ms],
  );
  return await push();
}

const entries = async () =>
  (
    await workspace.session.db.query<{ line: string }>(
      `SELECT concat_ws(' ', op, state, ticket, last_error) AS line FROM clarify_sync.outbox
        WHERE id > $1::bigint AND state NOT IN ('cancelled', 'superseded') ORDER BY id`,
      [before],
    )
  ).map(({ line }) => line);

const insert = (title: string) =>
  workspace.sql(`INSERT INTO clarify.task (title, status) VALUES ($1, 'To Do') RETURNING id`, [
    title,
  ]);

test('a new row is sent once, asked about late, and done where its record shows it', async () => {
  const [row] = await insert('One');
  const sent = await push();
  expect(sent).toMatchObject({ delivered: 0 });
  expect(sent.waitMs).toBeGreaterThan(4_000);
  expect(await entries()).toEqual(['insert sending job-1']);
  await push();
  expect(server.polls).toBe(0);
  expect(await later(5_000)).toMatchObject({ delivered: 1, waitMs: null });
  expect(await entries()).toEqual(['insert done job-1']);
  expect(server.taken).toHaveLength(1);
  expect(tasks()).toEqual([{ title: 'One', status: 'To Do' }]);
  const rows = await workspace.sql(`SELECT id, _local_id, ${EXTERNAL_ID} AS ext FROM clarify.task`);
  expect(rows).toEqual([
    { id: workspace.emulator.store.ids('task')[0], _local_id: row?.id, ext: row?.id },
  ]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test('what a job holds is not sent again, and a later edit goes after it', async () => {
  await insert('One');
  await push();
  await later(5_000);
  await workspace.sql(`UPDATE clarify.task SET status = 'Done'`);
  plans = [{ ...PLAIN, runsAfterMs: 20_000, endsAfterMs: 20_000 }];
  await push();
  await workspace.sql(`UPDATE clarify.task SET status = 'In Progress'`);
  for (let n = 0; n < 3; n += 1) await later(3_000);
  expect(server.taken).toHaveLength(2);
  const polls = server.polls;
  await later(20_000);
  expect(server.polls - polls).toBe(1);
  await later(5_000);
  expect(server.taken).toHaveLength(3);
  expect(tasks()).toEqual([{ title: 'One', status: 'In Progress' }]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

describe('what a job has not kept', () => {
  test('waits for a person by the field’s name, once late writes have had their time', async () => {
    plans = [{ ...PLAIN, does: (field) => field !== 'status' }];
    await insert('One');
    await push();
    await later(5_000);
    expect(await entries()).toEqual([
      expect.stringMatching(/^insert sending job-1 job-completed: /),
    ]);
    await later(30_000);
    expect(await entries()).toEqual(['insert done job-1', 'update parked not-kept: status']);
    expect(await workspace.sql('SELECT title, status FROM clarify.task')).toEqual([
      { title: 'One', status: 'To Do' },
    ]);
    // A later edit takes it along.
    await workspace.sql(`UPDATE clarify.task SET status = 'Done'`);
    await push();
    await later(5_000);
    expect(tasks()).toEqual([{ title: 'One', status: 'Done' }]);
  });

  test('of an edit is the rest of it, and all of it where nothing shows', async () => {
    await insert('One');
    await push();
    await later(5_000);
    plans = [{ ...PLAIN, does: (field) => field !== 'title' }];
    await workspace.sql(`UPDATE clarify.task SET title = 'Two', status = 'Done'`);
    await push();
    await later(5_000);
    await later(30_000);
    expect((await entries()).slice(1)).toEqual([
      'update done job-2',
      'update parked not-kept: title',
    ]);
    plans = [{ ...PLAIN, does: () => false }];
    await workspace.sql(`UPDATE clarify.task SET status = 'In Progress'`);
    await push();
    await later(5_000);
    await later(30_000);
    const parked = (await entries()).filter((line) => line.includes('parked'));
    expect(parked).not.toEqual([]);
    for (const line of parked)
      expect(line).toMatch(/parked not-kept: .*status|parked not-kept: title/);
    expect(tasks()).toEqual([{ title: 'One', status: 'Done' }]);
  });

  test('a record that was never made is parked whole', async () => {
    plans = [{ ...PLAIN, does: () => false }];
    await insert('One');
    await push();
    await later(5_000);
    await later(30_000);
    expect(await entries()).toEqual([
      'insert parked not-kept: title, status (its record is not there)',
    ]);
  });
});

test('a job that shows late is waited for, not sent again', async () => {
  plans = [{ ...PLAIN, runsAfterMs: 25_000, endsAfterMs: 3_000 }];
  await insert('One');
  await push();
  await later(5_000);
  expect(tasks()).toEqual([]);
  await later(30_000);
  expect(await entries()).toEqual(['insert done job-1']);
  expect(server.taken).toHaveLength(1);
});

test('of a job that failed half-way only what is missing goes again', async () => {
  const done: string[] = [];
  plans = [{ ...PLAIN, end: 'failed', does: (field) => field !== null || done.push('x') <= 5 }];
  for (let n = 0; n < 10; n += 1) await insert(`task ${n}`);
  await push();
  await later(5_000);
  await later(30_000);
  expect(tasks()).toHaveLength(5);
  await later(10_000);
  const [, again] = server.taken;
  expect(again?.request).toMatchObject({ kind: 'write' });
  expect(again?.request.kind === 'write' && again.request.records).toHaveLength(5);
  await later(5_000);
  expect(tasks()).toHaveLength(10);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test.each(['lost', 'unanswered'] as const)(
  'where the ticket is %s nothing is sent until the job must have ended',
  async (answer) => {
    plans = [{ ...PLAIN, answer, runsAfterMs: 500_000 }];
    await insert('One');
    expect(await push()).toMatchObject({ unclear: 1 });
    expect((await entries())[0]).toMatch(/^insert sending unanswered:/);
    const taken = answer === 'lost' ? 0 : 1;
    for (let n = 0; n < 9; n += 1) await later(60_000);
    expect(server.taken).toHaveLength(taken);
    for (let n = 0; n < 15; n += 1) await later(60_000);
    expect(await entries()).toEqual([expect.stringMatching(/^insert done /)]);
    expect(server.taken).toHaveLength(1);
    expect(tasks()).toHaveLength(1);
  },
);

test('an edit that came instead of what a lost job held stands, and is on record', async () => {
  await insert('One');
  await push();
  await later(5_000);
  plans = [{ ...PLAIN, answer: 'lost' }];
  await workspace.sql(`UPDATE clarify.task SET title = 'Two'`);
  await push();
  const [id = ''] = workspace.emulator.store.ids('task');
  workspace.emulator.store.update('task', id, { title: 'Three' });
  for (let n = 0; n < 24; n += 1) await later(60_000);
  expect(await workspace.sql('SELECT title FROM clarify.task')).toEqual([{ title: 'Three' }]);
  const conflicts = await workspace.sql(
    `SELECT field, base, local, remote, resolution, certain FROM clarify_sync.conflict WHERE record_id = '${id}'`,
  );
  expect(conflicts).toEqual([
    {
      field: 'title',
      base: 'One',
      local: 'Two',
      remote: 'Three',
      resolution: 'remote',
      certain: false,
    },
  ]);
});

test('a deletion is done where its record is gone, and sent again where it is not', async () => {
  await insert('One');
  await push();
  await later(5_000);
  plans = [{ ...PLAIN, does: () => false }];
  await workspace.sql('DELETE FROM clarify.task');
  await push();
  await later(5_000);
  await later(30_000);
  expect(tasks()).toHaveLength(1);
  await later(10_000);
  await later(10_000);
  expect(tasks()).toEqual([]);
  expect(await workspace.sql('SELECT id FROM clarify.task')).toEqual([]);
});

describe('whoever is not shown', () => {
  const out = async () => (await entries()).filter((line) => !line.includes('done'));

  test.each(['completed', 'failed'] as const)(
    'and was found to be deleted has his change cancelled, as a job %s',
    async (end) => {
      await insert('One');
      await push();
      await later(5_000);
      await pull();
      plans = [{ ...PLAIN, end }];
      await workspace.sql(`UPDATE clarify.task SET title = 'Two'`);
      await push();
      const [id = ''] = workspace.emulator.store.ids('task');
      workspace.emulator.store.delete('task', [id]);
      await pull();
      expect(await out()).toEqual(['update sending job-2']);
      await later(5_000);
      await later(30_000);
      await later(10_000);
      expect(await out()).toEqual([]);
      expect(server.taken).toHaveLength(2);
      const conflicts = await workspace.sql(
        `SELECT field, local, policy, resolution FROM clarify_sync.conflict WHERE record_id = '${id}'`,
      );
      expect(conflicts).toEqual([
        { field: 'title', local: 'Two', policy: 'deleted', resolution: 'remote' },
      ]);
    },
  );

  test('in a list that moves while it is read may have been overlooked, for an hour', async () => {
    await insert('One');
    await push();
    await later(5_000);
    plans = [{ ...PLAIN, does: () => false }];
    await workspace.sql('DELETE FROM clarify.task');
    await push();
    const [id = ''] = workspace.emulator.store.ids('task');
    workspace.emulator.store.hide('task', [id]);
    server.seesAll = false;
    for (const ms of [5_000, 30_000, 30_000, 60_000]) await later(ms);
    expect(await out()).toEqual([expect.stringMatching(/^delete sending job-2/)]);
    expect(
      await workspace.sql('SELECT id FROM clarify_sync.tombstone WHERE id = $1', [id]),
    ).toEqual([]);
    workspace.emulator.store.unhide('task', [id]);
    await later(120_000);
    await later(10_000);
    await later(10_000);
    expect(tasks()).toEqual([]);

    await insert('Two');
    plans = [{ ...PLAIN, does: () => false }];
    await push();
    for (let n = 0; n < 24; n += 1) await later(150_000);
    expect(await out()).toEqual([expect.stringMatching(/^insert parked not-kept: /)]);
  });
});

test('a value that a deletion frees is not given to another before it is free', async () => {
  const give = (title: string) =>
    workspace.sql(`INSERT INTO clarify.task (title, ${EXTERNAL_ID}) VALUES ($1, 'v1')`, [title]);
  await give('Old');
  await push();
  await later(5_000);
  await workspace.sql('DELETE FROM clarify.task');
  await give('New');
  await push();
  expect(server.taken).toHaveLength(2);
  await later(5_000);
  expect(server.taken).toHaveLength(3);
  await later(5_000);
  expect(tasks()).toMatchObject([{ title: 'New' }]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});
