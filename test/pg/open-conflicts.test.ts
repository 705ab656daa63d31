import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: 'none' },
    config: {
      objects: { person: { conflicts: 'manual', fields: {}, history: false, delete: 'push' } },
    },
  });
});
afterAll(() => workspace.stop());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
const remote = (id: string) => workspace.emulator.store.get('person', id)?.attributes;
const openConflicts = (id: string) =>
  workspace.sql(
    `SELECT field, local, remote, resolution FROM clarify_sync.conflict WHERE record_id = $1 ORDER BY id`,
    [id],
  );

async function meet(): Promise<string> {
  const { emulator, sql } = workspace;
  const id = emulator.store.create('person', { job_title: 'Base' });
  await pull();
  await sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  emulator.store.update('person', id, { job_title: 'Remote' });
  return id;
}

test('an open conflict blocks its own field, and nothing else', async () => {
  const id = await meet();
  const { left } = await sync();
  expect(left).toMatchObject({ openConflicts: 1, parked: 1 });
  expect(remote(id)?.job_title).toBe('Remote');
  const [row] = await workspace.sql('SELECT job_title FROM clarify.person WHERE id = $1', [id]);
  expect(row).toEqual({ job_title: 'Local' });

  await workspace.sql(
    `UPDATE clarify.person SET job_title = 'Again', phone_numbers = '{+1}' WHERE id = $1`,
    [id],
  );
  await sync();
  await sync();
  expect(remote(id)).toMatchObject({ job_title: 'Remote', phone_numbers: { items: ['+1'] } });
  expect(await openConflicts(id)).toEqual([
    { field: 'job_title', local: 'Again', remote: 'Remote', resolution: 'open' },
  ]);
});

test('reading the record again writes nothing while a conflict is open', async () => {
  const id = await meet();
  await sync();
  const before = await workspace.sql('SELECT xmin FROM clarify.person WHERE id = $1', [id]);
  const person = (await pull()).find(({ object }) => object === 'person');
  expect(person?.counts).toMatchObject({ read: expect.any(Number), updated: 0 });
  expect(person?.counts['read']).toBeGreaterThan(0);
  expect(await workspace.sql('SELECT xmin FROM clarify.person WHERE id = $1', [id])).toEqual(
    before,
  );
});

test('it closes by itself once both sides hold the same', async () => {
  const id = await meet();
  await sync();
  workspace.emulator.store.update('person', id, { job_title: 'Local' });
  await sync();
  expect(await openConflicts(id)).toMatchObject([{ resolution: 'remote' }]);
  const unsettled = await workspace.sql(
    `SELECT 1 FROM clarify_sync.outbox WHERE record_id = $1 AND state IN ('pending', 'sending', 'parked')`,
    [id],
  );
  expect(unsettled).toEqual([]);
});

test('it closes as well where the row is given what the CRM holds', async () => {
  const id = await meet();
  await sync();
  await workspace.sql(`UPDATE clarify.person SET job_title = 'Remote' WHERE id = $1`, [id]);
  await sync();
  expect(await openConflicts(id)).toMatchObject([{ local: 'Remote', resolution: 'remote' }]);
  const unsettled = await workspace.sql(
    `SELECT 1 FROM clarify_sync.outbox WHERE record_id = $1 AND state IN ('pending', 'sending', 'parked')`,
    [id],
  );
  expect(unsettled).toEqual([]);
});

test('what the CRM normalises does not cost the next edit (invariant 3)', async () => {
  const { emulator, sql } = workspace;
  const id = emulator.store.create('company', {
    name: 'Normal',
    domains: { items: ['a.example'] },
  });
  await pull();
  await sql(`UPDATE clarify.company SET domains = '{B.Example}' WHERE id = $1`, [id]);
  await sync();
  await sql(`UPDATE clarify.company SET domains = '{c.example}' WHERE id = $1`, [id]);
  await sync();
  expect(emulator.store.get('company', id)?.attributes.domains).toEqual({ items: ['c.example'] });
  const conflicts = await sql(`SELECT 1 FROM clarify_sync.conflict WHERE object = 'company'`);
  expect(conflicts).toEqual([]);
});

test('values that jsonb cannot hold survive a conflict', async () => {
  const { emulator, sql } = workspace;
  const id = emulator.store.create('person', { job_title: 'Base' });
  await pull();
  await sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  emulator.store.update('person', id, { job_title: 'nul\u0000 \ud800' });
  await sync();
  expect(await openConflicts(id)).toMatchObject([{ local: 'Local', resolution: 'open' }]);
  emulator.store.delete('person', id);
  await sync();
  const [row] = await sql('SELECT 1 FROM clarify.person WHERE id = $1', [id]);
  expect(row).toBeUndefined();
  // Nobody has to decide about a record that is gone.
  expect((await openConflicts(id)).filter(({ resolution }) => resolution === 'open')).toEqual([]);
});
