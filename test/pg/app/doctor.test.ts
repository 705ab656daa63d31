import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Check } from '../../../src/app/doctor/check.ts';
import { runDoctor } from '../../../src/app/doctor/doctor.ts';
import { createLog } from '../../../src/app/log.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { person: 2, company: 1 } } });
});

afterEach(async () => {
  await workspace?.stop();
});

async function examine(changes: object = {}, options: object = {}): Promise<readonly Check[]> {
  const log = createLog({ level: 'silent' });
  const config = { ...workspace.session.config, ...changes };
  return await runDoctor(config, { log, signal: workspace.signal, adopt: false, ...options });
}

function named(checks: readonly Check[], name: string): Check | undefined {
  return checks.find((check) => check.name === name);
}

test('everything is looked at, and fine', async () => {
  const checks = await examine();
  expect(checks.map(({ name, state }) => `${state} ${name}`)).toEqual([
    'ok configuration',
    'ok database',
    'ok postgres version',
    'ok database clock',
    'ok settings',
    'ok rights',
    'ok migrations',
    'ok installation',
    'ok rows',
    'ok triggers',
    'ok grants',
    'ok trouble',
    'ok objects',
    'ok publication',
    'ok foreign keys',
    'ok publications',
    'ok versions',
    'ok numbers',
    'ok views',
    'ok api',
    'ok key',
    'ok workspace',
    'ok rate',
    'ok clarify clock',
  ]);
});

test('settings that we replace are named, and one that we cannot', async () => {
  const { database } = workspace;
  await database.db.query(`ALTER DATABASE ${database.name} SET array_nulls = off`);
  await database.db.query(`ALTER DATABASE ${database.name} SET statement_timeout = '2min'`);
  expect(named(await examine(), 'settings')).toMatchObject({
    state: 'ok',
    detail: 'array_nulls, statement_timeout of role or database are replaced by our own',
    hint: null,
  });
  await database.db.query(`ALTER DATABASE ${database.name} SET timezone = 'America/New_York'`);
  expect(named(await examine(), 'settings')).toMatchObject({
    state: 'ok',
    detail: expect.stringContaining('; sessions begin in the zone America/New_York'),
    hint: expect.stringContaining('docs/readers.md'),
  });
  await database.db.query(`ALTER DATABASE ${database.name} SET session_replication_role = replica`);
  expect(named(await examine(), 'settings')).toMatchObject({
    state: 'fail',
    detail: expect.stringMatching(/go past the triggers/),
    hint: expect.stringContaining(`ALTER DATABASE ${database.name} RESET session_replication_role`),
  });
});

test('a wrong key hides nothing else, and is not shown', async () => {
  const { settings } = workspace.session.config;
  const checks = await examine({ settings: { ...settings, apiKey: 'wrong-key' } });
  expect(named(checks, 'api')?.state).toBe('ok');
  expect(named(checks, 'key')).toMatchObject({ state: 'fail', hint: expect.any(String) });
  expect(named(checks, 'workspace')).toBeUndefined();
  expect(named(checks, 'triggers')?.state).toBe('ok');
  expect(JSON.stringify(checks)).not.toContain('wrong-key');
});

test('a wrong workspace, and a database that mirrors another one', async () => {
  const { settings } = workspace.session.config;
  const checks = await examine({ settings: { ...settings, workspace: 'elsewhere' } });
  expect(named(checks, 'workspace')?.state).toBe('fail');
  expect(named(checks, 'installation')).toMatchObject({
    state: 'fail',
    detail:
      '[installation-other-workspace] schema clarify mirrors the workspace demo, and not the workspace elsewhere',
  });
});

test('a database that does not answer leaves Clarify to be looked at', async () => {
  const url = 'postgres://nobody:hidden-password@127.0.0.1:9/none';
  const checks = await examine({ database: { url, directUrl: url } });
  expect(named(checks, 'database')).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('database-unreachable'),
  });
  expect(named(checks, 'workspace')?.state).toBe('ok');
  expect(JSON.stringify(checks)).not.toContain('hidden-password');
});

test('a Clarify that accepts and never answers is given up, and hides nothing else', async () => {
  workspace.emulator.faults.add({ kind: 'timeout' });
  const startedAtMs = Date.now();
  const checks = await examine({}, { remoteLimitMs: 500 });
  expect(Date.now() - startedAtMs).toBeLessThan(10_000);
  expect(named(checks, 'api')).toMatchObject({
    state: 'fail',
    detail: '[remote-timeout] Clarify gave no usable answer within 0.5 s',
    hint: expect.any(String),
  });
  expect(named(checks, 'triggers')?.state).toBe('ok');
});

