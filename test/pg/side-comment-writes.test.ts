import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { readStatus } from '../../src/app/status.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { adoptDatabase } from '../../src/db/service/installation.ts';
import { pushComments } from '../../src/push/push-comments.ts';
import { startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** Comments that are written in SQL: see `docs/side-tables.md`. */

let workspace: TestWorkspace;
let people: string[];

const commented = { activities: true, comments: null, fields: {}, history: false } as const;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 5, company: 2, deal: 0, task: 0, meeting: 0 } },
    config: {
      objects: {
        person: { ...commented, delete: 'push' },
        company: { ...commented, delete: 'push', push: false },
      },
    },
  });
  people = workspace.emulator.store.ids('person').toSorted();
  await syncOnce(workspace.session, { signal: workspace.signal });
});
afterEach(() => workspace.emulator.faults.clear());
afterAll(() => workspace.stop());

const sql: TestWorkspace['sql'] = (text, values) => workspace.sql(text, values);

/** @returns the row's id. */
async function write(record: string, text: string): Promise<string> {
  const [row] = await sql(
    `INSERT INTO clarify.comment (object, record_id, text) VALUES ('person', $1, $2) RETURNING id`,
    [record, text],
  );
  return String(row?.['id']);
}

const push = () => pushOnce(workspace.session, { signal: workspace.signal });
const there = (id: string) => workspace.emulator.extras.comments.get(id);
const entry = async (id: string) =>
  (
    await sql('SELECT state, last_error, attempts FROM clarify_sync.comment_outbox WHERE id = $1', [
      id,
    ])
  )[0];
const rows = async (id: string) =>
  await sql(
    'SELECT record_id, text, created_by IS NOT NULL AS by FROM clarify.comment WHERE id = $1',
    [id],
  );
const posts = () => workspace.emulator.stats().endpoints['POST /comments']?.requests ?? 0;

async function read(): Promise<void> {
  const { session, signal } = workspace;
  await session.db.query(
    `UPDATE clarify_sync.side_reading SET due_at = clock_timestamp() WHERE part = 'comment'`,
  );
  await createSidePass(session)({ signal, priority: 'backfill' });
}

/** What everybody is told who writes where that is not possible. */
const refused = async (text: string, values: readonly unknown[] = []) =>
  await sql(text, values).then(
    () => 'taken',
    (error: unknown) => (error as { code: string }).code,
  );

test('one that is written stands at once, and arrives by its id', async () => {
  const [person = ''] = people;
  const id = await write(person, 'Hello\n\nyou');
  expect(await rows(id)).toEqual([{ record_id: person, text: 'Hello\n\nyou', by: false }]);
  expect(await entry(id)).toMatchObject({ state: 'pending', attempts: 0 });
  await push();
  expect(there(id)).toMatchObject({ id, entity: 'person', ownerId: person });
  expect(await entry(id)).toEqual({ state: 'done', last_error: null, attempts: 1 });
  expect(await rows(id)).toEqual([{ record_id: person, text: 'Hello\n\nyou', by: true }]);
});

test('it stays through a reading that is not told of it, and is one row after one that is', async () => {
  const { session, signal, emulator } = workspace;
  const [, person = ''] = people;
  const first = await write(person, 'One');
  await push();
  emulator.store.update('person', person, { job_title: 'Talked of' });
  await syncOnce(session, { signal });
  const waiting = await write(person, 'Two');
  const late = await write(person, 'Three');
  emulator.faults.add({ kind: 'status', status: 503, method: 'POST', path: '/comments' });
  await push();
  emulator.faults.clear();
  await read();
  for (const id of [first, waiting, late]) expect(await rows(id)).toHaveLength(1);
  await sql('UPDATE clarify_sync.comment_outbox SET next_attempt_at = now()');
  await push();
  const brief = await write(person, 'Four');
  await push();
  emulator.extras.comments.delete(brief);
  await session.db.query(`DELETE FROM {sync}.comment_outbox WHERE state = 'done'`);
  await read();
  // Of none but the first has its past told by now.
  for (const id of [first, waiting, late]) expect(await rows(id)).toHaveLength(1);
  expect(await rows(brief)).toEqual([]);
  emulator.store.update('person', person, { job_title: 'Talked of again' });
  await syncOnce(session, { signal });
  for (const id of [first, waiting, late]) expect(await rows(id)).toHaveLength(1);
  // What was deleted in the app goes all the same.
  emulator.extras.comments.delete(first);
  await read();
  expect(await rows(first)).toEqual([]);
  expect(await rows(late)).toHaveLength(1);
});

