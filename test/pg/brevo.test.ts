import { afterAll, beforeAll, expect, test } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { type BrevoFixture, openBrevo } from '../support/brevo.ts';

// An account of Brevo, from its emulator into Postgres and back.

const signal = new AbortController().signal;
const SIZES = { contacts: 60, companies: 12, deals: 20, vehicle: 15, trip: 6 };
const nothingLeft = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };
let brevo: BrevoFixture;

beforeAll(async () => {
  brevo = await openBrevo({ sizes: SIZES });
});

afterAll(() => brevo.stop());

async function sync() {
  return await syncOnce(brevo.session, { signal });
}

test('the first pass brings every record, and the second writes nothing', async () => {
  const first = await sync();
  expect(first.left).toEqual(nothingLeft);
  const inserted = first.objects.map(({ object, counts }) => [object, counts.inserted]);
  expect(Object.fromEntries(inserted)).toEqual(SIZES);
  const [row] = await brevo.sql(
    `SELECT count(*) FILTER (WHERE email IS NOT NULL)::int > 40 AS mailed,
            count(*) FILTER (WHERE "TIER" IN ('Prospect', 'Customer', 'Key account'))::int > 20 AS labelled,
            count(*) FILTER (WHERE cardinality(list_ids) > 0)::int > 0 AS listed,
            count(*) FILTER (WHERE _extra IS NOT NULL)::int AS extra,
            bool_and(_created_at <= _updated_at) AS dated
       FROM brevo.contacts`,
  );
  expect(row).toEqual({ mailed: true, labelled: true, listed: true, extra: 0, dated: true });
  const links = await brevo.sql(
    `SELECT (SELECT count(*)::int FROM brevo.companies_contacts) AS companies_contacts,
            (SELECT count(*)::int FROM brevo.contacts_deals) AS contacts_deals,
            (SELECT count(*)::int FROM brevo.companies_deals) AS companies_deals,
            (SELECT count(DISTINCT (vehicle_id, contacts_id))::int FROM brevo.vehicle_owner) AS vehicle_owner`,
  );
  for (const count of Object.values(links[0] ?? {})) expect(count).toBeGreaterThan(0);
  const second = await sync();
  for (const { counts } of second.objects) {
    expect(counts).toMatchObject({ inserted: 0, updated: 0, removed: 0, conflicts: 0 });
  }
});

test('edits of contacts, companies and deals arrive in Brevo, and come back as no change', async () => {
  const [contact] = await brevo.sql(
    `UPDATE brevo.contacts SET "FIRSTNAME" = 'Renamed', "TIER" = 'Customer', list_ids = '{2}', "BIRTHDAY" = '1990-02-28'
      WHERE id = (SELECT min(id) FROM brevo.contacts WHERE email IS NOT NULL) RETURNING id`,
  );
  const [company] = await brevo.sql(
    `UPDATE brevo.companies SET industry = 'Health', revenue = 12.5
      WHERE id = (SELECT min(id) FROM brevo.companies) RETURNING id`,
  );
  await brevo.sql(
    `INSERT INTO brevo.contacts (email, "LASTNAME") VALUES ('zed@new.example', 'Young')`,
  );
  await brevo.sql(`INSERT INTO brevo.companies (name, domain) VALUES ('New Co', 'new.example')`);
  await brevo.sql(
    `INSERT INTO brevo.companies_contacts (companies_id, contacts_id)
     SELECT c.id, p.id FROM brevo.companies AS c, brevo.contacts AS p
      WHERE c.name = 'New Co' AND p.email = 'zed@new.example'`,
  );
  const [gone] = await brevo.sql(
    `DELETE FROM brevo.deals WHERE id = (SELECT min(id) FROM brevo.deals) RETURNING id`,
  );
  const { left } = await sync();
  expect(left).toEqual(nothingLeft);
  expect(brevo.emulator.store.get('contacts', String(contact?.['id']))).toMatchObject({
    attributes: { FIRSTNAME: 'Renamed', BIRTHDAY: '1990-02-28' },
    listIds: [2],
  });
  expect(brevo.emulator.store.get('companies', String(company?.['id']))).toMatchObject({
    attributes: { industry: 'health', revenue: 12.5 },
  });
  expect(brevo.emulator.store.get('deals', String(gone?.['id']))).toBeNull();
  const [linked] = await brevo.sql(
    `SELECT c.id, contacts_id FROM brevo.companies_contacts JOIN brevo.companies AS c ON c.id = companies_id
      WHERE c.name = 'New Co'`,
  );
  expect(linked?.['id']).not.toContain('local:');
  expect(brevo.emulator.store.get('companies', String(linked?.['id']))).toMatchObject({
    linkedContactsIds: [Number(linked?.['contacts_id'])],
  });
  await brevo.agedRows();
  const again = await sync();
  for (const { object, counts } of again.objects) {
    // How many contacts a company has moves none of its times.
    const updated = object === 'companies' ? 1 : 0;
    expect(counts).toMatchObject({ inserted: 0, updated, removed: 0, conflicts: 0 });
  }
});
