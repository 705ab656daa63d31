import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, objectOf } from '../unit/mirror/schemas.ts';

let database: TestDatabase;
let user: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  await ensureInstallation(database.db, { workspace: 'test', push: true });
  user = new pg.Client({ connectionString: database.url });
  await user.connect();
});
afterEach(async () => {
  await user.end();
  await database.drop();
});

const wanted = ['deal', 'person'].map((object) =>
  objectOf(object, [field('title'), field('city'), field('ref')], { identity: 'ref' }),
);

/** Until the service waits for the user. */
async function waits(): Promise<void> {
  const waiting = () =>
    database.db.query(
      `SELECT FROM pg_locks WHERE NOT granted AND relation IS NOT NULL
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
  await expect.poll(waiting, { interval: 5 }).not.toEqual([]);
}

test('who writes two tables while both get an index is not whom a deadlock ends', async () => {
  const { db } = database;
  await applyMirror(db, wanted);
  await db.query(
    `INSERT INTO clarify_sync.cursor (object, phase) VALUES ('deal', 'incremental'), ('person', 'incremental')`,
  );
  // As if it had begun to wait while the first index was being made: it is who looks first.
  await user.query(`SET deadlock_timeout = '300ms'`);
  await user.query(`BEGIN; INSERT INTO clarify.person (title) VALUES ('a')`);
  const applying = applyMirror(db, wanted);
  await waits();
  await user.query(`INSERT INTO clarify.deal (title) VALUES ('b'); COMMIT`);
  expect((await applying).problems).toMatchObject([
    { object: 'person', code: 'schema-lock-timeout' },
  ]);
  expect((await applyMirror(db, wanted)).problems).toEqual([]);
});
