import { afterEach, expect, test } from 'vitest';
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
