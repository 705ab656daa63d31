import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { revertChange } from '../../src/app/decisions/revert-change.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { previewPush } from '../../src/app/push-preview.ts';
import type { Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { RemoteError } from '../../src/domain/errors.ts';
import type { Remote } from '../../src/domain/remote.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Invariants 2 and 4 where a deletion archives, and can be taken back.

let workspace: TestWorkspace;
let session: Session;
/** What becomes of the next calls to bring something back: carried out, and its answer lost. */
let lost = 0;
let asked: string[] = [];
/** Ids in the archive, and of what was in it. */
const kept = new Set<string>();

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
  session = { ...workspace.session, remote: archiving(workspace.session.remote) };
});
beforeEach(() => {
  lost = 0;
  asked = [];
});
afterAll(() => workspace.stop());

/** The CRM, as if what it deletes were archived: not to be seen, and there. */
function archiving(remote: Session['remote']): Session['remote'] {
  const { store } = workspace.emulator;
  return Object.defineProperties(Object.create(remote) as Session['remote'], {
    capabilitiesOf: {
      value: (object: string) => ({ ...remote.capabilitiesOf(object), removal: 'restorable' }),
    },
    delete: {
      value: async ({ object, ids }: Parameters<Remote['delete']>[0]) => {
        store.hide(object.object, ids);
        for (const id of ids) kept.add(id);
        return [];
      },
    },
    restore: {
      value: async (
        { object, ids }: Parameters<Remote['delete']>[0],
        options: Parameters<Remote['delete']>[1],
      ) => {
        asked.push(...ids);
        store.unhide(
          object.object,
          ids.filter((id) => kept.has(id) && store.get(object.object, id) === null),
        );
        if (!ids.some((id) => kept.has(id))) throw failure('park', { status: 404 });
        if (lost-- > 0) throw failure('retry', { ambiguous: true, status: null });
        const read = ids.map((id) => remote.readRecord({ object, id }, options));
        return (await Promise.all(read)).flatMap((record) => record ?? []);
      },
    },
  });
}

function failure(
  disposition: 'retry' | 'park',
  rest: { readonly status: number | null; readonly ambiguous?: boolean },
): RemoteError {
  return new RemoteError('scripted', { code: 'scripted', disposition, ...rest });
}

const sync = () => syncOnce(session, { signal: workspace.signal });
const rows = () => workspace.sql('SELECT id, _key, title, status FROM clarify.task ORDER BY id');
const entries = (after: bigint) =>
  workspace.sql(`SELECT op, state FROM clarify_sync.outbox WHERE id > $1::bigint ORDER BY id`, [
    String(after),
  ]);

/** A task that was born here and archived from here. @returns its id, and the delete's entry. */
async function archived(title: string): Promise<{ readonly id: string; readonly change: bigint }> {
  await workspace.sql(`INSERT INTO clarify.task (title, status) VALUES ($1, 'To Do')`, [title]);
  await sync();
  const [row] = await workspace.sql('SELECT id FROM clarify.task WHERE title = $1', [title]);
  await workspace.sql('DELETE FROM clarify.task WHERE title = $1', [title]);
  await sync();
  const [entry] = await workspace.session.db.query<{ id: bigint }>(
    'SELECT max(id) AS id FROM clarify_sync.outbox',
  );
  return { id: String(row?.id), change: entry?.id ?? 0n };
}

test('a delete taken back brings the record back under its id, as the CRM kept it', async () => {
  const { id, change } = await archived('One');
  const [born] = await workspace.sql(
    `SELECT old_id AS id FROM clarify_sync.id_map WHERE object = 'task' AND id = $1`,
    [id],
  );
  expect(await rows()).toEqual([]);
  expect(
    await workspace.sql('SELECT reason FROM clarify_sync.tombstone WHERE id = $1', [id]),
  ).toEqual([{ reason: 'archived' }]);
  const { store } = workspace.emulator;
  store.unhide('task', [id]);
  store.update('task', id, { status: 'Done' });
  store.hide('task', [id]);
  expect(await revertChange(session, change)).toMatchObject({ kind: 'restored', recordId: id });
  const nobody = { epoch: null, remainingMs: () => 0 };
  const preview = await previewPush(session.db, pushDeps(session, nobody));
  expect(preview.changes).toMatchObject([{ action: 'restore', recordId: id, fields: [] }]);
  await sync();
  expect(await rows()).toEqual([{ id, _key: born?.id, title: 'One', status: 'Done' }]);
  expect(await entries(change)).toEqual([{ op: 'insert', state: 'done' }]);
  expect(await workspace.sql('SELECT id FROM clarify_sync.tombstone WHERE id = $1', [id])).toEqual(
    [],
  );
  await sync();
  expect(await differences(workspace)).toEqual([]);
  expect(asked).toEqual([id]);
});

test('an answer that is lost does no harm', async () => {
  const { id, change } = await archived('Two');
  await revertChange(session, change);
  lost = 2;
  await sync();
  expect((await rows()).filter((row) => row.id === id)).toHaveLength(1);
  expect(asked).toEqual([id, id, id]);
  expect(await entries(change)).toEqual([{ op: 'insert', state: 'done' }]);
  expect(await differences(workspace)).toEqual([]);
});

test('of a record that is gone for good nothing comes back', async () => {
  const { id, change } = await archived('Three');
  kept.delete(id);
  await revertChange(session, change);
  await sync();
  expect((await rows()).filter((row) => row.id === id)).toEqual([]);
  expect(await entries(change)).toEqual([{ op: 'insert', state: 'cancelled' }]);
});

test('it is undone once', async () => {
  const { change } = await archived('Four');
  await revertChange(session, change);
  await expect(revertChange(session, change)).rejects.toThrow(/undone already/);
  await sync();
  await expect(revertChange(session, change)).rejects.toThrow(/undone already/);
});
