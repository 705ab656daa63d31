import { describe, expect, test } from 'vitest';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { sweepAll } from '../../src/app/sweep-all.ts';
import type { Capabilities } from '../../src/domain/capabilities.ts';
import type { ModelOptions } from '../support/model-remote.ts';
import { type Model, openModel, PLAIN } from '../support/model-session.ts';

const kinds: readonly (readonly [string, ModelOptions])[] = [
  ['an ordered filter', { capabilities: PLAIN }],
  [
    'an unordered filter, everything by creation',
    { capabilities: { ...PLAIN, changes: { kind: 'unordered-filter', by: 'created' } } },
  ],
  [
    'an unordered filter, everything by position, no totals',
    {
      capabilities: { ...PLAIN, changes: { kind: 'unordered-filter', by: 'position' } },
      totals: false,
      pageSize: 12,
    },
  ],
  [
    'a full scan by creation, no update times',
    {
      capabilities: { ...PLAIN, changes: { kind: 'full-scan', by: 'created' }, versions: 'read' },
      dated: false,
    },
  ],
  ...(['created', 'updated'] as const).map((sortedBy): readonly [string, ModelOptions] => [
    `a full scan by position, sorted by ${sortedBy}, no record to be read alone`,
    {
      capabilities: {
        ...PLAIN,
        changes: { kind: 'full-scan', by: 'position' },
        deletions: { kind: 'scan', proof: 'scan' },
      },
      sortedBy,
      pageSize: 20,
    },
  ]),
];

async function differences({ crm, sql }: Model): Promise<string[]> {
  const rows = await sql('SELECT id, name, size FROM clarify.thing');
  const standing = new Map(rows.map((row) => [String(row.id), row]));
  const found: string[] = [];
  for (const { id, fields } of crm.records.values()) {
    const row = standing.get(id);
    standing.delete(id);
    const isEqual = row?.name === fields['name'] && Number(row?.size) === Number(fields['size']);
    if (!isEqual) found.push(`${id}: ${row === undefined ? 'missing' : 'differs'}`);
  }
  return [...found, ...[...standing.keys()].map((id) => `${id}: not in the CRM`)];
}

function fill({ crm }: Model): string[] {
  return Array.from({ length: 60 }, (_, i) =>
    crm.add({ name: `thing ${i}`, size: i }, 86_400_000 - i * 60_000),
  );
}

describe.each(kinds)('an object read by %s', { timeout: 90_000 }, (_, options) => {
  test('comes over, and a second pass writes nothing', async () => {
    const model = await openModel(options);
    fill(model);
    const { objects } = await model.sync();
    expect(objects).toMatchObject([{ state: 'ok', error: null }]);
    expect(await differences(model)).toEqual([]);
    const before = await model.sql('SELECT id, xmin::text FROM clarify.thing ORDER BY id');
    const again = await model.sync();
    expect(again.objects).toMatchObject([{ state: 'ok', counts: { inserted: 0, updated: 0 } }]);
    expect(await model.sql('SELECT id, xmin::text FROM clarify.thing ORDER BY id')).toEqual(before);
    expect(model.crm.writes).toBe(0);
  });

  test('edits both ways, creates and deletes arrive, while the list moves under the reading', async () => {
    const model = await openModel(options);
    const { crm, sql } = model;
    const ids = fill(model);
    await model.sync();
    let turn = 0;
    crm.beforePage = () => {
      turn += 1;
      const id = ids[(turn * 7) % 40];
      if (turn > 12 || id === undefined || !crm.records.has(id)) return;
      if (turn % 3 === 0) crm.add({ name: `new ${turn}`, size: turn });
      else if (turn % 5 === 0) crm.remove(id);
      else crm.edit(id, { size: 1_000 + turn });
    };
    await sql(`UPDATE clarify.thing SET name = 'ours' WHERE id IN ('${ids[50]}', '${ids[51]}')`);
    await sql(`INSERT INTO clarify.thing (name, size) VALUES ('born here', 5)`);
    await sql(`DELETE FROM clarify.thing WHERE id = '${ids[55]}'`);
    await model.sync();
    crm.beforePage = null;
    for (const id of ids.slice(42, 45)) crm.remove(id);
    // Two complete readings, where none can be asked for.
    for (let pass = 0; pass < 3; pass += 1) {
      await model.age();
      await model.sync();
    }
    expect(crm.records.get(ids[50] ?? '')?.fields['name']).toBe('ours');
    expect(crm.records.has(ids[55] ?? '')).toBe(false);
    expect(
      [...crm.records.values()].filter(({ fields }) => fields['name'] === 'born here'),
    ).toHaveLength(1);
    expect(await differences(model)).toEqual([]);
    const gone = await sql(`SELECT reason FROM clarify_sync.tombstone WHERE id = '${ids[43]}'`);
    expect(gone).toEqual([{ reason: 'deleted' }]);
  });

  test('goes on after a reading that broke off anywhere', async () => {
    const model = await openModel(options);
    const { crm } = model;
    fill(model);
    for (let left = 1; left < 15; left += 1) {
      let pages = 0;
      crm.beforePage = () => {
        pages += 1;
        if (pages > 2) throw new Error('killed');
      };
      const { objects } = await model.sync().catch(() => ({ objects: [] }));
      const [run] = objects;
      if (run?.state === 'ok') break;
    }
    crm.beforePage = null;
    await model.sync();
    expect(await differences(model)).toEqual([]);
  });

  test('a mass of missing records waits for a person', async () => {
    const model = await openModel(options);
    const { crm, sql } = model;
    const ids = fill(model);
    await model.sync();
    for (const id of ids.slice(0, 30)) crm.remove(id);
    for (let pass = 0; pass < 2; pass += 1) {
      await model.age();
      await model.sync();
    }
    const { objects } = await model.sync();
    expect(objects).toMatchObject([{ error: { code: 'reconcile-mass-delete' } }]);
    expect(await sql('SELECT count(*)::int AS rows FROM clarify.thing')).toEqual([{ rows: 60 }]);
  });
});

