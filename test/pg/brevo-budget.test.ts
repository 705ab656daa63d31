import { afterEach, expect, test, vi } from 'vitest';
import { readStatus } from '../../src/app/status.ts';
import { sweepAll } from '../../src/app/sweep-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { tiers } from '../../src/emulator/brevo/switches.ts';
import { type BrevoFixture, openBrevo } from '../support/brevo.ts';

// A hundred requests an hour for everything but contacts.

const signal = new AbortController().signal;
let brevo: BrevoFixture;

vi.setConfig({ testTimeout: 120_000 });

afterEach(() => brevo.stop());

function spent(): number {
  return brevo.session.traffic
    .stats()
    .filter(({ endpoint }) => !endpoint.includes('/contacts'))
    .reduce((sum, { requests }) => sum + requests, 0);
}

test('a first pass over a small account leaves most of the hour, and a second one costs little', async () => {
  brevo = await openBrevo(
    {
      sizes: { contacts: 300, companies: 60, deals: 120, vehicle: 80, trip: 0 },
      switches: { ...tiers.standard, headersTell: 'hour' },
    },
    { yaml: 'objects: { vehicle: { fields: { plate: text }, scan: 6h } }' },
  );
  const first = await syncOnce(brevo.session, { signal });
  expect(first.objects.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(spent()).toBeLessThanOrEqual(20);
  const before = spent();
  await syncOnce(brevo.session, { signal });
  expect(spent() - before).toBeLessThanOrEqual(12);
  const { budgets, sweeps } = await readStatus(brevo.session.db);
  expect(budgets.map(({ name, limit }) => [name, limit])).toEqual([
    ['contacts', 36_000],
    ['everything else', 100],
  ]);
  expect(budgets[1]?.remaining).toBe(100 - spent());
  const vehicles = sweeps.find(({ object }) => object === 'vehicle');
  // Every six hours, as it is set, and a tenth of that sooner, to be through within it.
  const afterMs = Date.parse(vehicles?.dueAt ?? '') - Date.parse(vehicles?.startedAt ?? '');
  expect(afterMs).toBe(6 * 3_600_000 * 0.9);
  // Nothing is due: nothing is asked.
  const idle = spent();
  await sweepAll(brevo.session, { signal, priority: 'backfill' });
  expect(spent()).toBe(idle);
});

test('with the budget spent nothing is sent, changes wait and say until when, and go when it is full', async () => {
  brevo = await openBrevo({
    sizes: { contacts: 5, companies: 5, deals: 0, vehicle: 0, trip: 0 },
    switches: tiers.standard,
  });
  await syncOnce(brevo.session, { signal });
  await brevo.sql(`UPDATE brevo.companies SET revenue = 1`);
  await brevo.sql(`UPDATE brevo.contacts SET "FIRSTNAME" = 'Ada'`);
  // Somebody else with a key of the account.
  const ask = () =>
    fetch(`${brevo.emulator.url}/companies`, { headers: { 'api-key': brevo.emulator.apiKey } });
  for (let asked = await ask(); asked.ok; asked = await ask()) await asked.text();
  const outcome = await syncOnce(brevo.session, { signal });
  expect(outcome.left.pending).toBe(5);
  expect(outcome.objects.find(({ object }) => object === 'contacts')?.state).toBe('ok');
  const before = spent();
  await syncOnce(brevo.session, { signal });
  await syncOnce(brevo.session, { signal });
  expect(spent() - before).toBe(0);
  const waiting = await brevo.sql(
    `SELECT DISTINCT split_part(last_error, ':', 1) AS why FROM brevo_sync.outbox WHERE state = 'pending'`,
  );
  expect(waiting).toEqual([{ why: 'remote-rate-limited' }]);
  const { held } = await readStatus(brevo.session.db);
  expect(held).toMatchObject([{ object: 'companies', changes: 5 }]);
  // The hour is over.
  Object.assign(brevo.emulator.switches, { othersPerHour: 0 });
  await brevo.reopen();
  await brevo.dueNow();
  expect((await syncOnce(brevo.session, { signal })).left.pending).toBe(0);
});
