import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { reconcilePass } from '../../src/app/reconcile-pass.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';
import { openBrevo } from '../support/brevo.ts';

// A row that was written within the minute before its object was read, and is not shown, is late or gone. A pass sees
// it through where that takes no longer than a minute, and says what is left otherwise.

let attio: SyncedAttio;

beforeAll(async () => {
  attio = await openSyncedAttio({ sizes: { companies: 3, people: 4, deals: 2, projects: 2 } });
  await attio.sync();
});
afterEach(() => attio.emulator.faults.clear());
afterAll(() => attio.stop());

/** As if a row had been written so long ago. */
async function written(table: string, id: string, seconds: number): Promise<void> {
  const { db } = attio.session;
  await db.transaction(
    (tx) =>
      tx.query(
        `UPDATE attio."${table}" SET _synced_at = clock_timestamp() - $2 * interval '1 second' WHERE id = $1`,
        [id, seconds],
      ),
    { asWriter: true },
  );
}

const count = async (table: string, id: string) =>
  (await attio.sql(`SELECT FROM attio."${table}" WHERE id = $1`, [id])).length;

test('a row whose record was deleted just after it was written is gone when the pass ends', async () => {
  const [deal = ''] = attio.emulator.store.ids('deals');
  attio.emulator.store.delete('deals', deal);
  await attio.agedRows();
  await written('deals', deal, 57);
  const { left, unconfirmed, objects } = await attio.sync();
  expect(left).toEqual(nothingLeft);
  expect(unconfirmed).toEqual([]);
  expect(await count('deals', deal)).toBe(0);
  expect(objects.find(({ object }) => object === 'deals')).toMatchObject({
    state: 'ok',
    counts: { removed: 1 },
  });
});

test('a comparison is over once it could tell of such a row as well', async () => {
  const [company = ''] = attio.emulator.store.ids('companies');
  attio.emulator.store.delete('companies', company);
  await attio.agedRows();
  await written('companies', company, 57);
  const { signal } = new AbortController();
  const reading = { objects: ['companies'], signal, priority: 'pull' } as const;
  const { objects, unconfirmed } = await reconcilePass(attio.session, reading);
  expect(objects).toMatchObject([{ object: 'companies', state: 'ok', counts: { deleted: 1 } }]);
  expect(unconfirmed).toEqual([]);
  expect(await count('companies', company)).toBe(0);
});

test('one that is only late to show stays, and nothing is left', async () => {
  const [person = ''] = attio.emulator.store.ids('people');
  await attio.agedRows();
  await written('people', person, 57);
  const body = { data: [] };
  attio.emulator.faults.add({
    kind: 'answer',
    status: 200,
    body,
    method: 'POST',
    path: '/objects/people/records/query',
    count: 1,
  });
  const { unconfirmed } = await attio.sync();
  expect(unconfirmed).toEqual([]);
  expect(await count('people', person)).toBe(1);
});

test('a pass that is stopped meanwhile says what is left, and when it can be told', async () => {
  const [person = ''] = attio.emulator.store.ids('people');
  attio.emulator.store.delete('people', person);
  await attio.agedRows();
  await written('people', person, 20);
  const stopping = new AbortController();
  const passing = syncOnce(attio.session, { signal: stopping.signal });
  await expect
    .poll(
      () => attio.sql(`SELECT FROM attio_sync.scan_missing WHERE object = 'people' AND rounds = 0`),
      { timeout: 20_000 },
    )
    .toHaveLength(1);
  stopping.abort();
  const { unconfirmed } = await passing;
  expect(unconfirmed).toMatchObject([{ object: 'people', rows: 1 }]);
  const tellsInMs = Date.parse(unconfirmed[0]?.tellsAt ?? '') - Date.now();
  expect(tellsInMs).toBeGreaterThan(0);
  expect(tellsInMs).toBeLessThan(41_000);
  expect(await count('people', person)).toBe(1);
});

test('where a reading costs much of a budget the pass does not wait, and says so', async () => {
  const brevo = await openBrevo({ sizes: { contacts: 3, companies: 0, deals: 0, vehicle: 3 } });
  const { signal } = new AbortController();
  try {
    await syncOnce(brevo.session, { signal });
    const [vehicle = ''] = brevo.emulator.store.ids('vehicle');
    brevo.emulator.store.delete('vehicle', vehicle);
    const startedMs = performance.now();
    const { unconfirmed } = await syncOnce(brevo.session, { signal });
    expect(unconfirmed).toMatchObject([{ object: 'vehicle', rows: 1 }]);
    const reading = { objects: ['vehicle'], signal, priority: 'pull' } as const;
    const compared = await reconcilePass(brevo.session, reading);
    expect(compared.unconfirmed).toMatchObject([{ object: 'vehicle', rows: 1 }]);
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  } finally {
    await brevo.stop();
  }
});
