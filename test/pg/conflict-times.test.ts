import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});
beforeEach(() => {
  workspace.emulator.switches.activities = 'ok';
});
afterAll(() => workspace.stop());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const title = (id: string) => workspace.emulator.store.get('person', id)?.attributes.job_title;
const asked = () =>
  Object.entries(workspace.emulator.stats().endpoints)
    .filter(([endpoint]) => endpoint.endsWith('/activities'))
    .reduce((sum, [, { requests }]) => sum + requests, 0);

/** Both sides change the title, here later than there; then something else changes there. */
async function meet(): Promise<string> {
  const { emulator, session, signal, sql } = workspace;
  const id = emulator.store.create('person', { job_title: 'Base' });
  await pullAll(session, { signal, priority: 'pull' });
  const at = Date.now();
  emulator.store.update(
    'person',
    id,
    { job_title: 'Remote' },
    { at: at - 60_000, by: 'user_title' },
  );
  await sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  emulator.store.update('person', id, { lead_score: 7 }, { at: at + 60_000, by: 'user_score' });
  return id;
}

async function conflictsOf(id: string) {
  return await workspace.sql(
    `SELECT field, resolution, certain, remote_by FROM clarify_sync.conflict WHERE record_id = $1`,
    [id],
  );
}

test('newest goes by when the field itself was written, not its record (invariant 5)', async () => {
  const id = await meet();
  await sync();
  expect(await conflictsOf(id)).toEqual([
    { field: 'job_title', resolution: 'local', certain: true, remote_by: 'user_title' },
  ]);
  expect(title(id)).toBe('Local');
});

test('it goes so the other way round: a later edit there wins over an earlier one here', async () => {
  const { emulator, session, signal, sql } = workspace;
  const id = emulator.store.create('person', { job_title: 'Base' });
  await pullAll(session, { signal, priority: 'pull' });
  await sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  const at = Date.now();
  emulator.store.update(
    'person',
    id,
    { job_title: 'Remote' },
    { at: at + 5_000, by: 'user_title' },
  );
  emulator.store.update('person', id, { lead_score: 7 }, { at: at + 60_000, by: 'user_score' });
  await sync();
  expect(await conflictsOf(id)).toEqual([
    { field: 'job_title', resolution: 'remote', certain: true, remote_by: 'user_title' },
  ]);
  expect(title(id)).toBe('Remote');
  expect(await sql('SELECT job_title FROM clarify.person WHERE id = $1', [id])).toEqual([
    { job_title: 'Remote' },
  ]);
});

test('a value object is as old as its last part that was written', async () => {
  const { emulator, session, signal, sql } = workspace;
  const id = emulator.store.create('person', { name: { first_name: 'Ada', last_name: 'King' } });
  await pullAll(session, { signal, priority: 'pull' });
  const at = Date.now();
  const remote = { name: { first_name: 'Eve', last_name: 'King' } };
  emulator.store.update('person', id, remote, { at: at - 60_000, by: 'user_name' });
  await sql(
    `UPDATE clarify.person SET name = '{"first_name": "Ida", "last_name": "King"}' WHERE id = $1`,
    [id],
  );
  emulator.store.update('person', id, { lead_score: 7 }, { at: at + 60_000, by: 'user_score' });
  await sync();
  expect(await conflictsOf(id)).toEqual([
    { field: 'name', resolution: 'local', certain: true, remote_by: 'user_name' },
  ]);
});

test('the author is told where no time decides, too', async () => {
  const { emulator, session, signal, sql } = workspace;
  const emails = { email_addresses: { items: ['a@x.example'] } };
  const id = emulator.store.create('person', emails);
  await pullAll(session, { signal, priority: 'pull' });
  const at = Date.now();
  const added = { email_addresses: { items: ['a@x.example', 'remote@x.example'] } };
  emulator.store.update('person', id, added, { at: at + 1_000, by: 'user_mail' });
  emulator.store.update('person', id, { lead_score: 7 }, { at: at + 60_000, by: 'user_score' });
  await sql(
    `UPDATE clarify.person SET email_addresses = '{a@x.example,local@x.example}' WHERE id = $1`,
    [id],
  );
  await sync();
  expect(await conflictsOf(id)).toEqual([
    { field: 'email_addresses', resolution: 'merged', certain: true, remote_by: 'user_mail' },
  ]);
});

test('where no feed tells, it goes by the record, and says that this is not certain', async () => {
  workspace.emulator.switches.activities = '500';
  const id = await meet();
  await sync();
  expect(await conflictsOf(id)).toEqual([
    { field: 'job_title', resolution: 'remote', certain: false, remote_by: 'user_score' },
  ]);
  expect(title(id)).toBe('Remote');
});

test('a feed is read for records that conflict, and for no other', async () => {
  const { emulator, session, signal, sql } = workspace;
  const id = emulator.store.create('person', { job_title: 'Base' });
  await pullAll(session, { signal, priority: 'pull' });
  const before = asked();
  await sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  emulator.store.update('person', id, { lead_score: 7 });
  await sync();
  await sync();
  expect(asked()).toBe(before);
  expect(await conflictsOf(id)).toEqual([]);
});

test('a feed that never answers holds nobody up for long', async () => {
  const { emulator } = workspace;
  const fault = emulator.faults.add({ kind: 'timeout', path: 'activities', applied: false });
  const id = await meet();
  const startedMs = performance.now();
  await sync();
  expect(performance.now() - startedMs).toBeLessThan(20_000);
  expect(await conflictsOf(id)).toMatchObject([{ certain: false }]);
  emulator.faults.clear(fault);
});
