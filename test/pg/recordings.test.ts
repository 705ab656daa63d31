import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createRecordingsPass } from '../../src/app/daemon/recordings-pass.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { noteRecordings } from '../../src/db/recordings.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const ARTIFACTS = 'POST /meetings/{id}/recordings/{recording}/artifacts';
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 0, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 } },
    config: {
      objects: { meeting: { recordings: true, fields: {}, history: false, delete: 'push' } },
    },
  });
  const { store } = workspace.emulator;
  for (const [title, recording] of [
    ['Kick-off', 'rec-1'],
    ['Review', 'rec-2'],
    ['Lunch', null],
  ]) {
    store.create('meeting', { title: title ?? '', recording_id: recording ?? null });
  }
});

afterEach(() => workspace.emulator.faults.clear());
afterAll(() => workspace.stop());

const options = () => ({ priority: 'backfill', signal: workspace.signal }) as const;
const requests = () => workspace.emulator.stats().endpoints[ARTIFACTS]?.requests ?? 0;

async function kept(): Promise<Record<string, unknown>[]> {
  return await workspace.sql(
    `SELECT m.title, r.recording_id, r.transcript, r.content_type, r.error, r.attempts,
            r.next_attempt_at - r.noticed_at AS pause
       FROM clarify_sync.meeting_recording AS r JOIN clarify.meeting AS m ON m.id = r.meeting_id
      ORDER BY r.recording_id`,
  );
}

async function makeDue(): Promise<void> {
  await workspace.session.db.query(
    `UPDATE clarify_sync.meeting_recording SET next_attempt_at = now() WHERE transcript IS NULL`,
  );
}

test('transcripts come with a sync, once', async () => {
  const { session, signal } = workspace;
  await syncOnce(session, { signal });
  expect(await kept()).toMatchObject([
    { title: 'Kick-off', recording_id: 'rec-1', transcript: expect.stringContaining('rec-1') },
    { title: 'Review', recording_id: 'rec-2', content_type: expect.stringContaining('json') },
  ]);
  expect(requests()).toBe(2);
  await syncOnce(session, { signal });
  expect(requests()).toBe(2);
  const runs = await workspace.sql(`SELECT counts FROM clarify_sync.run WHERE kind = 'recordings'`);
  expect(runs).toMatchObject([{ counts: { noticed: 2, fetched: 2, failed: 0 } }]);
});

test('one that cannot be had waits by itself, longer each time, and is given up in the end', async () => {
  const { session, emulator, signal } = workspace;
  emulator.faults.add({ kind: 'status', status: 404, path: 'rec-3/artifacts' });
  emulator.store.create('meeting', { title: 'Broken', recording_id: 'rec-3' });
  emulator.store.create('meeting', { title: 'Fine', recording_id: 'rec-4' });
  await syncOnce(session, { signal });
  const [, , third, fourth] = await kept();
  expect(third).toMatchObject({ error: 'remote-not-found', attempts: 1, transcript: null });
  expect(fourth).toMatchObject({ error: null, transcript: expect.stringContaining('rec-4') });
  const pass = createRecordingsPass(session);
  await pass(options());
  expect(await kept()).toMatchObject([{}, {}, { attempts: 1 }, {}]);
  for (let attempt = 2; attempt <= 10; attempt += 1) {
    await makeDue();
    await pass(options());
  }
  expect(await kept()).toMatchObject([{}, {}, { attempts: 10, pause: null }, {}]);
});

test('where Clarify does not answer, nobody is blamed and everything waits', async () => {
  const { session, emulator, signal } = workspace;
  emulator.store.create('meeting', { title: 'Later', recording_id: 'rec-5' });
  emulator.faults.add({ kind: 'status', status: 401, path: '/artifacts|/schemas' });
  const pass = createRecordingsPass(session);
  await expect(syncOnce(session, { signal })).rejects.toMatchObject({ disposition: 'halt' });
  const before = requests();
  emulator.faults.clear();
  emulator.faults.add({ kind: 'status', status: 429, retryAfter: 300, path: '/artifacts' });
  await pass(options());
  expect(requests()).toBe(before + 1);
  expect((await kept()).at(-1)).toMatchObject({ attempts: 0, error: null, transcript: null });
  emulator.faults.clear();
  const reopened = await workspace.reopen();
  await createRecordingsPass(reopened)(options());
  expect((await kept()).at(-1)).toMatchObject({ transcript: expect.stringContaining('rec-5') });
});

test('a meeting is noticed by the database’s clock, whatever this machine’s says', async () => {
  const { emulator, session, signal, sql } = workspace;
  const nowMs = () => Date.now() + 3_600_000;
  const pass = createRecordingsPass({ ...session, nowMs });
  await pass(options());
  emulator.store.create('meeting', { title: 'Late', recording_id: 'rec-9' });
  await pullAll(session, { signal, priority: 'pull' });
  await pass(options());
  const noticed = 'SELECT 1 FROM clarify_sync.meeting_recording WHERE recording_id = $$rec-9$$';
  expect(await sql(noticed)).toHaveLength(1);
  await sql('DELETE FROM clarify_sync.meeting_recording WHERE recording_id = $$rec-9$$');
  const [late] = emulator.store.ids('meeting').slice(-1);
  emulator.store.delete('meeting', late ?? '');
  await pullAll(session, { signal, priority: 'pull' });
});

test('what was said in a meeting goes with it', async () => {
  const { session, emulator, signal } = workspace;
  const [gone = ''] = emulator.store.ids('meeting');
  emulator.store.delete('meeting', [gone]);
  await syncOnce(session, { signal });
  const left = await workspace.sql(
    'SELECT FROM clarify_sync.meeting_recording WHERE meeting_id = $1',
    [gone],
  );
  expect(left).toEqual([]);
});

test('recordings are known in every form the API may give them', async () => {
  const { session, emulator, signal } = workspace;
  emulator.store.addField('meeting', { name: 'recording_ids', form: { kind: 'array' } });
  emulator.store.addField('meeting', { name: 'recordings', form: { kind: 'object' } });
  await session.refreshSchema(signal);
  emulator.store.create('meeting', { title: 'A', recording_ids: ['a-1', 'a-2'] });
  emulator.store.create('meeting', { title: 'B', recordings: { items: ['b-1'] } });
  emulator.store.create('meeting', { title: 'C', recordings: { id: 'c-1', length: 3 } });
  emulator.store.create('meeting', { title: 'D', recordings: {} });
  const quiet = await workspace.reopen();
  emulator.faults.add({ kind: 'status', status: 404, path: '/artifacts' });
  await syncOnce(quiet, { signal });
  const meeting = quiet.tables.find(({ object }) => object === 'meeting');
  if (meeting === undefined) throw new Error('there is no table of meetings');
  await workspace.session.db.transaction(
    async (tx) =>
      await tx.query(`UPDATE clarify.meeting SET _extra = '{"recording":[{"_id":"e-1"}]}'
                       WHERE title = 'D'`),
    { asWriter: true },
  );
  const { tables, links } = quiet;
  expect(await noteRecordings(quiet.db, meeting, { tables, links, sinceMs: null })).toBe(1);
  const found = await workspace.sql(
    `SELECT recording_id AS id FROM clarify_sync.meeting_recording
      WHERE recording_id !~ '^rec' ORDER BY 1`,
  );
  expect(found.map(({ id }) => id)).toEqual(['a-1', 'a-2', 'b-1', 'c-1', 'e-1']);
});
