import { afterAll, beforeAll, expect, test } from 'vitest';
import { discardChange } from '../../src/app/decisions/discard-change.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: 'none', switches: { omitNulls: true } },
  });
});
afterAll(() => workspace.stop());

test('a discarded edit leaves the row as it was where answers leave out what is empty', async () => {
  const { session, signal, sql, emulator } = workspace;
  const id = emulator.store.create('task', { title: 'Call' });
  await pullAll(session, { objects: ['task'], signal, priority: 'pull' });
  await sql(`UPDATE clarify.task SET status = 'To Do', title = 'Call back' WHERE id = $1`, [id]);
  const [entry] = await sql(
    `UPDATE clarify_sync.outbox SET state = 'parked', last_error = 'remote-invalid: no' RETURNING id`,
  );
  expect(await discardChange(session, BigInt(String(entry?.id)), signal)).toBe(
    'remote value restored',
  );
  const [row] = await sql('SELECT title, status FROM clarify.task WHERE id = $1', [id]);
  expect(row).toEqual({ title: 'Call', status: null });
});
