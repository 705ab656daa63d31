import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { readStatus } from '../../src/app/status.ts';
import { readLease } from '../../src/db/lease/lease.ts';
import { readTroubles } from '../../src/db/service/trouble.ts';
import { differences } from '../support/agreement.ts';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Invariant 10: whatever keeps one object from being sent, the others go on within the usual time,
// and its entries say why they wait.

let workspace: TestWorkspace;
let daemon: RunningDaemon | null = null;
const users: pg.Client[] = [];

async function open(): Promise<void> {
  const sizes = { person: 6, company: 4, deal: 5, task: 3, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
}

/** A user in a transaction that stays open. */
async function transaction(...statements: string[]): Promise<pg.Client> {
  const user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  users.push(user);
  for (const statement of ['BEGIN', ...statements]) await user.query(statement);
  return user;
}

afterEach(async () => {
  for (const user of users.splice(0)) await user.end();
  await daemon?.stop();
  daemon = null;
  await workspace?.stop();
});

async function entryOf(object: string) {
  const [entry] = await workspace.sql(
    `SELECT state, attempts, last_error FROM clarify_sync.outbox
      WHERE object = $1 ORDER BY id DESC LIMIT 1`,
    [object],
  );
  return entry;
}

/** Less than the shortest of these tests may take. */
const WITHIN_MS = 50_000;

const isDone = (object: string) =>
  expect.poll(() => entryOf(object), { timeout: WITHIN_MS }).toMatchObject({ state: 'done' });

/** What is in trouble is tried again within three minutes: here it has not been for long. */
const allWork = () =>
  expect.poll(() => readTroubles(workspace.session.db), { timeout: 100_000 }).toEqual([]);

const edit = {
  person: (title: string) => workspace.sql(`UPDATE clarify.person SET job_title = $1`, [title]),
  company: () => workspace.sql(`UPDATE clarify.company SET employee_count = 4711`),
};

async function waitsWith(object: string, error: RegExp): Promise<void> {
  const tried = async () => {
    const one = await entryOf(object);
    return Number(one?.['attempts']) > 0 ? one : `not tried yet: ${JSON.stringify(one)}`;
  };
  await expect
    .poll(tried, { timeout: WITHIN_MS })
    .toMatchObject({ state: 'pending', last_error: expect.stringMatching(error) });
}

/** While what keeps the other object still stands; how long it takes is the bench's to say. */
async function personGoes(): Promise<void> {
  await edit.person(`Edited at ${performance.now()}`);
  await isDone('person');
}

test.each([503, 403])(
  'a list that answers %i keeps its own edits waiting, and no others',
  async (status) => {
    await open();
    const path = 'objects/company/resources';
    const fault = workspace.emulator.faults.add({ kind: 'status', status, path, method: 'GET' });
    await edit.company();
    daemon = await startDaemon(workspace);
    for (let n = 0; n < 3; n += 1) await personGoes();
    await waitsWith('company', status === 503 ? /^remote-unavailable: / : /^remote-forbidden: /);
    await personGoes();
    const troubles = await readTroubles(workspace.session.db);
    expect(troubles.map(({ object, part }) => `${object} ${part}`)).toContain('company push');
    workspace.emulator.faults.clear(fault);
    await isDone('company');
    await allWork();
    expect(await differences(workspace)).toEqual([]);
  },
  180_000,
);

test.each([
  ['CREATE INDEX ON clarify.company (employee_count)'],
  ['LOCK TABLE clarify.company IN ACCESS EXCLUSIVE MODE'],
])(
  'while a transaction holds a table (%s) everything else goes on',
  async (statement) => {
    await open();
    await edit.company();
    const user = await transaction(statement);
    daemon = await startDaemon(workspace);
    const lease = await readLease(workspace.session.db);
    for (let n = 0; n < 3; n += 1) await personGoes();
    await waitsWith('company', /^database-lock-timeout: .*company/);
    expect((await readStatus(workspace.session.db)).objects).toHaveLength(
      workspace.session.tables.length,
    );
    // Nothing was sent whose answer could not be settled.
    const [company] = workspace.emulator.store.all('company');
    expect(company?.attributes['employee_count']).not.toBe(4711);
    await user.query('ROLLBACK');
    await isDone('company');
    await allWork();
    expect((await readLease(workspace.session.db))?.epoch).toBe(lease?.epoch);
    expect(await differences(workspace)).toEqual([]);
  },
  180_000,
);

test('a create is settled while a table that refers to it is held, which follows later', async () => {
  await open();
  await workspace.sql(`INSERT INTO clarify.company (id, name) VALUES ('local:new', 'New')`);
  await workspace.sql(
    `UPDATE clarify.deal SET company_id = 'local:new' WHERE id = (SELECT min(id) FROM clarify.deal)`,
  );
  const user = await transaction('CREATE INDEX ON clarify.deal (amount)');
  daemon = await startDaemon(workspace);
  await isDone('company');
  await waitsWith('deal', /^database-lock-timeout: /);
  await user.query('ROLLBACK');
  await isDone('deal');
  const referTo = () =>
    workspace.sql(`SELECT company_id FROM clarify.deal WHERE company_id LIKE 'local:%'`);
  await expect.poll(referTo).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
}, 60_000);

test('what was sent when somebody took the table is settled, and its row follows', async () => {
  await open();
  let user: pg.Client | null = null;
  const { session } = workspace;
  const { remote } = session;
  const slow = {
    ...session,
    remote: {
      ...remote,
      limits: remote.limits,
      clock: remote.clock,
      update: async (...call: Parameters<typeof remote.update>) => {
        user ??= await transaction('CREATE INDEX ON clarify.company (employee_count)');
        return await remote.update(...call);
      },
    },
  };
  await edit.company();
  const { delivered } = await pushOnce(slow, { objects: ['company'], signal: workspace.signal });
  expect(delivered).toBe(4);
  expect(await workspace.sql('SELECT 1 FROM clarify_sync.deferred')).toHaveLength(4);
  await users[0]?.query('ROLLBACK');
  await pullAll(session, { objects: ['company'], signal: workspace.signal, priority: 'pull' });
  expect(await workspace.sql('SELECT 1 FROM clarify_sync.deferred')).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
}, 60_000);

test('one-off commands send what can be sent, and say what cannot', async () => {
  await open();
  const path = 'objects/company/resources';
  workspace.emulator.faults.add({ kind: 'status', status: 403, path, method: 'GET' });
  await edit.company();
  await edit.person('Edited');
  const outcome = await pushOnce(workspace.session, { signal: AbortSignal.timeout(5_000) });
  expect(outcome).toMatchObject({ delivered: 6 });
  expect(outcome.failed).toBeGreaterThan(0);
  expect(outcome.errors).toMatchObject([{ object: 'company', code: 'remote-forbidden' }]);
});
