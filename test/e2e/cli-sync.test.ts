import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { lastDocument, runCli } from './cli-process.ts';

let emulator: Emulator;
let database: TestDatabase;
let env: Record<string, string>;

beforeEach(async () => {
  const none = { task: 0, meeting: 0, message: 0, c_project: 0 };
  emulator = await startCheckedEmulator({ sizes: { person: 40, company: 12, deal: 8, ...none } });
  database = await createTestDatabase();
  env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    DATABASE_URL: database.url,
    CLARIFY_SYNC_PUSH: 'on',
  };
});

afterEach(async () => {
  await emulator?.stop();
  await database?.drop();
});

test('sync twice: everything arrives, the second time changes nothing', async () => {
  const first = await runCli(['sync'], { env });
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toContain('nothing is left to do');
  const [{ people } = {}] = await database.db.query<{ people: bigint }>(
    'select count(*) as people from clarify.person',
  );
  expect(people).toBe(40n);

  const second = await runCli(['sync', '--json'], { env });
  expect(second.code).toBe(0);
  const lines = second.stdout
    .trimEnd()
    .split('\n')
    .map((line) => String(JSON.parse(line).type));
  expect(new Set(lines.slice(0, -1))).toEqual(new Set(['progress']));
  const result = lastDocument(second);
  expect(result).toMatchObject({
    type: 'result',
    push: { delivered: 0, failed: 0, delegatedTo: null },
    left: { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 },
    next: null,
  });
  expect(result['objects']).toContainEqual(
    expect.objectContaining({
      object: 'person',
      state: 'ok',
      counts: expect.objectContaining({ inserted: 0, updated: 0, removed: 0 }),
    }),
  );
});

test('status --json has the documented shape', async () => {
  const before = await runCli(['status', '--json'], { env });
  expect(lastDocument(before)).toEqual({
    objects: [],
    leader: null,
    held: [],
    access: 'api-key',
    setAside: [],
    problems: [],
    troubles: [],
    budgets: [],
    scans: [],
    activities: [],
    sides: [],
    comments: [],
    next: 'nothing is mirrored yet: run `clarify-sync sync`',
  });
  const startedMs = Date.now();
  await runCli(['sync', 'person'], { env });
  const { code, stdout, stderr } = await runCli(['status', '--json'], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.trimEnd()).not.toContain('\n');
  const { objects, leader } = JSON.parse(stdout);
  expect(leader).toBeNull();
  const person = objects.find(({ object }: { object: string }) => object === 'person');
  expect(person).toEqual({
    object: 'person',
    rows: 40,
    pending: 0,
    blocked: 0,
    parked: 0,
    openConflicts: 0,
    lagSeconds: expect.any(Number),
    lastPulledAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    lastError: null,
  });
  expect(person.lagSeconds).toBeGreaterThan(0);
  expect(person.lagSeconds).toBeLessThan((Date.now() - startedMs) / 1_000 + 1);
  const deal = objects.find(({ object }: { object: string }) => object === 'deal');
  expect(deal).toMatchObject({ rows: 0, lagSeconds: null, lastPulledAt: null });
});

test('what a pull could not read is said by pull and by status', async () => {
  await runCli(['sync'], { env });
  emulator.faults.add({ path: 'objects/deal/resources', kind: 'status', status: 500 });
  const pull = await runCli(['pull', 'deal', 'person'], { env });
  expect(pull.code).toBe(1);
  expect(pull.stderr).toContain('error [remote-unavailable]: deal');
  const status = await runCli(['status'], { env });
  expect(status.stdout).toMatch(/deal .*failed \(remote-unavailable\)/);
  expect(status.stderr).toContain('→ deal was not read whole');
});

test('push round trip: shown first, sent, and nothing left', async () => {
  await runCli(['sync'], { env });
  const [deal] = emulator.store.ids('deal');
  await database.db.query('update clarify.deal set amount = 4711.25 where id = $1', [deal]);
  await database.db.query(
    `with home as (insert into clarify.company (name, domains)
                   values ('Lighthouse', '{lighthouse.example}') returning id)
     insert into clarify.person (email_addresses, company_id)
     select '{nora@lighthouse.example}', id from home`,
  );
  const preview = await runCli(['push', '--dry-run', '--json'], { env });
  expect(preview.code).toBe(0);
  const { changes } = JSON.parse(preview.stdout);
  expect(
    changes.map(({ object, action }: Record<string, string>) => `${action} ${object}`),
  ).toEqual(['create company', 'update deal', 'create person']);
  expect(changes[1]).toMatchObject({ recordId: deal, fields: [{ field: 'amount', to: 4711.25 }] });
  expect(emulator.store.count('company')).toBe(12);

  const push = await runCli(['push'], { env });
  expect(push).toMatchObject({ code: 0, stderr: '' });
  expect(push.stdout).toContain('push: 3 delivered');
  expect(Number(emulator.store.get('deal', deal ?? '')?.attributes['amount'])).toBe(4711.25);
  const born = emulator.store
    .all('person')
    .find(({ attributes }) => JSON.stringify(attributes).includes('nora@lighthouse.example'));
  const companies = emulator.store.all('company');
  const home = companies.find(({ id }) => id === born?.attributes['company_id']);
  expect(home?.attributes['name']).toBe('Lighthouse');
  expect(lastDocument(await runCli(['outbox', 'list', '--json'], { env }))).toEqual({
    entries: [],
    aside: [],
    total: 0,
    next: null,
  });
});

