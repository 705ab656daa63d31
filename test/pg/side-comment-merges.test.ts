import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** Comments whose record was merged between a request without an answer and its repeat. */

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 16, company: 0, deal: 0, task: 0, meeting: 0 } },
    config: {
      objects: {
        person: { activities: true, comments: null, fields: {}, history: false, delete: 'push' },
      },
    },
  });
  await sync();
});
afterEach(() => workspace.emulator.faults.clear());
afterAll(() => workspace.stop());

const sql: TestWorkspace['sql'] = (text, values) => workspace.sql(text, values);
const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const there = (id: string) => workspace.emulator.extras.comments.get(id);

async function repeat(): Promise<void> {
  await sql('UPDATE clarify_sync.comment_outbox SET next_attempt_at = now()');
  await pushOnce(workspace.session, { signal: workspace.signal });
}

const entry = async (id: string) =>
  (await sql('SELECT state, last_error FROM clarify_sync.comment_outbox WHERE id = $1', [id]))[0];

/** A comment without an answer, on a record that goes into another. `applied`: it arrived. */
async function lose(applied: boolean) {
  const { store, faults } = workspace.emulator;
  const [origin = '', target = '', last = ''] = store.ids('person').toSorted();
  faults.add({ kind: 'status', status: 503, applied, method: 'POST', path: '/comments' });
  const [row] = await sql(
    `INSERT INTO clarify.comment (object, record_id, text) VALUES ('person', $1, 'Lost') RETURNING id`,
    [origin],
  );
  const id = String(row?.['id']);
  await pushOnce(workspace.session, { signal: workspace.signal });
  faults.clear();
  expect(await entry(id)).toMatchObject({ state: 'sending' });
  await sql(`UPDATE clarify_sync.comment_outbox SET next_attempt_at = now() + interval '1 hour'`);
  expect(there(id) !== undefined).toBe(applied);
  store.merge('person', target, [origin]);
  return { id, origin, target, last };
}

/** The CRM gives what it has of a record to the one it lives on in. */
function moveComment(id: string, ownerId: string): void {
  const { comments } = workspace.emulator.extras;
  const comment = comments.get(id);
  if (comment !== undefined) comments.set(id, { ...comment, ownerId });
}

async function isDone(id: string, target: string): Promise<void> {
  expect(await entry(id)).toMatchObject({ state: 'done' });
  await createSidePass(workspace.session)({ signal: workspace.signal, priority: 'backfill' });
  const rows = await sql(
    `SELECT record_id, created_by IS NOT NULL AS by FROM clarify.comment WHERE id = $1`,
    [id],
  );
  expect(rows).toEqual([{ record_id: target, by: true }]);
}

test.each([
  ['stays with the record that is gone', false],
  ['went to the one it lives on in', true],
])('one that arrived and %s is found, whichever is heard of first', async (_, moves) => {
  const known = await lose(true);
  if (moves) moveComment(known.id, known.target);
  await sync();
  await repeat();
  await isDone(known.id, known.target);

  const unknown = await lose(true);
  if (moves) moveComment(unknown.id, unknown.target);
  await repeat();
  expect(await entry(unknown.id)).toMatchObject({ state: moves ? 'sending' : 'done' });
  await sync();
  await repeat();
  await isDone(unknown.id, unknown.target);
});

test('one whose record was merged twice is found', async () => {
  const { id, target, last } = await lose(true);
  await sync();
  workspace.emulator.store.merge('person', last, [target]);
  await sync();
  await repeat();
  expect(await entry(id)).toMatchObject({ state: 'done' });
  await isDone(id, last);
});

test('one that never arrived waits until the merge is known, and is written there', async () => {
  const { id, target } = await lose(false);
  await repeat();
  expect(await entry(id)).toMatchObject({ state: 'sending' });
  await sync();
  await repeat();
  expect(there(id)).toMatchObject({ ownerId: target });
  await isDone(id, target);
});

test('where the CRM answers by the record that lives on, it is written there at once', async () => {
  const { id, origin, target } = await lose(false);
  const { emulator } = workspace;
  const answer = await fetch(
    `${emulator.url}/workspaces/${emulator.workspace}/objects/person/resources/${target}`,
    {
      headers: { authorization: `api-key ${emulator.apiKey}`, 'user-agent': 'test' },
    },
  );
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as never;
  emulator.faults.add({ kind: 'answer', status: 200, body, path: `/person/resources/${origin}` });
  await repeat();
  expect(there(id)).toMatchObject({ ownerId: target });
  emulator.faults.clear();
  await sync();
  await isDone(id, target);
});

test('one that is sent for the first time follows its record, whichever is heard of first', async () => {
  const { store } = workspace.emulator;
  const [origin = '', target = ''] = store.ids('person').toSorted();
  store.merge('person', target, [origin]);
  const [row] = await sql(
    `INSERT INTO clarify.comment (object, record_id, text) VALUES ('person', $1, 'First') RETURNING id`,
    [origin],
  );
  const id = String(row?.['id']);
  await pushOnce(workspace.session, { signal: workspace.signal });
  expect(await entry(id)).toMatchObject({
    state: 'pending',
    last_error: expect.stringMatching(/^record-unknown: /) as string,
  });
  await sync();
  await repeat();
  expect(there(id)).toMatchObject({ ownerId: target });
  await isDone(id, target);
});

test('one whose record was deleted is parked once that is known, and so is one of another record', async () => {
  const { store, faults } = workspace.emulator;
  const gone = await lose(false);
  store.delete('person', [gone.target]);
  await repeat();
  expect(await entry(gone.id)).toMatchObject({ state: 'sending' });
  await sync();
  await repeat();
  expect(await entry(gone.id)).toMatchObject({ state: 'parked' });

  const [record = '', other = ''] = store.ids('person').toSorted();
  faults.add({ kind: 'status', status: 503, applied: true, method: 'POST', path: '/comments' });
  const [row] = await sql(
    `INSERT INTO clarify.comment (object, record_id, text) VALUES ('person', $1, 'Mine') RETURNING id`,
    [record],
  );
  const id = String(row?.['id']);
  await pushOnce(workspace.session, { signal: workspace.signal });
  faults.clear();
  moveComment(id, other);
  await repeat();
  expect(await entry(id)).toMatchObject({
    state: 'parked',
    last_error: expect.stringMatching(/^remote-duplicate: /) as string,
  });
});