test('a lost answer makes no second one', async () => {
  const { emulator } = workspace;
  const [person = ''] = people;
  const before = emulator.extras.comments.size;
  emulator.faults.add({ kind: 'reset-after-write', method: 'POST', path: '/comments' });
  const id = await write(person, 'Lost');
  await push();
  expect(await entry(id)).toMatchObject({ state: 'sending' });
  // It may have arrived: not the moment to take it back.
  expect(await refused('DELETE FROM clarify.comment WHERE id = $1', [id])).toBe('CS002');
  emulator.faults.clear();
  await sql('UPDATE clarify_sync.comment_outbox SET next_attempt_at = now() WHERE id = $1', [id]);
  await push();
  expect(await entry(id)).toMatchObject({ state: 'done', attempts: 2 });
  expect(emulator.extras.comments.size).toBe(before + 1);
  expect(await rows(id)).toHaveLength(1);
});

test.each([409, 400])(
  'where one sent before is refused with %d, it is looked for',
  async (status) => {
    const { emulator } = workspace;
    const [person = ''] = people;
    const lost = { kind: 'status', method: 'POST', path: '/comments' } as const;
    emulator.faults.add({ ...lost, status: 503, applied: true, count: 1 });
    emulator.faults.add({ ...lost, status, after: 0 });
    const id = await write(person, 'There already');
    await push();
    expect(there(id)).toBeDefined();
    expect(await entry(id)).toMatchObject({ state: 'done' });
  },
);

test('one that is refused is parked with the reason, and the others are delivered', async () => {
  const { emulator, session } = workspace;
  const [person = '', other = ''] = people;
  emulator.faults.add({ kind: 'status', status: 400, method: 'POST', requestBody: 'Refused' });
  const bad = await write(person, 'Refused');
  const good = await write(other, 'Taken');
  await push();
  expect(await entry(good)).toMatchObject({ state: 'done' });
  expect(await entry(bad)).toMatchObject({
    state: 'parked',
    last_error: expect.stringMatching(/^remote-invalid: ./) as string,
  });
  expect(there(bad)).toBeUndefined();
  const { comments } = await readStatus(session.db);
  expect(comments).toEqual([{ object: 'person', waiting: 0, parked: 1 }]);
  // It is taken back, or written anew, by its row.
  emulator.faults.clear();
  await sql('DELETE FROM clarify.comment WHERE id = $1', [bad]);
  expect(await entry(bad)).toBeUndefined();
  await sql(
    `INSERT INTO clarify.comment (id, object, record_id, text) VALUES ($1, 'person', $2, 'Mended')`,
    [bad, person],
  );
  await push();
  expect(there(bad)).toBeDefined();
});

test('one of a record that is new here waits for it, and one of a record that is gone is parked', async () => {
  const { emulator } = workspace;
  const [born] = await sql(`INSERT INTO clarify.person (job_title) VALUES ('New') RETURNING id`);
  const local = String(born?.['id']);
  const id = await write(local, 'Welcome');
  expect((await rows(id))[0]?.['record_id']).toBe(local);
  await push();
  await push();
  const [now] = await sql(`SELECT id FROM clarify.person WHERE job_title = 'New'`);
  expect(there(id)?.ownerId).toBe(now?.['id']);
  expect(await rows(id)).toEqual([{ record_id: now?.['id'], text: 'Welcome', by: true }]);

  const [never] = await sql(`INSERT INTO clarify.person (job_title) VALUES ('Never') RETURNING id`);
  const orphan = await write(String(never?.['id']), 'Nobody');
  await sql(`DELETE FROM clarify.person WHERE job_title = 'Never'`);
  const [, , , gone = ''] = people;
  const late = await write(gone, 'Too late');
  emulator.store.delete('person', [gone]);
  await push();
  expect(await entry(orphan)).toMatchObject({ state: 'parked' });
  // It may have been merged, which the next pull tells.
  expect(await entry(late)).toMatchObject({ state: 'pending' });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
  await sql('UPDATE clarify_sync.comment_outbox SET next_attempt_at = now()');
  await push();
  expect(await entry(late)).toMatchObject({ state: 'parked' });
  await sql('DELETE FROM clarify.comment WHERE id = ANY($1)', [[orphan, late]]);
});

