import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
import { type KizenWorkspace, nothingLeft, openKizen } from '../support/kizen-workspace.ts';

// Invariant 4 where an insert cannot be repeated and a name is nobody's alone.

let workspace: KizenWorkspace;

beforeAll(async () => {
  workspace = await openKizen({
    sizes: { companies: 6, client_client: 8, deals: 4, projects: 0 },
    config: { objects: { projects: { key: 'name', fields: {}, history: false, delete: 'push' } } },
  });
  await workspace.sync();
});

afterAll(async () => {
  await workspace.stop();
});

afterEach(() => {
  workspace.emulator.faults.clear();
  Object.assign(workspace.emulator.switches, { names: 'unique', archivedRefusal: '400' });
});

async function push() {
  const { session } = workspace;
  const keeper = new LeaseKeeper(session.db, { holder: session.holder });
  await keeper.start();
  try {
    return await runPush(pushDeps(session, keeper), new AbortController().signal);
  } finally {
    await keeper.stop();
  }
}

/** As if the time that a late write may take had passed. */
async function letItSettle(): Promise<void> {
  await workspace.sql(
    `UPDATE kizen_sync.outbox SET next_attempt_at = clock_timestamp() WHERE state = 'sending'`,
  );
}

const unsettled = () =>
  workspace.sql(
    `SELECT object, op, state, last_error FROM kizen_sync.outbox
      WHERE state NOT IN ('done', 'superseded') ORDER BY id`,
  );

function named(object: string, name: string): unknown[] {
  const { store } = workspace.emulator;
  return store
    .all(object)
    .filter((record) => JSON.stringify(record).includes(JSON.stringify(name)));
}

test('an insert whose answer is lost is found by its name, and its stage is moved to', async () => {
  workspace.emulator.faults.add({ kind: 'reset-after-write', path: '/add', count: 1 });
  await workspace.sql(
    `INSERT INTO kizen.deals (name, stage, channel) VALUES ('Lost', 'Won', 'Web')`,
  );
  expect(await push()).toMatchObject({ unclear: 1 });
  expect(named('deals', 'Lost')).toHaveLength(1);
  await letItSettle();
  await push();
  expect(await unsettled()).toEqual([]);
  expect(named('deals', 'Lost')).toHaveLength(1);
  expect(named('deals', 'Lost')[0]).toEqual(
    expect.objectContaining({ fields: expect.anything() as unknown }),
  );
  expect(JSON.stringify(named('deals', 'Lost'))).toContain('"name":"Won"');
  expect(await workspace.sql(`SELECT stage FROM kizen.deals WHERE name = 'Lost'`)).toEqual([
    { stage: 'Won' },
  ]);
});

test('a move that does not arrive is made later, and the row keeps its stage meanwhile', async () => {
  workspace.emulator.faults.add({ kind: 'status', status: 503, path: '/move' });
  await workspace.sql(`INSERT INTO kizen.deals (name, stage) VALUES ('Slow', 'Proposal')`);
  await push();
  expect(await unsettled()).toMatchObject([{ op: 'update', state: 'pending' }]);
  await pullAll(workspace.session, { signal: AbortSignal.timeout(30_000), priority: 'pull' });
  expect(await workspace.sql(`SELECT stage FROM kizen.deals WHERE name = 'Slow'`)).toEqual([
    { stage: 'Proposal' },
  ]);
  workspace.emulator.faults.clear();
  await workspace.sql(
    `UPDATE kizen_sync.outbox SET next_attempt_at = clock_timestamp() WHERE state = 'pending'`,
  );
  await push();
  expect(await unsettled()).toEqual([]);
  expect(JSON.stringify(named('deals', 'Slow'))).toContain('"name":"Proposal"');
}, 60_000);

test('one that never arrived is sent again, once', async () => {
  workspace.emulator.faults.add({ kind: 'timeout', applied: false, path: '/add', count: 1 });
  await workspace.sql(`INSERT INTO kizen.companies (name) VALUES ('Never came')`);
  expect(await push()).toMatchObject({ unclear: 1 });
  expect(named('companies', 'Never came')).toHaveLength(0);
  await letItSettle();
  await push();
  expect(named('companies', 'Never came')).toHaveLength(1);
  expect(await unsettled()).toEqual([]);
}, 60_000);

