import { afterEach, beforeEach, expect, test } from 'vitest';
import { pushOnce } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { differences } from '../support/agreement.ts';
import { createTestDatabase } from '../support/database.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { field, objectOf } from '../unit/mirror/schemas.ts';
import { asWriter } from './mirror-tables.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { person: 3, company: 2, task: 2 } } });
  await sync();
});
afterEach(() => workspace?.stop());

async function sync(): Promise<void> {
  const { session, signal } = workspace;
  await session.followSchema();
  await syncOnce(session, { signal });
}

async function push(): Promise<void> {
  const { session, signal } = workspace;
  await pushOnce(session, { signal });
}

const titles = () => workspace.emulator.store.all('task').map(({ attributes }) => attributes.title);

test('a record is known by the id it has in the CRM', async () => {
  const { sql } = workspace;
  for (const table of ['person', 'company', 'task']) {
    const odd = await sql(`SELECT id FROM clarify.${table} WHERE _key IS DISTINCT FROM id`);
    expect(odd).toEqual([]);
  }
});

test('a row born here is found by its key before, during and after its push', async () => {
  const { sql } = workspace;
  const [born] = await sql(`INSERT INTO clarify.task (title) VALUES ('One') RETURNING id, _key`);
  expect(born?.['_key']).toBe(born?.['id']);
  const retitle = async (title: string) =>
    await sql('UPDATE clarify.task SET title = $1 WHERE _key = $2 RETURNING id', [
      title,
      born?.['_key'],
    ]);
  expect(await retitle('Two')).toHaveLength(1);
  await push();
  const [row] = await retitle('Three');
  expect(row?.['id']).not.toMatch(/^local:/);
  await sync();
  expect(titles()).toContain('Three');
  expect(await sql('SELECT id FROM clarify.task WHERE _key = $1', [born?.['_key']])).toEqual([row]);
  expect(await differences(workspace)).toEqual([]);
});

test('an upsert by the key is an insert once, and an update ever after', async () => {
  const { emulator, sql } = workspace;
  const upsert = async (key: string, title: string) =>
    await sql(
      `INSERT INTO clarify.task (_key, title) VALUES ($1, $2)
         ON CONFLICT (_key) DO UPDATE SET title = excluded.title RETURNING id, _key`,
      [key, title],
    );
  expect(await upsert('local:mine', 'One')).toEqual([{ id: 'local:mine', _key: 'local:mine' }]);
  expect(await upsert('local:mine', 'Two')).toEqual([{ id: 'local:mine', _key: 'local:mine' }]);
  await push();
  const [pushed] = await upsert('local:mine', 'Three');
  expect(pushed).toEqual({ id: expect.not.stringMatching(/^local:/), _key: 'local:mine' });
  const [known = ''] = emulator.store.ids('task');
  expect(await upsert(known, 'Known')).toEqual([{ id: known, _key: known }]);
  await sync();
  expect(titles()).toEqual(expect.arrayContaining(['Known', 'Three']));
  expect(emulator.store.count('task')).toBe(3);
  expect(await differences(workspace)).toEqual([]);
});

test('a tool that writes the default itself leaves the key to us', async () => {
  const { sql } = workspace;
  const rows = await sql(
    `INSERT INTO clarify.task (_key, title) VALUES ('local:', 'One'), (DEFAULT, 'Two')
     RETURNING id LIKE 'local:_%' AND _key = id AS kept`,
  );
  expect(rows).toEqual([{ kept: true }, { kept: true }]);
  const named = await sql(
    `INSERT INTO clarify.task (id, _key, title) VALUES ('local:mine', 'local:', 'Three') RETURNING id, _key`,
  );
  expect(named).toEqual([{ id: 'local:mine', _key: 'local:mine' }]);
});

test('nobody gives a row another key', async () => {
  const { emulator, sql } = workspace;
  const [known = ''] = emulator.store.ids('task');
  const kept = /_key is kept by clarify-sync/;
  await expect(sql(`UPDATE clarify.task SET _key = 'x' WHERE id = $1`, [known])).rejects.toThrow(
    kept,
  );
  await expect(sql(`INSERT INTO clarify.task (_key) VALUES ('x')`)).rejects.toThrow(kept);
  await sql('UPDATE clarify.task SET _key = _key, title = $2 WHERE id = $1', [known, 'Same']);
  await sync();
  expect(titles()).toContain('Same');
});

test('a row that comes back has the key it had', async () => {
  const { emulator, sql } = workspace;
  await sql(`INSERT INTO clarify.task (id, title) VALUES ('local:back', 'Gone for a while')`);
  await push();
  const [row] = await sql(`SELECT id FROM clarify.task WHERE _key = 'local:back'`);
  const id = String(row?.['id']);
  await workspace.session.db.transaction(
    (tx) => tx.query('DELETE FROM clarify.task WHERE id = $1', [id]),
    { asWriter: true },
  );
  emulator.store.update('task', id, { title: 'Back again' });
  await sync();
  expect(await sql('SELECT _key, _local_id, title FROM clarify.task WHERE id = $1', [id])).toEqual([
    { _key: 'local:back', _local_id: 'local:back', title: 'Back again' },
  ]);
});