describe('a full scan', () => {
  test.each(['created', 'position'] as const)('by %s is spread over its interval', async (by) => {
    const model = await openModel({
      capabilities: { ...PLAIN, changes: { kind: 'full-scan', by, everyMs: 3_600_000 } },
    });
    fill(model);
    await model.sync();
    await model.sql(
      `UPDATE clarify_sync.sweep SET started_at = started_at - interval '2 hours', finished_at = now()`,
    );
    const { signal } = model;
    const pagesBefore = model.crm.pages;
    const sweeping = { signal, priority: 'backfill' } as const;
    await sweepAll(model.session, sweeping);
    await sweepAll(model.session, sweeping);
    expect(model.crm.pages - pagesBefore).toBeLessThanOrEqual(2);
  });

  test('a record that was archived leaves its table, and comes back', async () => {
    const capabilities: Capabilities = { ...PLAIN, removal: 'restorable' };
    const model = await openModel({ capabilities });
    const { crm, sql } = model;
    const [, id = ''] = fill(model);
    await model.sync();
    const kept = crm.records.get(id);
    crm.remove(id);
    await model.age();
    await model.sync();
    expect(await sql(`SELECT id FROM clarify.thing WHERE id = '${id}'`)).toEqual([]);
    expect(await sql(`SELECT reason FROM clarify_sync.tombstone`)).toEqual([
      { reason: 'archived' },
    ]);
    await sql(`UPDATE clarify_sync.tombstone SET noticed_at = noticed_at - interval '1 hour'`);
    if (kept) crm.restore(kept);
    await model.sync();
    expect(await differences(model)).toEqual([]);
    expect(await sql(`SELECT reason FROM clarify_sync.tombstone`)).toEqual([]);
  });
});

test('what could not be read whole for the first time is not compared, and says why', async () => {
  const model = await openModel({
    capabilities: { ...PLAIN, changes: { kind: 'unordered-filter', by: 'position' } },
    totals: false,
    pageSize: 12,
  });
  const { crm, session, signal } = model;
  fill(model);
  crm.disorder = new Set();
  const reconcile = async () =>
    await reconcileAll(session, { signal, priority: 'pull', deep: true });
  const incomplete = {
    kind: 'reconcile',
    state: 'incomplete',
    error: { code: expect.stringMatching(/^scan-/) },
  };
  expect(await reconcile()).toMatchObject([incomplete]);
  crm.disorder = null;
  expect(await reconcile()).toMatchObject([{ kind: 'reconcile', state: 'ok', error: null }]);
  expect(await differences(model)).toEqual([]);
});
