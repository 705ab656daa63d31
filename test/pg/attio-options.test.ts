import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pushOnce } from '../../src/app/push-once.ts';
import { openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// Of many rows with a value that no list has, a few are sent; none is parked that Attio would take (invariant
// 10).

const ROWS = 200;
/** Under way when the first of them is refused. */
const FEW = 8;

let attio: SyncedAttio;

beforeAll(async () => {
  attio = await openSyncedAttio({
    sizes: { companies: 4, people: 6, deals: 4, projects: ROWS },
    switches: { writesPerSecond: 100_000, readsPerSecond: 100_000 },
  });
  await attio.sync();
});
afterAll(() => attio.stop());
beforeEach(() => {
  attio.emulator.faults.clear();
  attio.emulator.switches.titles = 'exact';
});

/** Sends what is due. @returns how many writes that took. */
async function push(): Promise<number> {
  attio.emulator.resetStats();
  await pushOnce(attio.session, { signal: attio.signal });
  return Object.entries(attio.emulator.stats().endpoints)
    .filter(([endpoint]) => /^(PUT|PATCH|POST) .*\/records(\/\{\w+\})?$/.test(endpoint))
    .reduce((sum, [, { requests }]) => sum + requests, 0);
}

const parked = () =>
  attio.sql(
    `SELECT last_error AS reason, count(DISTINCT record_id)::int AS rows FROM attio_sync.outbox
      WHERE state = 'parked' GROUP BY 1 ORDER BY 2`,
  );
const countParked = async () => (await parked()).reduce((sum, { rows }) => sum + Number(rows), 0);
const edit = (set: string, where = 'true') =>
  attio.sql(`UPDATE attio.projects SET ${set} WHERE ${where}`);

const SOME = 'id IN (SELECT id FROM attio.projects ORDER BY id LIMIT 20)';

test('200 rows with one value take a few writes, and as many values one each', async () => {
  await edit(`urgency = 'Nowhere'`);
  expect(await push()).toBeLessThanOrEqual(FEW);
  const reasons = (await parked()).map(({ reason }) => String(reason));
  const ours = 'remote-invalid: projects.urgency has no option of that title';
  expect(reasons).toContain(ours);
  for (const reason of reasons) {
    if (reason !== ours) expect(reason).toContain('attribute with slug "urgency"');
  }
  expect(await countParked()).toBe(ROWS);

  await edit(`urgency = 'No ' || id`, SOME);
  expect(await push()).toBe(20);
  expect(await countParked()).toBe(ROWS);
});

test('among good ones, and in fields of several options, the bad ones alone are parked', async () => {
  await edit(
    `urgency = 'Low', tags = CASE WHEN hashtext(id) % 3 = 0 THEN '{renewal,nothing}'::text[] ELSE '{renewal}' END`,
  );
  const writes = await push();
  const [{ bad } = {}] = await attio.sql(
    'SELECT count(*)::int AS bad FROM attio.projects WHERE hashtext(id) % 3 = 0',
  );
  expect(await countParked()).toBe(bad);
  expect(writes).toBeLessThan(ROWS - Number(bad) + FEW + 1);
});

test('one that was added a moment ago is taken, and so is one in another case where Attio takes it', async () => {
  await edit(`urgency = 'Nowhere', tags = '{}'`);
  await push();
  attio.emulator.store.setOption('projects', 'urgency', 'Nowhere', {});
  attio.emulator.switches.titles = 'any case';
  await edit(
    `urgency = CASE WHEN hashtext(id) % 2 = 0 THEN 'Nowhere' ELSE 'NOWHERE' END, hours = 1`,
  );
  await push();
  expect(await parked()).toEqual([]);
  expect(await attio.sql('SELECT DISTINCT urgency FROM attio.projects')).toEqual([
    { urgency: 'Nowhere' },
  ]);
});

test('a list that lacks what Attio takes parks nobody', async () => {
  await edit(`urgency = 'Never'`, 'id = (SELECT min(id) FROM attio.projects)');
  attio.emulator.faults.add({
    kind: 'answer',
    status: 200,
    path: '/attributes/urgency/options',
    body: { data: [{ id: { option_id: 'one' }, title: 'High' }] },
  });
  await push();
  expect(await countParked()).toBe(1);
  await edit(`urgency = 'Medium'`, SOME);
  expect(await push()).toBe(20);
  expect(await parked()).toEqual([]);
  await edit(`urgency = 'Low'`, SOME);
  await push();
});

test('where the list cannot be had, or tells nothing, every row is asked about', async () => {
  const path = '/attributes/urgency/options';
  for (const fault of [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 403 },
    { kind: 'html', status: 200 },
    { kind: 'answer', status: 200, body: { data: [] } },
    { kind: 'answer', status: 200, body: { data: [{ title: 'High' }] } },
  ] as const) {
    attio.emulator.faults.clear();
    attio.emulator.faults.add({ ...fault, path });
    await edit(`urgency = CASE WHEN hashtext(id) % 2 = 0 THEN 'Medium' ELSE 'Never' END`, SOME);
    expect(await push()).toBe(20);
    const [{ bad } = {}] = await attio.sql(
      `SELECT count(*)::int AS bad FROM attio.projects WHERE urgency = 'Never'`,
    );
    expect(await countParked()).toBe(bad);
    await edit(`urgency = 'Low'`, `urgency IN ('Never', 'Medium')`);
    await push();
    expect(await parked()).toEqual([]);
  }
});
