import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  createSync,
  type FleetOptions,
  type FleetSync,
  UsageError,
  type WorkspaceOptions,
} from '../../src/library.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const NAMES = ['acme', 'globex'];
const emulators: Emulator[] = [];
let database: TestDatabase;
const syncs: FleetSync[] = [];

beforeAll(async () => {
  for (const _ of NAMES) {
    emulators.push(await startCheckedEmulator({ sizes: { person: 6, company: 2, deal: 3 } }));
  }
  database = await createTestDatabase();
});

afterEach(async () => {
  await Promise.all(syncs.splice(0).map((sync) => sync.stop()));
});

afterAll(async () => {
  await database?.drop();
  for (const emulator of emulators) await emulator.stop();
});

function emulatorOf(name: string): Emulator {
  const emulator = emulators[NAMES.indexOf(name)];
  if (emulator === undefined) throw new Error(`no emulator for ${name}`);
  return emulator;
}

function workspace(name: string, more: WorkspaceOptions = {}): WorkspaceOptions {
  const { apiKey, workspace: slug, url } = emulatorOf(name);
  return {
    apiKey,
    workspace: slug,
    apiUrl: url,
    push: true,
    exclude: ['message', 'task', 'meeting', 'meeting_recording', 'c_project', 'playbook'],
    objects: {
      person: { pull: '* * * * * *', conflicts: 'manual' },
      deal: { pull: '* * * * * *', delete: 'park' },
    },
    ...more,
  };
}

function create(options: Partial<FleetOptions> = {}): FleetSync {
  const sync = createSync({
    database: { url: database.url },
    workspaces: Object.fromEntries(NAMES.map((name) => [name, workspace(name)])),
    ...options,
  });
  syncs.push(sync);
  return sync;
}

const states = async (sync: FleetSync) =>
  Object.fromEntries((await sync.status()).workspaces.map(({ name, state }) => [name, state]));

test('serves all of them, in any order of start and stop, and tells how each stands', async () => {
  const sync = create();
  await sync.stop();
  await Promise.all([sync.start(), sync.start()]);
  await expect
    .poll(() => states(sync), { timeout: 20_000 })
    .toEqual({ acme: 'leading', globex: 'leading' });
  const { workspaces } = await sync.status();
  for (const { objects, leader, error } of workspaces) {
    expect(objects.map(({ object }) => object).toSorted()).toEqual(['company', 'deal', 'person']);
    expect(leader).not.toBeNull();
    expect(error).toBeNull();
  }
  await Promise.all([sync.stop(), sync.stop()]);
  await expect(sync.status()).rejects.toThrow('does not run');
  await sync.start();
  await expect
    .poll(() => states(sync), { timeout: 20_000 })
    .toEqual({ acme: 'leading', globex: 'leading' });
});

test('tells of which workspace something moves, and what in it waits for a person', async () => {
  const sync = create({ http: { port: 0 } });
  const seen: string[] = [];
  sync.on('leading', ({ workspace: name, leads }) => seen.push(`${name} leads ${leads}`));
  sync.on('pushed', ({ workspace: name, delivered }) => seen.push(`${name} pushed ${delivered}`));
  sync.on('parked', ({ workspace: name, op, code }) => seen.push(`${name} parked ${op} ${code}`));
  sync.on('conflict', ({ workspace: name, field }) => seen.push(`${name} conflict ${field}`));
  sync.on('pulled', () => {
    throw new Error('what a listener does is its own affair');
  });
  await sync.start();
  const { db } = database;
  const rows = async (name: string) =>
    (await db.query(`select from ${name}.person`).catch(() => [])).length;
  for (const name of NAMES) await expect.poll(() => rows(name), { timeout: 20_000 }).toBe(6);

  const [person = ''] = emulatorOf('globex').store.ids('person').toSorted();
  await db.query(`update globex.person set job_title = 'Pilot' where id = $1`, [person]);
  await expect.poll(() => seen, { timeout: 15_000 }).toContain('globex pushed 1');
  expect(emulatorOf('globex').store.get('person', person)?.attributes['job_title']).toBe('Pilot');
  await db.query('delete from acme.deal where id = (select min(id) from acme.deal)');
  await expect
    .poll(() => seen, { timeout: 15_000 })
    .toContain('acme parked delete delete-needs-approval');
  await db.transaction(async (tx) => {
    await tx.query(`update globex.person set job_title = 'Ours' where id = $1`, [person]);
    emulatorOf('globex').store.update('person', person, { job_title: 'Theirs' });
  });
  await expect.poll(() => seen, { timeout: 15_000 }).toContain('globex conflict job_title');
  expect(seen.filter((line) => line.startsWith('acme pushed'))).toEqual([]);

  const list = await (await fetch(`${sync.statusUrl}/`)).text();
  expect(list).toContain('<a href="/w/acme/">');
  expect(list).toContain('1 conflict open');
  const page = await (await fetch(`${sync.statusUrl}/w/globex/`)).text();
  expect(page).toContain('action="/w/globex/conflicts/');
  expect((await fetch(`${sync.statusUrl}/readyz`)).status).toBe(200);
  await sync.stop();
  expect(seen.filter((line) => line.endsWith('leads false')).toSorted()).toEqual([
    'acme leads false',
    'globex leads false',
  ]);
  expect(sync.statusUrl).toBeNull();
});

