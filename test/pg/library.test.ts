import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  createSync,
  type Sync,
  SyncError,
  type SyncOptions,
  UsageError,
} from '../../src/library.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let emulator: Emulator;
let database: TestDatabase;
const syncs: Sync[] = [];

beforeAll(async () => {
  emulator = await startCheckedEmulator({ sizes: { person: 6, company: 2, deal: 3 } });
  database = await createTestDatabase();
});

afterEach(async () => {
  await Promise.all(syncs.splice(0).map((sync) => sync.stop()));
});

afterAll(async () => {
  await database?.drop();
  await emulator?.stop();
});

function create(more: Partial<SyncOptions> = {}): Sync {
  const sync = createSync({
    apiKey: emulator.apiKey,
    workspace: emulator.workspace,
    apiUrl: emulator.url,
    database: { url: database.url },
    push: true,
    exclude: ['message', 'task', 'meeting', 'meeting_recording', 'c_project', 'playbook'],
    objects: {
      person: { pull: '* * * * * *', conflicts: 'manual' },
      deal: { pull: '* * * * * *', delete: 'park' },
    },
    ...more,
  });
  syncs.push(sync);
  return sync;
}

test('starts once, stops once, in any order, and starts again', async () => {
  const sync = create();
  await sync.stop();
  await Promise.all([sync.start(), sync.start()]);
  await sync.start();
  const { objects, leader } = await sync.status();
  expect(objects.map(({ object }) => object).toSorted()).toEqual(['company', 'deal', 'person']);
  expect(leader).not.toBeNull();
  await Promise.all([sync.stop(), sync.stop()]);
  await expect(sync.status()).rejects.toThrow('does not run');
  await sync.start();
  expect((await sync.status()).objects).toHaveLength(3);
  const connected = await database.db.query(
    `select from pg_stat_activity where datname = $1 and application_name = 'clarify-sync listen'`,
    [database.name],
  );
  expect(connected).toHaveLength(1);
});

test('a stop ends a start under way', async () => {
  emulator.switches.latencyMs = 60_000;
  try {
    const sync = create();
    const starting = sync.start();
    const settled = starting.catch((error: unknown) => error);
    await sync.stop();
    expect(await settled).toMatchObject({ name: 'AbortError' });
  } finally {
    emulator.switches.latencyMs = 0;
  }
});

test('a start that fails leaves nothing, and may be repeated', async () => {
  const fault = emulator.faults.add({ kind: 'status', status: 401 });
  const sync = create();
  const error: unknown = await sync.start().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(SyncError);
  expect(error).toMatchObject({ code: 'remote-unauthorized' });
  emulator.faults.clear(fault);
  await sync.start();
  expect(sync.statusUrl).toBeNull();
});

test('tells of what moves, and of what waits for a person', async () => {
  const sync = create({ http: { port: 0 } });
  const seen: string[] = [];
  sync.on('leading', (leads) => seen.push(leads ? 'leading' : 'standing by'));
  sync.on('pulled', ({ object, counts }) => {
    if ((counts['updated'] ?? 0) > 0) seen.push(`pulled ${object}`);
    throw new Error('what a listener does is its own affair');
  });
  sync.on('pushed', ({ workspace, delivered }) => seen.push(`pushed ${workspace} ${delivered}`));
  sync.on('conflict', ({ workspace, object, field, resolution }) =>
    seen.push(`conflict ${workspace} ${object} ${field} ${resolution}`),
  );
  const silence = sync.on('conflict', () => seen.push('heard by nobody'));
  silence();
  sync.on('parked', ({ workspace, object, op, code }) =>
    seen.push(`parked ${workspace} ${object} ${op} ${code}`),
  );
  await sync.start();
  expect((await fetch(`${sync.statusUrl}/livez`)).status).toBe(200);
  const [first = '', second = ''] = emulator.store.ids('person');
  const [deal = ''] = emulator.store.ids('deal');
  const { db } = database;
  const isThere = async () =>
    (await db.query('select from clarify.person where id = any ($1)', [[first, second]])).length;
  await expect.poll(isThere, { timeout: 15_000 }).toBe(2);

  await db.query(`update clarify.person set job_title = 'Mine' where id = $1`, [second]);
  await expect.poll(() => seen, { timeout: 15_000 }).toContain('pushed clarify 1');
  await db.transaction(async (tx) => {
    await tx.query(`update clarify.person set job_title = 'Ours' where id = $1`, [first]);
    emulator.store.update('person', first, { job_title: 'Theirs' });
  });
  await db.query('delete from clarify.deal where id = $1', [deal]);
  const expected = [
    'leading',
    'conflict clarify person job_title open',
    'parked clarify person update conflict-open',
    'parked clarify deal delete delete-needs-approval',
  ];
  await expect
    .poll(() => expected.filter((line) => !seen.includes(line)), { timeout: 15_000 })
    .toEqual([]);
  expect(seen.filter((line) => line.startsWith('conflict'))).toHaveLength(1);
  expect(seen).not.toContain('heard by nobody');
});

test('stops by itself where no repetition helps, and says why', async () => {
  const sync = create();
  const told = new Promise<unknown>((resolve) => sync.on('error', resolve));
  await sync.start();
  const fault = emulator.faults.add({ kind: 'status', status: 401 });
  expect(await told).toMatchObject({ code: 'remote-unauthorized' });
  await expect.poll(async () => await sync.status().catch(String)).toContain('does not run');
  emulator.faults.clear(fault);
  await sync.start();
  expect((await sync.status()).objects).toHaveLength(3);
});

test('takes nothing of the wrong type for yes, or for nothing said', async () => {
  // As a program without types would pass it.
  const untyped = (json: string): SyncOptions => JSON.parse(json);
  const said = untyped(`{
    "workspace": "demo", "apiKey": 5, "ky": "x", "database": {}, "push": "off",
    "http": { "port": "abc" }
  }`);
  const error: unknown = await createSync(said)
    .start()
    .catch((cause: unknown) => cause);
  if (!(error instanceof UsageError)) throw new Error('no mistake was found');
  expect(error.problems.toSorted()).toEqual([
    'apiKey must be of type string',
    'database.url is not set',
    'http.port must be of type number',
    'ky is not a known setting',
    'push must be of type boolean',
  ]);
  await expect(createSync(untyped('{}')).start()).rejects.toThrow(UsageError);
});

test('names every mistake by its option, and quotes no secret', async () => {
  const sync = create({
    workspace: 'a/b',
    apiKey: 'hunter2 hunter2',
    apiUrl: 'ftp://x',
    database: { url: 'mysql://me:hunter2@db' },
    http: { host: '0.0.0.0', port: 8460, nudgeSecret: 'short' },
    allowance: 400,
  });
  const error: unknown = await sync.start().catch((cause: unknown) => cause);
  if (!(error instanceof UsageError)) throw new Error('no mistake was found');
  const text = error.problems.join('\n');
  for (const option of [
    'apiKey holds',
    'workspace must',
    'apiUrl must',
    'database.url',
    'http.token',
    'http.nudgeSecret',
    'allowance: Too big',
  ]) {
    expect(text).toContain(option);
  }
  expect(text).not.toContain('hunter2');
  expect(text).not.toMatch(/[A-Z]+_[A-Z]+/);
});
