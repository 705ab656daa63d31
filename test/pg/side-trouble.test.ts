import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { forgetRecord } from '../../src/db/forget.ts';
import { RemoteError } from '../../src/domain/errors.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const COMPANIES = 12;
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 5, company: COMPANIES, deal: 0, task: 0, meeting: 0 } },
    config: {
      objects: { company: { attachments: null, fields: {}, history: false, delete: 'push' } },
    },
  });
  await syncOnce(workspace.session, { signal: workspace.signal });
});
afterAll(() => workspace.stop());

const sql: TestWorkspace['sql'] = (text, values) => workspace.sql(text, values);

async function pass(session = workspace.session): Promise<void> {
  await createSidePass(session)({ signal: workspace.signal, priority: 'backfill' });
}

test('a constraint of somebody else’s keeps out the rows that it refuses, and their record’s alone', async () => {
  const again = () =>
    sql(
      `UPDATE clarify_sync.side_reading SET read_at = NULL, attempts = 0, error = NULL, due_at = clock_timestamp()
        WHERE part = 'attachment'`,
    );
  const [row] = await sql(
    'SELECT record_id, count(*)::int AS n FROM clarify.attachment GROUP BY 1 LIMIT 1',
  );
  const [all] = await sql('SELECT count(*)::int AS n FROM clarify.attachment');
  await sql(
    `ALTER TABLE clarify.attachment ADD CONSTRAINT not_this CHECK (record_id <> '${String(row?.record_id)}') NOT VALID`,
  );
  await workspace.session.db.transaction((tx) => tx.query('DELETE FROM {mirror}.attachment'), {
    asWriter: true,
  });
  await again();
  await pass();
  expect(await sql('SELECT count(*)::int AS n FROM clarify.attachment')).toEqual([
    { n: Number(all?.n) - Number(row?.n) },
  ]);
  expect(
    await sql(
      `SELECT key, error FROM clarify_sync.side_reading WHERE part = 'attachment' AND error IS NOT NULL`,
    ),
  ).toEqual([{ key: row?.record_id, error: 'row-refused' }]);
  expect(await sql(`SELECT code FROM clarify_sync.trouble WHERE part = 'attachments'`)).toEqual([]);
  await sql('ALTER TABLE clarify.attachment DROP CONSTRAINT not_this');
  await again();
  await pass();
  expect(await sql('SELECT count(*)::int AS n FROM clarify.attachment')).toEqual([{ n: all?.n }]);
});

test('records of which nothing is heard, or too much, keep no other waiting', async () => {
  const { session } = workspace;
  const { readSide } = session.remote;
  if (readSide === undefined) throw new Error('Clarify has what stands beside records');
  await sql(
    `UPDATE clarify_sync.side_reading SET read_at = NULL, attempts = 0, error = NULL, due_at = clock_timestamp()
      WHERE part = 'attachment'`,
  );
  const due = await sql(
    `SELECT key FROM clarify_sync.side_reading WHERE part = 'attachment' ORDER BY due_at LIMIT 4`,
  );
  const silent = new Set(due.map(({ key }) => key));
  const remote: typeof session.remote = {
    ...session.remote,
    readSide: async (request, options) => {
      if (!silent.has(request.key)) return await readSide(request, options);
      const code = request.key === due[0]?.key ? 'remote-answer-too-large' : 'remote-timeout';
      throw new RemoteError('nothing usable', { code, status: null, disposition: 'retry' });
    },
  };
  await pass({ ...session, remote });
  const standing = await sql(
    `SELECT key, error FROM clarify_sync.side_reading WHERE part = 'attachment' AND read_at IS NULL`,
  );
  expect(new Set(standing.map(({ key }) => key))).toEqual(silent);
  expect(standing.filter(({ error }) => error === null)).toEqual([]);
  expect(await sql(`SELECT code FROM clarify_sync.trouble WHERE part = 'attachments'`)).toEqual([]);
});

test('a CRM that answers nothing at all is left alone, and blames few', async () => {
  const { session } = workspace;
  await sql(
    `UPDATE clarify_sync.side_reading SET attempts = 0, error = NULL, due_at = clock_timestamp()
      WHERE part = 'attachment'`,
  );
  const remote: typeof session.remote = {
    ...session.remote,
    readSide: async ({ part }) => {
      const message = `nothing is heard of ${part}`;
      throw new RemoteError(message, {
        code: 'remote-timeout',
        status: null,
        disposition: 'retry',
      });
    },
  };
  await pass({ ...session, remote });
  expect(await sql(`SELECT code FROM clarify_sync.trouble WHERE part = 'attachments'`)).toEqual([
    { code: 'remote-timeout' },
  ]);
  const blamed = await sql(
    `SELECT key FROM clarify_sync.side_reading WHERE part = 'attachment' AND attempts > 0`,
  );
  expect(blamed.length).toBeLessThan(COMPANIES);
});

test('forgetting a record takes it from readings that broke off', async () => {
  const { session, emulator } = workspace;
  const [gone, other] = await sql('SELECT id FROM clarify.person ORDER BY id LIMIT 2');
  const items = JSON.stringify([
    { id: 'r1', fields: { person_id: gone?.id, email: 'a@x.example' } },
    { id: 'r2', fields: { person_id: other?.id } },
    { id: gone?.id, fields: {} },
  ]);
  await session.db.query(
    `INSERT INTO clarify_sync.side_page (part, object, key, page, items, total)
     VALUES ('campaign_recipient', '', 'c', 0, $1, 900), ('list_member', 'person', 'l', 0, $1, 900),
            ('list_member', 'deal', 'l', 0, '[]', 900), ('attachment', 'person', $2, 0, $1, 900)`,
    [items, gone?.id],
  );
  emulator.store.delete('person', [String(gone?.id)]);
  await syncOnce(session, { signal: workspace.signal });
  await forgetRecord(session.db, { object: 'person', id: String(gone?.id), dry: false });
  expect(
    await sql(
      `SELECT part, object, jsonb_path_query_array(items, '$[*].id') AS ids FROM clarify_sync.side_page
        WHERE key IN ('c', 'l', $1) ORDER BY part, object`,
      [gone?.id],
    ),
  ).toEqual([
    { part: 'campaign_recipient', object: '', ids: ['r2'] },
    { part: 'list_member', object: 'deal', ids: [] },
    { part: 'list_member', object: 'person', ids: ['r2'] },
  ]);
});

test('a table that somebody dropped is made anew, and everything read again', async () => {
  const all = 'SELECT record_id, id FROM clarify.attachment ORDER BY 1, 2';
  await sql(
    `UPDATE clarify_sync.side_reading SET attempts = 0, error = NULL, due_at = clock_timestamp()
      WHERE part = 'attachment'`,
  );
  await sql(`DELETE FROM clarify_sync.trouble WHERE part = 'attachments'`);
  const session = await workspace.reopen();
  await pass(session);
  const before = await sql(all);
  expect(before.length).toBeGreaterThan(0);
  await sql('DROP TABLE clarify.attachment');
  await pass(session);
  expect(await sql(all)).toEqual(before);
});
