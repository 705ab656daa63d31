import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runDoctor } from '../../src/app/doctor/doctor.ts';
import { createLog } from '../../src/app/log.ts';
import { readStatus } from '../../src/app/status.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { KizenEmulator } from '../../src/emulator/kizen/emulator.ts';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';
import { openBrevo } from '../support/brevo.ts';
import { openKizen } from '../support/kizen-workspace.ts';

// An object whose fields the CRM refuses to tell is not gone: its table stands, is left alone, and says why; it is
// nobody else's trouble (invariants 8 and 10).

const log = createLog({ level: 'silent' });
let attio: SyncedAttio;

beforeAll(async () => {
  attio = await openSyncedAttio({ sizes: { companies: 3, people: 4, deals: 2, projects: 2 } });
  await attio.sync();
});
afterEach(() => attio.emulator.faults.clear());
afterAll(() => attio.stop());

/** Every column of every table and link table. */
const SHAPE = `SELECT table_name, column_name, data_type FROM information_schema.columns
  WHERE table_schema = $1 ORDER BY 1, 2`;

const refuse = (object: string, status = 403) =>
  attio.emulator.faults.add({ kind: 'status', status, path: `/objects/${object}/attributes` });

async function standing(object: string) {
  const { objects } = await readStatus(attio.session.db);
  return objects.find((each) => each.object === object);
}

async function doctor() {
  const options = { log, signal: attio.signal, adopt: false };
  const checks = await runDoctor(attio.config, options);
  return (name: string) => checks.filter((check) => check.name === name);
}

test('a service that starts then leaves its table alone, says why, and goes on when it is told again', async () => {
  const [deal = ''] = attio.emulator.store.ids('deals');
  const shape = await attio.sql(SHAPE, ['attio']);
  refuse('deals');
  const session = await attio.open();
  expect(session.tables.map(({ object }) => object)).not.toContain('deals');
  await attio.sql(`UPDATE attio.deals SET name = 'Here' WHERE id = $1`, [deal]);
  await attio.sql(`UPDATE attio.companies SET description = 'Told'`);
  const outcome = await syncOnce(session, { signal: attio.signal });
  expect(outcome.left).toEqual({ ...nothingLeft, pending: 1 });
  const run = outcome.objects.find(({ object }) => object === 'deals');
  expect(run).toMatchObject({
    state: 'incomplete',
    error: {
      code: 'remote-forbidden',
      message: expect.stringContaining('GET /objects/deals/attributes') as string,
      hint: expect.stringMatching(/ATTIO_API_KEY.*exclude/) as string,
    },
  });
  expect(await standing('deals')).toMatchObject({
    rows: 2n,
    pending: 1,
    lastError: 'remote-forbidden',
    problem: { code: 'remote-forbidden', hint: expect.stringContaining('exclude') as string },
  });
  // What relates to it is no other for that.
  expect(await attio.sql(SHAPE, ['attio'])).toEqual(shape);
  const [company = ''] = attio.emulator.store.ids('companies');
  expect(attio.values('companies', company)['description']).toMatchObject([{ value: 'Told' }]);

  const check = await doctor();
  expect(check('fields')).toMatchObject([
    { state: 'warn', detail: expect.stringContaining('deals') as string },
  ]);
  expect(check('objects')).toMatchObject([{ state: 'ok' }]);
  expect(check('names').filter(({ detail }) => detail.includes('deals'))).toEqual([]);

  attio.emulator.faults.clear();
  const { problems } = await session.refreshSchema(attio.signal);
  expect(problems).toEqual([]);
  expect((await syncOnce(session, { signal: attio.signal })).left).toEqual(nothingLeft);
  expect(attio.values('deals', deal)['name']).toMatchObject([{ value: 'Here' }]);
  expect(await standing('deals')).toMatchObject({ lastError: null, problem: null });
  expect((await doctor())('fields')).toEqual([]);
});

test('one that has been told before goes on as it was, and says so', async () => {
  const [deal = ''] = attio.emulator.store.ids('deals');
  refuse('deals', 404);
  const { problems } = await attio.session.refreshSchema(attio.signal);
  expect(problems).toMatchObject([{ object: 'deals', code: 'remote-not-found', stops: false }]);
  attio.emulator.store.update('deals', deal, { name: 'There' });
  await attio.sync();
  const [row] = await attio.sql('SELECT name FROM attio.deals WHERE id = $1', [deal]);
  expect(row).toEqual({ name: 'There' });
  expect(await standing('deals')).toMatchObject({ problem: { code: 'remote-not-found' } });
  attio.emulator.faults.clear();
  await attio.session.refreshSchema(attio.signal);
  expect(await standing('deals')).toMatchObject({ problem: null });
});

