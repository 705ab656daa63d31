import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { DatabaseSyncError } from '../../src/db/connection/database-error.ts';
import { startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase } from '../support/database.ts';
import { lastDocument, runCli } from './cli-process.ts';
import { startEdits, watchReigns } from './fleet-edits.ts';
import { type FleetRig, openRig, spreadOf } from './fleet-rig.ts';

// Of a fleet each workspace is led by one process at any instant, evenly spread, whatever happens to
// processes, workspaces and file; one that is broken stops alone (docs/decisions/026-fleets.md).

let rig: FleetRig;

beforeEach(async () => {
  rig = await openRig(await createTestDatabase({ migrated: false }));
});
afterEach(async () => {
  await rig.stop();
});

const SIX = ['acme', 'globex', 'north', 'south', 'east', 'west'];

async function begin(names: readonly string[]): Promise<void> {
  for (const name of names) await rig.addWorkspace(name);
  await rig.write();
}

/** @returns how long it took. */
async function becomes(spread: readonly number[], withinMs: number): Promise<number> {
  const startedMs = performance.now();
  await expect
    .poll(async () => spreadOf(await rig.leaders()), { timeout: withinMs, interval: 50 })
    .toEqual(spread);
  return performance.now() - startedMs;
}

const arrives = async (name: string, title: string) => {
  const insert = () =>
    rig.database.db
      .query(`INSERT INTO ${name}.task (title) VALUES ($1)`, [title])
      .then(() => 'committed', String);
  await expect.poll(insert, { timeout: 30_000 }).toBe('committed');
  await expect
    .poll(
      () =>
        rig
          .emulator(name)
          .store.all('task')
          .filter((task) => task.attributes.title === title).length,
      { timeout: 30_000 },
    )
    .toBe(1);
};

test('processes come, die and stop under edits: always one leader, evenly spread, nothing lost, nothing twice', async () => {
  await begin(SIX);
  const first = await rig.start();
  await becomes([6], 30_000);
  const reigns = watchReigns(rig);
  const edits = startEdits(rig);
  const second = await rig.start();
  await rig.start();
  await becomes([2, 2, 2], 30_000);
  second.child.kill('SIGKILL');
  // Ten seconds, and a busy machine.
  await becomes([3, 3], 12_000);
  await rig.start();
  await becomes([2, 2, 2], 30_000);
  first.child.kill('SIGTERM');
  expect(await first.ended).toMatchObject({ code: 0 });
  // Handed over, not waited for: none of its leases had to run out.
  await becomes([3, 3], 5_000);
  expect(await edits.settle(60_000)).toEqual([]);
  expect(edits.count()).toBeGreaterThan(100);
  await reigns.stop();
  expect(reigns.problems()).toEqual([]);
});

test('a process that is paused loses its workspaces, and has its share once it goes on', async () => {
  await begin(SIX.slice(0, 4));
  const paused = await rig.start();
  await rig.start();
  await becomes([2, 2], 30_000);
  const edits = startEdits(rig);
  paused.child.kill('SIGSTOP');
  await becomes([4], 15_000);
  paused.child.kill('SIGCONT');
  await becomes([2, 2], 30_000);
  expect(await edits.settle(60_000)).toEqual([]);
});

test('a workspace whose key is revoked stops alone, says so, and goes on once its file has a good one', async () => {
  await begin(['acme', 'globex']);
  const service = await rig.start();
  await becomes([2], 30_000);
  await arrives('acme', 'before');
  const fault = rig.emulator('acme').faults.add({ kind: 'status', status: 401 });
  await service.saw(/"workspace":"acme".*stopped, and is tried again/);
  await becomes([-1, 1], 10_000);
  await arrives('globex', 'meanwhile');
  rig.emulator('acme').faults.clear(fault);
  await becomes([2], 60_000);
  await arrives('acme', 'after');
  expect(service.child.exitCode).toBeNull();
});

test('a workspace whose schemas are dropped is made anew, and the other never notices', async () => {
  await begin(['acme', 'globex']);
  const service = await rig.start();
  await becomes([2], 30_000);
  await arrives('acme', 'before');
  const epoch = await rig.database.db.query('SELECT epoch FROM globex_sync.lease');
  await drop('acme_sync');
  await drop('acme');
  await service.saw(/"workspace":"acme".*can be led here again/);
  await becomes([2], 60_000);
  await arrives('acme', 'after');
  expect(await rig.database.db.query('SELECT epoch FROM globex_sync.lease')).toEqual(epoch);
});

