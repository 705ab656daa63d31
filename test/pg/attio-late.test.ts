import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readHints } from '../../src/app/hooks/read-hints.ts';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// Queries of Attio read a replica, up to 30 s late: a row never shows less than what was sent of it
// (invariants 3 and 5), and a create whose answer was lost is not made twice (invariant 4).

let attio: SyncedAttio;
let id: string;

beforeAll(async () => {
  attio = await openSyncedAttio({ sizes: { companies: 3, people: 6, deals: 4, projects: 0 } });
  await attio.sync();
});
afterAll(() => attio.stop());

beforeEach(async () => {
  const { switches, store, faults } = attio.emulator;
  faults.clear();
  Object.assign(switches, { visibilityDelayMs: 0, lateGets: false });
  id = store.create('deals', { name: 'First', stage: 'Lead', owner: owner(), value: 5 });
  await attio.sync();
  switches.visibilityDelayMs = 1_500;
});

const owner = () => {
  const [first] = attio.emulator.store.ids('deals');
  const [value] = attio.values('deals', first).owner ?? [];
  return {
    referenced_actor_type: 'workspace-member',
    referenced_actor_id: String(value?.referenced_actor_id),
  };
};
const row = async () =>
  (await attio.sql('SELECT name, value FROM attio.deals WHERE id = $1', [id]))[0];
const visible = () => new Promise((resolve) => setTimeout(resolve, 1_600));
const conflicts = () => attio.sql('SELECT 1 FROM attio_sync.conflict WHERE record_id = $1', [id]);
const people = async () =>
  (
    await attio.sql(
      'SELECT people_id AS id FROM attio.deals_associated_people WHERE deals_id = $1',
      [id],
    )
  ).map((link) => String(link['id']));

test.each([false, true])(
  'what was sent is shown, not what lists still say (single reads late: %s)',
  async (lateGets) => {
    attio.emulator.switches.lateGets = lateGets;
    await attio.sql(`UPDATE attio.deals SET name = 'Ours', value = NULL WHERE id = $1`, [id]);
    for (let round = 0; round < 3; round += 1) {
      expect((await attio.sync()).left).toEqual(nothingLeft);
      expect(await row()).toEqual({ name: 'Ours', value: null });
    }
    await attio.sql(`UPDATE attio.deals SET name = 'Ours again' WHERE id = $1`, [id]);
    expect((await attio.sync()).left).toEqual(nothingLeft);
    expect(await row()).toEqual({ name: 'Ours again', value: null });
    expect(attio.values('deals', id).name).toMatchObject([{ value: 'Ours again' }]);
    await visible();
    await attio.sync();
    expect(await row()).toEqual({ name: 'Ours again', value: null });
    expect(await conflicts()).toEqual([]);
  },
);

test('what others write right after it is shown as soon as lists do', async () => {
  await attio.sql(`UPDATE attio.deals SET name = 'Ours' WHERE id = $1`, [id]);
  await attio.sync();
  // The clocks of both are known to the second.
  await visible();
  attio.emulator.store.update('deals', id, { name: 'Theirs' });
  await attio.sync();
  expect(await row()).toEqual({ name: 'Ours', value: '5.0000' });
  await visible();
  await attio.sync();
  expect(await row()).toEqual({ name: 'Theirs', value: '5.0000' });
  expect(await conflicts()).toEqual([]);
});

test('what is about to be overwritten is read as it is now', async () => {
  attio.emulator.store.update('deals', id, { name: 'Theirs' });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await attio.sql(`UPDATE attio.deals SET name = 'Ours', value = 6 WHERE id = $1`, [id]);
  await attio.sync();
  expect(
    await attio.sql(
      'SELECT field, remote, resolution FROM attio_sync.conflict WHERE record_id = $1',
      [id],
    ),
  ).toEqual([{ field: 'name', remote: 'Theirs', resolution: 'local' }]);
  expect(await row()).toEqual({ name: 'Ours', value: '6.0000' });
});

test.each([false, true])(
  'links made and taken back stay so (single reads late: %s)',
  async (lateGets) => {
    attio.emulator.switches.lateGets = lateGets;
    const [one, other] = attio.emulator.store.ids('people');
    await attio.sql(
      'INSERT INTO attio.deals_associated_people (deals_id, people_id) VALUES ($1, $2)',
      [id, one],
    );
    for (let round = 0; round < 2; round += 1) {
      await attio.sync();
      expect(await people()).toEqual([one]);
    }
    await attio.sql('UPDATE attio.deals_associated_people SET people_id = $2 WHERE deals_id = $1', [
      id,
      other,
    ]);
    for (let round = 0; round < 2; round += 1) {
      await attio.sync();
      expect(await people()).toEqual([other]);
    }
    await visible();
    await attio.sync();
    expect(await people()).toEqual([other]);
    const held = attio.values('deals', id).associated_people ?? [];
    expect(held.map((link) => link['target_record_id'])).toEqual([other]);
  },
);

test('a deletion is not taken back', async () => {
  await attio.sql('DELETE FROM attio.deals WHERE id = $1', [id]);
  for (let round = 0; round < 2; round += 1) {
    await attio.sync();
    expect(await row()).toBeUndefined();
  }
});

test('what was doubted is read again once it is certain', async () => {
  await attio.sql(`UPDATE attio.deals SET value = 7 WHERE id = $1`, [id]);
  await attio.sync();
  attio.emulator.switches.visibilityDelayMs = 0;
  // Cleared elsewhere at once: a value that is gone tells no time.
  attio.emulator.store.update('deals', id, { value: [] });
  await attio.sync();
  expect(await row()).toEqual({ name: 'First', value: '7.0000' });
  const due = await attio.sql(
    `SELECT due_at - done_at > '30 seconds' AS certain FROM attio_sync.hint AS h
       JOIN attio_sync.outbox AS o ON o.record_id = h.id WHERE h.id = $1`,
    [id],
  );
  expect(due).toEqual([{ certain: true }]);
  const past = `- interval '40 seconds'`;
  await attio.sql(
    `UPDATE attio_sync.hint SET due_at = due_at ${past}, noted_at = noted_at ${past}`,
  );
  await attio.sql(
    `UPDATE attio_sync.outbox SET done_at = done_at ${past} WHERE done_at IS NOT NULL`,
  );
  await visible();
  const deals = attio.session.tables.find(({ object }) => object === 'deals');
  if (deals === undefined) throw new Error('no deals');
  await readHints(attio.session, deals, { signal: attio.signal, priority: 'pull' });
  expect(await row()).toEqual({ name: 'First', value: null });
  expect(await attio.sql('SELECT 1 FROM attio_sync.hint WHERE id = $1', [id])).toEqual([]);
});