test('one that was never mirrored is named all the same, unless it is left out', async () => {
  const named = { slug: 'secrets', singular: 'Secret', plural: 'Secrets' };
  attio.emulator.store.addObject({ ...named, attributes: [{ slug: 'name', type: 'text' }] });
  refuse('secrets');
  const session = await attio.open();
  expect(await standing('secrets')).toMatchObject({
    rows: 0n,
    lastError: 'remote-forbidden',
    problem: { message: expect.stringContaining('secrets') as string },
  });
  const without = await attio.open({ exclude: ['secrets'] });
  expect(without.problems).toEqual([]);
  expect(await standing('secrets')).toBeUndefined();
  attio.emulator.faults.clear();
  await session.refreshSchema(attio.signal);
  expect(await standing('secrets')).toMatchObject({ problem: null });
});

test('a history goes on where the object is described again', async () => {
  const deals = {
    fields: {},
    history: true,
    delete: 'push' as const,
  };
  const more = { objects: { ...attio.config.objects, deals } };
  const kept = await attio.open(more);
  await syncOnce(kept, { signal: attio.signal });
  refuse('deals');
  await attio.open(more);
  const triggers = await attio.sql(
    `SELECT tgname FROM pg_trigger WHERE tgrelid = 'attio.deals'::regclass AND tgname LIKE '%history%'`,
  );
  expect(triggers.length).toBeGreaterThan(0);
});

/** An object's id, as somebody else with a key sees it. */
async function idOf(emulator: KizenEmulator, object: string): Promise<string> {
  const response = await fetch(`${emulator.url}/custom-objects?custom_only=false&page_size=100`, {
    headers: {
      'x-api-key': emulator.apiKey,
      'x-user-id': emulator.userId,
      'x-business-id': emulator.businessId,
    },
  });
  const { results } = (await response.json()) as {
    readonly results: readonly { readonly id: string; readonly name: string }[];
  };
  return results.find(({ name }) => name === object)?.id ?? '';
}

test('Kizen: fields that are refused stop that object alone', async () => {
  const kizen = await openKizen({
    sizes: { client_client: 3, companies: 2, deals: 2, projects: 1 },
  });
  try {
    await kizen.sync();
    const tables = kizen.session.tables.map(({ object }) => object);
    const stopped = tables.find((object) => object !== 'client_client') ?? '';
    const id = await idOf(kizen.emulator, stopped);
    const shape = await kizen.sql(SHAPE, ['kizen']);
    const extra = `SELECT count(_extra)::int AS rows FROM kizen.client_client`;
    kizen.emulator.faults.add({
      kind: 'status',
      status: 403,
      path: `/custom-objects/${id}/fields`,
    });
    const session = await kizen.reopen();
    expect(session.problems).toMatchObject([{ object: stopped, code: 'remote-forbidden' }]);
    expect(session.tables.map(({ object }) => object)).toContain('client_client');
    await kizen.ageRows();
    await syncOnce(session, { signal: attio.signal });
    expect(await kizen.sql(SHAPE, ['kizen'])).toEqual(shape);
    expect(await kizen.sql(extra)).toEqual([{ rows: 0 }]);
    const [mirror] = await kizen.sql('SELECT removed_at FROM kizen_sync.mirror WHERE object = $1', [
      stopped,
    ]);
    expect(mirror).toEqual({ removed_at: null });
  } finally {
    await kizen.stop();
  }
});

test.each([
  ['/contacts/attributes', 'contacts'],
  ['/crm/attributes/deals', 'deals'],
])('Brevo: %s refused stops %s alone', async (path, object) => {
  const brevo = await openBrevo({ sizes: { contacts: 3, companies: 2, deals: 2, vehicle: 2 } });
  const signal = new AbortController().signal;
  try {
    await syncOnce(brevo.session, { signal });
    brevo.emulator.faults.add({ kind: 'status', status: 403, path });
    await brevo.reopen();
    const others = ['companies', 'contacts', 'deals', 'trip', 'vehicle'].filter(
      (one) => one !== object,
    );
    expect(brevo.session.tables.map((table) => table.object).toSorted()).toEqual(others);
    expect(brevo.session.problems).toMatchObject([{ object, code: 'remote-forbidden' }]);
    await brevo.sql(`UPDATE brevo.companies SET name = 'Told'`);
    const outcome = await syncOnce(brevo.session, { signal });
    expect(outcome.left).toEqual(nothingLeft);
    expect(outcome.objects.filter(({ state }) => state !== 'ok')).toMatchObject([{ object }]);
    brevo.emulator.faults.clear();
    await brevo.reopen();
    expect(brevo.session.problems).toEqual([]);
  } finally {
    await brevo.stop();
  }
});
