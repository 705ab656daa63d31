import { expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace } from '../support/workspace.ts';

test('more creates than a page holds, all of one moment, are recognised in lists of no lasting order (invariant 4)', async () => {
  const workspace = await openWorkspace({
    emulator: { sizes: 'none', switches: { tieOrder: 'shuffled' } },
  });
  const { emulator, session, signal, sql } = workspace;
  const keeper = new LeaseKeeper(session.db, { holder: session.holder });
  const { remote } = session;
  const limits = { ...remote.limits, pageSize: 13 };
  const ofSmallPages = { ...session, remote: { ...remote, limits, clock: remote.clock } };
  const push = () => runPush(pushDeps(ofSmallPages, keeper), signal);
  try {
    await keeper.start();
    emulator.faults.add({ kind: 'reset-after-write', method: 'POST', count: 1 });
    await sql(`INSERT INTO clarify.task (title) SELECT n FROM generate_series(1, 30) AS n`);
    expect(await push()).toMatchObject({ unclear: 30 });
    // As if the time that a late write may take had passed.
    await sql(`UPDATE clarify_sync.outbox SET next_attempt_at = now() WHERE state = 'sending'`);
    expect(await push()).toMatchObject({ waitMs: null });
    expect(emulator.store.all('task')).toHaveLength(30);
    await pullAll(session, { objects: ['task'], signal, priority: 'pull' });
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await keeper.stop();
    await workspace.stop();
  }
});

test('one of which it cannot be told keeps nobody else waiting (invariant 10)', async () => {
  const workspace = await openWorkspace({ emulator: { sizes: 'none' } });
  const { emulator, session, signal, sql } = workspace;
  const keeper = new LeaseKeeper(session.db, { holder: session.holder });
  const { remote } = session;
  // A list that goes on for ever.
  const endless: Pick<typeof remote, 'readPage'> = {
    readPage: async (request, call) => {
      const page = await remote.readPage(request, call);
      return request.orderBy === 'created' ? { ...page, total: null, more: true } : page;
    },
  };
  const misled = { ...session, remote: { ...remote, ...endless, clock: remote.clock } };
  const push = (by: typeof session) => runPush(pushDeps(by, keeper), signal);
  const ripen = () =>
    sql(`UPDATE clarify_sync.outbox SET next_attempt_at = now() WHERE state = 'sending'`);
  try {
    await keeper.start();
    emulator.faults.add({ kind: 'reset-after-write', method: 'POST', count: 1 });
    await sql(`INSERT INTO clarify.task (title) VALUES ('lost')`);
    expect(await push(session)).toMatchObject({ unclear: 1 });
    await ripen();
    await sql(`INSERT INTO clarify.task (title) VALUES ('next')`);
    const { delivered, failed, waitMs } = await push(misled);
    expect({ delivered, failed }).toEqual({ delivered: 1, failed: 0 });
    expect(waitMs).toBeGreaterThan(50_000);
    await ripen();
    expect(await push(session)).toMatchObject({ waitMs: null });
    expect(emulator.store.all('task')).toHaveLength(2);
  } finally {
    await keeper.stop();
    await workspace.stop();
  }
});
