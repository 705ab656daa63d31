import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});
afterAll(() => workspace.stop());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const people = () => workspace.emulator.store.all('person');

test('an insert of a known e-mail becomes an edit of that record (invariant 4)', async () => {
  const { emulator, sql } = workspace;
  const id = emulator.store.create('person', {
    email_addresses: { items: ['ann@example.com', 'ann@example.org'] },
    job_title: 'Founder',
  });
  await sync();
  const [born] = await sql(
    `INSERT INTO clarify.person (email_addresses, job_title) VALUES ('{Ann@Example.com}', 'CEO') RETURNING id`,
  );
  await sync();
  expect(people()).toHaveLength(1);
  expect(people()[0]?.attributes).toMatchObject({
    job_title: 'CEO',
    email_addresses: { items: ['ann@example.com', 'ann@example.org'] },
  });
  const [row] = await sql('SELECT id, _local_id, job_title FROM clarify.person');
  expect(row).toEqual({ id, _local_id: born?.id, job_title: 'CEO' });
  const mapped = await sql('SELECT old_id, id, reason FROM clarify_sync.id_map');
  expect(mapped).toEqual([{ old_id: born?.id, id, reason: 'adopted' }]);
  const [entry] = await sql(`SELECT changes FROM clarify_sync.outbox WHERE record_id = $1`, [id]);
  expect(entry?.changes).toEqual({ job_title: { base: 'Founder', value: 'CEO' } });
  expect(await differences(workspace)).toEqual([]);
});

test('two inserts that are one record become one row', async () => {
  const { sql } = workspace;
  await sql(`INSERT INTO clarify.person (email_addresses, job_title)
    VALUES ('{two@example.com}', 'One'), ('{TWO@example.com}', 'Two')`);
  await sync();
  expect(people()).toHaveLength(2);
  const rows = await sql(
    `SELECT id, job_title FROM clarify.person WHERE 'two@example.com' = ANY (email_addresses)`,
  );
  expect(rows).toEqual([{ id: expect.not.stringMatching(/^local:/), job_title: 'Two' }]);
  expect(await differences(workspace)).toEqual([]);
});

// While it is not known whether a create arrived, its record may come in beside the row born here.
test('an edit of the record before the row born here is found to be it is kept (invariant 2)', async () => {
  const { emulator, session, signal, sql } = workspace;
  await sql(
    `INSERT INTO clarify.person (email_addresses, lead_score) VALUES ('{twin@example.com}', 2)`,
  );
  const id = emulator.store.create('person', {
    email_addresses: { items: ['twin@example.com'] },
    lead_score: 1,
  });
  await pullAll(session, { objects: ['person'], priority: 'pull', everything: true, signal });
  await sql('UPDATE clarify.person SET lead_score = 5 WHERE id = $1', [id]);
  await sync();
  expect(emulator.store.get('person', id)?.attributes).toMatchObject({ lead_score: 5 });
  expect(await differences(workspace)).toEqual([]);
});

test('a taken deal name is parked: it is no identity', async () => {
  const { emulator, sql } = workspace;
  emulator.store.create('deal', { name: 'Big one' });
  await sync();
  await sql(`INSERT INTO clarify.deal (name) VALUES ('Big one')`);
  const { left } = await sync();
  expect(left.parked).toBe(1);
  expect(emulator.store.count('deal')).toBe(1);
  // A later edit of the row mends it.
  await sql(`UPDATE clarify.deal SET name = 'Bigger one' WHERE id LIKE 'local:%'`);
  expect((await sync()).left.parked).toBe(0);
  expect(emulator.store.count('deal')).toBe(2);
  expect(await differences(workspace)).toEqual([]);
});

test('nor is it where every create is an upsert', async () => {
  const classic = await openWorkspace({ emulator: { dialect: 'classic', sizes: 'none' } });
  try {
    const { emulator, sql, session, signal } = classic;
    const id = emulator.store.create('deal', { name: 'Taken', amount: 1 });
    await syncOnce(session, { signal });
    await sql(`INSERT INTO clarify.deal (name, amount) VALUES ('Taken', 4242)`);
    const { left } = await syncOnce(session, { signal });
    expect(left.parked).toBe(1);
    expect(emulator.store.get('deal', id)?.attributes.amount).toBe(1);
  } finally {
    await classic.stop();
  }
});
