import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveConflict } from '../../src/app/decisions/resolve-conflict.ts';
import { revertChange } from '../../src/app/decisions/revert-change.ts';
import { runDoctor } from '../../src/app/doctor/doctor.ts';
import { createLog } from '../../src/app/log.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { previewPush } from '../../src/app/push-preview.ts';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { planWorkspaceModule } from '../../src/app/workspace-schema.ts';
import { forgetRecord } from '../../src/db/forget.ts';
import { type KizenWorkspace, nothingLeft, openKizen } from '../support/kizen-workspace.ts';

// What the rest of the program does, with Kizen.

const object = { fields: {}, history: false, delete: 'push' } as const;
let workspace: KizenWorkspace;
const signal = new AbortController().signal;

beforeAll(async () => {
  workspace = await openKizen({
    onRequest: ({ method, path }) => {
      if (method === 'POST' && path.includes('visits/search')) searches.push(path);
    },
    sizes: { companies: 80, client_client: 20, deals: 12, projects: 6 },
    config: {
      objects: {
        deals: { ...object, conflicts: 'manual' },
        projects: { ...object, history: true },
      },
    },
  });
  await workspace.sync();
}, 60_000);

afterAll(async () => {
  await workspace.stop();
});

/** Pages of visits that were asked for. */
const searches: string[] = [];

const ids = (of: string) => workspace.emulator.store.ids(of);
const first = (of: string) => ids(of)[0] ?? '';

test('a full read of ten thousand records takes twelve requests', {
  timeout: 120_000,
}, async () => {
  const { store } = workspace.emulator;
  store.addObject({ name: 'visits', singular: 'Visit', plural: 'Visits', fields: [] });
  store.import(
    'visits',
    Array.from({ length: 4_000 }, (_, n) => ({ name: `Visit ${n}` })),
    { at: '2026-03-01T10:00:00Z' },
  );
  for (let n = 4_000; n < 10_000; n += 1) {
    store.create('visits', { name: `Visit ${n}` }, { at: Date.UTC(2026, 2, 2) + n * 1_000 });
  }
  const session = await workspace.reopen();
  searches.length = 0;
  const run = { signal, objects: ['visits'], priority: 'pull' } as const;
  await reconcileAll(session, { ...run, deep: true });
  expect(await workspace.sql('SELECT count(*)::int AS count FROM kizen.visits')).toEqual([
    { count: 10_000 },
  ]);
  const whole = searches.filter((path) => path.includes('ordering=created'));
  // Two readings: the first one, and the one that was asked for.
  expect(whole.length / 2).toBeLessThanOrEqual(12);
});

test('fields that are added, renamed, retyped and deleted are followed, and no data goes', async () => {
  const { store } = workspace.emulator;
  store.addField('companies', { name: 'motto', type: 'text' });
  store.update('companies', first('companies'), { motto: 'Onwards' });
  store.changeField('companies', 'website', { rename: 'home_page' });
  store.changeField('companies', 'founded', { deleted: true });
  store.setOption('companies', 'industry', 'Energy', { rename: 'Power' });
  store.setAccess('companies', 'annual_revenue', { view: false });
  const before = await workspace.sql(
    'SELECT id, website, founded, annual_revenue FROM kizen.companies ORDER BY id',
  );
  const session = await workspace.reopen();
  await reconcileAll(session, { signal, objects: ['companies'], priority: 'pull', deep: true });
  const after = await workspace.sql(
    `SELECT id, home_page, motto, industry, website, founded, annual_revenue
       FROM kizen.companies ORDER BY id`,
  );
  expect(after.find(({ id }) => id === first('companies'))).toMatchObject({ motto: 'Onwards' });
  expect(after.map(({ home_page }) => home_page)).toEqual(before.map(({ website }) => website));
  expect(after.map(({ founded }) => founded)).toEqual(before.map(({ founded }) => founded));
  expect(after.map(({ annual_revenue }) => annual_revenue)).toEqual(
    before.map(({ annual_revenue }) => annual_revenue),
  );
  const industries = new Set(after.map(({ industry }) => industry));
  expect(industries).toContain('Power');
  expect(industries).not.toContain('Energy');
});

test('a conflict under `manual` waits, and is resolved by hand', async () => {
  const id = first('deals');
  await workspace.sql(`UPDATE kizen.deals SET name = 'Ours' WHERE id = $1`, [id]);
  workspace.emulator.store.update('deals', id, { name: 'Theirs' });
  expect((await workspace.sync()).left).toMatchObject({ openConflicts: 1 });
  const [open] = await workspace.sql(
    `SELECT id FROM kizen_sync.conflict WHERE resolution = 'open'`,
  );
  const decision = { conflict: BigInt(String(open?.['id'])), take: 'local', by: 'ada' } as const;
  await resolveConflict(workspace.session, decision, signal);
  expect((await workspace.sync()).left).toEqual(nothingLeft);
  expect(JSON.stringify(workspace.emulator.store.get('deals', id))).toContain('Ours');
});

