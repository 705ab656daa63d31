import { afterAll, beforeAll, expect, test } from 'vitest';
import { revertChange } from '../../src/app/decisions/revert-change.ts';
import { runDoctor } from '../../src/app/doctor/doctor.ts';
import { createLog } from '../../src/app/log.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { previewPush } from '../../src/app/push-preview.ts';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { forgetRecord } from '../../src/db/forget.ts';
import { approveDeletes } from '../../src/db/outbox/delete-guard.ts';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// What works for one CRM, on another that lists no changes, no deletions and no totals.

let attio: SyncedAttio;

beforeAll(async () => {
  const kept = { fields: {}, history: true, delete: 'push' } as const;
  attio = await openSyncedAttio(
    { sizes: { companies: 30, people: 120, deals: 40, projects: 10 } },
    { objects: { people: kept, deals: kept } },
  );
  await attio.sync();
});
afterAll(() => attio.stop());

const log = createLog({ level: 'silent' });
const store = () => attio.emulator.store;
const sync = async () => expect((await attio.sync()).left).toEqual(nothingLeft);
const count = async (object: string) =>
  (await attio.sql(`SELECT count(*)::int AS rows FROM attio.${object}`))[0]?.['rows'];

test('history keeps every version, whichever side made it', async () => {
  const [id = ''] = store().ids('people');
  await attio.sql(`UPDATE attio.people SET job_title = 'One' WHERE id = $1`, [id]);
  await sync();
  store().update('people', id, { job_title: 'Two' });
  await attio.agedRows();
  await sync();
  const versions = await attio.sql(
    `SELECT DISTINCT ON (_valid_from) job_title FROM attio_history.people WHERE id = $1
      ORDER BY _valid_from DESC`,
    [id],
  );
  const titles = versions.map((one) => one['job_title']);
  expect(titles[0]).toBe('Two');
  expect(titles).toContain('One');
  expect(titles.length).toBeGreaterThanOrEqual(3);
});

test('doctor finds everything in order, and says what Attio does not promise', async () => {
  const checks = await runDoctor(attio.session.config, {
    log,
    signal: attio.signal,
    adopt: false,
    forgetWebhook: false,
  });
  const bad = checks.filter(({ state }) => state === 'fail');
  expect(bad).toEqual([]);
  expect(checks.map(({ name }) => name)).toContain('attio clock');
  const text = JSON.stringify(checks);
  expect(text).not.toContain('Clarify');
  expect(text).toContain('Attio');
  attio.emulator.revoke();
  try {
    const revoked = await runDoctor(attio.session.config, {
      log,
      signal: attio.signal,
      adopt: false,
      forgetWebhook: false,
    });
    expect(revoked.find(({ state }) => state === 'fail')).toMatchObject({
      hint: expect.stringContaining('ATTIO_API_KEY'),
    });
  } finally {
    await fetch(`${attio.emulator.adminUrl}/revoke`, { method: 'POST', body: '{"revoked":false}' });
  }
});

test('reconcile finds what is missing, gone and wrong', async () => {
  const [gone = '', wrong = '', missing = ''] = store().ids('deals');
  await attio.session.db.transaction(
    async (tx) => {
      await tx.query(`UPDATE attio.deals SET name = 'Meddled' WHERE id = $1`, [wrong]);
      await tx.query('DELETE FROM attio.deals WHERE id = $1', [missing]);
    },
    { asWriter: true },
  );
  await attio.agedRows();
  store().delete('deals', gone);
  const runs = await reconcileAll(attio.session, {
    objects: ['deals'],
    signal: attio.signal,
    priority: 'pull',
  });
  expect(runs).toMatchObject([
    { object: 'deals', state: 'ok', counts: { deleted: 1, missing: 1 } },
  ]);
  const rows = await attio.sql(
    'SELECT id, name FROM attio.deals WHERE id = ANY($1) ORDER BY name',
    [[gone, wrong, missing]],
  );
  const ids = rows.map((row) => row['id']);
  expect(ids).toHaveLength(2);
  expect(ids).toEqual(expect.arrayContaining([wrong, missing]));
  expect(rows.map((row) => row['name'])).not.toContain('Meddled');
  expect(await attio.sql('SELECT reason FROM attio_sync.tombstone WHERE id = $1', [gone])).toEqual([
    { reason: 'deleted' },
  ]);
});