/** What is in use can be dropped in vain: whoever a deadlock ends does it again. */
async function drop(schema: string): Promise<void> {
  const deadlocked = (error: unknown) => {
    if (error instanceof DatabaseSyncError && error.sqlState === '40P01') return 'deadlocked';
    throw error;
  };
  const dropping = () => rig.database.db.query(`DROP SCHEMA ${schema} CASCADE`).catch(deadlocked);
  await expect.poll(dropping, { timeout: 20_000 }).toEqual([]);
}

test('a process that cannot read a key leaves the workspace to another', async () => {
  await begin(['acme', 'globex', 'north']);
  const blind = await rig.start({ copy: 'blind' });
  const dying = await rig.start();
  await rig.start();
  await becomes([1, 1, 1], 30_000);
  await rm(join(rig.folder, 'blind'), { recursive: true });
  dying.child.kill('SIGKILL');
  await dying.ended;
  // It may take the lease before it finds out: then it lets go of it, and another has it.
  const leaders = async () => [...(await rig.leaders()).values()];
  const ofTheBlind = (leader: string | null) => leader?.includes(`:${blind.child.pid}:`) ?? false;
  const settled = async () => {
    const all = await leaders();
    return all.every((one) => one !== null) && all.filter(ofTheBlind).length === 1;
  };
  await expect.poll(settled, { timeout: 30_000 }).toBe(true);
});

test('SIGHUP reads the file anew: workspaces come, go and change, and a file with mistakes changes nothing', async () => {
  await begin(['acme', 'globex', 'north']);
  const service = await rig.start();
  await becomes([3], 30_000);
  const epochOf = async (name: string) =>
    (await rig.database.db.query(`SELECT epoch FROM ${name}_sync.lease`))[0];
  const before = await epochOf('acme');

  const good = await readFile(rig.file, 'utf8');
  await writeFile(rig.file, `${good.replace('push: true', 'psh: true')}\nworkspace: {}\n`);
  service.child.kill('SIGHUP');
  await service.saw(/workspaces\.acme\.psh is not a known setting: did you mean push\?/);
  await service.saw(/workspace is not a known setting: did you mean workspaces\?/);
  await service.saw(/the file is refused: nothing has changed/);
  await arrives('acme', 'as before');

  rig.retire('globex');
  await rig.addWorkspace('south', { objects: { task: { pull: '*/5 * * * * *' } } });
  await rig.write();
  service.child.kill('SIGHUP');
  await service.saw(/the file was read anew/);
  await becomes([3], 30_000);
  await expect
    .poll(() =>
      rig.database.db.query('SELECT expires_at > clock_timestamp() AS held FROM globex_sync.lease'),
    )
    .toEqual([{ held: false }]);
  await expect
    .poll(() =>
      rig.database.db.query('SELECT to_regclass($1) IS NOT NULL AS there', ['south.task']),
    )
    .toEqual([{ there: true }]);
  await arrives('south', 'new');
  // What the file says as before is let alone.
  expect(await epochOf('acme')).toEqual(before);
});

test('workspaces whose CRM or database never answers keep nobody waiting: not at the start, nor SIGHUP or SIGTERM', async () => {
  const hole = await openHole();
  const apiUrl = `http://${hole}/v1`;
  const database = { url: `postgres://nobody:none@${hole}/none` };
  const deaf = ['deaf_1', 'deaf_2', 'deaf_3', 'deaf_4', 'deaf_5'];
  for (const name of deaf) await rig.addWorkspace(name, { apiUrl });
  for (const n of deaf.keys()) await rig.addWorkspace(`away_${n}`, { database });
  await begin(['acme']);
  const service = await rig.start();
  await service.saw(/"workspace":"acme".*"running"/);
  await arrives('acme', 'beside them');

  await rig.addWorkspace('deaf_1');
  await rig.addWorkspace('globex');
  await rig.write();
  service.child.kill('SIGHUP');
  await arrives('globex', 'new');
  await arrives('deaf_1', 'where its CRM is');

  service.child.kill('SIGHUP');
  service.child.kill('SIGTERM');
  await expect
    .poll(async () => [...(await rig.leaders()).values()].every((leader) => leader === null), {
      timeout: 5_000,
    })
    .toBe(true);
});

