import { afterEach, expect, test, vi } from 'vitest';
import { backfillAll } from '../../src/app/backfill-all.ts';
import { parseConfigFile } from '../../src/app/config/file.ts';
import { runDoctor } from '../../src/app/doctor/doctor.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { EmulatorOptions } from '../../src/emulator/brevo/emulator.ts';
import { type BrevoFixture, openBrevo } from '../support/brevo.ts';

// Custom objects of Brevo: declared, scanned, written in jobs, and known by what they show.

const signal = new AbortController().signal;
const nothingLeft = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };
let brevo: BrevoFixture;

// Jobs take their time, and so does what they show.
vi.setConfig({ testTimeout: 120_000 });

afterEach(() => brevo.stop());

async function open(options: EmulatorOptions = {}): Promise<BrevoFixture> {
  const sizes = { contacts: 20, companies: 5, deals: 0, vehicle: 12, trip: 0, ...sizesOf(options) };
  brevo = await openBrevo({ ...options, sizes });
  expect((await sync()).left).toEqual(nothingLeft);
  return brevo;
}

function sizesOf({ sizes }: EmulatorOptions) {
  return sizes === 'none' || sizes === undefined ? {} : sizes;
}

async function sync() {
  return await syncOnce(brevo.session, { signal });
}

/** Syncs until nothing waits: what a job did shows late. */
async function settle() {
  for (let round = 0; ; round += 1) {
    const { left } = await sync();
    if (left.pending + left.blocked === 0 || round > 8) return left;
    await brevo.dueNow();
  }
}

function vehicle(id: unknown): Record<string, unknown> {
  const found = brevo.emulator.store.get('vehicle', String(id));
  return (found?.['attributes'] ?? {}) as Record<string, unknown>;
}

function requests(endpoint: RegExp): number {
  const { session } = brevo;
  return session.traffic
    .stats()
    .filter((one) => endpoint.test(one.endpoint))
    .reduce((sum, one) => sum + one.requests, 0);
}

test('edits, creates, deletions and links arrive in jobs, and come back as no change', async () => {
  await open();
  const [edited] = await brevo.sql(
    `UPDATE brevo.vehicle SET plate = 'NEW-1', seats = 7, registered_at = '2020-03-15', features = '{sunroof}', colour = NULL
      WHERE id = (SELECT min(id) FROM brevo.vehicle WHERE colour IS NOT NULL) RETURNING id`,
  );
  await brevo.sql(`INSERT INTO brevo.vehicle (plate) VALUES ('BORN-1'), ('BORN-2')`);
  await brevo.sql(`INSERT INTO brevo.vehicle (plate, ext_id) VALUES ('BORN-3', 'mine-3')`);
  await brevo.sql(
    `INSERT INTO brevo.vehicle_owner (vehicle_id, contacts_id)
     SELECT v.id, c.id FROM brevo.vehicle AS v, (SELECT id FROM brevo.contacts ORDER BY id LIMIT 13) AS c
      WHERE v.plate = 'BORN-1'`,
  );
  await brevo.sql(
    `INSERT INTO brevo.vehicle_seller (vehicle_id, companies_id)
     SELECT v.id, c.id FROM brevo.vehicle AS v, (SELECT id FROM brevo.companies ORDER BY id LIMIT 1) AS c
      WHERE v.plate = 'NEW-1' ON CONFLICT DO NOTHING`,
  );
  const [gone] = await brevo.sql(
    `DELETE FROM brevo.vehicle WHERE id = (SELECT max(id) FROM brevo.vehicle WHERE id NOT LIKE 'local:%')
      RETURNING id`,
  );

  expect(await settle()).toEqual(nothingLeft);

  expect(vehicle(edited?.['id'])).toMatchObject({
    plate: 'NEW-1',
    seats: 7,
    registered_at: '2020-03-15T00:00:00Z',
    features: ['sunroof'],
  });
  expect(vehicle(edited?.['id'])['colour'] ?? null).toBeNull();
  expect(brevo.emulator.store.get('vehicle', String(gone?.['id']))).toBeNull();
  const born = await brevo.sql(
    `SELECT id, ext_id, plate, ext_id = _local_id AS ours FROM brevo.vehicle WHERE plate LIKE 'BORN-%' ORDER BY plate`,
  );
  expect(born.map(({ ours }) => ours)).toEqual([true, true, false]);
  expect(born[2]).toMatchObject({ ext_id: 'mine-3' });
  expect(born.every(({ id }) => /^\d+$/.test(String(id)))).toBe(true);
  expect(brevo.emulator.store.count('vehicle')).toBe(14);
  const [links] = await brevo.sql(
    `SELECT count(*)::int AS n FROM brevo.vehicle_owner WHERE vehicle_id = $1`,
    [born[0]?.['id']],
  );
  expect(links).toEqual({ n: 13 });
  const stored = JSON.stringify(brevo.emulator.store.get('vehicle', String(born[0]?.['id'])));
  const contacts = await brevo.sql(
    `SELECT contacts_id AS id FROM brevo.vehicle_owner WHERE vehicle_id = $1`,
    [born[0]?.['id']],
  );
  for (const { id } of contacts) expect(stored).toContain(`"id":${String(id)}`);
  expect(await brevo.sql(`SELECT DISTINCT state FROM brevo_sync.outbox`)).toEqual([
    { state: 'done' },
  ]);
  await brevo.agedRows();
  const again = await sync();
  for (const { object, counts } of again.objects) {
    // What goes along with a link, for a record without attributes may be dropped, moves their times.
    const updated = object === 'vehicle' ? 2 : 0;
    const nothing = { inserted: 0, removed: 0, conflicts: 0, linked: 0, unlinked: 0 };
    expect(counts).toMatchObject({ ...nothing, updated });
  }
  await brevo.sql(`DELETE FROM brevo.vehicle_owner WHERE vehicle_id = $1`, [born[0]?.['id']]);
  expect(await settle()).toEqual(nothingLeft);
  expect(
    JSON.stringify(brevo.emulator.store.get('vehicle', String(born[0]?.['id']))),
  ).not.toContain('"contact"');
});

