import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// References by an old id are rewritten wherever and whenever they appear: here, in the outbox.

let workspace: TestWorkspace;
let user: pg.Client;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
  await sync();
});
afterAll(() => workspace.stop());

beforeEach(async () => {
  user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
});
afterEach(() => user.end());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
async function push(): Promise<void> {
  const { db, holder } = workspace.session;
  const keeper = new LeaseKeeper(db, { holder });
  await keeper.start();
  await runPush(pushDeps(workspace.session, keeper), workspace.signal);
  await keeper.stop();
}
const unsettled = () =>
  workspace.sql(`SELECT record_id, state, last_error FROM clarify_sync.outbox
                  WHERE state IN ('pending', 'sending', 'parked')`);

test('two rows that turned out to be one record become one row once they are free', async () => {
  const { sql, emulator } = workspace;
  const id = emulator.store.create('person', { job_title: 'One' });
  const twins = ['local:twin-a', 'local:twin-b'];
  for (const twin of twins) {
    await sql(`INSERT INTO clarify.person (id, job_title) VALUES ($1, 'One')`, [twin]);
  }
  // As a user's open transaction leaves it: both creates settled, neither row renamed.
  await sql(
    `UPDATE clarify_sync.outbox SET state = 'done', done_at = now(), record_id = $1 WHERE record_id = ANY($2)`,
    [id, twins],
  );
  await sql(
    `INSERT INTO clarify_sync.id_map (object, old_id, id, reason)
     SELECT 'person', twin, $1, 'pushed' FROM unnest($2::text[]) AS twin`,
    [id, twins],
  );
  const runs = await pull();
  expect(runs.map(({ state }) => state)).not.toContain('failed');
  expect(await sql('SELECT id, job_title FROM clarify.person')).toEqual([{ id, job_title: 'One' }]);
  emulator.store.delete('person', id);
  await pull();
  expect(await sql('SELECT FROM clarify.person')).toEqual([]);
});

test('a link cleared while the other end got its id conflicts with nobody (invariant 3)', async () => {
  const { sql, emulator } = workspace;
  const [company] = await sql(`INSERT INTO clarify.company (name) VALUES ('Born') RETURNING id`);
  const [person] = await sql(
    'INSERT INTO clarify.person (job_title, company_id) VALUES ($1, $2) RETURNING id',
    ['Buyer', company?.id],
  );
  await user.query('BEGIN');
  await user.query('UPDATE clarify.person SET company_id = NULL WHERE id = $1', [person?.id]);
  await sync();
  await user.query('COMMIT');
  const [record] = emulator.store.all('person');
  emulator.store.update('person', record?.id ?? '', { lead_score: 7 });
  await pull();
  expect(await sql('SELECT field FROM clarify_sync.conflict')).toEqual([]);
  await sync();
  expect(emulator.store.get('person', record?.id ?? '')?.attributes.company_id).toBeNull();
  expect(await differences(workspace)).toEqual([]);
});

test('a row whose link is in flight is pointed at the id that the other end got', async () => {
  const { sql, emulator } = workspace;
  const person = emulator.store.create('person', { job_title: 'Cook' });
  await pull();
  const [company] = await sql(`INSERT INTO clarify.company (name) VALUES ('Bistro') RETURNING id`);
  await sql('UPDATE clarify.person SET company_id = $1 WHERE id = $2', [company?.id, person]);
  await user.query('BEGIN');
  // Somebody holds the row when the company gets its id.
  await user.query('SELECT 1 FROM clarify.person WHERE id = $1 FOR UPDATE', [person]);
  await push();
  const [now] = await sql(`SELECT clarify_sync.current_id('company', $1) AS id`, [company?.id]);
  const id = String(now?.id);
  const link = async () =>
    (await sql('SELECT company_id FROM clarify.person WHERE id = $1', [person]))[0]?.company_id;
  expect([id.startsWith('local:'), await link()]).toEqual([false, company?.id]);
  await user.query('ROLLBACK');
  // As while it is sent: it has arrived, and the answer has not.
  await sql('DELETE FROM clarify_sync.deferred');
  emulator.store.update('person', person, { company_id: id, lead_score: 3 });
  await sql(
    `UPDATE clarify_sync.outbox SET state = 'sending', epoch = 1, sent_at = now()
      WHERE record_id = $1 AND state = 'pending'`,
    [person],
  );
  await pull();
  expect(await link()).toBe(id);
  await sync();
  expect(await differences(workspace)).toEqual([]);
});

test('a link written in a transaction that a merge came into goes to the survivor', async () => {
  const { sql, emulator } = workspace;
  const { store } = emulator;
  const survivor = store.create('company', { name: 'Survivor' });
  const vanishing = store.create('company', { name: 'Vanishing' });
  const person = store.create('person', { job_title: 'Guard' });
  await pull();
  await user.query('BEGIN');
  await user.query('UPDATE clarify.person SET company_id = $1 WHERE id = $2', [vanishing, person]);
  store.merge('company', survivor, [vanishing]);
  await pull();
  await user.query('COMMIT');
  await sync();
  expect(await unsettled()).toEqual([]);
  expect(store.get('person', person)?.attributes.company_id).toBe(survivor);
  expect(await sql('SELECT company_id FROM clarify.person WHERE id = $1', [person])).toEqual([
    { company_id: survivor },
  ]);
  expect(await differences(workspace)).toEqual([]);
});

test('a link to a record that was merged away meanwhile goes to the survivor', async () => {
  const { sql, emulator } = workspace;
  const { store } = emulator;
  const survivor = store.create('company', { name: 'Survivor' });
  const vanishing = store.create('company', { name: 'Vanishing' });
  const person = store.create('person', { job_title: 'Clerk' });
  await pull();
  await sql('UPDATE clarify.person SET company_id = $1 WHERE id = $2', [vanishing, person]);
  store.merge('company', survivor, [vanishing]);
  await pull();
  await sync();
  expect(await unsettled()).toEqual([]);
  expect(store.get('person', person)?.attributes.company_id).toBe(survivor);
  expect(await differences(workspace)).toEqual([]);
});

test('a link refused because its record was just merged away goes to the survivor', async () => {
  const { sql, emulator } = workspace;
  const { store } = emulator;
  const survivor = store.create('company', { name: 'Survivor' });
  const vanishing = store.create('company', { name: 'Vanishing' });
  const person = store.create('person', { job_title: 'Clerk' });
  await pull();
  await sql('UPDATE clarify.person SET company_id = $1 WHERE id = $2', [vanishing, person]);
  store.merge('company', survivor, [vanishing]);
  await push();
  expect(await unsettled()).toMatchObject([{ state: 'parked' }]);
  await sync();
  expect(await unsettled()).toEqual([]);
  expect(store.get('person', person)?.attributes.company_id).toBe(survivor);
  expect(await differences(workspace)).toEqual([]);
});
