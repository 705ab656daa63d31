import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { applyRecords } from '../../src/conflicts/apply-records.ts';
import { mapIds } from '../../src/db/rows/identities.ts';
import { deferRecords } from '../../src/db/rows/set-aside.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// What happens to a row born here while its create is being settled.

let workspace: TestWorkspace;
let user: pg.Client;
let localId: string;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: 'none', switches: { deletedFeed: 'missing' } },
  });
});
afterAll(() => workspace.stop());

beforeEach(async () => {
  user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  const [row] = await workspace.sql(
    `INSERT INTO clarify.task (title, status) VALUES ('Call', 'To Do') RETURNING id`,
  );
  localId = String(row?.id);
});
afterEach(() => user.end());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = () =>
  pullAll(workspace.session, { objects: ['task'], signal: workspace.signal, priority: 'pull' });
const currentId = async () => {
  const [row] = await workspace.sql(`SELECT clarify_sync.current_id('task', $1) AS id`, [localId]);
  return String(row?.id);
};

test('an edit made while its row was held meets the remote edit three ways (invariant 5)', async () => {
  await user.query('BEGIN');
  await user.query(`UPDATE clarify.task SET title = 'Call Ann' WHERE id = $1`, [localId]);
  await sync();
  const id = await currentId();
  workspace.emulator.store.update('task', id, { title: 'Call Bob' });
  await user.query('COMMIT');
  await sync();
  await sync();
  const conflicts = await workspace.sql(
    'SELECT field, base, local, remote FROM clarify_sync.conflict WHERE record_id = $1',
    [id],
  );
  expect(conflicts).toEqual([
    { field: 'title', base: 'Call', local: 'Call Ann', remote: 'Call Bob' },
  ]);
  expect(await differences(workspace)).toEqual([]);
});

test('a row deleted while it was held does not come back (invariant 3)', async () => {
  await user.query('BEGIN');
  await user.query('DELETE FROM clarify.task WHERE id = $1', [localId]);
  await sync();
  const id = await currentId();
  await user.query('COMMIT');
  await pull();
  expect(await workspace.sql('SELECT 1 FROM clarify.task WHERE id = $1', [id])).toEqual([]);
  await sync();
  expect(workspace.emulator.store.get('task', id)).toBeNull();
  expect(await differences(workspace)).toEqual([]);
});

test('a page from before a push takes nothing back while the answer waits for its row', async () => {
  await sync();
  const id = await currentId();
  const { database, session, signal, sql } = workspace;
  const table = session.tables.find(({ object }) => object === 'task');
  if (!table) throw new Error('task is not mirrored');
  const options = { priority: 'pull', signal } as const;
  const page = await session.remote.readRecord({ object: table.schema, id }, options);
  if (page === null) throw new Error('the task is gone');
  await sql(`UPDATE clarify.task SET title = 'Call Ann' WHERE id = $1`, [id]);
  // The push arrives, and is settled while the page's transaction holds the row.
  const [before] = await sql('SELECT clock_timestamp()::text AS at');
  workspace.emulator.store.update('task', id, { title: 'Call Ann' });
  const answer = await session.remote.readRecord({ object: table.schema, id }, options);
  if (answer === null) throw new Error('the task is gone');
  await sql(
    `UPDATE clarify_sync.outbox SET state = 'done', done_at = clock_timestamp()
              WHERE record_id = $1 AND state = 'pending'`,
    [id],
  );
  await deferRecords(database.db, 'task', [answer], { readAt: String(before?.at) });
  const [now] = await sql('SELECT clock_timestamp()::text AS at');
  await database.db.transaction(
    (tx) =>
      applyRecords(tx, table, [page], {
        readAt: String(now?.at),
        crmMinusDatabaseMs: 0,
        policyOf: () => 'newest',
      }),
    { asWriter: true },
  );
  const [row] = await sql('SELECT title FROM clarify.task WHERE id = $1', [id]);
  expect(row).toEqual({ title: 'Call Ann' });
  await sync();
  expect(await sql('SELECT 1 FROM clarify_sync.deferred')).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});

test('a record that comes in while its row gets its id makes way at the second attempt', async () => {
  await sync();
  const { database, session } = workspace;
  const table = session.tables.find(({ object }) => object === 'task');
  if (!table) throw new Error('task is not mirrored');
  const [born] = await workspace.sql(
    `INSERT INTO clarify.task (title) VALUES ('Race') RETURNING id`,
  );
  const record: RemoteRecord = {
    id: 'raced',
    fields: { title: 'Race' },
    createdAt: '2026-08-20T10:00:00.000Z',
    updatedAt: '2026-08-20T10:00:00.000Z',
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: {},
  };
  const apply = () =>
    database.db.transaction(
      async (tx) => {
        await mapIds(tx, 'task', [{ oldId: String(born?.id), id: record.id }], 'pushed');
        await applyRecords(tx, table, [record], {
          readAt: '2026-08-20T10:00:01Z',
          crmMinusDatabaseMs: 0,
          policyOf: () => 'newest',
        });
      },
      { asWriter: true },
    );
  // A reader that has inserted the record's row, and not committed yet.
  await user.query(`BEGIN; SELECT set_config('clarify_sync.writer',
    (SELECT writer_secret FROM clarify_sync.installation), true)`);
  await user.query(`INSERT INTO clarify.task (id, title) VALUES ('raced', 'Race')`);
  const first = apply();
  await expect
    .poll(() =>
      workspace.sql(
        `SELECT count(*)::int AS waiting FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      ),
    )
    .toEqual([{ waiting: 1 }]);
  await user.query('COMMIT');
  await first;
  const rows = await workspace.sql(`SELECT id, _local_id FROM clarify.task WHERE title = 'Race'`);
  expect(rows).toEqual([{ id: 'raced', _local_id: born?.id }]);
});