test('each of two shows everything, and decides what the other leads', async () => {
  const http = { port: 0, nudgeSecret: 'a-secret-that-nobody-guesses' };
  // Nothing but a nudge has people read again.
  const objects = { person: { pull: '0 0 1 1 *' }, deal: { delete: 'park' } } as const;
  const workspaces = Object.fromEntries(NAMES.map((one) => [one, workspace(one, { objects })]));
  const [first, second] = [create({ http, workspaces }), create({ http, workspaces })];
  await Promise.all([first.start(), second.start()]);
  const led = async (sync: FleetSync) =>
    Object.entries(await states(sync)).flatMap(([name, state]) =>
      state === 'leading' ? [name] : [],
    );
  await expect
    .poll(async () => [...(await led(first)), ...(await led(second))].toSorted(), {
      timeout: 30_000,
    })
    .toEqual(NAMES);
  await expect.poll(async () => (await led(first)).length, { timeout: 30_000 }).toBe(1);
  const [name = ''] = await led(first);
  const other = String(second.statusUrl);

  await database.db.query(`delete from ${name}.deal where id = (select max(id) from ${name}.deal)`);
  const page = async () => await fetch(`${other}/w/${name}/`);
  await expect
    .poll(async () => await (await page()).text(), { timeout: 15_000 })
    .toMatch(/standing by behind .*delete-needs-approval/s);
  const shown = await page();
  const text = await shown.text();
  const [, action = ''] = /action="([^"]*\/discard)"/.exec(text) ?? [];
  const [, form = ''] = /name="form" value="([0-9a-f]+)"/.exec(text) ?? [];
  const cookie = shown.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const headers = { cookie, origin: other };
  const body = new URLSearchParams({ form });
  const answer = await fetch(`${other}${action}`, { method: 'POST', headers, body });
  expect(await answer.text()).toMatch(/<p id="notice"[^>]*>change \d+: /);
  expect(emulatorOf(name).store.ids('deal')).toHaveLength(3);

  const people = async () => await database.db.query(`select from ${name}.person`);
  await expect.poll(people, { timeout: 15_000 }).toHaveLength(6);
  const [person = ''] = emulatorOf(name).store.ids('person').toSorted();
  emulatorOf(name).store.update('person', person, { job_title: 'Nudged' });
  const nudged = await fetch(`${other}/w/${name}/nudge/${http.nudgeSecret}`, { method: 'POST' });
  expect(nudged.status).toBe(202);
  const title = async () =>
    await database.db.query(`select job_title as title from ${name}.person where id = $1`, [
      person,
    ]);
  await expect.poll(title, { timeout: 15_000 }).toEqual([{ title: 'Nudged' }]);
}, 120_000);

test('one with a wrong key stops alone, and works once the key is right', async () => {
  const sync = create({
    workspaces: { acme: workspace('acme'), globex: workspace('globex', { apiKey: 'wrong-key' }) },
  });
  const errors: unknown[] = [];
  sync.on('error', (notice) => errors.push(notice));
  await sync.start();
  await expect
    .poll(() => states(sync), { timeout: 20_000 })
    .toEqual({ acme: 'leading', globex: 'broken' });
  expect(errors).toMatchObject([{ workspace: 'globex', error: { code: 'remote-unauthorized' } }]);
  const { workspaces } = await sync.status();
  expect(workspaces.find(({ name }) => name === 'globex')?.error?.code).toBe('remote-unauthorized');
  await sync.change({
    database: { url: database.url },
    workspaces: { acme: workspace('acme'), globex: workspace('globex') },
  });
  await expect
    .poll(() => states(sync), { timeout: 20_000 })
    .toEqual({ acme: 'leading', globex: 'leading' });
});

test('goes on with other workspaces, and with the old ones where the new cannot be', async () => {
  const sync = create({ workspaces: { acme: workspace('acme') } });
  await sync.start();
  await expect.poll(() => states(sync), { timeout: 20_000 }).toEqual({ acme: 'leading' });
  const refused = sync.change({
    database: { url: database.url },
    workspaces: { globex: workspace('globex', { sweep: 'soon' }) },
  });
  await expect(refused).rejects.toThrow(UsageError);
  expect(await states(sync)).toEqual({ acme: 'leading' });
  await sync.change({
    database: { url: database.url },
    workspaces: { globex: workspace('globex') },
  });
  await expect.poll(() => states(sync), { timeout: 20_000 }).toEqual({ globex: 'leading' });
});

test('names every mistake by its path, and quotes no secret', async () => {
  const untyped = (json: string): FleetOptions => JSON.parse(json);
  const said = untyped(`{
    "database": { "url": "mysql://me:hunter2@db" },
    "workspaces": {
      "acme": { "crm": "nobody", "apiKey": "hunter2" },
      "globex": { "workspace": "demo", "apiKey": "hunter2 hunter2", "push": "off" },
      "north": { "workspace": "demo", "apiKey": "hunter2", "schema": "globex", "swep": "6h" }
    },
    "http": { "port": 8460, "host": "0.0.0.0" }
  }`);
  const error: unknown = await createSync(said)
    .start()
    .catch((cause: unknown) => cause);
  if (!(error instanceof UsageError)) throw new Error('no mistake was found');
  const text = error.problems.join('\n');
  for (const path of [
    'database.url',
    'workspaces.acme.crm',
    'workspaces.globex.apiKey',
    'workspaces.globex.push',
    'workspaces.north.swep',
    'http.token',
  ]) {
    expect(text).toContain(path);
  }
  expect(text).not.toContain('hunter2');
  await expect(createSync(untyped('{"workspaces": {}}')).start()).rejects.toThrow(UsageError);
  await expect(createSync(untyped('{"workspaces": null}')).start()).rejects.toThrow(UsageError);
});