test('a row born here that is a record of today keeps that record’s key', async () => {
  const { emulator, sql } = workspace;
  const [known] = await sql(`SELECT id, email_addresses AS emails FROM clarify.person LIMIT 1`);
  await sql(`INSERT INTO clarify.person (email_addresses, job_title) VALUES ($1, 'CEO')`, [
    known?.['emails'],
  ]);
  await sync();
  expect(
    await sql('SELECT _key, job_title FROM clarify.person WHERE id = $1', [known?.['id']]),
  ).toEqual([{ _key: known?.['id'], job_title: 'CEO' }]);
  expect(emulator.store.count('person')).toBe(3);
  const [{ born } = {}] = await sql(`SELECT _local_id AS born FROM clarify.person WHERE id = $1`, [
    known?.['id'],
  ]);
  const upserted = await sql(
    `INSERT INTO clarify.person (_key, job_title) VALUES ($1, 'Chair')
       ON CONFLICT (_key) DO UPDATE SET job_title = excluded.job_title RETURNING id`,
    [born],
  );
  expect(upserted).toEqual([{ id: known?.['id'] }]);
});

test('a table from before there were keys gets them, views included', async () => {
  const { session, sql } = workspace;
  await sql(`INSERT INTO clarify.task (id, title) VALUES ('local:old', 'Old')`);
  await push();
  await sql('CREATE VIEW public.tasks AS SELECT id, title FROM clarify.task');
  await sql('DROP TRIGGER clarify_key ON clarify.task');
  await sql('ALTER TABLE clarify.task DROP COLUMN _key');
  await sql(`CREATE TRIGGER clarify_birth BEFORE INSERT ON clarify.task FOR EACH ROW
               WHEN (NEW.id LIKE 'local:%') EXECUTE FUNCTION clarify_sync.birth()`);
  const before = await sql('SELECT count(*) FROM clarify_sync.outbox');
  await session.refreshSchema(workspace.signal);
  expect(session.problems).toEqual([]);
  const keys = await sql(
    `SELECT count(*)::int AS rows, count(*) FILTER (WHERE _key = coalesce(_local_id, id))::int AS kept,
            count(*) FILTER (WHERE _key = 'local:old')::int AS born FROM clarify.task`,
  );
  expect(keys).toEqual([{ rows: 3, kept: 3, born: 1 }]);
  expect(await sql('SELECT count(*) FROM clarify_sync.outbox')).toEqual(before);
  const triggers = await sql(
    `SELECT tgname::text AS name FROM pg_trigger
      WHERE tgrelid = 'clarify.task'::regclass AND tgname IN ('clarify_birth', 'clarify_key')`,
  );
  expect(triggers).toEqual([{ name: 'clarify_key' }]);
  await expect(sql(`INSERT INTO clarify.task (title) VALUES ('New')`)).resolves.toEqual([]);
  expect(await sql('SELECT title FROM public.tasks')).toHaveLength(4);
  await session.refreshSchema(workspace.signal);
});

test('versions get the keys of their rows, and no version comes of that', async () => {
  const { db, drop } = await createTestDatabase();
  try {
    await ensureInstallation(db, { workspace: 'test', push: true });
    const wanted = [objectOf('deal', [field('title')])];
    const history = new Set(['deal']);
    await applyMirror(db, wanted, { history });
    await asWriter(db, `INSERT INTO clarify.deal (id, title) VALUES ('1', 'a'), ('local:b', 'b')`);
    await asWriter(db, `UPDATE clarify.deal SET id = '2', title = 'c' WHERE id = 'local:b'`);
    const versions = await db.query('SELECT id, title FROM clarify_history.deal ORDER BY title');
    await db.query('DROP TRIGGER clarify_key ON clarify.deal');
    await db.query('ALTER TABLE clarify.deal DROP COLUMN _key');
    await db.query('ALTER TABLE clarify_history.deal DROP COLUMN _key');
    expect((await applyMirror(db, wanted, { history })).problems).toEqual([]);
    expect(await db.query('SELECT id, title FROM clarify_history.deal ORDER BY title')).toEqual(
      versions,
    );
    expect(await db.query('SELECT DISTINCT _key FROM clarify_history.deal ORDER BY 1')).toEqual([
      { _key: '1' },
      { _key: 'local:b' },
    ]);
    expect((await applyMirror(db, wanted, { history })).steps).toEqual([]);
  } finally {
    await drop();
  }
});
