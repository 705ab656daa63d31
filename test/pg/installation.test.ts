import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/connection/database.ts';
import { adoptDatabase, ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const acme = { workspace: 'acme', push: true };

test('the first start writes down workspace and push; later ones find it', async () => {
  const { db } = database;
  const [first, beside] = await Promise.all([
    ensureInstallation(db, acme),
    ensureInstallation(db, acme),
  ]);
  expect(first).toEqual({ id: expect.any(String), workspace: 'acme', adopted: true });
  expect(beside).toEqual(first);
  expect(await ensureInstallation(db, { ...acme, push: false })).toEqual(first);
  expect(await db.query('SELECT push FROM clarify_sync.installation')).toEqual([{ push: false }]);
  expect(await adoptDatabase(db)).toBe(0);
});

test('a database holds one workspace', async () => {
  const { db } = database;
  await ensureInstallation(db, acme);
  await expect(ensureInstallation(db, { workspace: 'other', push: false })).rejects.toMatchObject({
    code: 'installation-other-workspace',
    disposition: 'halt',
    message: 'schema clarify mirrors the workspace acme, and not the workspace other',
    hint: expect.stringContaining('CLARIFY_SYNC_SCHEMA'),
  });
  expect(await db.query('SELECT push FROM clarify_sync.installation')).toEqual([{ push: true }]);
});

test('a copy knows that it is one, until it is adopted with what was unfinished parked', async () => {
  const { db } = database;
  const original = await ensureInstallation(db, acme);
  await db.query(
    `INSERT INTO clarify_sync.outbox (object, record_id, op, changes, state, epoch, done_at, last_error)
     VALUES ('deal', 'a', 'update', '{}', 'pending', NULL, NULL, NULL), ('deal', 'b', 'update', '{}', 'sending', 3, NULL, NULL),
            ('deal', 'c', 'update', '{}', 'done', NULL, now(), NULL), ('deal', 'd', 'update', '{}', 'parked', NULL, NULL, 'remote-invalid')`,
  );
  await using copy = await cloneOf(database);
  expect(await ensureInstallation(copy.db, acme)).toEqual({ ...original, adopted: false });
  expect(await ensureInstallation(copy.db, acme)).toMatchObject({ adopted: false });
  expect(await adoptDatabase(copy.db)).toBe(2);
  expect(await adoptDatabase(copy.db)).toBe(0);
  const adopted = await ensureInstallation(copy.db, acme);
  expect(adopted.adopted).toBe(true);
  expect(adopted.id).not.toBe(original.id);
  const states = 'SELECT record_id, state, last_error FROM clarify_sync.outbox ORDER BY record_id';
  expect(await copy.db.query(states)).toEqual([
    { record_id: 'a', state: 'parked', last_error: 'copied-database' },
    { record_id: 'b', state: 'parked', last_error: 'copied-database' },
    { record_id: 'c', state: 'done', last_error: null },
    { record_id: 'd', state: 'parked', last_error: 'remote-invalid' },
  ]);
  expect(await ensureInstallation(db, acme)).toEqual(original);
});

test('a database that was renamed is the same one', async () => {
  const { db } = database;
  const original = await ensureInstallation(db, acme);
  await db.close();
  const renamed = `${database.name}_renamed`;
  await asAdmin(`ALTER DATABASE ${database.name} RENAME TO ${renamed}`);
  const url = new URL(database.url);
  url.pathname = `/${renamed}`;
  const again = openDatabase({ url: url.href, applicationName: 'renamed', max: 1 });
  const found = await ensureInstallation(again, acme);
  await again.close();
  await asAdmin(`ALTER DATABASE ${renamed} RENAME TO ${database.name}`);
  expect(found).toEqual(original);
});

test('a dump that was restored in another cluster with the same ids is a copy', async () => {
  const { db } = database;
  await ensureInstallation(db, acme);
  const [row] = await db.query<{ fingerprint: string }>(
    'SELECT fingerprint FROM clarify_sync.installation',
  );
  const [databaseId, tableId, cluster] = row?.fingerprint.split('/') ?? [];
  expect(cluster).toMatch(/^\d{10,}$/);
  const remember = (fingerprint: string) =>
    db.query('UPDATE clarify_sync.installation SET fingerprint = $1', [fingerprint]);
  await remember(`${databaseId}/${tableId}/1`);
  expect(await ensureInstallation(db, acme)).toMatchObject({ adopted: false });
  await remember(`${databaseId}/1/${cluster}`);
  expect(await ensureInstallation(db, acme)).toMatchObject({ adopted: false });
  // Written down by a user who may not ask for the cluster's identifier: learned since.
  await remember(`${databaseId}/${tableId}/-`);
  expect(await ensureInstallation(db, acme)).toMatchObject({ adopted: true });
  expect(await db.query('SELECT fingerprint FROM clarify_sync.installation')).toEqual([row]);
});

async function cloneOf(original: TestDatabase) {
  const name = `${original.name}_copy`;
  await asAdmin(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${original.name}'`,
  );
  await asAdmin(`CREATE DATABASE ${name} TEMPLATE ${original.name}`);
  const url = new URL(original.url);
  url.pathname = `/${name}`;
  const db = openDatabase({ url: url.href, applicationName: 'copy', max: 1 });
  return {
    db,
    async [Symbol.asyncDispose]() {
      await db.close();
      await asAdmin(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function asAdmin(statement: string): Promise<void> {
  const url = new URL(database.url);
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