test('a record whose job is not settled is no second row, and none that was deleted meanwhile', async () => {
  await open();
  await brevo.sql(`INSERT INTO brevo.vehicle (plate) VALUES ('STAYS'), ('GOES')`);
  // Jobs are asked about after five seconds; their records are there long before.
  const pushed = sync();
  await vi.waitFor(() => expect(brevo.emulator.store.count('vehicle')).toBe(14), 4_000);
  await brevo.sql(`DELETE FROM brevo.vehicle WHERE plate = 'GOES'`);

  await backfillAll(brevo.session, { signal, restart: true, objects: ['vehicle'] });
  const out = await brevo.sql(`SELECT DISTINCT state FROM brevo_sync.outbox WHERE op = 'insert'`);
  expect(out).toEqual([{ state: 'sending' }]);
  const rows = await brevo.sql(`SELECT plate FROM brevo.vehicle WHERE plate IN ('STAYS', 'GOES')`);
  expect(rows).toEqual([{ plate: 'STAYS' }]);
  await pushed;
  expect(await settle()).toEqual(nothingLeft);
  expect(brevo.emulator.store.count('vehicle')).toBe(13);
});

test('2,500 edited records are three batches', async () => {
  await open({ sizes: { vehicle: 2_500 } });
  const before = requests(/batch\/upsert/);
  await brevo.sql(`UPDATE brevo.vehicle SET seats = coalesce(seats, 0) + 1`);
  expect(await settle()).toEqual(nothingLeft);
  expect(requests(/batch\/upsert/) - before).toBe(3);
});

test('keys that nobody has declared stand in _extra, and doctor says how to declare them', async () => {
  brevo = await openBrevo(
    { sizes: { contacts: 3, companies: 0, deals: 0, vehicle: 4, trip: 0 } },
    { yaml: 'objects: { vehicle: { fields: { plate: text } } }' },
  );
  brevo.emulator.store.create('vehicle', {
    plate: 'P',
    seats: 4,
    registered_at: '2020-03-15T00:00:00Z',
    features: ['sunroof'],
    dimensions: { length: 4 },
  });
  expect((await sync()).left).toEqual(nothingLeft);
  const [row] = await brevo.sql(
    `SELECT _extra ->> 'seats' AS seats FROM brevo.vehicle WHERE plate = 'P'`,
  );
  expect(row).toEqual({ seats: '4' });
  const { config, log } = brevo.session;
  const checks = await runDoctor(config, { log, signal, adopt: false });
  const undeclared = checks.find(({ name }) => name === 'undeclared');
  expect(undeclared?.detail).toContain('vehicle: ');
  expect(undeclared?.hint).toContain('registered_at: date');
  expect(undeclared?.hint).toContain('features: texts');
  const yaml = undeclared?.hint?.replace(/^.*?: /, '') ?? '';
  expect(parseConfigFile(yaml, await config.crm.objects?.())).toHaveProperty('settings');
  expect(checks.filter(({ state }) => state === 'fail')).toEqual([]);
  const promises = checks.filter(({ name }) => name === 'promise').map(({ detail }) => detail);
  expect(promises).toContain(
    'vehicle: a deletion is believed once everything was read twice without the record',
  );
});

test('what a job drops is parked by its name, and the rest is done', async () => {
  await open();
  const [row] = await brevo.sql(
    `UPDATE brevo.vehicle SET plate = 'KEPT', colour = 'no such colour'
      WHERE id = (SELECT min(id) FROM brevo.vehicle) RETURNING id`,
  );
  expect(await settle()).toMatchObject({ parked: 1, pending: 0 });
  expect(vehicle(row?.['id'])).toMatchObject({ plate: 'KEPT' });
  expect(
    await brevo.sql(`SELECT last_error FROM brevo_sync.outbox WHERE state = 'parked'`),
  ).toEqual([{ last_error: 'not-kept: colour' }]);
});

test('a batch is cut by its bytes as well', async () => {
  await open({ sizes: { vehicle: 5 } });
  const before = requests(/batch\/upsert/);
  await brevo.sql(`UPDATE brevo.vehicle SET plate = repeat('x', 300000)`);
  expect(await settle()).toEqual(nothingLeft);
  expect(requests(/batch\/upsert/) - before).toBe(2);
});