test('forget erases what is kept of a person that is gone', async () => {
  const [id = ''] = store().ids('people').slice(-1);
  store().update('people', id, { job_title: 'Unforgettable' });
  await attio.agedRows();
  await sync();
  await attio.sql(`UPDATE attio.people SET description = 'Unforgettable too' WHERE id = $1`, [id]);
  await sync();
  await attio.sql('DELETE FROM attio.people WHERE id = $1', [id]);
  await sync();
  const found = await forgetRecord(attio.session.db, { object: 'people', id, dry: false });
  expect(found).toMatchObject({ tombstones: 1, left: { rows: 0, changes: 0, conflicts: 0 } });
  for (const table of ['attio_sync.tombstone', 'attio_history.people', 'attio_sync.outbox']) {
    const rows = await attio.sql(
      `SELECT 1 FROM ${table} AS t WHERE strpos(t::text, 'Unforgettable') > 0`,
    );
    expect(rows).toEqual([]);
  }
});

test('push --dry-run tells what would be sent, field by field, and sends nothing', async () => {
  const [id = '', other = ''] = store().ids('deals');
  await attio.sql(`UPDATE attio.deals SET value = 1.25 WHERE id = $1`, [id]);
  await attio.sql(`DELETE FROM attio.deals WHERE id = $1`, [other]);
  const [company] = await attio.sql(
    `INSERT INTO attio.companies (name, domains) VALUES ('Dry', '{dry.example}') RETURNING id`,
  );
  await attio.sql(
    `INSERT INTO attio.people (email_addresses, company) VALUES ('{a@dry.example}', $1)`,
    [company?.['id']],
  );
  const { writes } = await stats();
  const nobody = { epoch: null, remainingMs: () => 0 };
  const preview = await previewPush(attio.session.db, pushDeps(attio.session, nobody));
  const told = preview.changes.map(({ object, action }) => `${action} ${object}`);
  expect(told.toSorted()).toEqual([
    'create companies',
    'create people',
    'delete deals',
    'update deals',
  ]);
  const update = preview.changes.find(({ action }) => action === 'update');
  expect(update).toMatchObject({ recordId: id, fields: [{ field: 'value', to: 1.25 }] });
  expect((await stats()).writes).toBe(writes);
  await sync();
  expect(store().get('deals', other)).toBeNull();
});

/** Requests so far that changed something. */
async function stats(): Promise<{ readonly writes: number }> {
  const answer = await fetch(`${attio.emulator.adminUrl}/stats`);
  const { recordsWritten = 0 } = (await answer.json()) as { recordsWritten?: number };
  return { writes: recordsWritten };
}

test('outbox revert takes back an edit, and makes anew what was deleted, but for what Attio writes', async () => {
  const [id = ''] = store().ids('people');
  const before = (await attio.sql('SELECT job_title FROM attio.people WHERE id = $1', [id]))[0];
  await attio.sql(`UPDATE attio.people SET job_title = 'Mistake' WHERE id = $1`, [id]);
  await sync();
  const last = async () =>
    BigInt(String((await attio.sql('SELECT max(id) AS id FROM attio_sync.outbox'))[0]?.['id']));
  expect(await revertChange(attio.session, await last())).toMatchObject({ kind: 'updated' });
  await sync();
  expect(attio.values('people', id)['job_title']).toMatchObject([{ value: before?.['job_title'] }]);

  const [second = ''] = store().ids('people').slice(1);
  store().update('people', second, { avatar_url: 'https://a.example/x.png' });
  await attio.agedRows();
  await sync();
  await attio.sql('DELETE FROM attio.people WHERE id = $1', [second]);
  await sync();
  const reverted = await revertChange(attio.session, await last());
  expect(reverted).toMatchObject({ kind: 'inserted', left: ['avatar_url'] });
  await sync();
});

test('a mass delete waits for a person, in both directions', async () => {
  const people = store().ids('people');
  await attio.sql('DELETE FROM attio.people WHERE id = ANY($1)', [people.slice(0, 20)]);
  const { left } = await attio.sync();
  expect(left.parked).toBe(20);
  expect(store().count('people')).toBe(people.length);
  await approveDeletes(attio.session.db, null);
  await sync();
  expect(store().count('people')).toBe(people.length - 20);

  await attio.agedRows();
  store().delete('people', people.slice(20, 45));
  const before = await count('people');
  await attio.sync();
  expect(await count('people')).toBe(before);
  await reconcileAll(attio.session, {
    objects: ['people'],
    approve: true,
    signal: attio.signal,
    priority: 'pull',
  });
  expect(await count('people')).toBe(people.length - 45);
});
