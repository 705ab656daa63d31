import { afterAll, beforeAll, expect, test } from 'vitest';
import { backfillAll } from '../../src/app/backfill-all.ts';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// Everything from scratch, broken off and taken up again (invariant 8), beside edits (invariant 3).

let attio: SyncedAttio;
const PEOPLE = 2_300;

beforeAll(async () => {
  attio = await openSyncedAttio({ sizes: { companies: 5, people: PEOPLE, deals: 5, projects: 0 } });
});
afterAll(() => attio.stop());

const QUERY = /\/people\/records\/query$/;
const backfill = (restart = false) =>
  backfillAll(attio.session, { objects: ['people'], signal: attio.signal, restart });

/** Rows that are not what the record is, by what tells records apart. */
async function wrongRows(): Promise<readonly string[]> {
  const rows = await attio.sql(
    `SELECT id, job_title, company, email_addresses AS emails FROM attio.people`,
  );
  const held = new Map(rows.map((row) => [String(row['id']), row]));
  return attio.emulator.store.ids('people').flatMap((id) => {
    const values = attio.values('people', id);
    const row = held.get(id);
    const emails = (values['email_addresses'] ?? []).map((one) => one['email_address']);
    const isSame =
      row !== undefined &&
      row['job_title'] === (values['job_title']?.[0]?.['value'] ?? null) &&
      row['company'] === (values['company']?.[0]?.['target_record_id'] ?? null) &&
      JSON.stringify(row['emails'] ?? []) === JSON.stringify(emails);
    return isSame ? [] : [id];
  });
}

test('what is broken off goes on where it stood', async () => {
  const broken = { kind: 'status', status: 400, method: 'POST', path: QUERY.source } as const;
  attio.emulator.faults.add({ ...broken, after: 3 });
  const [first] = await backfill();
  expect(first?.state).toBe('failed');
  const [held] = await attio.sql('SELECT count(*)::int AS rows FROM attio.people');
  expect(held?.['rows']).toBeGreaterThan(400);
  attio.emulator.faults.clear();
  const [second] = await backfill();
  expect(second).toMatchObject({ state: 'ok' });
  // Not all of it again.
  expect(second?.counts['inserted']).toBe(PEOPLE - Number(held?.['rows']));
  expect(await wrongRows()).toEqual([]);
});

test('from the beginning it takes in what was changed, cleared and deleted, and no local edit back', async () => {
  const { store } = attio.emulator;
  const [changed = '', cleared = '', gone = '', ours = ''] = store.ids('people').slice(700);
  await attio.agedRows();
  store.update('people', changed, { job_title: 'Changed' });
  // The newest value goes, and the time of the record goes back with it.
  store.update('people', cleared, { job_title: 'Newest' });
  await attio.sync();
  await attio.agedRows();
  store.update('people', cleared, { job_title: [] });
  store.delete('people', gone);
  await attio.sql(`UPDATE attio.people SET job_title = 'Ours' WHERE id = $1`, [ours]);
  const [run] = await backfill(true);
  expect(run).toMatchObject({ state: 'ok' });
  const rows = await attio.sql(
    'SELECT id, job_title FROM attio.people WHERE id = ANY($1) ORDER BY id',
    [[changed, cleared, ours]],
  );
  expect(new Map(rows.map((row) => [row['id'], row['job_title']]))).toEqual(
    new Map([
      [changed, 'Changed'],
      [cleared, null],
      [ours, 'Ours'],
    ]),
  );
  expect((await attio.sync()).left).toEqual(nothingLeft);
  expect(await wrongRows()).toEqual([]);
  const [tombstone] = await attio.sql('SELECT reason FROM attio_sync.tombstone WHERE id = $1', [
    gone,
  ]);
  expect(tombstone).toEqual({ reason: 'deleted' });
});
