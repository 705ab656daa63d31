import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivitiesPass } from '../../src/app/daemon/activities-pass.ts';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { ensureSideTable } from '../../src/db/side/ensure.ts';
import { USERS } from '../../src/db/side/tables.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** Columns of ours that somebody took from a table beside the mirror: see `docs/decisions/020-tables-in-place.md`. */

let workspace: TestWorkspace;

const kept = { activities: true, comments: null, fields: {}, history: false } as const;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 6, company: 6, deal: 8, task: 0, meeting: 0, c_project: 0 } },
    config: {
      objects: {
        deal: { ...kept, delete: 'push' },
        company: { attachments: null, fields: {}, history: false, delete: 'push' },
      },
      tables: { settings: true, lists: true, campaigns: [], everyMs: 3_600_000 },
    },
  });
  const { emulator, session, signal } = workspace;
  for (const id of emulator.store.ids('deal')) {
    emulator.store.update('deal', id, { amount: 12, stage: 'Lead' });
    emulator.store.update('deal', id, { amount: null });
  }
  await syncOnce(session, { signal });
});
afterAll(() => workspace.stop());

const sql: TestWorkspace['sql'] = (text, values) => workspace.sql(text, values);

const options = () => ({ signal: workspace.signal, priority: 'backfill' as const });

async function pass(): Promise<void> {
  const { session } = workspace;
  await createActivitiesPass(session)(options());
  await createSidePass(session)(options());
}

const troubles = () => sql('SELECT object, part, code FROM clarify_sync.trouble');

const SHAPES = `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attgenerated
   FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
  WHERE c.relnamespace = 'clarify'::regnamespace AND c.relname IN ('deal_activity', 'attachment', 'comment', 'list_member')
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT LIKE '%\\_\\_was\\_%' ORDER BY 1, 2`;

const PAST = `SELECT record_id, event_id, position, at, actor, kind, type, field, path::text, value::text, was::text, op, feed_id
   FROM clarify.deal_activity ORDER BY 1, 2, 3`;

test('rows that came twice without a key stand once when it is back', async () => {
  const before = await sql(PAST);
  await sql('ALTER TABLE clarify.deal_activity DROP CONSTRAINT deal_activity_pkey');
  await sql('ALTER TABLE clarify.deal_activity DISABLE TRIGGER USER');
  await sql('INSERT INTO clarify.deal_activity SELECT * FROM clarify.deal_activity');
  await sql('ALTER TABLE clarify.deal_activity ENABLE TRIGGER USER');
  await pass();
  expect(await sql(PAST)).toEqual(before);
  expect(await troubles()).toEqual([]);
});

test.each([
  ['dropped', 'DROP COLUMN value'],
  ['dropped, with its index', 'DROP COLUMN at, DROP COLUMN kind'],
  ['dropped: whose feed it was', 'DROP COLUMN feed_id'],
  ['dropped: when it was written', 'DROP COLUMN _synced_at'],
  ['renamed', 'RENAME COLUMN value TO became'],
  ['of the key, renamed', 'RENAME COLUMN record_id TO deal_id'],
  ['retyped', 'ALTER COLUMN value TYPE text'],
  ['retyped, and needed', 'ALTER COLUMN at TYPE text'],
  ['no key', 'DROP CONSTRAINT deal_activity_pkey'],
  ['another key', 'DROP CONSTRAINT deal_activity_pkey, ADD COLUMN n bigserial PRIMARY KEY'],
])('what happened to records: %s, and it is there again', async (_, change) => {
  const { emulator, session, signal } = workspace;
  const [id = ''] = emulator.store.ids('deal');
  const before = await sql(PAST);
  const shape = await sql(SHAPES);
  await sql('ALTER TABLE clarify.deal_activity ADD COLUMN IF NOT EXISTS note text');
  await sql(`ALTER TABLE clarify.deal_activity ${change}`);
  emulator.store.update('deal', id, { amount: before.length });
  await syncOnce(session, { signal });
  await pass();
  expect(await troubles()).toEqual([]);
  const now = await sql(PAST);
  expect(now).toHaveLength(before.length + 1);
  expect(now).toEqual(expect.arrayContaining(before));
  await sql('ALTER TABLE clarify.deal_activity DROP COLUMN note, DROP COLUMN IF EXISTS n');
  expect(await sql(SHAPES)).toEqual(shape);
});