test('a Clarify that fails at once is told by what it says, not by the limit', async () => {
  workspace.emulator.faults.add({ kind: 'status', status: 503 });
  const checks = await examine({}, { remoteLimitMs: 1_000 });
  expect(named(checks, 'api')?.detail).toContain('remote-unavailable');
});

test('triggers of link tables that are gone or switched off', async () => {
  const { db } = workspace.session;
  await db.query('DROP TRIGGER clarify_link_insert ON clarify.deal_people');
  expect(named(await examine(), 'triggers')).toMatchObject({
    state: 'fail',
    detail: 'missing: deal_people: clarify_link_insert',
  });
  await db.query('DROP TRIGGER clarify_link_delete ON clarify.c_project_people');
  expect(named(await examine(), 'triggers')?.detail).toContain('c_project_people');
});

test('triggers that are gone or switched off, and tables that are gone', async () => {
  await workspace.sql('alter table clarify.deal disable trigger clarify_capture_update');
  expect(named(await examine(), 'triggers')).toMatchObject({
    state: 'fail',
    hint: 'as the owner: ALTER TABLE clarify.deal ENABLE TRIGGER clarify_capture_update',
  });
  await workspace.sql('alter table clarify.deal enable trigger clarify_capture_update');
  await workspace.sql(`
    create function public.own() returns trigger language plpgsql as 'begin return new; end';
    create trigger own before insert on clarify.deal for each row execute function public.own();
    alter table clarify.deal disable trigger own`);
  expect(named(await examine(), 'triggers')?.state).toBe('ok');
  await workspace.sql('drop trigger clarify_capture_update on clarify.deal');
  expect(named(await examine(), 'triggers')).toMatchObject({
    state: 'fail',
    detail: 'missing: deal: clarify_capture_update',
  });
  await workspace.session.refreshSchema(workspace.signal);
  expect(named(await examine(), 'triggers')?.state).toBe('ok');
  await workspace.sql('drop table clarify.deal cascade');
  expect(named(await examine(), 'triggers')?.detail).toBe('tables were dropped: deal');
});

test('triggers of others that leave out versions', async () => {
  const told = async () => named(await examine(), 'versions');
  await workspace.sql(`
    create schema clarify_history; create table clarify_history.deal (id text);
    create function public.passes() returns trigger language plpgsql as 'begin return new; end';
    create function public.drops() returns trigger language plpgsql as 'begin return null; end';
    create trigger passes before insert on clarify_history.deal for each row execute function public.passes();
    create trigger notes after insert on clarify_history.deal for each row execute function public.drops();
    create trigger drops before insert on clarify.person for each row execute function public.drops()`);
  expect((await told())?.state).toBe('ok');
  await workspace.sql(
    'create trigger drops before insert on clarify_history.deal for each row execute function public.drops()',
  );
  expect(await told()).toMatchObject({
    state: 'warn',
    detail: 'triggers may leave out what is kept of the past: drops on clarify_history.deal',
    hint: 'let it return the row, or make it an AFTER trigger',
  });
});

test('an object whose name somebody took is told, unless it is left out', async () => {
  const { db } = workspace.session;
  await db.query(`delete from clarify_sync.mirror where object = 'person'`);
  await db.query('drop table clarify.person cascade; create table clarify.person (theirs integer)');
  expect(named(await examine(), 'objects')).toMatchObject({
    state: 'fail',
    detail: '[mirror-name-taken] person: clarify.person exists and is not ours',
    hint: expect.stringContaining('rename clarify.person'),
  });
  expect(named(await examine({ exclude: ['person'] }), 'objects')?.state).toBe('ok');
});

test('a copied database is told, and adopted on request', async () => {
  await workspace.sql(
    `update clarify_sync.installation set fingerprint = '1/' || fingerprint where true`,
  );
  await workspace.sql(`update clarify.deal set amount = 5`).catch(() => []);
  const copied = named(await examine(), 'installation');
  expect(copied).toMatchObject({ state: 'fail', hint: expect.stringContaining('--adopt') });
  const adopted = await examine({}, { adopt: true });
  expect(named(adopted, 'adoption')?.state).not.toBe('fail');
  expect(named(adopted, 'installation')?.state).toBe('ok');
});

test('a clock that is off', async () => {
  workspace.emulator.switches.clockSkewMs = 600_000;
  expect(named(await examine(), 'clarify clock')).toMatchObject({
    state: 'warn',
    detail: expect.stringMatching(/^(599|600)\.\d s ahead of ours$/),
  });
});
