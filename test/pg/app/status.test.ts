import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../../src/app/pull-all.ts';
import { pushDeps, pushOnce } from '../../../src/app/push-once.ts';
import { previewPush } from '../../../src/app/push-preview.ts';
import { readStatus, totalStanding } from '../../../src/app/status.ts';
import { openDatabase } from '../../../src/db/connection/database.ts';
import { acquireLease, releaseLease } from '../../../src/db/lease/lease.ts';
import { finishRun, startRun } from '../../../src/db/service/run-log.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = { person: 6, company: 4, deal: 5, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
});

afterAll(async () => {
  await workspace?.stop();
});

async function standing(object: string) {
  const { objects } = await readStatus(workspace.session.db);
  return objects.find((each) => each.object === object);
}

test('before the first pull nothing is claimed', async () => {
  expect(await standing('person')).toEqual({
    object: 'person',
    rows: 0n,
    pending: 0,
    blocked: 0,
    parked: 0,
    openConflicts: 0,
    setAside: 0,
    lagSeconds: null,
    lastPulledAt: null,
    lastError: null,
    problem: null,
    phase: 'backfill',
    watermark: null,
    lastRun: null,
    troubles: [],
  });
});

test('a pull sets rows, lag, watermark and last run', async () => {
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
  const person = await standing('person');
  expect(person).toMatchObject({
    rows: 6n,
    lastError: null,
    phase: 'incremental',
    watermark: expect.stringMatching(/^\d{4}-.*Z$/),
    lastRun: { kind: 'pull', state: 'ok', finishedAt: expect.stringMatching(/^\d{4}-.*Z$/) },
  });
  expect(person?.lagSeconds).toBeGreaterThan(0);
  expect(person?.lagSeconds).toBeLessThan(60);
  // Lag counts from when the pull began: what changed since may not be in it.
  expect(person?.lastRun?.startedAt.slice(0, 23)).toBe(person?.lastPulledAt?.slice(0, 23));
});

test('a run that was not whole is told until one is, and moves no lag', async () => {
  const { db, holder } = workspace.session;
  const before = await standing('deal');
  const run = { kind: 'pull', object: 'deal', holder } as const;
  const failed = await startRun(db, run);
  expect(await standing('deal')).toMatchObject({ lastError: null, lastRun: { state: 'running' } });
  await finishRun(db, failed, { state: 'failed', counts: {}, error: 'remote-timeout' });
  expect(await standing('deal')).toMatchObject({
    lastError: 'remote-timeout',
    lastPulledAt: before?.lastPulledAt,
    lastRun: { state: 'failed' },
  });
  const whole = await startRun(db, run);
  await finishRun(db, whole, { state: 'ok', counts: {}, error: null });
  expect(await standing('deal')).toMatchObject({ lastError: null, lastRun: { state: 'ok' } });
});

const preview = () =>
  previewPush(
    workspace.session.db,
    pushDeps(workspace.session, { epoch: null, remainingMs: () => 0 }),
  );

test('pending, blocked and parked count every change once; a preview shows what is free', async () => {
  const { session, sql } = workspace;
  const [deal] = workspace.emulator.store.ids('deal');
  await sql(`update clarify.deal set amount = 1 where id = $1`, [deal]);
  await sql(
    `with home as (insert into clarify.company (name) values ('Home') returning id)
     insert into clarify.person (company_id) select id from home`,
  );
  expect(totalStanding((await readStatus(session.db)).objects)).toEqual({
    pending: 3,
    blocked: 0,
    parked: 0,
    openConflicts: 0,
    setAside: 0,
  });
  const previewed = await preview();
  expect(previewed.changes.map(({ object, action }) => `${action} ${object}`)).toEqual([
    'create company',
    'update deal',
    'create person',
  ]);
  expect(previewed.waiting).toBe(0);

  workspace.emulator.faults.add({ method: 'POST', path: 'company', kind: 'status', status: 422 });
  await pushOnce(session, { signal: workspace.signal });
  expect(await standing('company')).toMatchObject({ parked: 1, pending: 0, blocked: 0 });
  expect(await standing('person')).toMatchObject({ parked: 0, pending: 0, blocked: 1 });
  expect(await standing('deal')).toMatchObject({ parked: 0, pending: 0, blocked: 0 });
  expect(await preview()).toEqual({
    changes: [],
    adopted: [],
    parked: [],
    waiting: 1,
  });
});

test('the leader is told while it leads', async () => {
  const { db } = workspace.session;
  expect((await readStatus(db)).leader).toBeNull();
  const lease = await acquireLease(db, { holder: 'here:1', ttlMs: 10_000 });
  expect((await readStatus(db)).leader).toMatchObject({ holder: 'here:1', epoch: lease?.epoch });
  await releaseLease(db, lease?.epoch ?? 0n);
  expect((await readStatus(db)).leader).toBeNull();
});

test('a mirror table that somebody dropped counts as empty, and hides nothing else', async () => {
  await workspace.sql('drop table clarify.task');
  expect(await standing('task')).toMatchObject({ rows: 0n });
  expect(await standing('person')).toMatchObject({ rows: 7n });
});

test('a table that may not be read is estimated, and the others are told all the same', async () => {
  const { database, sql } = workspace;
  const role = `reader_${database.name}`;
  const url = new URL(database.url);
  url.username = role;
  url.password = 'reader';
  await sql(`ANALYZE clarify.deal`);
  await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'`);
  await sql(`GRANT USAGE ON SCHEMA clarify, clarify_sync TO ${role}`);
  await sql(`GRANT SELECT ON ALL TABLES IN SCHEMA clarify, clarify_sync TO ${role}`);
  await sql(`REVOKE SELECT ON clarify.deal FROM ${role}`);
  const db = openDatabase({ url: url.href, applicationName: 'reader' });
  try {
    const { objects } = await readStatus(db);
    const rows = Object.fromEntries(objects.map((each) => [each.object, each.rows]));
    expect(rows).toMatchObject({ person: 7n, deal: 5n });
  } finally {
    await db.close();
    await sql(`DROP OWNED BY ${role}`);
    await sql(`DROP ROLE ${role}`);
  }
});
