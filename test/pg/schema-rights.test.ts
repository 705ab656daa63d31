import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/database.ts';
import { schemasOf } from '../../src/db/control/schemas.ts';
import { migrateControl } from '../../src/db/migrate.ts';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { readMissingRights } from '../../src/db/service/health.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, objectOf } from '../unit/mirror/schemas.ts';

/** Each workspace has a role, which may do nothing in the database but in three schemas it owns. */

let database: TestDatabase;
const suffix = randomBytes(4).toString('hex');
const NAMES = ['north', 'south'] as const;
const roleOf = (name: string) => `${name}_${suffix}`;

beforeEach(async () => {
  database = await createTestDatabase({ migrated: false });
  for (const name of NAMES) {
    const role = roleOf(name);
    await database.db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    for (const schema of [name, `${name}_sync`, `${name}_history`]) {
      await database.db.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${role}`);
    }
  }
});
afterEach(async () => {
  for (const role of NAMES.map(roleOf)) {
    await database.db.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
  }
  await database.drop();
});

async function asOwner<T>(name: string, work: (db: Database) => Promise<T>): Promise<T> {
  const url = database.urlAs(roleOf(name), 'secret');
  const db = openDatabase({ url, applicationName: 'test', schemas: schemasOf(name) });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

test('empty schemas of its own are all that a role needs, history included', async () => {
  for (const name of NAMES) {
    await asOwner(name, async (db) => {
      await migrateControl(db);
      await ensureInstallation(db, { workspace: name, push: true });
      const { problems } = await applyMirror(db, [objectOf('deal', [field('title')])], {
        history: new Set(['deal']),
      });
      expect(problems).toEqual([]);
      expect(await readMissingRights(db)).toEqual([]);
      await db.query(`INSERT INTO "{mirror}".deal (title) VALUES ('Mine')`);
      expect(await db.query('SELECT title FROM {history}.deal')).toEqual([{ title: 'Mine' }]);
    });
  }
});

test('temporary tables, which a first read takes, are a right that may be missing', async () => {
  const { db, name } = database;
  await db.query(`REVOKE TEMPORARY ON DATABASE ${name} FROM PUBLIC`);
  const missing = await asOwner('north', readMissingRights);
  expect(missing).toEqual([`GRANT TEMPORARY ON DATABASE ${name} TO ${roleOf('north')}`]);
  for (const statement of missing) await db.query(statement);
  expect(await asOwner('north', readMissingRights)).toEqual([]);
});

test('what another workspace holds is closed to it', async () => {
  for (const name of NAMES) await asOwner(name, (db) => migrateControl(db));
  await asOwner('north', async (db) => {
    for (const table of ['outbox', 'installation', 'tombstone']) {
      await expect(db.query(`SELECT * FROM south_sync.${table}`)).rejects.toMatchObject({
        code: 'database-permission',
      });
    }
    await expect(db.query('SELECT * FROM south.deal')).rejects.toMatchObject({
      code: 'database-permission',
    });
  });
});