test('history keeps every version', async () => {
  const id = first('projects');
  workspace.emulator.store.update('projects', id, { priority: 1 });
  await workspace.sync();
  workspace.emulator.store.update('projects', id, { priority: 9 });
  await workspace.sync();
  const versions = await workspace.sql(
    `SELECT priority FROM kizen_history.projects WHERE id = $1 ORDER BY 1`,
    [id],
  );
  expect(versions.map(({ priority }) => Number(priority))).toEqual(expect.arrayContaining([1, 9]));
});

test('a dry run shows a stage and its record, and sends nothing', async () => {
  await workspace.sql(`INSERT INTO kizen.deals (name, stage) VALUES ('Planned', 'Won')`);
  const deps = pushDeps(workspace.session, { epoch: null, remainingMs: () => 0 });
  const { changes } = await previewPush(workspace.session.db, deps);
  expect(changes).toMatchObject([
    {
      action: 'create',
      object: 'deals',
      fields: [
        { field: 'name', to: 'Planned' },
        { field: 'stage', to: 'Won' },
      ],
    },
  ]);
  expect((await workspace.sync()).left).toEqual(nothingLeft);
});

test('a deletion is taken back: the record is unarchived under its id', async () => {
  const id = first('projects');
  await workspace.sql(`DELETE FROM kizen.projects WHERE id = $1`, [id]);
  await workspace.sync();
  expect(workspace.emulator.store.get('projects', id)).toBeNull();
  const [entry] = await workspace.sql(
    `SELECT id FROM kizen_sync.outbox WHERE record_id = $1 AND op = 'delete'`,
    [id],
  );
  await revertChange(workspace.session, BigInt(String(entry?.['id'])));
  expect((await workspace.sync()).left).toEqual(nothingLeft);
  expect(workspace.emulator.store.get('projects', id)).not.toBeNull();
  expect(await workspace.sql('SELECT 1 AS here FROM kizen.projects WHERE id = $1', [id])).toEqual([
    { here: 1 },
  ]);
});

test('one answer of 404 takes no row away, nor does a list that leaves one out', async () => {
  const { faults, store } = workspace.emulator;
  const id = first('companies');
  store.hide('companies', [id]);
  await workspace.ageRows();
  const hidden = faults.add({ kind: 'slow', ms: 1, path: `/records/companies/${id}` });
  await reconcileUntilAsked();
  faults.clear(hidden);

  async function reconcileUntilAsked(): Promise<void> {
    // The list leaves it out, and at the second question it is there.
    let asked = 0;
    const { remote } = workspace.session;
    const read = remote.readRecord;
    Object.defineProperty(remote, 'readRecord', {
      configurable: true,
      value: async (...args: Parameters<typeof read>) => {
        if (args[0].id === id) {
          asked += 1;
          if (asked === 2) store.unhide('companies', [id]);
        }
        return await read.apply(remote, args);
      },
    });
    await reconcileAll(workspace.session, { signal, objects: ['companies'], priority: 'pull' });
    Object.defineProperty(remote, 'readRecord', { configurable: true, value: read });
    expect(asked).toBeGreaterThan(1);
  }
  expect(await workspace.sql('SELECT 1 AS here FROM kizen.companies WHERE id = $1', [id])).toEqual([
    { here: 1 },
  ]);
});

test('too many archived records wait for a person, and go together once they may', async () => {
  const { store } = workspace.emulator;
  const gone = ids('companies').slice(0, 20);
  store.archive('companies', gone);
  await workspace.ageRows();
  const run = { signal, objects: ['companies'], priority: 'pull' } as const;
  const [held] = await reconcileAll(workspace.session, run);
  expect(held).toMatchObject({ state: 'incomplete', error: { code: 'reconcile-mass-delete' } });
  const count = async () =>
    (await workspace.sql('SELECT count(*)::int AS rows FROM kizen.companies'))[0]?.['rows'];
  const before = Number(await count());
  await reconcileAll(workspace.session, { ...run, approve: true });
  expect(await count()).toBe(before - 20);
  const stones = await workspace.sql(
    `SELECT DISTINCT reason, xmin::text FROM kizen_sync.tombstone WHERE id = ANY($1)`,
    [gone],
  );
  expect(stones.map(({ reason }) => reason)).toEqual(['archived']);
}, 60_000);

test('a record that is gone is forgotten', async () => {
  const [gone] = await workspace.sql(
    `SELECT id FROM kizen_sync.tombstone WHERE object = 'companies' LIMIT 1`,
  );
  const id = String(gone?.['id']);
  await forgetRecord(workspace.session.db, { object: 'companies', id, dry: false });
  expect(
    await workspace.sql(`SELECT record FROM kizen_sync.tombstone WHERE id = $1`, [id]),
  ).toEqual([{ record: {} }]);
});

test('doctor says what is promised less, and the Drizzle module has the tables', async () => {
  const log = createLog({ level: 'silent' });
  const { config } = workspace.session;
  const checks = await runDoctor(config, { log, signal } as never);
  const said = JSON.stringify(checks);
  expect(said).toContain('a deleted row archives its record');
  expect(said).toContain('`newest` goes by the last edit of the whole record');
  const schemas = workspace.session.tables.map(({ schema }) => schema);
  const module = JSON.stringify(await planWorkspaceModule(config, { log, signal }, { schemas }));
  expect(module).toContain('client_client');
  expect(module).toContain('satisfaction');
});
