import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { freeFromFuture } from '../../src/db/outbox/clock-set-back.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes: { person: 3, ...none } } });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
});
afterAll(() => workspace.stop());

const waiting = async () =>
  await workspace.sql(
    `SELECT state FROM clarify_sync.outbox
      WHERE state IN ('pending', 'sending') AND next_attempt_at > clock_timestamp() + interval '16 s'`,
  );

/** What stands there if the database's clock is set back by an hour. */
async function setBackAnHour(): Promise<void> {
  await workspace.sql(
    `UPDATE clarify_sync.outbox SET created_at = created_at + interval '1 hour',
            sent_at = sent_at + interval '1 hour', next_attempt_at = next_attempt_at + interval '1 hour'
      WHERE state IN ('pending', 'sending')`,
  );
}

test('an edit made before the database’s clock was set back is sent all the same', async () => {
  const { session, signal, sql } = workspace;
  await sql(`UPDATE clarify.person SET job_title = 'Pilot'`);
  await setBackAnHour();
  expect(await waiting()).toHaveLength(3);
  expect(await freeFromFuture(session.db)).toBe(3);
  expect(await waiting()).toEqual([]);
  await pushOnce(session, { signal });
  expect(await sql(`SELECT DISTINCT state FROM clarify_sync.outbox`)).toEqual([{ state: 'done' }]);
});

test('an entry that waits for its next attempt is left alone', async () => {
  const { session, sql } = workspace;
  await sql(`UPDATE clarify.person SET job_title = 'Baker'`);
  await sql(
    `UPDATE clarify_sync.outbox SET sent_at = clock_timestamp(), attempts = 4,
            next_attempt_at = clock_timestamp() + interval '1 hour' WHERE state = 'pending'`,
  );
  expect(await freeFromFuture(session.db)).toBe(0);
  expect(await waiting()).toHaveLength(3);
});