test('killed between the request and what comes of it, it is sent again by the same id', async () => {
  const { session, signal, emulator } = workspace;
  const [person = ''] = people;
  const id = await write(person, 'Killed');
  const before = emulator.extras.comments.size;
  const { createComment, readRecord } = session.remote;
  if (createComment === undefined) throw new Error('comments cannot be written');
  const keeper = new LeaseKeeper(session.db, { holder: 'killed' });
  await keeper.start();
  const dies: typeof createComment = async (...call) => {
    await createComment(...call);
    throw new Error('killed');
  };
  const { db, tables } = session;
  await expect(
    pushComments({ db, tables, createComment: dies, readRecord, lease: keeper }, signal),
  ).rejects.toThrow('killed');
  await keeper.stop();
  expect(there(id)).toBeDefined();
  expect(await entry(id)).toMatchObject({ state: 'sending' });
  const again = await workspace.reopen();
  await pushOnce(again, { signal });
  expect(await entry(id)).toMatchObject({ state: 'done', attempts: 2 });
  expect(emulator.extras.comments.size).toBe(before + 1);
});

test('whoever lost the lease settles nothing', async () => {
  const { session, signal } = workspace;
  const [person = ''] = people;
  const id = await write(person, 'Overtaken');
  const { createComment } = session.remote;
  if (createComment === undefined) throw new Error('comments cannot be written');
  const keeper = new LeaseKeeper(session.db, { holder: 'paused' });
  await keeper.start();
  const lease = { epoch: keeper.epoch, remainingMs: () => 60_000 };
  const paused: typeof createComment = async (...call) => {
    const told = await createComment(...call);
    await keeper.stop();
    await push();
    return told;
  };
  const { db, tables } = session;
  await expect(
    pushComments(
      { db, tables, createComment: paused, readRecord: session.remote.readRecord, lease },
      signal,
    ),
  ).rejects.toMatchObject({ code: 'lease-lost' });
  expect(await entry(id)).toMatchObject({ state: 'done', attempts: 2 });
});

test('what cannot be written is refused, and says why', async () => {
  const [person = ''] = people;
  const [company = ''] = workspace.emulator.store.ids('company');
  const insert =
    'INSERT INTO clarify.comment (object, record_id, text, id) VALUES ($1, $2, $3, $4)';
  const id = randomUUID();
  expect(await refused(insert, ['person', person, ' ', id])).toBe('CS005');
  expect(await refused(insert, ['person', person, 'Hi', 'mine'])).toBe('CS004');
  expect(await refused(insert, ['person', randomUUID(), 'Hi', id])).toBe('CS009');
  expect(await refused(insert, ['nothing', person, 'Hi', id])).toBe('CS009');
  // `push: false`
  expect(await refused(insert, ['company', company, 'Hi', id])).toBe('CS002');
  expect(await refused(`UPDATE clarify.comment SET text = 'Other'`)).toBe('CS002');
  expect(await refused('DELETE FROM clarify.comment')).toBe('CS002');
  expect(await refused('TRUNCATE clarify.comment')).toBe('CS007');
});

test('a transaction that is rolled back leaves nothing', async () => {
  const [person = ''] = people;
  await sql('BEGIN');
  const id = await write(person, 'Not meant');
  await sql('ROLLBACK');
  expect(await entry(id)).toBeUndefined();
});

