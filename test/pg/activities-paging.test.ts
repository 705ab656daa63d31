import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createActivitiesPass } from '../../src/app/daemon/activities-pass.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { noteActivities, pullActivities } from '../../src/pull/pull-activities.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const FEED = 'GET /objects/deal/records/{id}/activities';
const ROLE = `activity_reader_${process.pid}`;
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 0, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 } },
    prepare: async ({ db }) => {
      await db.query(`CREATE ROLE ${ROLE}`);
    },
    config: {
      objects: { deal: { activities: true, fields: {}, history: false, delete: 'push' } },
      grants: { read: [], write: [ROLE] },
    },
  });
});

afterEach(() => workspace.emulator.faults.clear());
afterAll(async () => {
  await workspace.database.db.query(`DROP OWNED BY ${ROLE}`);
  await workspace.database.db.query(`DROP ROLE ${ROLE}`);
  await workspace.stop();
});

const requests = () => workspace.emulator.stats().endpoints[FEED]?.requests ?? 0;

async function pull(): Promise<void> {
  const { session, signal } = workspace;
  await pullAll(session, { objects: ['deal'], signal, priority: 'pull' });
}

async function pass(): Promise<number> {
  const { session, signal } = workspace;
  const before = requests();
  await createActivitiesPass(session)({ signal, priority: 'backfill' });
  return requests() - before;
}

/** Amounts that a deal is told to have had, oldest first. */
async function amounts(id: string): Promise<unknown[]> {
  const rows = await workspace.sql(
    `SELECT value FROM clarify.deal_activity
      WHERE record_id = $1 AND field = 'amount' ORDER BY at, event_id`,
    [id],
  );
  return rows.map(({ value }) => Number(value)).toSorted((a, b) => a - b);
}

async function feed(id: string) {
  const [row] = await workspace.sql(
    `SELECT is_whole, read_version IS NOT NULL AS read, attempts, read_version = wanted AS current
       FROM clarify_sync.activity_feed WHERE record_id = $1`,
    [id],
  );
  return row;
}

