import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepAll } from '../../src/app/sweep-all.ts';
import { readTroubles } from '../../src/db/service/trouble.ts';
import { openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// What a complete reading has not shown is asked about once that is over. Where the CRM does not answer then, it is
// asked again soon: the next reading may be a day away.

let attio: SyncedAttio;

beforeAll(async () => {
  attio = await openSyncedAttio({ sizes: { companies: 3, people: 4, deals: 3, projects: 2 } });
  await attio.sync();
});
afterAll(() => attio.stop());

test('a deletion that could not be confirmed is, without another reading', async () => {
  const { emulator, session, signal, sql } = attio;
  const [id = ''] = emulator.store.ids('deals');
  emulator.store.delete('deals', id);
  await attio.agedRows();
  await sql(
    `UPDATE attio_sync.sweep SET started_at = started_at - interval '2 days',
            finished_at = finished_at - interval '2 days', due_at = now() WHERE object = 'deals'`,
  );
  emulator.faults.add({ kind: 'status', status: 402, path: `/objects/deals/records/${id}` });
  const sweep = async () => {
    await sweepAll(session, { objects: ['deals'], signal, priority: 'backfill' });
    const troubles = await readTroubles(session.db);
    return troubles.map(({ object, part }) => `${object} ${part}`);
  };
  await expect.poll(sweep, { timeout: 30_000 }).toEqual(['deals reconcile']);
  const rows = async () => (await sql('SELECT FROM attio.deals WHERE id = $1', [id])).length;
  expect(await rows()).toBe(1);
  const rounds = async () =>
    await sql(`SELECT started_at FROM attio_sync.sweep WHERE object = 'deals'`);
  const round = await rounds();

  emulator.faults.clear();
  await expect.poll(sweep, { timeout: 30_000 }).toEqual([]);
  expect(await rows()).toBe(0);
  expect(await rounds()).toEqual(round);
});
