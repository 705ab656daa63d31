import { afterEach, expect, test } from 'vitest';
import { readStatus } from '../../src/app/status.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { Emulator } from '../../src/emulator/clarify/emulator.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace | null = null;

afterEach(async () => {
  await workspace?.stop();
  workspace = null;
});

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

/** A deal whose feed tells of these two events, the newer first. */
function oddDeal({ store, faults }: Emulator, name: string, [update, create]: [object, object]) {
  const id = store.create('deal', { name, amount: 5 }, { at: Date.parse(daysAgo(9)) });
  const item = (event: string, day: number, type: string, told: object) => {
    const data = [{ _id: event, type, actor: { _id: 'u' }, object: { _id: id, ...told } }];
    const attributes = { _id: event, _created_at: daysAgo(day), data };
    return { type: 'activity', id: event, attributes };
  };
  const data = [
    item('e2', 3, 'clarify:update', { diff: [update] }),
    item('e1', 9, 'clarify:create', { data: create }),
  ];
  const body = { data, meta: { total_records: 2, offset: 0, limit: 500 } };
  faults.add({ kind: 'answer', status: 200, body, path: `/records/${id}/activities` });
}

test('merged ids in whatever form a feed tells them keep no history from reaching back', async () => {
  const forms: Readonly<Record<string, readonly [told: unknown, expected: unknown]>> = {
    'a collection': [{ items: ['a', 'b'] }, null],
    'an empty collection': [{ items: [] }, []],
    nothing: [null, []],
    'a text': ['a', null],
    'a number': [5, null],
    'lists of lists': [[['a'], []], null],
    'what Postgres cannot hold': [['a\0b'], null],
  };
  workspace = await openWorkspace({
    emulator: { sizes: { person: 0, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 } },
    config: { objects: { deal: { activities: true, fields: {}, history: true, delete: 'push' } } },
    prepareEmulator: (emulator) => {
      for (const [name, [told]] of Object.entries(forms)) {
        const amount = { op: 'update', path: ['amount'], val: 5, oldVal: 4 };
        oddDeal(emulator, name, [amount, { name, amount: 4, _merged_ids: told }]);
      }
    },
  });
  const { session, signal, sql } = workspace;
  await syncOnce(session, { signal });
  expect(await sql('SELECT object, part, code FROM clarify_sync.trouble')).toEqual([]);
  const rows = await sql(
    `SELECT name, _merged_ids AS ids, '_merged_ids' = ANY(_unknown) AS unknown
       FROM clarify_history.deal WHERE _reconstructed AND _operation = 'insert'`,
  );
  const found = Object.fromEntries(rows.map(({ name, ids, unknown }) => [name, [ids, unknown]]));
  expect(found).toEqual(
    Object.fromEntries(Object.entries(forms).map(([name, [, ids]]) => [name, [ids, ids === null]])),
  );
});

test('a constraint of somebody else’s keeps out the versions of the record that it refuses, and of no other', async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 0, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 } },
    config: { objects: { deal: { activities: true, fields: {}, history: true, delete: 'push' } } },
    prepareEmulator: (emulator) => {
      for (let n = 0; n < 250; n += 1) {
        const amount = { op: 'update', path: ['amount'], val: 5, oldVal: n };
        oddDeal(emulator, `Deal ${n}`, [amount, { name: `Deal ${n}`, amount: n }]);
      }
    },
  });
  const { session, signal, sql } = workspace;
  await sql(
    'ALTER TABLE clarify_history.deal ADD CONSTRAINT not_this CHECK (amount NOT IN (7, 130)) NOT VALID',
  );
  const reached = async () => {
    const rows = await sql(
      `SELECT name FROM clarify.deal AS d WHERE NOT EXISTS (
         SELECT FROM clarify_history.deal AS h WHERE h.id = d.id AND h._reconstructed) ORDER BY name`,
    );
    return rows.map(({ name }) => name);
  };
  await syncOnce(session, { signal });
  expect(await reached()).toEqual(['Deal 130', 'Deal 7']);
  expect(await sql('SELECT object, part, code FROM clarify_sync.trouble')).toEqual([]);
  const standing = async () => (await readStatus(session.db)).activities;
  expect(await standing()).toMatchObject([{ failed: 2, error: 'row-refused', waiting: 0 }]);
  expect(
    await sql(
      `SELECT past_attempts AS attempts, past_due_at > clock_timestamp() + interval '10 seconds' AS later
         FROM clarify_sync.activity_feed WHERE past_at IS NULL`,
    ),
  ).toEqual([
    { attempts: 1, later: true },
    { attempts: 1, later: true },
  ]);
  await sql('ALTER TABLE clarify_history.deal DROP CONSTRAINT not_this');
  await sql(
    `UPDATE clarify_sync.activity_feed SET past_due_at = 'epoch' WHERE past_error IS NOT NULL`,
  );
  await syncOnce(session, { signal });
  expect(await reached()).toEqual([]);
  expect(await standing()).toMatchObject([{ failed: 0, error: null }]);
});
