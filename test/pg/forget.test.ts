import { afterAll, beforeAll, expect, test } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { forgetRecord } from '../../src/db/forget.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  const history = { fields: {}, history: true, delete: 'push' } as const;
  workspace = await openWorkspace({
    emulator: { sizes: { person: 30, company: 2 } },
    config: { objects: { person: history } },
  });
  await sync();
});

afterAll(() => workspace?.stop());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const forget = (id: string, dry = false) =>
  forgetRecord(workspace.session.db, { object: 'person', id, dry });

/** Tables of ours in which the text occurs anywhere at all. */
async function mentions(text: string): Promise<string[]> {
  const { sql } = workspace;
  const tables = await sql(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname IN ('clarify', 'clarify_sync', 'clarify_history') ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await sql(
      `SELECT FROM ${String(name)} AS t WHERE strpos(lower(t::text), lower($1)) > 0 LIMIT 1`,
      [text],
    );
    if (rows.length > 0) found.push(String(name));
  }
  return found;
}

/** A person both sides have edited, to two values, and who is gone in Clarify. */
async function departed(word: string): Promise<string> {
  const { sql, emulator } = workspace;
  await sql(
    `INSERT INTO clarify.person (id, email_addresses, job_title) VALUES ($1, ARRAY[$2], $3)`,
    [`local:${word}`, `${word}@example.com`, `${word} at first`],
  );
  await sync();
  const [row] = await sql('SELECT id FROM clarify.person WHERE _local_id = $1', [`local:${word}`]);
  const id = String(row?.['id']);
  await sql('UPDATE clarify.person SET job_title = $2 WHERE id = $1', [id, `${word} here`]);
  emulator.store.update('person', id, { job_title: `${word} there` });
  await sync();
  emulator.store.delete('person', id);
  await sync();
  return id;
}

test('nothing but ids remains, whatever Clarify tells again', async () => {
  const id = await departed('Xanthippe');
  const before = await mentions('xanthippe@example.com');
  expect(before).toEqual([
    'clarify_history.person',
    'clarify_sync.outbox',
    'clarify_sync.tombstone',
  ]);
  expect(await mentions('xanthippe there')).toContain('clarify_sync.conflict');

  const dry = await forget(id, true);
  expect(await mentions('xanthippe@example.com')).toEqual(before);
  const found = await forget(id);
  expect(found).toEqual(dry);
  expect(found).toMatchObject({
    ids: [id, 'local:Xanthippe'],
    tombstones: 1,
    left: { rows: 0, changes: 0, conflicts: 0 },
  });
  expect(found?.versions).toBeGreaterThan(2);
  expect(found?.changes).toBeGreaterThan(1);
  expect(found?.conflicts).toBeGreaterThan(0);
  expect(await mentions('xanthippe@')).toEqual([]);
  expect(await mentions('xanthippe here')).toEqual([]);
  expect(await mentions('xanthippe there')).toEqual([]);
  expect(await mentions('xanthippe at')).toEqual([]);

  await workspace.session.db.query(
    'UPDATE clarify_sync.cursor SET deleted_watermark = NULL, deletions_read_at = NULL',
  );
  await sync();
  expect(await mentions('xanthippe@')).toEqual([]);
  const [tombstone] = await workspace.sql(
    'SELECT record FROM clarify_sync.tombstone WHERE id = $1',
    [id],
  );
  expect(tombstone).toEqual({ record: {} });
  expect(await forget('local:Xanthippe')).toMatchObject({ tombstones: 0, versions: 0, changes: 0 });
});

test('while the row stands its past goes, and its present stays', async () => {
  const { sql, emulator } = workspace;
  const [id = ''] = emulator.store.ids('person');
  await sql(`UPDATE clarify.person SET job_title = 'Once' WHERE id = $1`, [id]);
  await sync();
  await sql(`UPDATE clarify.person SET job_title = 'Now' WHERE id = $1`, [id]);
  const found = await forget(id);
  expect(found).toMatchObject({ left: { rows: 1, changes: 1, conflicts: 0 } });
  const versions = await sql('SELECT job_title FROM clarify_history.person WHERE id = $1', [id]);
  expect(versions).toEqual([{ job_title: 'Now' }]);
  const [row] = await sql('SELECT job_title FROM clarify.person WHERE id = $1', [id]);
  expect(row).toEqual({ job_title: 'Now' });
  await sync();
  expect(emulator.store.get('person', id)?.attributes['job_title']).toBe('Now');
});

test('whoever was merged into a record goes with it, and not the other way round', async () => {
  const { sql, emulator } = workspace;
  const [, target = '', source = ''] = emulator.store.ids('person');
  const [row] = await sql('SELECT email_addresses[1] AS email FROM clarify.person WHERE id = $1', [
    source,
  ]);
  emulator.store.merge('person', target, [source]);
  await sync();
  const merged = await forget(source, true);
  expect(merged).toMatchObject({ ids: [source], left: { rows: 0 } });
  emulator.store.delete('person', target);
  await sync();
  const both = await forget(target);
  expect(both?.ids).toEqual([source, target].toSorted());
  expect(await mentions(String(row?.['email']))).toEqual([]);
});

test('a row of an object that is mirrored no more goes as well', async () => {
  const { sql, emulator, session } = workspace;
  const [, , , id = ''] = emulator.store.ids('person');
  await sql(`UPDATE clarify_sync.mirror SET removed_at = now() WHERE object = 'person'`);
  const found = await forgetRecord(session.db, { object: 'person', id, dry: false });
  expect(found).toMatchObject({ rows: 1, left: { rows: 0 } });
  expect(await sql('SELECT FROM clarify.person WHERE id = $1', [id])).toEqual([]);
  expect(await sql('SELECT FROM clarify_history.person WHERE id = $1', [id])).toEqual([]);
});

test('what was said in a meeting goes with it', async () => {
  const { sql, emulator, session } = workspace;
  const [id = ''] = emulator.store.ids('meeting');
  await sql(
    `INSERT INTO clarify_sync.meeting_recording (meeting_id, recording_id, transcript, fetched_at)
     VALUES ($1, 'r', 'Nobody must know', now())`,
    [id],
  );
  const erase = () => forgetRecord(session.db, { object: 'meeting', id, dry: false });
  expect(await erase()).toMatchObject({ recordings: 0, left: { rows: 1 } });
  emulator.store.delete('meeting', id);
  await sync();
  expect(await erase()).toMatchObject({ recordings: 1, left: { rows: 0 } });
  expect(await mentions('nobody must know')).toEqual([]);
});

test('an id that nobody had is said to be one', async () => {
  expect(await forget('nobody')).toBeNull();
});