test('a column that somebody dropped keeps no merge waiting', async () => {
  const { emulator, session, signal } = workspace;
  const [origin = '', target = ''] = emulator.store.ids('deal').slice(-2);
  await sql('ALTER TABLE clarify.deal_activity DROP COLUMN actor');
  emulator.store.merge('deal', target, [origin]);
  await syncOnce(session, { signal });
  expect(await sql(`SELECT id FROM clarify.deal WHERE id = '${origin}'`)).toEqual([]);
  expect(
    await sql(`SELECT DISTINCT record_id FROM clarify.deal_activity WHERE feed_id = '${origin}'`),
  ).toEqual([{ record_id: target }]);
  expect(await troubles()).toEqual([]);
});

test('a constraint of somebody else’s keeps no merge waiting either', async () => {
  const { emulator, session, signal } = workspace;
  const [origin = '', target = ''] = emulator.store.ids('deal').slice(-2);
  await sql(
    `ALTER TABLE clarify.deal_activity ADD CONSTRAINT not_this CHECK (record_id = feed_id OR record_id <> '${target}') NOT VALID`,
  );
  emulator.store.merge('deal', target, [origin]);
  await syncOnce(session, { signal });
  expect(await sql(`SELECT id FROM clarify.deal WHERE id = '${origin}'`)).toEqual([]);
  expect(await troubles()).toEqual([]);
  await sql('ALTER TABLE clarify.deal_activity DROP CONSTRAINT not_this');
});

test('a table whose rows cannot be told apart says so, and nothing else stops', async () => {
  const { emulator, session, signal } = workspace;
  const before = await sql(PAST.replace('ORDER BY', 'WHERE feed_id = record_id ORDER BY'));
  await sql('ALTER TABLE clarify.deal_activity DROP COLUMN event_id');
  const [origin = '', target = ''] = emulator.store.ids('deal').slice(-2);
  emulator.store.merge('deal', target, [origin]);
  emulator.store.update('company', emulator.store.ids('company')[0] ?? '', { name: 'Goes on' });
  await syncOnce(session, { signal });
  expect(await troubles()).toEqual([
    { object: 'deal', part: 'activities', code: 'mirror-damaged' },
  ]);
  expect(await sql(`SELECT id FROM clarify.deal WHERE id = '${origin}'`)).toEqual([]);
  expect(await sql(`SELECT name FROM clarify.company WHERE name = 'Goes on'`)).toHaveLength(1);
  await sql('DROP TABLE clarify.deal_activity');
  await sql('DELETE FROM clarify_sync.trouble');
  const reopened = await workspace.reopen();
  await createActivitiesPass(reopened)(options());
  const now = await sql(PAST);
  const there = new Set(emulator.store.ids('deal'));
  const left = before.filter(({ record_id: id }) => there.has(String(id)) && id !== target);
  expect(left.length).toBeGreaterThan(10);
  expect(now).toEqual(expect.arrayContaining(left));
});

const FILES = `SELECT object, record_id, id, name, source, mime_type, size_bytes, fields FROM clarify.attachment ORDER BY 1, 2, 3`;

test.each([
  ['dropped, with all that is made of it', 'DROP COLUMN fields CASCADE'],
  ['renamed', 'RENAME COLUMN fields TO told'],
  ['of the key, renamed', 'RENAME COLUMN record_id TO company_id'],
  ['made of others, renamed', 'RENAME COLUMN name TO title'],
  ['when it was written', 'DROP COLUMN _synced_at'],
  ['no key', 'DROP CONSTRAINT attachment_pkey'],
])('files of records: %s, and it is there again', async (_, change) => {
  const before = await sql(FILES);
  const shape = await sql(SHAPES);
  expect(before.length).toBeGreaterThan(1);
  await sql(`ALTER TABLE clarify.attachment ${change}`);
  await sql(`UPDATE clarify_sync.side_reading SET due_at = clock_timestamp()`);
  await pass();
  expect(await troubles()).toEqual([]);
  expect(await sql(FILES)).toEqual(before);
  expect(await sql(SHAPES)).toEqual(shape);
});

