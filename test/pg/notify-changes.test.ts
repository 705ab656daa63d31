import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, manyToMany, objectOf } from '../unit/mirror/schemas.ts';
import { asWriter } from './mirror-tables.ts';

let database: TestDatabase;
let listener: pg.Client;
let heard: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await ensureInstallation(database.db, { workspace: 'test', push: true });
  await applyMirror(database.db, [
    objectOf('deal', [field('title'), manyToMany('people', 'person', 'deals')]),
    objectOf('person', [manyToMany('deals', 'deal', 'people')]),
  ]);
  listener = new pg.Client({ connectionString: database.url });
  await listener.connect();
  listener.on('notification', ({ payload = '' }) => heard.push(JSON.parse(payload)));
  await listener.query('LISTEN clarify_changes');
});

beforeEach(() => {
  heard = [];
});

afterAll(async () => {
  await listener?.end();
  await database?.drop();
});

/** Notices reach a connection with its next answer at the latest. */
async function notices(): Promise<unknown[]> {
  await listener.query('SELECT 1');
  return heard;
}

test('every change by anybody is told with object and id', async () => {
  const { db } = database;
  await asWriter(db, `INSERT INTO clarify.deal (id, title) VALUES ('1', 'a'), ('2', 'b')`);
  await db.query(`UPDATE clarify.deal SET title = 'c' WHERE id = '1'`);
  await db.query(`UPDATE clarify.deal SET title = 'c' WHERE id = 'none'`);
  await db.query(`DELETE FROM clarify.deal WHERE id = '2'`);
  await asWriter(db, `INSERT INTO clarify.deal_people (deal_id, person_id) VALUES ('1', 'p')`);
  await asWriter(db, `DELETE FROM clarify.deal_people`);
  expect(await notices()).toEqual([
    { object: 'deal', id: '1', operation: 'insert' },
    { object: 'deal', id: '2', operation: 'insert' },
    { object: 'deal', id: '1', operation: 'update' },
    { object: 'deal', id: '2', operation: 'delete' },
    { object: 'deal', id: '1', operation: 'link' },
    { object: 'deal', id: '1', operation: 'unlink' },
  ]);
});

test('a bulk change is one notice, in one statement or in a thousand', async () => {
  const { db } = database;
  await asWriter(
    db,
    `INSERT INTO clarify.deal (id, title) SELECT 'm' || i, 'x' FROM generate_series(1, 5000) AS i`,
  );
  expect(await notices()).toEqual([{ object: 'deal', operation: 'insert' }]);
  heard = [];
  await db.query(
    `DO $$ BEGIN FOR i IN 1..1000 LOOP UPDATE clarify.deal SET title = 'y' WHERE id = 'm' || i; END LOOP; END $$`,
  );
  const told = await notices();
  expect(told).toHaveLength(101);
  expect(told.at(-1)).toEqual({ object: 'deal', operation: 'update' });
});

test('an id that fits no notice is left out, and nothing else is', async () => {
  await asWriter(database.db, `INSERT INTO clarify.deal (id) SELECT repeat('x', 9000)`);
  expect(await notices()).toEqual([{ object: 'deal', operation: 'insert' }]);
});