test('where push is off, push sends nothing and says so', async () => {
  const off = { env: { ...env, CLARIFY_SYNC_PUSH: 'off' } };
  await runCli(['sync'], off);
  await expect(database.db.query(`update clarify.deal set stage = 'Won'`)).rejects.toThrow(
    'push is off',
  );
  const push = await runCli(['push'], off);
  expect(push.stderr).toContain('error [push-off]');
  expect(push.code).toBe(1);
});

test('a refused change is parked: exit 3, shown, retried, and discarded', async () => {
  await runCli(['sync'], { env });
  const [first, second] = emulator.store.all('person');
  const taken = second?.attributes['email_addresses'];
  const address = JSON.stringify(taken).match(/[^"[\]]+@[^"[\]]+/)?.[0];
  await database.db.query(
    `update clarify.person set email_addresses = array[$1], job_title = 'Kept back' where id = $2`,
    [address, first?.id],
  );
  const sync = await runCli(['sync'], { env });
  expect(sync.code).toBe(3);
  expect(sync.stderr).toContain('→ 1 change parked: see `clarify-sync outbox list`');

  const list = await runCli(['outbox', 'list', '--json'], { env });
  expect(list.code).toBe(3);
  const { entries } = JSON.parse(list.stdout);
  expect(entries).toMatchObject([
    { object: 'person', recordId: first?.id, state: 'parked', op: 'update' },
  ]);
  const id = String(entries[0].id);
  const show = await runCli(['outbox', 'show', id], { env });
  expect(show).toMatchObject({ code: 3 });
  expect(show.stdout).toContain('Kept back');
  expect(show.stderr).toContain(`clarify-sync outbox retry ${id}`);

  const retry = await runCli(['outbox', 'retry', id], { env });
  expect(retry).toMatchObject({ code: 0, stdout: '1 change due again\n' });
  expect((await runCli(['push'], { env })).code).toBe(3);

  const discard = await runCli(['outbox', 'discard', id], { env });
  expect(discard).toMatchObject({ code: 0, stderr: '' });
  const [row] = await database.db.query<{ job_title: string | null }>(
    'select job_title from clarify.person where id = $1',
    [first?.id],
  );
  expect(row?.job_title ?? null).toBe(first?.attributes['job_title'] ?? null);
  expect((await runCli(['sync'], { env })).code).toBe(0);
});

test('backfill tells its progress and leaves everything as it is', async () => {
  await runCli(['sync'], { env });
  const args = ['backfill', 'person', '--restart', '--concurrency', '1', '--json'];
  const result = await runCli(args, { env });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout).toContain('"type":"progress","object":"person","read":40');
  expect(lastDocument(result)).toMatchObject({ objects: [{ object: 'person', state: 'ok' }] });
});

test('doctor finds nothing wrong after a sync, and a trigger that was switched off', async () => {
  await runCli(['sync'], { env });
  const fine = await runCli(['doctor', '--json'], { env });
  expect(fine.code).toBe(0);
  const { checks } = JSON.parse(fine.stdout);
  expect(checks.filter(({ state }: { state: string }) => state !== 'ok')).toEqual([]);
  await database.db.query('alter table clarify.deal disable trigger clarify_capture_update');
  const broken = await runCli(['doctor'], { env });
  expect(broken.code).toBe(1);
  expect(broken.stderr).toContain('ENABLE TRIGGER clarify_capture_update');
});

test('schema lists the workspace; --sql only what is missing', async () => {
  const schema = await runCli(['schema', '--json'], { env });
  const { objects } = JSON.parse(schema.stdout);
  expect(objects.map(({ object }: { object: string }) => object)).toContain('c_project');
  const before = await runCli(['schema', '--sql'], { env });
  expect(before.stdout).toContain('CREATE TABLE "clarify"."person"');
  expect(await database.db.query(`select to_regclass('clarify.person') as name`)).toEqual([
    { name: null },
  ]);
});