const TRIGGERS = `SELECT t.tgrelid::regclass::text AS of, t.tgname AS name, p.proname AS runs
   FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid
  WHERE c.relnamespace = 'clarify'::regnamespace AND NOT t.tgisinternal ORDER BY 1, 2`;

test('a table that lost its triggers is the same table, and gets them back', async () => {
  const beside = ['deal_activity', 'attachment', 'comment', 'list', '"user"'];
  const TABLES = `SELECT relname FROM pg_class WHERE relnamespace = 'clarify'::regnamespace AND relkind = 'r' ORDER BY 1`;
  const { session, signal, emulator } = workspace;
  await pass();
  await ensureSideTable(session.db, USERS);
  const [triggers, tables, files] = [await sql(TRIGGERS), await sql(TABLES), await sql(FILES)];
  const taken = triggers.filter(({ of }) => beside.includes(String(of).replace('clarify.', '')));
  expect(taken).toHaveLength(13);
  for (const { of, name } of taken) await sql(`DROP TRIGGER ${String(name)} ON ${String(of)}`);
  await sql(`UPDATE clarify_sync.side_reading SET due_at = clock_timestamp()`);
  const [id = ''] = emulator.store.ids('deal');
  emulator.store.update('deal', id, { amount: 77 });
  await syncOnce(session, { signal });
  await pass();
  await ensureSideTable(session.db, USERS);
  expect(await troubles()).toEqual([]);
  expect(await sql(TABLES)).toEqual(tables);
  expect(await sql(TRIGGERS)).toEqual(triggers);
  expect(await sql(FILES)).toEqual(files);
  for (const table of beside.filter((one) => one !== 'comment')) {
    await expect(sql(`DELETE FROM clarify.${table}`)).rejects.toMatchObject({ code: 'CS002' });
  }
});

test('members of lists whose key somebody dropped are named, and found again in a new table', async () => {
  const all = 'SELECT list_id, object, record_id FROM clarify.list_member ORDER BY 1, 2, 3';
  await sql(`UPDATE clarify_sync.side_reading SET due_at = clock_timestamp()`);
  await pass();
  const before = await sql(all);
  expect(before.length).toBeGreaterThan(0);
  await sql('ALTER TABLE clarify.list_member DROP COLUMN record_id');
  await pass();
  expect(await troubles()).toEqual([{ object: 'list', part: 'lists', code: 'mirror-damaged' }]);
  await sql('DROP TABLE clarify.list_member');
  await sql('DELETE FROM clarify_sync.trouble');
  const reopened = await workspace.reopen();
  await createSidePass(reopened)(options());
  expect(await sql(all)).toEqual(before);
});

test.each([
  ['what it says, dropped', 'DROP COLUMN text'],
  ['what it says, retyped', 'ALTER COLUMN text TYPE varchar(3) USING left(text, 3)'],
  ['all that is told, dropped', 'DROP COLUMN fields CASCADE'],
  ['the record, renamed', 'RENAME COLUMN record_id TO of'],
  ['the id, without a default', 'ALTER COLUMN id DROP DEFAULT'],
  ['the record, dropped', 'DROP COLUMN record_id CASCADE'],
])('a comment that waits is sent: %s', async (said, change) => {
  const { session, signal, emulator } = workspace;
  const [deal = ''] = emulator.store.ids('deal');
  const [row] = await sql(
    `INSERT INTO clarify.comment (object, record_id, text) VALUES ('deal', $1, $2) RETURNING id`,
    [deal, `Said: ${said}`],
  );
  const id = String(row?.id);
  await sql(`ALTER TABLE clarify.comment ${change}`);
  await pushOnce(session, { signal });
  expect(emulator.extras.comments.get(id)).toMatchObject({ id });
  const entry = 'SELECT state FROM clarify_sync.comment_outbox WHERE id = $1';
  expect(await sql(entry, [id])).toEqual([{ state: 'done' }]);
  if (change.startsWith('DROP COLUMN record_id')) return;
  expect(
    await sql(
      `SELECT record_id, text, created_by IS NOT NULL AS by FROM clarify.comment WHERE id = $1`,
      [id],
    ),
  ).toEqual([{ record_id: deal, text: `Said: ${said}`, by: true }]);
  await sql(`INSERT INTO clarify.comment (object, record_id, text) VALUES ('deal', $1, 'Next')`, [
    deal,
  ]);
});
