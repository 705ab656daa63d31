import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { type ReconcileRunOptions, reconcileAll } from '../../src/app/reconcile-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const PEOPLE = 4_000;
const sizes = { person: PEOPLE, company: 20, deal: 10, task: 3, meeting: 3, message: 3 };

async function reconcile(
  { session, signal }: TestWorkspace,
  options: Partial<ReconcileRunOptions> = {},
) {
  const priority = 'pull';
  const [run] = await reconcileAll(session, { objects: ['person'], signal, priority, ...options });
  return run;
}

/** Ids spread over the whole time that records were created. */
function spread({ emulator }: TestWorkspace, count: number): string[] {
  const ids = emulator.store.ids('person');
  return Array.from(
    { length: count },
    (_, n) => ids[Math.floor((n + 0.5) * (ids.length / count))],
  ).flatMap((id) => id ?? []);
}

const tombstones = (workspace: TestWorkspace, ids: readonly string[]) =>
  workspace.sql('SELECT id, reason FROM clarify_sync.tombstone WHERE id = ANY($1) ORDER BY id', [
    ids,
  ]);

describe.each(['instants', 'days'] as const)(
  'where filters compare %s, without a feed',
  (dateFilters) => {
    let workspace: TestWorkspace;

    beforeAll(async () => {
      workspace = await openWorkspace({
        emulator: { sizes, switches: { deletedFeed: 'missing', dateFilters } },
      });
      await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
    });
    afterAll(() => workspace.stop());

    test('what agrees costs one request in a sync', async () => {
      const { session, signal } = workspace;
      await syncOnce(session, { signal });
      const { objects } = await syncOnce(session, { signal });
      const person = objects.find(({ object }) => object === 'person');
      expect(person).toMatchObject({ state: 'ok', counts: { removed: 0 } });
      expect(person?.counts.requests).toBeLessThanOrEqual(3);
    });

    test('deletions are found by a few requests each, and confirmed one by one', async () => {
      const gone = spread(workspace, 2);
      workspace.emulator.store.delete('person', gone);
      const { session, signal } = workspace;
      const { objects } = await syncOnce(session, { objects: ['person'], signal });
      expect(objects).toMatchObject([{ state: 'ok', counts: { removed: 2 } }]);
      expect(objects[0]?.counts.read).toBeLessThan(PEOPLE);
      expect(objects[0]?.counts.requests).toBeLessThan(60);
      expect(await tombstones(workspace, gone)).toEqual(
        gone.toSorted().map((id) => ({ id, reason: 'deleted' })),
      );
      expect(await differences(workspace)).toEqual([]);
    });

    test('a record that is missing here is brought over', async () => {
      const { database } = workspace;
      const lost = spread(workspace, 3);
      await database.db.transaction(
        (tx) => tx.query('DELETE FROM clarify.person WHERE id = ANY($1)', [lost]),
        { asWriter: true },
      );
      expect(await reconcile(workspace)).toMatchObject({
        state: 'ok',
        counts: { missing: 3, deleted: 0 },
      });
      expect(await differences(workspace)).toEqual([]);
    });

    test('an edit of a deleted record is cancelled and on record', async () => {
      const [id = ''] = spread(workspace, 1);
      await workspace.sql(`UPDATE clarify.person SET job_title = 'Late' WHERE id = $1`, [id]);
      workspace.emulator.store.delete('person', id);
      expect(await reconcile(workspace)).toMatchObject({ state: 'ok', counts: { deleted: 1 } });
      const conflicts = await workspace.sql(
        'SELECT local, policy, resolution FROM clarify_sync.conflict WHERE record_id = $1',
        [id],
      );
      expect(conflicts).toEqual([{ local: 'Late', policy: 'deleted', resolution: 'remote' }]);
    });

    test('rows born here and deletes on their way are no differences', async () => {
      const [id = ''] = spread(workspace, 1);
      await workspace.sql('DELETE FROM clarify.person WHERE id = $1', [id]);
      await workspace.sql(`INSERT INTO clarify.person (job_title) VALUES ('Born here')`);
      expect(await reconcile(workspace, { quick: true })).toMatchObject({
        state: 'ok',
        counts: { requests: 1, suspects: 0 },
      });
      expect(await reconcile(workspace)).toMatchObject({
        state: 'ok',
        counts: { suspects: 0, missing: 0 },
      });
      await syncOnce(workspace.session, { signal: workspace.signal });
      expect(await differences(workspace)).toEqual([]);
    });

    test('everything is compared field by field where that is asked for', async () => {
      const [id = '', lost = ''] = spread(workspace, 2);
      await workspace.database.db.transaction(
        async (tx) => {
          await tx.query(`UPDATE clarify.person SET job_title = 'Wrong' WHERE id = $1`, [id]);
          await tx.query('DELETE FROM clarify.person WHERE id = $1', [lost]);
        },
        { asWriter: true },
      );
      // Hides what is missing: the totals agree.
      workspace.emulator.store.delete('person', spread(workspace, 7)[3] ?? '');
      const run = await reconcile(workspace, { deep: true });
      expect(run).toMatchObject({ state: 'ok', counts: { differed: 1, missing: 1, deleted: 1 } });
      expect(await differences(workspace)).toEqual([]);
    });
  },
);
