import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refreshUsers } from '../../src/app/daemon/background-jobs.ts';
import { runDoctor } from '../../src/app/doctor/doctor.ts';
import { createLog } from '../../src/app/log.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { applyGrants, readGrantState } from '../../src/db/access/grants.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
/** Roles belong to the whole server. */
const suffix = randomBytes(4).toString('hex');
const [analyst, editor, late] = [`analyst_${suffix}`, `editor_${suffix}`, `late_${suffix}`];
const grants = { read: [analyst, late], write: [editor] };
const open: pg.Client[] = [];

async function asRole(role: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: workspace.database.urlAs(role, 'secret') });
  await client.connect();
  open.push(client);
  return client;
}

beforeAll(async () => {
  const history = { fields: {}, history: true, delete: 'push' } as const;
  workspace = await openWorkspace({
    emulator: { sizes: { person: 3, company: 2, deal: 5 } },
    config: { objects: { deal: history }, grants },
  });
  const { session, signal, sql } = workspace;
  for (const role of [analyst, editor]) await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  await session.refreshSchema(signal);
  await pullAll(session, { signal, priority: 'pull' });
  await refreshUsers(session, { signal, priority: 'pull', force: true });
});

afterAll(async () => {
  for (const client of open) await client.end();
  for (const role of [analyst, editor, late]) {
    await workspace?.sql(
      `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
         DROP OWNED BY ${role}; DROP ROLE ${role}; END IF; END $$`,
    );
  }
  await workspace?.stop();
});

const READABLE = [
  'clarify.deal',
  'clarify.deal_people',
  'clarify."user"',
  'clarify_history.deal',
  'clarify_sync.run',
  'clarify_sync.cursor',
  'clarify_sync.mirror',
];
const HIDDEN = ['clarify_sync.installation', 'clarify_sync.tombstone', 'clarify_sync.deferred'];
const denied = (work: Promise<unknown>) =>
  expect(work).rejects.toThrow(/permission denied|must be owner/);

test('an analyst reads what is mirrored and how it stands, and writes nothing', async () => {
  const client = await asRole(analyst);
  for (const table of READABLE) await client.query(`SELECT count(*) FROM ${table}`);
  await client.query(`SELECT clarify_sync.current_id('deal', 'local:1')`);
  for (const table of [...HIDDEN, 'clarify_sync.outbox', 'clarify_sync.conflict']) {
    await denied(client.query(`SELECT FROM ${table}`));
  }
  await denied(client.query(`UPDATE clarify.deal SET stage = 'Won'`));
  await denied(client.query(`INSERT INTO clarify.deal (name) VALUES ('x')`));
  await denied(client.query('DELETE FROM clarify_history.deal'));
  await denied(client.query('CREATE TABLE clarify.mine (id int)'));
  const { rows } = await client.query('SELECT count(*)::int AS deals FROM clarify.deal');
  expect(rows).toEqual([{ deals: 5 }]);
});

test('an editor writes mirror and link tables by every statement, and nothing else', async () => {
  const client = await asRole(editor);
  const { rows } = await client.query(
    `INSERT INTO clarify.deal (name, stage) VALUES ('By the editor', 'Discovery') RETURNING id`,
  );
  const id = rows[0].id;
  await client.query(`UPDATE clarify.deal SET stage = 'Won' WHERE id = $1`, [id]);
  await client.query(
    `INSERT INTO clarify.deal_people (deal_id, person_id) SELECT $1, min(id) FROM clarify.person`,
    [id],
  );
  await client.query(`DELETE FROM clarify.deal_people WHERE deal_id = $1`, [id]);
  await client.query(
    `INSERT INTO clarify.deal (id, name) VALUES ($1, 'Again') ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
    [id],
  );
  const { rows: told } = await client.query(
    `SELECT op FROM clarify_sync.outbox WHERE record_id = $1 AND written_by = $2 ORDER BY id`,
    [id, editor],
  );
  expect(told.map(({ op }) => op)).toEqual(['insert', 'update', 'link', 'unlink', 'update']);
  await client.query(`DELETE FROM clarify.deal WHERE id = $1`, [id]);
  for (const table of READABLE) await client.query(`SELECT count(*) FROM ${table}`);
  for (const table of HIDDEN) await denied(client.query(`SELECT FROM ${table}`));
  await denied(client.query('TRUNCATE clarify.deal'));
  await denied(client.query('DELETE FROM clarify."user"'));
  await denied(client.query('DELETE FROM clarify_history.deal'));
  await denied(client.query(`UPDATE clarify_sync.outbox SET state = 'done'`));
  await denied(client.query('DELETE FROM clarify_sync.conflict'));
  await denied(client.query('ALTER TABLE clarify.deal ADD COLUMN mine int'));
  await denied(client.query("SELECT clarify_sync.begin_history('deal')"));
});

test('a new table has its grants, and so has a role that came later', async () => {
  const { session, signal, emulator, sql } = workspace;
  const state = await readGrantState(session.db, grants);
  expect(state).toEqual({ unknownRoles: [late], due: [] });
  emulator.store.addObject({
    object: 'c_thing',
    singular: 'Thing',
    plural: 'Things',
    fields: [{ name: 'name', form: { kind: 'text' } }],
  });
  await session.refreshSchema(signal);
  await (await asRole(analyst)).query('SELECT FROM clarify.c_thing');
  await (await asRole(editor)).query('DELETE FROM clarify.c_thing');
  await sql(`CREATE ROLE ${late} LOGIN PASSWORD 'secret'`);
  await session.refreshSchema(signal);
  await (await asRole(late)).query('SELECT FROM clarify.c_thing');
});

test('doctor names a role that does not exist, and nothing stops for it', async () => {
  const { session, signal } = workspace;
  const config = { ...session.config, grants: { read: [`nobody_${suffix}`], write: [] } };
  const log = createLog({ level: 'silent' });
  const checks = await runDoctor(config, { log, signal, adopt: false });
  expect(checks.find(({ name }) => name === 'grants')).toMatchObject({
    state: 'warn',
    detail: `no such role: nobody_${suffix}`,
    hint: expect.stringContaining('CREATE ROLE'),
  });
});

test('what the configuration grants no more is taken back, and what others granted stays', async () => {
  const { session, sql } = workspace;
  await sql(`GRANT SELECT ON clarify_sync.tombstone TO ${analyst}`);
  await applyGrants(session.db, grants);
  await (await asRole(analyst)).query('SELECT FROM clarify_sync.tombstone');

  const less = { read: [editor], write: [] };
  await applyGrants(session.db, less);
  expect(await readGrantState(session.db, less)).toEqual({ unknownRoles: [], due: [] });
  const lowered = await asRole(editor);
  await lowered.query('SELECT FROM clarify.deal');
  await denied(lowered.query(`UPDATE clarify.deal SET stage = 'Won'`));
  await denied(lowered.query('SELECT FROM clarify_sync.outbox'));
  await denied((await asRole(analyst)).query('SELECT FROM clarify.deal'));
  await denied((await asRole(late)).query('SELECT FROM clarify_history.deal'));
  expect(await session.db.query('SELECT role, level FROM clarify_sync.grantee')).toEqual([
    { role: editor, level: 'read' },
  ]);
});
