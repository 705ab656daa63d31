import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { revertChange } from '../../src/app/decisions/revert-change.ts';
import { runDoctor } from '../../src/app/doctor/doctor.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { previewPush } from '../../src/app/push-preview.ts';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { forgetRecord } from '../../src/db/forget.ts';
import { drizzleModule } from '../../src/db/mirror/drizzle-module.ts';
import { approveDeletes } from '../../src/db/outbox/delete-guard.ts';
import { type BrevoFixture, DECLARED, openBrevo } from '../support/brevo.ts';

// What works for one CRM, on another whose objects share little but the host.

const signal = new AbortController().signal;
const nothingLeft = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };
let brevo: BrevoFixture;

vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  const yaml = `${DECLARED}
  contacts: { history: true }
  companies: { conflicts: manual }
`;
  brevo = await openBrevo(
    { sizes: { contacts: 120, companies: 20, deals: 30, vehicle: 40, trip: 0 } },
    { yaml },
  );
  await sync();
});

afterAll(() => brevo.stop());

const store = () => brevo.emulator.store;

async function sync() {
  const outcome = await syncOnce(brevo.session, { signal });
  expect(outcome.left).toEqual(nothingLeft);
  return outcome;
}

async function admin(action: string, body: object): Promise<void> {
  const root = brevo.emulator.url.replace(/\/v3$/, '');
  const response = await fetch(`${root}/_emulator/${action}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function count(object: string): Promise<unknown> {
  return (await brevo.sql(`SELECT count(*)::int AS n FROM brevo.${object}`))[0]?.['n'];
}

test('history keeps every version, whichever side made it', async () => {
  const [id = ''] = store().ids('contacts');
  await brevo.sql(`UPDATE brevo.contacts SET "JOB_TITLE" = 'One' WHERE id = $1`, [id]);
  await sync();
  store().update('contacts', id, { JOB_TITLE: 'Two' });
  await sync();
  const versions = await brevo.sql(
    `SELECT "JOB_TITLE" AS title FROM brevo_history.contacts WHERE id = $1 ORDER BY _valid_from DESC`,
    [id],
  );
  const titles = versions.map(({ title }) => title);
  expect(titles[0]).toBe('Two');
  expect(titles).toContain('One');
});

test('different fields merge, the same field is decided as the object says', async () => {
  const [contact = '', other = ''] = store().ids('contacts').slice(3);
  await brevo.sql(`UPDATE brevo.contacts SET "FIRSTNAME" = 'Ours' WHERE id = $1`, [contact]);
  store().update('contacts', contact, { LASTNAME: 'Theirs' });
  await brevo.sql(`UPDATE brevo.contacts SET list_ids = '{1}' WHERE id = $1`, [other]);
  await sync();
  expect(store().get('contacts', contact)).toMatchObject({
    attributes: { FIRSTNAME: 'Ours', LASTNAME: 'Theirs' },
  });
  expect(store().get('contacts', other)).toMatchObject({ listIds: [1] });
  const [company = ''] = store().ids('companies');
  await brevo.sql(`UPDATE brevo.companies SET revenue = 1 WHERE id = $1`, [company]);
  store().update('companies', company, { revenue: 2 });
  const { left } = await syncOnce(brevo.session, { signal });
  expect(left).toMatchObject({ openConflicts: 1 });
  await brevo.sql(`UPDATE brevo.companies SET revenue = 2 WHERE id = $1`, [company]);
  await sync();
});

test('what Brevo works out itself cannot be written', async () => {
  const write = (text: string) => brevo.sql(text);
  await expect(write(`UPDATE brevo.contacts SET "ORDERS_SUM" = 1`)).rejects.toThrow(/ORDERS_SUM/);
  await expect(write(`UPDATE brevo.companies SET number_of_contacts = 1`)).rejects.toThrow(
    /number_of_contacts/,
  );
});

test('a new attribute is a column within one schema check, and filled', async () => {
  await admin('add-attribute', {
    object: 'contacts',
    attribute: { name: 'SHOE_SIZE', type: 'float' },
  });
  const [id = ''] = store().ids('contacts');
  store().update('contacts', id, { SHOE_SIZE: 42 });
  await brevo.session.refreshSchema(signal);
  await sync();
  const [row] = await brevo.sql(`SELECT "SHOE_SIZE" AS size FROM brevo.contacts WHERE id = $1`, [
    id,
  ]);
  expect(row).toEqual({ size: 42 });
});

test('reconcile finds what is missing, gone and wrong', async () => {
  const [gone = '', wrong = '', missing = ''] = store().ids('deals');
  await brevo.session.db.transaction(
    async (tx) => {
      await tx.query(`UPDATE brevo.deals SET deal_name = 'Meddled' WHERE id = $1`, [wrong]);
      await tx.query('DELETE FROM brevo.deals WHERE id = $1', [missing]);
    },
    { asWriter: true },
  );
  await brevo.agedRows();
  store().delete('deals', gone);
  const [run] = await reconcileAll(brevo.session, {
    objects: ['deals'],
    signal,
    priority: 'pull',
    deep: true,
  });
  expect(run).toMatchObject({ state: 'ok', counts: { deleted: 1, missing: 1 } });
  const rows = await brevo.sql('SELECT id, deal_name FROM brevo.deals WHERE id = ANY($1)', [
    [gone, wrong, missing],
  ]);
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set([wrong, missing]));
  expect(rows.map((row) => row['deal_name'])).not.toContain('Meddled');
});

test('a deleted custom record is believed after two complete scans, a contact after it says so', async () => {
  const [vehicle = ''] = store().ids('vehicle').slice(-1);
  const [contact = ''] = store().ids('contacts').slice(-1);
  await brevo.agedRows();
  store().delete('vehicle', vehicle);
  store().delete('contacts', contact);
  const before = Number(await count('vehicle'));
  const scan = async () => {
    await reconcileAll(brevo.session, {
      signal,
      priority: 'pull',
      objects: ['vehicle', 'contacts'],
    });
  };
  await scan();
  expect(await count('vehicle')).toBe(before);
  expect(await brevo.sql('SELECT id FROM brevo.contacts WHERE id = $1', [contact])).toEqual([]);
  await scan();
  expect(await count('vehicle')).toBe(before - 1);
  const reasons = await brevo.sql('SELECT reason FROM brevo_sync.tombstone WHERE id = ANY($1)', [
    [vehicle, contact],
  ]);
  expect(reasons).toEqual([{ reason: 'deleted' }, { reason: 'deleted' }]);
});

test('forget erases what is kept of a person that is gone', async () => {
  const [id = ''] = store().ids('contacts').slice(10);
  store().update('contacts', id, { JOB_TITLE: 'Unforgettable' });
  await sync();
  await brevo.sql('DELETE FROM brevo.contacts WHERE id = $1', [id]);
  await sync();
  const found = await forgetRecord(brevo.session.db, { object: 'contacts', id, dry: false });
  expect(found).toMatchObject({ tombstones: 1, left: { rows: 0, changes: 0, conflicts: 0 } });
  for (const table of ['brevo_sync.tombstone', 'brevo_history.contacts', 'brevo_sync.outbox']) {
    const left = `SELECT 1 FROM ${table} AS t WHERE strpos(t::text, 'Unforgettable') > 0`;
    expect(await brevo.sql(left)).toEqual([]);
  }
});

test('push --dry-run tells what would be sent, links in jobs too, and sends nothing', async () => {
  const [contact = ''] = store().ids('contacts');
  const [vehicle = ''] = store().ids('vehicle');
  await brevo.sql(`UPDATE brevo.contacts SET "SCORE" = 1.25 WHERE id = $1`, [contact]);
  await brevo.sql(`INSERT INTO brevo.vehicle (plate) VALUES ('DRY')`);
  await brevo.sql(`DELETE FROM brevo.vehicle_owner WHERE vehicle_id = $1`, [vehicle]);
  await brevo.sql(`INSERT INTO brevo.vehicle_owner (vehicle_id, contacts_id) VALUES ($1, $2)`, [
    vehicle,
    contact,
  ]);
  const before = JSON.stringify([store().get('contacts', contact), store().count('vehicle')]);
  const nobody = { epoch: null, remainingMs: () => 0 };
  const preview = await previewPush(brevo.session.db, pushDeps(brevo.session, nobody));
  const told = new Set(preview.changes.map(({ object, action }) => `${action} ${object}`));
  expect([...told]).toEqual(expect.arrayContaining(['update contacts', 'create vehicle']));
  expect(JSON.stringify([store().get('contacts', contact), store().count('vehicle')])).toBe(before);
  for (let round = 0; round < 6; round += 1) {
    const { left } = await syncOnce(brevo.session, { signal });
    if (left.pending + left.blocked === 0) break;
    await brevo.dueNow();
  }
  await sync();
  expect(store().get('contacts', contact)).toMatchObject({ attributes: { SCORE: 1.25 } });
});

test('outbox revert takes an edit back', async () => {
  const [id = ''] = store().ids('contacts');
  const [before] = await brevo.sql(
    'SELECT "JOB_TITLE" AS title FROM brevo.contacts WHERE id = $1',
    [id],
  );
  await brevo.sql(`UPDATE brevo.contacts SET "JOB_TITLE" = 'Mistake' WHERE id = $1`, [id]);
  await sync();
  const [last] = await brevo.sql('SELECT max(id) AS id FROM brevo_sync.outbox');
  await revertChange(brevo.session, BigInt(String(last?.['id'])));
  await sync();
  expect(store().get('contacts', id)).toMatchObject({
    attributes: { JOB_TITLE: before?.['title'] },
  });
});

test('a mass delete waits for a person, in both directions', async () => {
  const contacts = store().ids('contacts');
  await brevo.sql('DELETE FROM brevo.contacts WHERE id = ANY($1)', [contacts.slice(0, 20)]);
  const { left } = await syncOnce(brevo.session, { signal });
  expect(left.parked).toBe(20);
  expect(store().count('contacts')).toBe(contacts.length);
  await approveDeletes(brevo.session.db, null);
  await sync();
  expect(store().count('contacts')).toBe(contacts.length - 20);

  await brevo.agedRows();
  const vehicles = store().ids('vehicle');
  store().delete('vehicle', vehicles.slice(0, 20));
  const before = await count('vehicle');
  for (let round = 0; round < 2; round += 1) {
    await reconcileAll(brevo.session, { signal, priority: 'pull', objects: ['vehicle'] });
  }
  expect(await count('vehicle')).toBe(before);
});

test('doctor finds everything in order, and the drizzle module has every table', async () => {
  const { config, log, tables, links, db } = brevo.session;
  const checks = await runDoctor(config, { log, signal, adopt: false });
  expect(checks.filter(({ state }) => state === 'fail')).toEqual([]);
  expect(JSON.stringify(checks)).not.toContain('Clarify');
  const module = drizzleModule(db.schemas, tables, links);
  for (const name of ['contacts', 'companies', 'deals', 'vehicle', 'vehicle_owner']) {
    expect(module).toContain(`export const ${name} = brevo.table`);
  }
});
