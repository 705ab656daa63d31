import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createRecordingsPass } from '../../src/app/daemon/recordings-pass.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { fenced, readPage } from '../unit/docs/page.ts';

const ARTIFACTS = 'POST /meetings/{id}/recordings/{recording}/artifacts';
let workspace: TestWorkspace;
let first: string;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 0, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 } },
    config: {
      objects: { meeting: { recordings: true, fields: {}, history: false, delete: 'push' } },
    },
  });
  const { store } = workspace.emulator;
  first = record('Kick-off');
  record('Review');
  store.create('meeting', { title: 'Lunch' });
});

/** A meeting that was recorded. @returns the recording's id. */
function record(title: string): string {
  const { store } = workspace.emulator;
  const meeting_id = store.create('meeting', { title });
  return store.create('meeting_recording', { meeting_id, status: 'completed' });
}

afterEach(() => workspace.emulator.faults.clear());
afterAll(() => workspace.stop());

const options = () => ({ priority: 'backfill', signal: workspace.signal }) as const;
const requests = () => workspace.emulator.stats().endpoints[ARTIFACTS]?.requests ?? 0;

async function kept(): Promise<Record<string, unknown>[]> {
  return await workspace.sql(
    `SELECT m.title, r.recording_id, r.transcript, r.content_type, r.error, r.attempts,
            r.next_attempt_at - r.noticed_at AS pause
       FROM clarify_sync.meeting_recording AS r JOIN clarify.meeting AS m ON m.id = r.meeting_id
      ORDER BY r.noticed_at, m.title`,
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
    { title: 'Kick-off', recording_id: first, transcript: expect.stringContaining('"words"') },
    { title: 'Review', content_type: expect.stringContaining('json') },
  ]);
  expect(requests()).toBe(2);
  await syncOnce(session, { signal });
  expect(requests()).toBe(2);
  const runs = await workspace.sql(`SELECT counts FROM clarify_sync.run WHERE kind = 'recordings'`);
  expect(runs).toMatchObject([{ counts: { noticed: 2, fetched: 2, failed: 0 } }]);
});

test('one that cannot be had waits by itself, longer each time, and is given up in the end', async () => {
  const { session, emulator, signal } = workspace;
  const broken = record('Broken');
  emulator.faults.add({ kind: 'status', status: 404, path: `${broken}/artifacts` });
  record('Fine');
  await syncOnce(session, { signal });
  const [, , third, fourth] = await kept();
  expect(third).toMatchObject({ error: 'remote-not-found', attempts: 1, transcript: null });
  expect(fourth).toMatchObject({ error: null, transcript: expect.stringContaining('"words"') });
  const pass = createRecordingsPass(session);
  await pass(options());
  expect(await kept()).toMatchObject([{}, {}, { attempts: 1 }, {}]);
  for (let attempt = 2; attempt <= 10; attempt += 1) {
    await makeDue();
    await pass(options());
  }
  expect(await kept()).toMatchObject([{}, {}, { attempts: 10, pause: null }, {}]);
  emulator.faults.clear();
  emulator.store.update('meeting_recording', broken, { status: 'done' });
  await syncOnce(session, { signal });
  await pass(options());
  expect(await kept()).toMatchObject([{}, {}, { transcript: expect.any(String), error: null }, {}]);
});

test('where Clarify does not answer, nobody is blamed and everything waits', async () => {
  const { session, emulator, signal } = workspace;
  record('Later');
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
  expect((await kept()).at(-1)).toMatchObject({ transcript: expect.stringContaining('"words"') });
});

test('a recording is noticed by the database’s clock, whatever this machine’s says', async () => {
  const { session, signal, sql } = workspace;
  const nowMs = () => Date.now() + 3_600_000;
  const pass = createRecordingsPass({ ...session, nowMs });
  await pass(options());
  const late = record('Late');
  await pullAll(session, { signal, priority: 'pull' });
  await pass(options());
  const noticed = 'SELECT 1 FROM clarify_sync.meeting_recording WHERE recording_id = $1';
  expect(await sql(noticed, [late])).toHaveLength(1);
});

test('what was said in a meeting goes with it, and with the recording', async () => {
  const { session, emulator, signal, sql } = workspace;
  const left = async () =>
    (await sql('SELECT recording_id AS id FROM clarify_sync.meeting_recording')).map(
      ({ id }) => id,
    );
  const [other = ''] = (await left()).filter((id) => id !== first);
  const meeting = emulator.store.get('meeting_recording', first)?.attributes.meeting_id;
  emulator.store.delete('meeting', typeof meeting === 'string' ? [meeting] : []);
  emulator.store.delete('meeting_recording', [String(other)]);
  await syncOnce(session, { signal });
  expect(await left()).not.toContain(first);
  expect(await left()).not.toContain(other);
  expect(await left()).not.toEqual([]);
});

test('one that is not over yet has no transcript, and is asked for again', async () => {
  const { emulator, signal, sql } = workspace;
  const session = await workspace.reopen();
  const recording = record('Going on');
  emulator.faults.add({
    kind: 'answer',
    path: `${recording}/artifacts`,
    status: 201,
    body: { data: { videoUrl: 'https://videos.example/1', transcriptionUrl: null } },
  });
  await syncOnce(session, { signal });
  const state = () =>
    sql(
      `SELECT error, next_attempt_at IS NOT NULL AS due FROM clarify_sync.meeting_recording
        WHERE recording_id = $1`,
      [recording],
    );
  expect(await state()).toEqual([{ error: 'recording-not-transcribed', due: true }]);
  emulator.faults.clear();
  await makeDue();
  await createRecordingsPass(session)(options());
  expect(await state()).toEqual([{ error: null, due: false }]);
});

test('SQL reads who said what', async () => {
  const [query = ''] = fenced(readPage('analytics.md'), 'sql').filter((text) =>
    text.includes('meeting_recording'),
  );
  const said = await workspace.sql(query);
  expect(said.length).toBeGreaterThan(2);
  for (const row of said) {
    expect(row).toEqual({
      title: expect.any(String),
      speaker: expect.any(String),
      said: expect.stringMatching(/\w+ \w+/),
    });
  }
});