/** Takes connections, and never says a word. */
async function openHole(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

test('commands say which workspace they are about, and status speaks of all', async () => {
  await begin(['acme', 'globex']);
  const env = rig.env();
  const unsaid = await runCli(['sync'], { env });
  expect(unsaid).toMatchObject({ code: 2 });
  expect(unsaid.stderr).toContain('--workspace is needed: the fleet has 2');
  expect(unsaid.stderr).toContain('acme, globex');
  expect(await runCli(['sync', '--workspace', 'nobody'], { env })).toMatchObject({ code: 2 });
  expect(await runCli(['sync', '--workspace', 'acme'], { env })).toMatchObject({ code: 0 });
  const one = await runCli(['status', '--json', '--workspace', 'acme'], { env });
  const all = await runCli(['status', '--json'], { env });
  expect(all.code).toBe(0);
  const { workspaces } = lastDocument(all);
  expect(workspaces).toMatchObject([{ name: 'acme' }, { name: 'globex', objects: [] }]);
  const shape = (document: object) => Object.keys(document).toSorted();
  const [acme] = Array.isArray(workspaces) ? workspaces : [];
  expect(shape({ ...acme })).toEqual(shape({ name: '', ...lastDocument(one) }));
  const doctor = await runCli(['doctor', '--json'], { env });
  expect(lastDocument(doctor)).toMatchObject({
    workspaces: [{ name: 'acme' }, { name: 'globex' }],
  });
});

test('every mistake is named at once by its path, and nothing is made', async () => {
  await begin(['acme', 'globex']);
  await rig.database.db.query('CREATE SCHEMA theirs_sync CREATE TABLE t (n int)');
  await writeFile(
    rig.file,
    `workspaces:
  acme: { crm: clarfy, apiKey: secret-of-acme, workspace: acme }
  globex: { apiKeyFile: /nowhere/key, workspace: globex, sweeep: 6h }
  north: { apiKey: secret-of-north, workspace: north, schema: shared }
  south: { apiKey: secret-of-south, workspace: south, schema: shared }
  East: { apiKey: secret-of-east, workspace: east }
`,
  );
  const env = rig.env();
  const wrong = await runCli(['run'], { env });
  expect(wrong.code).toBe(2);
  for (const part of [
    'workspaces.acme.crm must be one of',
    'workspaces.globex.apiKeyFile: /nowhere/key cannot be read (ENOENT)',
    'workspaces.globex.sweeep is not a known setting: did you mean sweep?',
    'workspaces.south.schema: shared is a schema of workspaces.north in the same database',
    'workspaces.East.schema',
  ]) {
    expect(wrong.stderr).toContain(part);
  }
  expect(wrong.stderr).not.toContain('secret-of');
  await writeFile(rig.file, 'workspaces: { theirs: { apiKey: k, workspace: theirs } }');
  const foreign = await runCli(['run'], { env });
  expect(foreign.code).toBe(2);
  expect(foreign.stderr).toContain('workspaces.theirs.schema: ');
  const schemas = await rig.database.db.query(
    `SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' ORDER BY 1`,
  );
  expect(schemas).toEqual([{ nspname: 'public' }, { nspname: 'theirs_sync' }]);
});

test('of two workspaces that share a schema by two addresses of its database, one is refused', async () => {
  const other = await startCheckedEmulator({ workspace: 'other', sizes: { person: 1 } });
  onTestFinished(() => other.stop());
  const { url } = rig.database;
  const elsewhere =
    url.includes('//localhost') || url.includes('@localhost')
      ? url.replace('localhost', '127.0.0.1')
      : url.replace('127.0.0.1', 'localhost');
  await rig.addWorkspace('acme');
  await rig.addWorkspace('globex', {
    schema: 'acme',
    workspace: 'other',
    apiKeyFile: undefined,
    apiKey: other.apiKey,
    apiUrl: other.url,
    database: { url: elsewhere },
  });
  await rig.write();
  const service = await rig.start();
  await expect(service.saw(/installation-other-workspace/)).resolves.not.toThrow();
});