function edit(id: string, from: number, to: number): void {
  const { store } = workspace.emulator;
  for (let amount = from; amount <= to; amount += 1) store.update('deal', id, { amount });
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

async function retry(): Promise<void> {
  await workspace.sql(
    `UPDATE clarify_sync.activity_feed SET next_attempt_at = now() WHERE attempts > 0`,
  );
}

let long = '';

test('a feed of several pages is read to its end once, then no further than what is new', async () => {
  long = workspace.emulator.store.create('deal', { name: 'Long' });
  edit(long, 1, 700);
  await pull();
  expect(await pass()).toBe(2);
  expect(await amounts(long)).toEqual(range(1, 700));
  expect(await feed(long)).toEqual({ is_whole: true, read: true, attempts: 0, current: true });
  edit(long, 701, 720);
  await pull();
  expect(await pass()).toBe(1);
  expect(await amounts(long)).toEqual(range(1, 720));
  expect(await feed(long)).toMatchObject({ is_whole: true, current: true });
});

test('broken off between two pages, it leaves no gap behind', async () => {
  const { emulator } = workspace;
  const deal = emulator.store.create('deal', { name: 'Broken off' });
  edit(deal, 1, 600);
  await pull();
  emulator.faults.add({ kind: 'status', status: 500, path: `${deal}/activities`, after: 1 });
  expect(await pass()).toBe(2);
  expect(await feed(deal)).toMatchObject({ read: false, attempts: 1 });
  expect(await amounts(deal)).toEqual(range(101, 600));
  // What is newest stands already, and is not taken for the end.
  emulator.faults.clear();
  await retry();
  expect(await pass()).toBe(2);
  expect(await amounts(deal)).toEqual(range(1, 600));
  expect(await feed(deal)).toMatchObject({ read: true, is_whole: true });
});

test('edits while pages are read are passed over by none, and stand once', async () => {
  const { session, emulator, signal } = workspace;
  const deal = emulator.store.create('deal', { name: 'Busy' });
  edit(deal, 1, 700);
  await pull();
  const [mirror] = session.tables.filter(({ object }) => object === 'deal');
  if (mirror === undefined) throw new Error('no table of deals');
  await noteActivities(session.db, mirror);
  const { readActivities } = session.remote;
  if (readActivities === undefined) throw new Error('no activities');
  let pages = 0;
  const readAndEdit: typeof readActivities = async (request, options) => {
    const page = await readActivities(request, options);
    pages += 1;
    if (pages === 1) edit(deal, 701, 740);
    return page;
  };
  const options = { priority: 'backfill', signal } as const;
  await pullActivities({ db: session.db, readActivities: readAndEdit }, mirror, options);
  expect(await amounts(deal)).toEqual(range(1, 700));
  await pull();
  expect(await pass()).toBe(1);
  expect(await amounts(deal)).toEqual(range(1, 740));
  expect(await feed(deal)).toMatchObject({ is_whole: true, current: true });
});

test('where every feed fails it is the object’s trouble, and ends no pass of others', async () => {
  const { session, emulator, sql } = workspace;
  for (let n = 0; n < 40; n += 1) emulator.store.create('deal', { name: `Many ${n}` });
  await pull();
  emulator.faults.add({ kind: 'status', status: 500, path: '/activities' });
  const asked = await pass();
  expect(asked).toBeGreaterThanOrEqual(20);
  expect(asked).toBeLessThan(40);
  const part = { object: 'deal', part: 'activities' } as const;
  expect(session.troubles.codeOf(part)).toBe('remote-unavailable');
  expect(await sql('SELECT part, code FROM clarify_sync.trouble')).toEqual([
    { part: 'activities', code: 'remote-unavailable' },
  ]);
  emulator.faults.clear();
  await retry();
  await expect
    .poll(async () => (await pass()) === 0 && !session.troubles.stands(part), { timeout: 20_000 })
    .toBe(true);
});

test('rows are looked at only where some were written, or long ago', async () => {
  const { emulator, signal, sql } = workspace;
  let nowMs = 0;
  const session = Object.assign(await workspace.reopen(), { nowMs: () => nowMs });
  const repeated = createActivitiesPass(session);
  const lookedAt = async (afterMs: number) => {
    nowMs += afterMs;
    await repeated({ signal, priority: 'backfill' });
    const [row] = await sql(`SELECT looked_at::text FROM clarify_sync.activity`);
    return row?.['looked_at'];
  };
  // Statistics come some seconds late.
  let first = await lookedAt(0);
  await expect
    .poll(
      async () => {
        const before = first;
        first = await lookedAt(60_000);
        return first === before;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  const deal = emulator.store.create('deal', { name: 'Noticed' });
  await pull();
  await expect.poll(() => lookedAt(60_000), { timeout: 20_000 }).not.toBe(first);
  expect(await feed(deal)).toMatchObject({ read: true });
  const second = await lookedAt(60_000);
  expect(await lookedAt(600_000)).not.toBe(second);
});

test('who may read the tables may read this one, and nobody may write it', async () => {
  const { sql } = workspace;
  const [rights] = await sql(
    `SELECT has_table_privilege($1, 'clarify.deal_activity', 'SELECT') AS reads,
            has_table_privilege($1, 'clarify.deal_activity', 'INSERT') AS writes,
            has_table_privilege($1, 'clarify.deal', 'INSERT') AS edits`,
    [ROLE],
  );
  expect(rights).toEqual({ reads: true, writes: false, edits: true });
});

test('two events of one id keep their rows, and an exact repeat adds none', async () => {
  const { emulator, sql } = workspace;
  const deal = emulator.store.create('deal', { name: 'Twins' });
  const event = (day: number, ...changes: readonly (readonly [string, number])[]) => {
    const at = `2026-05-0${day}T10:00:00.000Z`;
    const diff = changes.map(([field, val]) => ({ op: 'update', path: [field], val, oldVal: 0 }));
    const object = { _id: deal, entity: 'deal', diff };
    const data = [{ _id: 'twin', _created_at: at, type: 'update', actor: { _id: 'u' }, object }];
    return { type: 'activity', id: 'twin', attributes: { _id: 'twin', _created_at: at, data } };
  };
  const tell = (...data: ReturnType<typeof event>[]) => {
    emulator.faults.clear();
    const body = { data, meta: { total_records: data.length, offset: 0, limit: 500 } };
    emulator.faults.add({ kind: 'answer', status: 200, body, path: `${deal}/activities` });
  };
  const rows = async () => {
    await sql(
      'UPDATE clarify_sync.activity_feed SET next_attempt_at = now() WHERE record_id = $1',
      [deal],
    );
    await pass();
    const found = await sql(
      `SELECT to_char(at AT TIME ZONE 'UTC', 'DD') AS day, position, field, value::text AS value,
              event_id = 'twin' AS plain
         FROM clarify.deal_activity WHERE record_id = $1 ORDER BY at, event_id, position`,
      [deal],
    );
    return found.map(({ day, position, field, value, plain }) =>
      [day, position, field, value, plain ? 'twin' : ''].join(' ').trim(),
    );
  };
  await pull();
  const first = event(3, ['amount', 3]);
  const second = event(4, ['amount', 4]);
  tell(second, event(3, ['amount', 3], ['probability', 30]), first, first);
  const told = ['03 0 amount 3', '03 1 probability 30', '04 0 amount 4 twin'];
  expect(await rows()).toEqual(told);
  // Told again, and with one more.
  tell(event(5, ['amount', 5]), second, event(3, ['amount', 3], ['probability', 30]));
  expect(await rows()).toEqual([...told, '05 0 amount 5']);
  await sql('UPDATE clarify_sync.activity_feed SET newest_event = NULL');
  expect(await rows()).toEqual([...told, '05 0 amount 5']);
  emulator.faults.clear();
});