test('a contact without an address, whose answer is lost, is found among what was edited since', async () => {
  workspace.emulator.faults.add({ kind: 'reset-after-write', path: '/add', count: 1 });
  await workspace.sql(
    `INSERT INTO kizen.client_client (first_name, last_name) VALUES ('No', 'Address')`,
  );
  expect(await push()).toMatchObject({ unclear: 1 });
  await letItSettle();
  await push();
  expect(named('client_client', 'Address')).toHaveLength(1);
  expect(await unsettled()).toEqual([]);
});

test('a contact with an address is sent again as it is', async () => {
  workspace.emulator.faults.add({ kind: 'reset-after-write', path: '/upsert', count: 1 });
  await workspace.sql(`INSERT INTO kizen.client_client (email) VALUES ('twice@mail.example')`);
  await push();
  expect(named('client_client', 'twice@mail.example')).toHaveLength(1);
  expect(await unsettled()).toEqual([]);
});

test('an address in another case is the contact that has it', async () => {
  const { store } = workspace.emulator;
  store.create('client_client', { first_name: 'Ada', email: 'ada@mail.example' });
  await workspace.sql(
    `INSERT INTO kizen.client_client (email, last_name) VALUES ('ADA@mail.example', 'L')`,
  );
  expect((await workspace.sync()).left).toEqual(nothingLeft);
  expect(
    await workspace.sql(
      `SELECT first_name, last_name FROM kizen.client_client WHERE email ILIKE 'ada@mail.example'`,
    ),
  ).toEqual([{ first_name: 'Ada', last_name: 'L' }]);
});

test('a name that is taken is parked, also where no list shows it yet, and another case is another name', async () => {
  const { store, switches } = workspace.emulator;
  switches.names = 'free';
  switches.visibilityDelayMs = 60_000;
  store.create('companies', { name: 'Taken' });
  switches.visibilityDelayMs = 0;
  await workspace.sql(`INSERT INTO kizen.companies (name) VALUES ('Taken'), ('TAKEN')`);
  await push();
  expect(await unsettled()).toEqual([
    {
      object: 'companies',
      op: 'insert',
      state: 'parked',
      last_error: expect.stringMatching(/^unique-taken: /) as unknown,
    },
  ]);
  expect(named('companies', 'TAKEN')).toHaveLength(1);
  expect(named('companies', 'Taken')).toHaveLength(1);
  await workspace.sql(`DELETE FROM kizen.companies WHERE name = 'Taken' AND id LIKE 'local:%'`);
  await push();
  expect(await unsettled()).toEqual([]);
});

test('where the name is the key, the record that has it is edited, as soon as it shows', async () => {
  const { store, switches } = workspace.emulator;
  store.create('projects', { name: 'Known', summary: 'theirs' });
  switches.visibilityDelayMs = 2_000;
  store.create('projects', { name: 'Known soon', summary: 'theirs' });
  switches.visibilityDelayMs = 0;
  await workspace.sql(
    `INSERT INTO kizen.projects (name, seats) VALUES ('Known', 3), ('Known soon', 4)`,
  );
  await expect
    .poll(
      async () => {
        await workspace.sync();
        return await unsettled();
      },
      { timeout: 30_000, interval: 500 },
    )
    .toEqual([]);
  expect(store.count('projects')).toBe(2);
  expect(
    await workspace.sql(`SELECT name, summary, seats FROM kizen.projects ORDER BY name`),
  ).toEqual([
    { name: 'Known', summary: 'theirs', seats: 3 },
    { name: 'Known soon', summary: 'theirs', seats: 4 },
  ]);
}, 60_000);

test.each(['400', '409', '400 entry'] as const)(
  'a name that an archived record holds parks the row in Kizen’s words (%s)',
  async (archivedRefusal) => {
    const { store, switches } = workspace.emulator;
    switches.archivedRefusal = archivedRefusal;
    const name = `Archived ${archivedRefusal}`;
    store.archive('companies', store.create('companies', { name }));
    await workspace.sql(`INSERT INTO kizen.companies (name) VALUES ($1)`, [name]);
    await push();
    expect(await unsettled()).toMatchObject([
      { state: 'parked', last_error: expect.stringContaining('archived record') as unknown },
    ]);
    await workspace.sql(`UPDATE kizen.companies SET name = name || ' again' WHERE name = $1`, [
      name,
    ]);
    await push();
    expect(await unsettled()).toEqual([]);
  },
  30_000,
);
