import { validate } from 'node-cron';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ReconcileSchedule, timeOfDay } from '../../src/app/daemon/reconcile-schedule.ts';
import { type ObjectRun, pullAll } from '../../src/app/pull-all.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let runs: ObjectRun[];
let leads: boolean;
let schedule: ReconcileSchedule;

beforeAll(async () => {
  const sizes = { person: 30, company: 5, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
});
afterAll(() => workspace.stop());

beforeEach(async () => {
  const { session, signal, database } = workspace;
  runs = [];
  leads = true;
  const onHalt = (error: unknown) => expect.unreachable(String(error));
  const onRun = (run: ObjectRun) => void runs.push(run);
  schedule = new ReconcileSchedule(session, { signal, leads: () => leads, onRun, onHalt });
  schedule.follow(new Set(['person', 'company']));
  await pullAll(session, { signal, priority: 'pull' });
  await database.db.query(`DELETE FROM clarify_sync.run WHERE kind = 'reconcile'`);
});
afterEach(() => schedule.stop());

const setCursor = (change: string) =>
  workspace.database.db.query(`UPDATE clarify_sync.cursor SET ${change} WHERE object = 'person'`);

/** As after a pull; returns when what it led to is done. */
async function afterPull(): Promise<readonly string[]> {
  for (const object of ['company', 'person']) {
    schedule.pulled({ object, kind: 'pull', state: 'ok', counts: {}, error: null });
  }
  await schedule.stop();
  return runs.map(({ object, kind, state }) => `${object} ${kind} ${state}`);
}

test('each object has its own time of day', () => {
  const objects = Array.from({ length: 40 }, (_, n) => `c_object_${n}`);
  const times = objects.map((object) => timeOfDay('one', object));
  expect(times.every((time) => validate(time))).toBe(true);
  expect(new Set(times).size).toBeGreaterThan(30);
  expect(times).not.toEqual(objects.map((object) => timeOfDay('another', object)));
});

test('nothing is compared before it is due: a first reading has just compared everything', async () => {
  expect(await afterPull()).toEqual([]);
});

test('a gap in the feed is compared after the next pull', async () => {
  await setCursor('reconcile_due = true');
  expect(await afterPull()).toEqual(['person reconcile ok']);
  expect(await afterPull()).toEqual(['person reconcile ok']);
});

test('a day without a comparison is made up for', async () => {
  await setCursor(`reconciled_at = clock_timestamp() - interval '27 hours'`);
  expect(await afterPull()).toEqual(['person reconcile ok']);
});

test('what waits for a person is not tried again and again', async () => {
  const { store } = workspace.emulator;
  const all = store.ids('person');
  store.hide('person', all);
  await setCursor('reconcile_due = true');
  expect(await afterPull()).toEqual(['person reconcile incomplete']);
  expect(await afterPull()).toEqual(['person reconcile incomplete']);
  await workspace.database.db.query(
    `UPDATE clarify_sync.run SET started_at = started_at - interval '7 hours' WHERE kind = 'reconcile'`,
  );
  store.unhide('person', all);
  expect(await afterPull()).toEqual(['person reconcile incomplete', 'person reconcile ok']);
});

test('who does not lead compares nothing', async () => {
  leads = false;
  await setCursor('reconcile_due = true');
  expect(await afterPull()).toEqual([]);
  await setCursor('reconcile_due = false');
});
