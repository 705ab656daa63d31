import { afterEach, expect, test } from 'vitest';
import { sweepAll } from '../../src/app/sweep-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace | null = null;
afterEach(async () => {
  await workspace?.stop();
  workspace = null;
});

/** A small generator of our own: the same history for the same seed. */
function chance(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const modes = ['none', 'owner', 'both'] as const;
const histories = modes.flatMap((bump) => [1, 2].map((seed) => [bump, seed] as const));

test.each(histories)(
  'both sides edit links, records come and go, and both agree (bump %s, seed %i)',
  { timeout: 120_000 },
  async (linksBump, seed) => {
    const pick = chance(seed * 7919);
    workspace = await openWorkspace({
      emulator: {
        sizes: { person: 12, company: 2, deal: 5, task: 0, meeting: 0, c_project: 2 },
        switches: { linksBump, linkageCap: 3 },
      },
    });
    const { emulator, session, signal, sql } = workspace;
    const { store, faults } = emulator;
    const sync = () => syncOnce(session, { signal });
    await sync();
    /** What each pair has to come to: who wrote last, and what was taken back was never said. */
    const local = new Map<string, { readonly before: boolean; readonly after: boolean }>();
    const wanted = new Map<string, boolean>();
    const gone = new Set<string>();
    const any = (ids: readonly string[]) => ids[pick(ids.length)] ?? '';

    for (let round = 0; round < 6; round += 1) {
      for (let step = 0; step < 8; step += 1) {
        const deal = any(store.ids('deal'));
        const person = any(store.ids('person'));
        const pair = `${deal} ${person}`;
        const isLinked = store.linked('deal', deal, 'people').includes(person);
        if (pick(2) === 0) {
          const edit = isLinked ? store.unlink : store.link;
          const [object, here, field, there] =
            pick(2) === 0 ? ['deal', deal, 'people', person] : ['person', person, 'deals', deal];
          edit(object ?? '', here ?? '', field ?? '', [there ?? '']);
          wanted.set(pair, !isLinked);
          continue;
        }
        const rows = await sql(
          'DELETE FROM clarify.deal_people WHERE deal_id = $1 AND person_id = $2 RETURNING 1',
          [deal, person],
        );
        const before = rows.length > 0;
        if (!before) {
          await sql(
            `INSERT INTO clarify.deal_people SELECT d.id, p.id FROM clarify.deal AS d, clarify.person AS p
              WHERE d.id = $1 AND p.id = $2`,
            [deal, person],
          );
        }
        local.set(pair, { before: local.get(pair)?.before ?? before, after: !before });
      }
      if (pick(3) === 0) {
        const [victim, survivor] = [any(store.ids('person')), any(store.ids('person'))];
        gone.add(victim).add(survivor);
        if (victim === survivor) store.delete('person', victim);
        else store.merge('person', survivor, [victim]);
      }
      if (pick(2) === 0) {
        const kind = pick(2) === 0 ? 'reset-after-write' : 'reset-before-write';
        faults.add({ kind, path: '/relationships/', count: 1 + pick(3) });
      }
      const { left } = await sync();
      expect(left).toEqual({ pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 });
      for (const [pair, { before, after }] of local) {
        if (before !== after) wanted.set(pair, after);
      }
      local.clear();
    }

    await session.db.query(
      `UPDATE clarify_sync.sweep SET started_at = started_at - interval '3 days'`,
    );
    for (let swept = 1; swept > 0; ) {
      await session.db.query(
        `UPDATE clarify_sync.sweep SET started_at = started_at - interval '1 day' WHERE finished_at IS NULL`,
      );
      swept = (await sweepAll(session, { signal, priority: 'backfill' })).length;
    }
    expect(await linkDifferences(workspace)).toEqual([]);
    expect(await differences(workspace)).toEqual([]);
    for (const [pair, isWanted] of wanted) {
      const [deal = '', person = ''] = pair.split(' ');
      if (gone.has(person)) continue;
      expect([pair, store.linked('deal', deal, 'people').includes(person)]).toEqual([
        pair,
        isWanted,
      ]);
    }
  },
);
