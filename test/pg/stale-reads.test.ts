import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import type { Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { applyRecords } from '../../src/conflicts/apply-records.ts';
import type { Transaction } from '../../src/db/connection/database.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import type { Remote } from '../../src/domain/remote.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// What was read may be overtaken, by ourselves, before it is applied.

let workspace: TestWorkspace;
let id: string;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: 'none', switches: { deletedFeed: 'missing' } },
  });
});
afterAll(() => workspace.stop());

beforeEach(async () => {
  workspace.emulator.switches.visibilityDelayMs = 0;
  id = workspace.emulator.store.create('task', { title: 'First' }, { at: Date.now() - 5_000 });
  await pull();
});

const pull = () =>
  pullAll(workspace.session, { objects: ['task'], signal: workspace.signal, priority: 'pull' });
const sync = () => syncOnce(workspace.session, { objects: ['task'], signal: workspace.signal });
function signalled() {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}
const row = async () => (await workspace.sql('SELECT * FROM clarify.task WHERE id = $1', [id]))[0];

test('a deletion that lists show late is not taken back (invariant 3)', async () => {
  workspace.emulator.switches.visibilityDelayMs = 20_000;
  await workspace.sql('DELETE FROM clarify.task WHERE id = $1', [id]);
  await sync();
  expect(workspace.emulator.store.get('task', id)).toBeNull();
  await pull();
  expect(await row()).toBeUndefined();
});

test('a remote edit read while the field was in flight is met when it goes out again (invariant 5)', async () => {
  await workspace.sql(`UPDATE clarify.task SET title = 'Local' WHERE id = $1`, [id]);
  // As a process leaves it that died while it was sending.
  await workspace.sql(
    `UPDATE clarify_sync.outbox SET state = 'sending', epoch = 0, attempts = 1, sent_at = now()
      WHERE record_id = $1`,
    [id],
  );
  workspace.emulator.store.update('task', id, { title: 'Remote' });
  await pull();
  expect(await row()).toMatchObject({ title: 'Local' });
  expect(await workspace.sql('SELECT id FROM clarify_sync.deferred')).toEqual([{ id }]);
  await sync();
  const conflicts = await workspace.sql(
    'SELECT base, local, remote, resolution FROM clarify_sync.conflict WHERE record_id = $1',
    [id],
  );
  expect(conflicts).toEqual([
    { base: 'First', local: 'Local', remote: 'Remote', resolution: 'remote' },
  ]);
  expect(await row()).toMatchObject({ title: 'Remote' });
  await pull();
  expect(await workspace.sql('SELECT id FROM clarify_sync.deferred')).toEqual([]);
});

test('what became newer between the comparison and the lock stays (invariant 3)', async () => {
  const table = workspace.session.tables.find(({ object }) => object === 'task');
  if (!table) throw new Error('task is not mirrored');
  const version = (title: string, updatedAt: string): RemoteRecord => {
    const by = { createdBy: null, updatedBy: null };
    const at = { createdAt: '2100-01-01T00:00:00.000Z', updatedAt };
    return { id, fields: { title }, ...at, ...by, mergedIds: [], links: {} };
  };
  const context = {
    readAt: '2100-01-01T00:00:00Z',
    crmMinusDatabaseMs: 0,
    policyOf: () => 'newest' as const,
  };
  const apply = (tx: Transaction, record: RemoteRecord) =>
    applyRecords(tx, table, [record], context);
  const { db } = workspace.database;
  let overtaken = false;
  await db.transaction(
    async (tx) => {
      const slow: Transaction = {
        ...tx,
        async query(text, values) {
          if (!overtaken && text.includes('FOR UPDATE SKIP LOCKED')) {
            overtaken = true;
            const newer = version('Newer', '2100-01-01T00:00:02.000Z');
            await db.transaction((other) => apply(other, newer), { asWriter: true });
          }
          return await tx.query(text, values);
        },
      };
      await apply(slow, version('Older', '2100-01-01T00:00:01.000Z'));
    },
    { asWriter: true },
  );
  expect(overtaken).toBe(true);
  expect(await row()).toMatchObject({ title: 'Newer' });
});

test('an answer without the creation fields leaves them as they are (missing is unknown)', async () => {
  const table = workspace.session.tables.find(({ object }) => object === 'task');
  if (!table) throw new Error('task is not mirrored');
  const version = (by: string | null, at: string | null, second: number): RemoteRecord => {
    const updatedAt = `2100-01-01T00:00:0${second}.000Z`;
    const system = { createdAt: at, updatedAt, createdBy: by, updatedBy: null };
    return { id, fields: { title: `Version ${second}` }, ...system, mergedIds: [], links: {} };
  };
  const context = {
    readAt: '2100-01-01T00:00:00Z',
    crmMinusDatabaseMs: 0,
    policyOf: () => 'newest' as const,
  };
  const apply = (record: RemoteRecord) =>
    workspace.database.db.transaction((tx) => applyRecords(tx, table, [record], context), {
      asWriter: true,
    });
  await apply(version('user_01', '2099-12-31T00:00:00.000Z', 1));
  const before = await row();
  await apply(version(null, null, 2));
  expect(before).toMatchObject({ _created_by: 'user_01' });
  expect(await row()).toMatchObject({
    title: 'Version 2',
    _created_by: 'user_01',
    _created_at: before?._created_at,
  });
});

describe.each(['set', 'null'] as const)(
  'where `_updated_at` is %s before the first edit',
  (until) => {
    let other: TestWorkspace;
    beforeAll(async () => {
      other = workspace;
      const switches = { deletedFeed: 'missing', updatedAtUntilEdit: until } as const;
      workspace = await openWorkspace({ emulator: { sizes: 'none', switches } });
    });
    afterAll(async () => {
      await workspace.stop();
      workspace = other;
    });

    test.each(['before the answer', 'after the answer', 'once the row is free'])(
      'of a row that is held the newest version waits, also where the older one comes %s (invariant 3)',
      async (when) => {
        const { session, signal, sql } = workspace;
        const { remote } = session;
        const watch = (part: Partial<Remote>): Session => {
          return {
            ...session,
            remote: { ...remote, limits: remote.limits, clock: remote.clock, ...part },
          };
        };
        await sql(`UPDATE clarify.task SET title = 'Local 1' WHERE id = $1`, [id]);
        const [settled, read] = [signalled(), signalled()];
        const reader = watch({
          async readPage(request, options) {
            const page = await remote.readPage(request, options);
            read.give();
            if (when !== 'before the answer') await settled.given;
            return page;
          },
        });
        const pulls: Promise<unknown>[] = [];
        const sender = watch({
          async update(request, options) {
            await sql('BEGIN');
            await sql(`UPDATE clarify.task SET title = 'Local 2' WHERE id = $1`, [id]);
            const pulled = pullAll(reader, { objects: ['task'], signal, priority: 'pull' });
            pulls.push(pulled);
            await (when === 'before the answer' ? pulled : read.given);
            return await remote.update(request, options);
          },
        });
        await pushOnce(sender, { objects: ['task'], signal });
        if (when === 'once the row is free') await sql('COMMIT');
        settled.give();
        await Promise.all(pulls);
        if (when !== 'once the row is free') await sql('COMMIT');
        await sync();
        expect(await sql('SELECT * FROM clarify_sync.conflict WHERE record_id = $1', [id])).toEqual(
          [],
        );
        expect(workspace.emulator.store.get('task', id)?.attributes).toMatchObject({
          title: 'Local 2',
        });
        expect(await row()).toMatchObject({ title: 'Local 2' });
      },
    );
  },
);