test('a trigger of somebody else’s that refuses a row keeps no comment from being settled', async () => {
  const [person = ''] = people;
  await sql(`CREATE FUNCTION refuse_odd() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.text LIKE 'Odd%' THEN RAISE 'not this one'; END IF; RETURN NEW; END $$`);
  await sql(
    `CREATE TRIGGER refuse_odd BEFORE UPDATE ON clarify.comment FOR EACH ROW EXECUTE FUNCTION refuse_odd()`,
  );
  try {
    const ids = await Promise.all(['Odd', 'Plain'].map((text) => write(person, text)));
    const before = posts();
    await push();
    expect(posts() - before).toBe(2);
    for (const id of ids) expect(await entry(id)).toMatchObject({ state: 'done', attempts: 1 });
    await push();
    expect(posts() - before).toBe(2);
  } finally {
    await sql('DROP FUNCTION refuse_odd CASCADE');
  }
});

test('the service sends what is committed, many at once', async () => {
  const { session } = workspace;
  const [person = ''] = people;
  const daemon = await startDaemon({ session });
  try {
    const before = posts();
    const id = await write(person, 'Live');
    await expect.poll(() => entry(id), { timeout: 5_000 }).toMatchObject({ state: 'done' });
    await sql(
      `INSERT INTO clarify.comment (object, record_id, text)
       SELECT 'person', $1, 'Number ' || n FROM generate_series(1, 120) AS n`,
      [person],
    );
    const left = async () =>
      (await sql(`SELECT FROM clarify_sync.comment_outbox WHERE state <> 'done'`)).length;
    await expect.poll(left, { timeout: 20_000 }).toBe(0);
    expect(posts() - before).toBe(121);
  } finally {
    await daemon.stop();
  }
});

test('a role of the configuration that writes may write them', async () => {
  const [person = ''] = people;
  const role = `commenter_${randomUUID().slice(0, 8)}`;
  await sql(`CREATE ROLE ${role}`);
  await sql(`GRANT USAGE ON SCHEMA clarify TO ${role}`);
  await sql(`GRANT SELECT, INSERT, DELETE ON clarify.comment TO ${role}`);
  try {
    await sql(`SET ROLE ${role}`);
    const id = await write(person, 'By another');
    await sql('RESET ROLE');
    expect(await entry(id)).toMatchObject({ state: 'pending' });
    await sql(`SET ROLE ${role}`);
    await sql('DELETE FROM clarify.comment WHERE id = $1', [id]);
  } finally {
    await sql('RESET ROLE');
    await sql(`DROP OWNED BY ${role}`);
    await sql(`DROP ROLE ${role}`);
  }
});

test('a table that an older version made takes them as well', async () => {
  const { session } = workspace;
  const [person = ''] = people;
  await session.db.query(`
    DROP TRIGGER {mirror}_comment_row ON {mirror}.comment;
    DROP TRIGGER {mirror}_comment_insert ON {mirror}.comment;
    DROP TRIGGER {mirror}_comment_delete ON {mirror}.comment;
    CREATE OR REPLACE TRIGGER {mirror}_comment_read_only BEFORE INSERT OR UPDATE OR DELETE ON {mirror}.comment
      FOR EACH STATEMENT EXECUTE FUNCTION {sync}.refuse_side_write();
    ALTER TABLE {mirror}.comment ALTER COLUMN id DROP DEFAULT, DROP COLUMN text`);
  await read();
  const [known] = await sql(`SELECT id FROM clarify.comment WHERE text = 'Live'`);
  expect(known).toBeDefined();
  const id = await write(person, 'After the upgrade');
  await push();
  expect(await entry(id)).toMatchObject({ state: 'done' });
});

test('in a copy, what waited is parked', async () => {
  const { session } = workspace;
  const [person = ''] = people;
  const id = await write(person, 'Of the original');
  await session.db.query(`UPDATE clarify_sync.installation SET fingerprint = 'another'`);
  await adoptDatabase(session.db);
  expect(await entry(id)).toMatchObject({ state: 'parked' });
});

test('where push is off, nothing is taken', async () => {
  const [person = ''] = people;
  await workspace.session.db.query('UPDATE clarify_sync.installation SET push = false');
  const insert = `INSERT INTO clarify.comment (object, record_id, text) VALUES ('person', $1, 'Hi')`;
  expect(await refused(insert, [person])).toBe('CS002');
});
