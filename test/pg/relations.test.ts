import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, manyToMany, objectOf, referenceTo } from '../unit/mirror/schemas.ts';
import { asWriter } from './mirror-tables.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await ensureInstallation(database.db, { workspace: 'test', push: true });
});
afterEach(() => database.drop());

const company = objectOf('company', [field('title')]);
const person = objectOf('person', [
  referenceTo('company_id', 'company'),
  referenceTo('manager_id', 'person'),
  referenceTo('owner_id', 'nothing_we_have'),
]);
const deal = objectOf('deal', [manyToMany('people', 'person', 'deals')]);

async function relations(): Promise<string[]> {
  const rows = await database.db.query<{ says: string }>(
    `SELECT format('%s.%s → %s', c.relname, a.attname, t.relname) AS says
       FROM pg_constraint AS k
       JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS t ON t.oid = k.confrelid
       JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
      WHERE k.contype = 'f' AND c.relnamespace = 'clarify'::regnamespace
        AND to_jsonb(k) ->> 'conenforced' = 'false'
      ORDER BY says`,
  );
  return rows.map(({ says }) => says);
}

/** Before Postgres 18 a foreign key is enforced or does not stand at all. */
async function standFor<T>(wanted: readonly T[]): Promise<readonly T[]> {
  const [server] = await database.db.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  return (server?.version ?? 0) >= 180_000 ? wanted : [];
}

const ALL = [
  'deal_people.deal_id → deal',
  'deal_people.person_id → person',
  'person.company_id → company',
  'person.manager_id → person',
];

test('tools see what refers to what, and nothing is enforced', async () => {
  const { db } = database;
  const wanted = [person, deal, company];
  expect((await applyMirror(db, wanted)).problems).toEqual([]);
  expect(await relations()).toEqual(await standFor(ALL));
  expect((await applyMirror(db, wanted)).steps).toEqual([]);
  await asWriter(db, `INSERT INTO clarify.person (id, company_id) VALUES ('1', 'not there')`);
  await asWriter(db, `INSERT INTO clarify.deal_people (deal_id, person_id) VALUES ('a', 'b')`);
  await asWriter(db, `INSERT INTO clarify.company (id) VALUES ('c')`);
  await asWriter(db, `UPDATE clarify.person SET company_id = 'c'`);
  await asWriter(db, `UPDATE clarify.company SET id = 'd'`);
  await asWriter(db, `DELETE FROM clarify.company`);
  expect(await db.query('SELECT company_id FROM clarify.person')).toEqual([{ company_id: 'c' }]);
});

test('they follow the schema', async () => {
  const { db } = database;
  await applyMirror(db, [person, deal]);
  expect(await relations()).toEqual(await standFor(ALL.filter((one) => !one.endsWith('company'))));
  await applyMirror(db, [person, deal, company]);
  expect(await relations()).toEqual(await standFor(ALL));
  const retyped = objectOf('person', [
    field('company_id', 'number'),
    referenceTo('manager_id', 'company'),
  ]);
  expect((await applyMirror(db, [retyped, deal, company])).problems).toEqual([]);
  const expected = [ALL[0], ALL[1], 'person.manager_id → company'];
  expect(await relations()).toEqual(await standFor(expected));
  expect((await applyMirror(db, [retyped, deal, company])).steps).toEqual([]);
});

test('what users made stays, and is enough', async () => {
  const { db } = database;
  const bare = objectOf('person', [field('company_id'), referenceTo('manager_id', 'person')]);
  await applyMirror(db, [bare, company]);
  await db.query(
    `ALTER TABLE clarify.person ADD CONSTRAINT mine FOREIGN KEY (company_id)
       REFERENCES clarify.company ON UPDATE CASCADE ON DELETE SET NULL`,
  );
  await db.query(`ALTER TABLE clarify.person ADD CONSTRAINT person_manager_id_fkey1 CHECK (true)`);
  expect((await applyMirror(db, [person, company])).problems).toEqual([]);
  expect(await relations()).toEqual(await standFor(['person.manager_id → person']));
  await applyMirror(db, [objectOf('person', []), company]);
  const left = await db.query(
    `SELECT conname::text AS name FROM pg_constraint
      WHERE conrelid = 'clarify.person'::regclass AND contype = 'f'`,
  );
  expect(left).toEqual([{ name: 'mine' }]);
});

test('a table that is dropped and made again is related again', async () => {
  const { db } = database;
  await applyMirror(db, [person, deal, company]);
  await db.query('DROP TABLE clarify.company CASCADE');
  expect((await applyMirror(db, [person, deal, company])).created).toEqual(['company']);
  expect(await relations()).toEqual(await standFor(ALL));
});
