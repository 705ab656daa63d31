import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let person: string;

beforeAll(async () => {
  const person_ = { activities: true, comments: null, fields: {}, history: false } as const;
  workspace = await openWorkspace({
    emulator: { sizes: { person: 5, company: 2, deal: 0, task: 0, meeting: 0 } },
    config: { objects: { person: { ...person_, delete: 'push' } } },
  });
  [person = ''] = workspace.emulator.store.ids('person');
  await write(person, 'Hello');
  await write(person, 'again');
  await syncOnce(workspace.session, { signal: workspace.signal });
});
afterEach(() => workspace.emulator.faults.clear());
afterAll(() => workspace.stop());

async function call(method: string, path: string, body?: unknown): Promise<void> {
  const { url, workspace: slug, apiKey } = workspace.emulator;
  const answer = await fetch(`${url}/workspaces/${slug}${path}`, {
    method,
    headers: {
      authorization: `api-key ${apiKey}`,
      'user-agent': 'somebody',
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
}

const blocks = (text: string) => [{ type: 'paragraph', content: [{ type: 'text', text }] }];

/** Somebody comments on a person in the app. @returns the comment's id. */
async function write(owner: string, text: string): Promise<string> {
  const _id = randomUUID();
  await call('POST', '/comments', {
    _id,
    entity: 'person',
    owner_id: owner,
    message: blocks(text),
  });
  return _id;
}

/** As `docs/side-tables.md` reads them. */
const said = async () =>
  (await workspace.sql('select c.text as said from clarify.comment as c order by said')).map(
    (row) => String(row['said']),
  );
const requests = () => workspace.emulator.stats().endpoints['GET /comments/{id}']?.requests ?? 0;

async function pass(due = true): Promise<void> {
  const { session, signal } = workspace;
  if (due) {
    await session.db.query(
      `UPDATE clarify_sync.side_reading SET due_at = clock_timestamp() WHERE part = 'comment'`,
    );
  }
  await createSidePass(session)({ signal, priority: 'backfill' });
}

test('comments are found by what is told of the past, and read once', async () => {
  expect(await said()).toEqual(['Hello', 'again']);
  expect(requests()).toBe(2);
  await pass(false);
  expect(requests()).toBe(2);
  const rows = await workspace.sql(
    `SELECT record_id, object, created_by IS NOT NULL AS by, created_at::timestamptz > now() - interval '1 hour' AS new
       FROM clarify.comment`,
  );
  const row = { record_id: person, object: 'person', by: true, new: true };
  expect(rows).toEqual([row, row]);
});

test('one more is read with those of its record, and so is what was edited', async () => {
  const { session, signal, emulator } = workspace;
  const [first] = [...emulator.extras.comments.keys()];
  await call('PATCH', `/comments/${first ?? ''}`, { message: blocks('Hello you') });
  const [, other = ''] = emulator.store.ids('person');
  await write(person, 'more');
  await write(other, 'to another');
  // Their feeds are read again once the records have another version.
  for (const id of [person, other]) emulator.store.update('person', id, { job_title: 'Talked of' });
  await syncOnce(session, { signal });
  expect(await said()).toEqual(['Hello you', 'again', 'more', 'to another']);
  expect(requests()).toBe(2 + 3 + 1);
});

test('one that was deleted goes, once that was said twice', async () => {
  const [, second = ''] = [...workspace.emulator.extras.comments.keys()];
  await call('DELETE', `/comments/${second}`);
  await pass();
  expect(await said()).toEqual(['Hello you', 'more', 'to another']);
});

test('where they cannot be had, they stay', async () => {
  workspace.emulator.faults.add({ kind: 'status', status: 403, path: '/comments/' });
  await pass();
  expect(await said()).toEqual(['Hello you', 'more', 'to another']);
  const errors = await workspace.sql(
    `SELECT DISTINCT error FROM clarify_sync.side_reading WHERE part = 'comment'`,
  );
  expect(errors).toEqual([{ error: 'remote-forbidden' }]);
});

test('they go with their record', async () => {
  const { session, signal, emulator } = workspace;
  emulator.store.delete('person', [person]);
  await syncOnce(session, { signal });
  expect(await said()).toEqual(['to another']);
});

test('they are read-only here', async () => {
  await expect(workspace.sql('DELETE FROM clarify.comment')).rejects.toThrow(/clarify-sync:/);
});
