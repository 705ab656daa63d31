import { afterAll, beforeAll, expect, test } from 'vitest';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// A reference that may name records of several objects names rows born here too: it goes out with the
// id that the record gets (invariants 2 and 10).

let attio: SyncedAttio;

beforeAll(async () => {
  attio = await openSyncedAttio({ sizes: { companies: 2, people: 2, deals: 0, projects: 3 } });
  await attio.sync();
});
afterAll(() => attio.stop());

const sql = (text: string, values?: readonly unknown[]) => attio.sql(text, values);

/** Whom a project names, in its row and in Attio, once all is settled. */
async function customerOf(name: string): Promise<unknown[]> {
  const { left } = await attio.sync();
  const [row] = await sql(
    'SELECT id, customer, customer__object AS object FROM attio.projects WHERE name = $1',
    [name],
  );
  const [there] = attio.values('projects', row?.['id']).customer ?? [];
  const { target_object, target_record_id } = there ?? {};
  return [left, row?.['object'], row?.['customer'], target_object, target_record_id];
}

/** A company, as `customerOf` tells it. */
async function companyWith(domain: string): Promise<unknown[]> {
  const [row] = await sql('SELECT id FROM attio.companies WHERE $1 = ANY(domains)', [domain]);
  return [nothingLeft, 'companies', row?.['id'], 'companies', row?.['id']];
}

const insertCompany = (domain: string) =>
  sql(`INSERT INTO attio.companies (domains) VALUES (ARRAY[$1]) RETURNING id`, [domain]);

test('of a record that is created with it', async () => {
  await sql('BEGIN');
  const [company] = await insertCompany('born.example');
  await sql(
    `INSERT INTO attio.projects (name, customer, customer__object) VALUES ('Born', $1, 'companies')`,
    [company?.['id']],
  );
  await sql('COMMIT');
  expect(await customerOf('Born')).toEqual(await companyWith('born.example'));
});

test('of a record that is there', async () => {
  await sql(
    `UPDATE attio.projects SET name = 'There' WHERE id = (SELECT min(id) FROM attio.projects)`,
  );
  const [company] = await insertCompany('there.example');
  await sql(
    `UPDATE attio.projects SET customer = $1, customer__object = 'companies', hours = 3
      WHERE name = 'There'`,
    [company?.['id']],
  );
  expect(await customerOf('There')).toEqual(await companyWith('there.example'));
});

test('… of which the object is known already', async () => {
  const [company] = await insertCompany('known.example');
  await sql(`UPDATE attio.projects SET customer = $1 WHERE name = 'There'`, [company?.['id']]);
  expect(await customerOf('There')).toEqual(await companyWith('known.example'));
});

test('whose row has got its id already', async () => {
  const [company] = await insertCompany('old-id.example');
  await attio.sync();
  await sql(
    `UPDATE attio.projects SET customer = $1, customer__object = 'companies' WHERE name = 'There'`,
    [company?.['id']],
  );
  expect(await customerOf('There')).toEqual(await companyWith('old-id.example'));
});
