import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullOne } from '../../src/app/pull-all.ts';
import type { Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
/** What a `sync` beside the service opens. */
let other: Session;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { deal: 3 } } });
  await pull();
  other = await workspace.reopen();
});
afterAll(() => workspace?.stop());

async function pull() {
  const { session, signal } = workspace;
  const table = session.tables.find(({ object }) => object === 'deal');
  if (table === undefined) throw new Error('no deal');
  return await pullOne(session, table, { signal, priority: 'pull' });
}

test('a change of the tables by another process is taken over, and no reason to halt', async () => {
  const { emulator, session, signal } = workspace;
  const [id = ''] = emulator.store.ids('deal');
  emulator.store.changeFieldType('deal', 'probability', { kind: 'text' });
  emulator.store.update('deal', id, { probability: 'high' });
  expect((await other.refreshSchema(signal)).problems).toEqual([]);
  expect(await pull()).toMatchObject({ state: 'failed', error: { code: 'schema-moved' } });
  expect(await pull()).toMatchObject({ state: 'ok' });
  const rows = await session.db.query(`SELECT probability FROM clarify.deal WHERE id = $1`, [id]);
  expect(rows).toEqual([{ probability: 'high' }]);
});

test('what did not move is not read again, and a wrong statement stays wrong', async () => {
  const { session } = workspace;
  await session.followSchema();
  expect(await session.followSchema()).toBe(false);
  await expect(session.db.query('SELECT nothing FROM clarify.deal')).rejects.toMatchObject({
    code: 'database-statement',
  });
});

test('a new object is followed before it is asked for', async () => {
  const { emulator, session, signal } = workspace;
  emulator.store.addObject({
    object: 'c_new',
    singular: 'New',
    plural: 'New ones',
    fields: [{ name: 'title', form: { kind: 'text' } }],
  });
  await other.refreshSchema(signal);
  expect(await session.followSchema()).toBe(true);
  expect(session.tables.map(({ object }) => object)).toContain('c_new');
});

test('an object that another process found is not lost when a user touches a table', async () => {
  const { emulator, session, signal, sql } = workspace;
  emulator.store.addObject({
    object: 'c_newer',
    singular: 'Newer',
    plural: 'Newer ones',
    fields: [{ name: 'title', form: { kind: 'text' } }],
  });
  await other.refreshSchema(signal);
  await session.followSchema();
  await sql(
    'CREATE INDEX ON clarify.c_newer (title); ALTER TABLE clarify.deal ADD COLUMN own text',
  );
  expect(await session.followSchema()).toBe(true);
  expect(session.tables.map(({ object }) => object)).toContain('c_newer');
  const removed = await sql('SELECT object FROM clarify_sync.mirror WHERE removed_at IS NOT NULL');
  expect(removed).toEqual([]);
});

test('a table that could not follow the workspace is no success, and says what to do', async () => {
  const { emulator, database, signal } = workspace;
  emulator.store.addField('deal', { name: 'held', form: { kind: 'text' } });
  const user = new pg.Client({ connectionString: database.url });
  await user.connect();
  try {
    await user.query('BEGIN; SELECT count(*) FROM clarify.deal');
    await other.refreshSchema(signal);
    expect(other.problems).toMatchObject([{ object: 'deal', code: 'schema-lock-timeout' }]);
    const { objects } = await syncOnce(other, { objects: ['deal'], signal });
    expect(objects).toMatchObject([
      { object: 'deal', state: 'incomplete', error: { code: 'schema-lock-timeout' } },
    ]);
  } finally {
    await user.end();
  }
  await other.refreshSchema(signal);
  expect(other.problems).toEqual([]);
  const { objects } = await syncOnce(other, { objects: ['deal'], signal });
  expect(objects).toMatchObject([{ object: 'deal', state: 'ok' }]);
});
