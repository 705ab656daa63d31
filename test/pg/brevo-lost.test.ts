import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { type BrevoFixture, openBrevo } from '../support/brevo.ts';
import { startDaemon } from '../support/daemon.ts';

// Answers that get lost, processes that end between a ticket and its job's end, and identifiers
// that somebody else has: nothing twice, nothing of anybody's overwritten (invariants 2 and 4).

const signal = new AbortController().signal;
const nothingLeft = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };
let brevo: BrevoFixture;

vi.setConfig({ testTimeout: 120_000 });

afterEach(() => brevo.stop());

async function open(): Promise<void> {
  brevo = await openBrevo({
    sizes: { contacts: 10, companies: 4, deals: 3, vehicle: 6, trip: 0 },
  });
  expect((await sync()).left).toEqual(nothingLeft);
}

async function sync() {
  return await syncOnce(brevo.session, { signal });
}

async function settle() {
  for (let round = 0; ; round += 1) {
    const { left } = await sync();
    if (left.pending + left.blocked === 0 || round > 10) return left;
    await brevo.dueNow();
  }
}

async function fault(body: object): Promise<void> {
  const response = await fetch(`${brevo.emulator.url.replace(/\/v3$/, '')}/_emulator/faults`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
}

async function asked(endpoint: string): Promise<number> {
  const response = await fetch(`${brevo.emulator.url.replace(/\/v3$/, '')}/_emulator/stats`);
  const { endpoints } = (await response.json()) as {
    endpoints: Record<string, { requests: number }>;
  };
  return endpoints[endpoint]?.requests ?? 0;
}

test('a process that ends between a ticket and its job’s end sends nothing twice', async () => {
  await open();
  Object.assign(brevo.emulator.switches, { jobMs: 3_600_000 });
  await brevo.sql(`INSERT INTO brevo.vehicle (plate) VALUES ('N-1'), ('N-2')`);
  await brevo.sql(`UPDATE brevo.vehicle SET seats = 9 WHERE id NOT LIKE 'local:%'`);
  const daemon = await startDaemon(brevo);
  await vi.waitFor(
    async () => {
      const [row] = await brevo.sql(
        `SELECT count(*)::int AS n FROM brevo_sync.outbox WHERE state = 'sending' AND ticket NOT LIKE 'unanswered:%'`,
      );
      expect(row).toEqual({ n: 8 });
    },
    { timeout: 30_000, interval: 100 },
  );
  await daemon.stop();
  await brevo.reopen();
  const before = await asked('POST /objects/vehicle/batch/upsert');
  brevo.emulator.jobs.endAll('completed');
  await brevo.dueNow();
  expect(await settle()).toEqual(nothingLeft);
  expect(await asked('POST /objects/vehicle/batch/upsert')).toBe(before);
  expect(brevo.emulator.store.count('vehicle')).toBe(8);
});

test('a job whose ticket got lost is read back, and makes nobody twice', async () => {
  await open();
  await fault({ kind: 'reset-after-write', path: '/batch/upsert', count: 1 });
  await brevo.sql(`INSERT INTO brevo.vehicle (plate) VALUES ('L-1')`);
  await sync();
  await brevo.dueNow();
  expect(await settle()).toEqual(nothingLeft);
  expect(brevo.emulator.store.count('vehicle')).toBe(7);
  const [row] = await brevo.sql(`SELECT id FROM brevo.vehicle WHERE plate = 'L-1'`);
  expect(String(row?.['id'])).toMatch(/^\d+$/);
});

test('a contact, a company and a deal whose answers got lost are there once', async () => {
  await open();
  await fault({ kind: 'reset-after-write', method: 'POST', path: '/contacts', count: 1 });
  await fault({ kind: 'reset-after-write', method: 'POST', path: '/companies', count: 1 });
  await fault({ kind: 'reset-after-write', method: 'POST', path: '/crm/deals', count: 1 });
  await brevo.sql(
    `INSERT INTO brevo.contacts (email, "FIRSTNAME") VALUES ('lost@x.example', 'Lo')`,
  );
  await brevo.sql(`INSERT INTO brevo.companies (name, revenue) VALUES ('Lost Co', 3)`);
  await brevo.sql(`INSERT INTO brevo.deals (deal_name, amount) VALUES ('Lost deal', 5)`);
  for (let round = 0; round < 6; round += 1) {
    const { left } = await sync();
    if (left.pending === 0) break;
    await brevo.dueNow();
  }
  expect(await settle()).toEqual(nothingLeft);
  const { store } = brevo.emulator;
  expect(['contacts', 'companies', 'deals'].map((object) => store.count(object))).toEqual([
    11, 5, 4,
  ]);
});

test('one that was edited in the CRM before it was looked for is known by its e-mail', async () => {
  await open();
  const { store } = brevo.emulator;
  const before = store.count('contacts');
  await fault({ kind: 'reset-after-write', method: 'POST', path: '/contacts', count: 1 });
  await brevo.sql(
    `INSERT INTO brevo.contacts (email, "FIRSTNAME", "LASTNAME") VALUES ('edited@x.example', 'Here', 'Same')`,
  );
  const looked = settle();
  await vi.waitFor(() => expect(store.count('contacts')).toBe(before + 1), { timeout: 20_000 });
  const born = store.ids('contacts').at(-1) ?? '';
  store.update('contacts', born, { FIRSTNAME: 'There' });
  expect(await looked).toEqual(nothingLeft);
  const rows = await brevo.sql(
    `SELECT id, "FIRSTNAME" AS first, "LASTNAME" AS last FROM brevo.contacts WHERE email = 'edited@x.example'`,
  );
  expect(rows).toEqual([{ id: born, first: 'There', last: 'Same' }]);
  const conflicts = await brevo.sql(
    `SELECT field, local, remote, resolution, certain FROM brevo_sync.conflict WHERE record_id = $1`,
    [born],
  );
  expect(conflicts).toEqual([
    { field: 'FIRSTNAME', local: 'Here', remote: 'There', resolution: 'remote', certain: false },
  ]);
});

test('an e-mail change whose answer got lost is not refused as its own', async () => {
  await open();
  await fault({ kind: 'reset-after-write', method: 'PUT', path: '/contacts/', count: 1 });
  const [row] = await brevo.sql(
    `UPDATE brevo.contacts SET email = 'other@x.example', "FIRSTNAME" = 'O'
      WHERE id = (SELECT min(id) FROM brevo.contacts WHERE email IS NOT NULL) RETURNING id`,
  );
  expect(await settle()).toEqual(nothingLeft);
  expect(brevo.emulator.store.get('contacts', String(row?.['id']))).toMatchObject({
    email: 'other@x.example',
    attributes: { FIRSTNAME: 'O' },
  });
});

test('a known e-mail is that contact; a taken ext_id or number is parked by its name', async () => {
  await open();
  const [known] = await brevo.sql(
    `SELECT id, email, ext_id FROM brevo.contacts WHERE email IS NOT NULL AND ext_id IS NOT NULL ORDER BY id LIMIT 1`,
  );
  const [other] = await brevo.sql(`SELECT sms FROM brevo.contacts WHERE sms IS NOT NULL LIMIT 1`);
  await brevo.sql(`INSERT INTO brevo.contacts (email, "LASTNAME") VALUES (upper($1), 'Adopted')`, [
    known?.['email'],
  ]);
  await brevo.sql(`INSERT INTO brevo.contacts (email, ext_id) VALUES ('new1@x.example', $1)`, [
    known?.['ext_id'],
  ]);
  await brevo.sql(`INSERT INTO brevo.contacts (email, sms) VALUES ('new2@x.example', '+' || $1)`, [
    other?.['sms'],
  ]);
  const left = await settle();
  expect(left).toMatchObject({ pending: 0, parked: 2 });
  expect(brevo.emulator.store.get('contacts', String(known?.['id']))).toMatchObject({
    attributes: { LASTNAME: 'Adopted', EXT_ID: known?.['ext_id'] },
  });
  expect(brevo.emulator.store.count('contacts')).toBe(10);
  const parked = await brevo.sql(
    `SELECT last_error FROM brevo_sync.outbox WHERE state = 'parked' ORDER BY id`,
  );
  expect(parked.map(({ last_error }) => String(last_error))).toEqual([
    expect.stringMatching(/ext_id/),
    expect.stringMatching(/sms/),
  ]);
});

test('a daemon at work: both sides edited, and both the same', async () => {
  await open();
  const daemon = await startDaemon(brevo);
  const { store } = brevo.emulator;
  try {
    for (let round = 0; round < 5; round += 1) {
      await brevo.sql(`UPDATE brevo.contacts SET "LASTNAME" = 'L' || $1 WHERE id = $2`, [
        round,
        store.ids('contacts')[round],
      ]);
      store.update('contacts', store.ids('contacts')[round + 1] ?? '', { FIRSTNAME: `F${round}` });
      await brevo.sql(`UPDATE brevo.companies SET revenue = $1`, [round]);
      await sleep(50);
    }
    await vi.waitFor(
      async () => {
        const [row] = await brevo.sql(
          `SELECT count(*)::int AS n FROM brevo_sync.outbox WHERE state IN ('pending', 'sending', 'parked')`,
        );
        expect(row).toEqual({ n: 0 });
      },
      { timeout: 60_000, interval: 250 },
    );
  } finally {
    await daemon.stop();
  }
  expect((await sync()).left).toEqual(nothingLeft);
  for (const id of store.ids('contacts')) {
    const [row] = await brevo.sql(
      `SELECT "FIRSTNAME" AS first, "LASTNAME" AS last FROM brevo.contacts WHERE id = $1`,
      [id],
    );
    expect(store.get('contacts', id)).toMatchObject({
      attributes: { FIRSTNAME: row?.['first'], LASTNAME: row?.['last'] },
    });
  }
});

test('a contact whose own answers are late as well is delivered; what is passed over is parked', async () => {
  await open();
  Object.assign(brevo.emulator.switches, { visibilityDelayMs: 1_500, lateGets: true });
  const [id = '', other = ''] = brevo.emulator.store.ids('contacts');
  await brevo.sql(`UPDATE brevo.contacts SET "JOB_TITLE" = 'Late' WHERE id = $1`, [id]);
  await vi.waitFor(async () => expect((await sync()).left).toEqual(nothingLeft), {
    timeout: 25_000,
    interval: 1_000,
  });
  Object.assign(brevo.emulator.switches, { visibilityDelayMs: 0, lateGets: false });
  await brevo.sql(
    `UPDATE brevo.contacts SET "BIRTHDAY" = '0001-01-01', "INTERESTS" = '{Nonsense}' WHERE id = $1`,
    [other],
  );
  const left = await settle();
  expect(left).toMatchObject({ pending: 0, parked: 1 });
  const [row] = await brevo.sql(`SELECT last_error FROM brevo_sync.outbox WHERE state = 'parked'`);
  expect(String(row?.['last_error'])).toMatch(/^not-kept: .*INTERESTS/);
});
