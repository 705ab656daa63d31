import { describe, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import type { ChangeReading } from '../../src/domain/capabilities.ts';
import { createChance } from '../simulation/chance.ts';
import type { ModelOptions } from '../support/model-remote.ts';
import { type Model, openModel, PLAIN } from '../support/model-session.ts';

// Nothing is overwritten that was not looked at right before (invariant 5), however what changed is found.

const PAGE = 7;
const ORDERED: ChangeReading = { kind: 'ordered-filter' };
const kinds: readonly (readonly [string, ModelOptions])[] = (
  [
    ['an ordered filter', ORDERED],
    ['an unordered filter', { kind: 'unordered-filter', by: 'position' }],
    ['a full scan', { kind: 'full-scan', by: 'created' }],
  ] as const
).map(([name, changes]) => [name, { capabilities: { ...PLAIN, changes }, pageSize: PAGE }]);

async function openThings(options: ModelOptions): Promise<Model & { readonly ids: string[] }> {
  const model = await openModel(options);
  const ids = Array.from({ length: 60 }, (_, i) =>
    model.crm.add({ name: `thing ${i}`, size: i }, 86_400_000 - i * 60_000),
  );
  await model.sync();
  return { ...model, ids };
}

const push = ({ session, signal }: Model) => pushOnce(session, { signal });

/** As after an import by somebody else: a minute of the list is several pages long. */
async function crowd({ crm, session, signal, ids }: Model & { ids: readonly string[] }) {
  for (const id of ids.slice(30)) crm.edit(id, { size: 5_000 });
  await pullAll(session, { signal, priority: 'pull' });
}

const sizeHere = (size: number, id: string | undefined) =>
  `UPDATE clarify.thing SET size = ${size} WHERE id = '${id}'`;

const conflictsOf = async ({ sql }: Model) =>
  (await sql('SELECT record_id FROM clarify_sync.conflict ORDER BY record_id')).map((row) =>
    String(row['record_id']),
  );

describe.each(kinds)('what changed is found by %s', { timeout: 60_000 }, (_, options) => {
  const listTells = options.capabilities.changes.kind !== 'full-scan';

  test('a commit after many changes looks at its record, and at no list', async () => {
    const model = await openThings(options);
    const { crm, sql, ids } = model;
    await crowd(model);
    const [x = ''] = ids;
    crm.edit(x, { size: 901 });
    await sql(sizeHere(902, x));
    const { pages } = crm;
    await push(model);
    expect(crm.overwritten).toEqual([]);
    expect(await conflictsOf(model)).toEqual([x]);
    expect(crm.pages).toBe(pages);
  });

  test('many rows are met by what changed there', async () => {
    const model = await openThings(options);
    const { crm, sql, ids } = model;
    for (const id of ids.slice(3, 6)) crm.edit(id, { size: 901 });
    await sql(`UPDATE clarify.thing SET size = 902`);
    const { pages } = crm;
    await push(model);
    expect(crm.overwritten).toEqual([]);
    expect(await conflictsOf(model)).toEqual(ids.slice(3, 6));
    expect(crm.pages > pages).toBe(listTells);
  });

  test('what is committed after the look waits for one of its own', async () => {
    const model = await openThings(options);
    const { crm, sql, ids } = model;
    await crowd(model);
    const [x = '', y = ''] = ids;
    await sql(sizeHere(902, x));
    crm.beforeRecord = async () => {
      crm.beforeRecord = null;
      crm.edit(y, { size: 901 });
      await sql(sizeHere(902, y));
    };
    await push(model);
    expect(crm.overwritten).toEqual([]);
    expect(await conflictsOf(model)).toEqual([y]);
  });

  test('over many rounds of edits on both sides nothing goes unseen', async () => {
    const model = await openThings(options);
    const { crm, sql, ids } = model;
    const chance = createChance('look');
    const some = (most: number) =>
      ids.filter(() => chance.next() < (chance.next() * most) / ids.length);
    for (let round = 0; round < 25; round += 1) {
      if (chance.next() < 0.2) await crowd(model);
      const here = some(chance.next() < 0.7 ? 4 : 40);
      for (const id of some(20)) crm.edit(id, { size: round });
      for (const id of here) await sql(sizeHere(1_000 + round, id));
      const late = ids.filter((id) => !here.includes(id));
      // One at a time, although several are looked at together.
      let edited: Promise<unknown> = Promise.resolve();
      crm.beforeRecord = async () => {
        const id = late.pop();
        if (id === undefined || chance.next() < 0.7) return;
        crm.edit(id, { size: 10_000 + round });
        edited = edited.then(() => sql(sizeHere(2_000 + round, id)));
        await edited;
      };
      await push(model);
      crm.beforeRecord = null;
      expect(crm.overwritten).toEqual([]);
    }
    expect((await conflictsOf(model)).length).toBeGreaterThan(10);
  });
});

test('a list that proves nothing leaves no record unseen', { timeout: 60_000 }, async () => {
  const model = await openThings({ capabilities: { ...PLAIN, changes: ORDERED }, pageSize: PAGE });
  const { crm, sql, ids } = model;
  const [x = '', y = '', z = ''] = ids;
  for (const id of [x, y, z, ...ids.slice(50)]) crm.edit(id, { size: 901 });
  crm.disorder = new Set([x]);
  await sql(`UPDATE clarify.thing SET size = 902 WHERE id IN ('${x}', '${y}', '${z}')`);
  await push(model);
  expect(crm.overwritten).toEqual([]);
  expect(await conflictsOf(model)).toEqual([x, y, z]);
});

describe.each(kinds.slice(0, 2))('by %s', { timeout: 60_000 }, (_, options) => {
  test('a new row with an identity waits for the list', async () => {
    const upsert = { ...options.capabilities, creating: { kind: 'upsert' } } as const;
    const model = await openThings({ ...options, capabilities: upsert, named: true });
    const { crm, sql, ids } = model;
    await crowd(model);
    await sql(sizeHere(902, ids[0]));
    crm.beforeRecord = async () => {
      crm.beforeRecord = null;
      crm.add({ name: 'the same', size: 901 });
      await sql(`INSERT INTO clarify.thing (name, size) VALUES ('the same', 902)`);
    };
    await push(model);
    const same = [...crm.records.values()].filter(({ fields }) => fields['name'] === 'the same');
    expect(same).toHaveLength(1);
  });
});
