import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { Switches } from '../../src/emulator/brevo/switches.ts';
import { type BrevoFixture, openBrevo } from '../support/brevo.ts';

// Every question that the facts leave open, each way: the same edits on both sides, and both are
// equal in the end.

const signal = new AbortController().signal;
const nothingLeft = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };

vi.setConfig({ testTimeout: 300_000 });

const readings: readonly (readonly [string, Partial<Switches>])[] = [
  ['as it comes', {}],
  [
    'budgets by endpoint, the hour told, short pages cut in silence, records by update',
    {
      budgetScope: 'endpoint',
      headersTell: 'hour',
      othersPerHour: 5_000,
      contactsPerSecond: 200,
      contactsPerHour: 360_000,
      contactsPageMax: 25,
      crmPageMax: 20,
      recordsPageMax: 7,
      limitOver: 'cut',
      recordSort: 'updated',
    },
  ],
  [
    'strict bounds, whole seconds, links that move times, another zone',
    {
      sinceBounds: 'strict',
      stamps: 's',
      linksMove: 'both',
      recordLinksMove: true,
      zone: 'Asia/Kolkata',
      zonelessTimes: 'utc',
    },
  ],
  [
    'cleared by null, values that are not there told as null, categories as texts',
    {
      contactsClear: 'null',
      crmClear: 'null',
      recordsClear: 'null',
      noValue: 'null',
      categoryForm: 'text',
    },
  ],
  [
    'cleared by empty texts, odd attributes refused, the same e-mail taken',
    {
      contactsClear: 'empty',
      crmClear: 'empty',
      recordsClear: 'empty',
      oddAttributes: 'refuse',
      sameEmail: 'take',
      stageAlone: 'ignore',
      danglingLinks: 'ignore',
      listRepeats: 'refuse',
    },
  ],
  [
    'jobs side by side, late to show, their records dropped without attributes, no words on refusals',
    {
      jobOrder: 'parallel',
      jobStatus: 'processing',
      queueMs: 300,
      jobMs: 800,
      visibilityDelayMs: 2_000,
      bareRecords: 'drop',
      bareDates: 'take',
      bodyOver: '400',
      objectErrors: 'none',
      associationsShown: 'shuffled',
      standardIds: 'same',
      revived: 'same',
    },
  ],
  [
    'jobs that fail with half of it done, creates that come too early, pages that are refused',
    {
      jobEnds: 'failed',
      jobEndShare: 0.3,
      brokenJobs: 'half',
      earlyShare: 0.5,
      recordsPageMax: 10,
      crmPageMax: 20,
      contactsPageMax: 50,
      bareRecords: 'take',
      emailCase: 'kept',
    },
  ],
];

// Most of the time they wait: for jobs, for lists, for their turn.
test.concurrent.each(readings)('%s', async (_name, switches) => {
  const brevo = await openBrevo({
    sizes: { contacts: 70, companies: 15, deals: 20, vehicle: 30, trip: 0 },
    switches: { ...switches, visibilityDelayMs: 0 },
  });
  try {
    await sync(brevo);
    Object.assign(brevo.emulator.switches, switches);
    await edits(brevo);
    expect(await settle(brevo)).toEqual(nothingLeft);
    await brevo.agedRows();
    await settle(brevo);
    await agree(brevo);
  } finally {
    await brevo.stop();
  }
});

async function sync(brevo: BrevoFixture) {
  return await syncOnce(brevo.session, { signal });
}

async function settle(brevo: BrevoFixture) {
  for (let round = 0; ; round += 1) {
    const { left } = await sync(brevo);
    if (left.pending + left.blocked === 0 || round > 12) return left;
    // As if half a minute had gone by, within which a write has shown.
    await sleep(brevo.emulator.switches.visibilityDelayMs);
    await brevo.dueNow();
  }
}

/** On both sides at once. */
async function edits(brevo: BrevoFixture): Promise<void> {
  const { sql, emulator } = brevo;
  const { store } = emulator;
  const [contact = '', other = '', third = ''] = store.ids('contacts');
  await sql(
    `UPDATE brevo.contacts SET "FIRSTNAME" = NULL, "SCORE" = NULL, "INTERESTS" = NULL, "NEWSLETTER" = true,
            "TIER" = 'Key account', "BIRTHDAY" = '1980-01-31', email = 'moved@new.example' WHERE id = $1`,
    [contact],
  );
  await sql(`UPDATE brevo.contacts SET list_ids = '{1,3}', "LASTNAME" = 'Here' WHERE id = $1`, [
    other,
  ]);
  store.update('contacts', other, { FIRSTNAME: 'There' });
  store.update('contacts', third, { LASTNAME: 'There', TIER: '2' });
  await sql(
    `INSERT INTO brevo.contacts (email, sms, "LANGUAGE") VALUES ('born@new.example', '+33 6 99 88 77 66', 'German')`,
  );
  await sql(
    `UPDATE brevo.companies SET industry = 'Food', revenue = NULL, domain = NULL, founded = '2001-02-03T00:00:00Z'
      WHERE id = (SELECT min(id) FROM brevo.companies)`,
  );
  await sql(`INSERT INTO brevo.companies (name, partner) VALUES ('Born Co', true)`);
  await sql(
    `UPDATE brevo.deals AS d SET deal_stage = s.deal_stage, topics = '{Renewal,Service}'
       FROM (SELECT deal_stage FROM brevo.deals ORDER BY deal_stage DESC LIMIT 1) AS s
      WHERE d.id = (SELECT min(id) FROM brevo.deals)`,
  );
  await sql(
    `INSERT INTO brevo.companies_contacts (companies_id, contacts_id)
     SELECT id, $1 FROM brevo.companies WHERE name = 'Born Co'`,
    [other],
  );
  await sql(
    `DELETE FROM brevo.companies_deals WHERE companies_id = (SELECT min(companies_id) FROM brevo.companies_deals)`,
  );
  await sql(
    `UPDATE brevo.vehicle SET plate = NULL, seats = NULL, price = 10, registered_at = '2024-02-29'
      WHERE id = (SELECT min(id) FROM brevo.vehicle)`,
  );
  await sql(
    `INSERT INTO brevo.vehicle (plate, features) VALUES ('B-1', '{sunroof}'), ('B-2', NULL)`,
  );
  await sql(
    `INSERT INTO brevo.vehicle_owner SELECT c.id, v.id FROM brevo.vehicle AS v, brevo.contacts AS c
              WHERE v.plate = 'B-1' AND c.id = ANY($1) ORDER BY c.id`,
    [store.ids('contacts').slice(0, 7)],
  );
  const vehicles = store.ids('vehicle');
  const [gone = '', changed = ''] = vehicles.slice(-2);
  store.update('vehicle', changed, { plate: 'REMOTE' });
  await sql(`DELETE FROM brevo.vehicle WHERE id = $1`, [gone]);
}

/** Every row is its record, and every link. */
async function agree(brevo: BrevoFixture): Promise<void> {
  const { sql, emulator } = brevo;
  const { store } = emulator;
  for (const object of ['contacts', 'companies', 'deals', 'vehicle']) {
    const rows = await sql(`SELECT id FROM brevo.${object} ORDER BY id`);
    expect(rows.map(({ id }) => id)).toEqual([...store.ids(object)].toSorted());
  }
  const [born] = await sql(
    `SELECT id, sms, "LANGUAGE", email FROM brevo.contacts WHERE email = 'born@new.example'`,
  );
  expect(born).toMatchObject({ sms: '33699887766', LANGUAGE: 'German' });
  const [contact = '', other = ''] = store.ids('contacts');
  const moved = store.get('contacts', contact)?.['attributes'] as Record<string, unknown>;
  expect([moved['FIRSTNAME'] ?? '', moved['SCORE'] ?? '', moved['INTERESTS'] ?? []].flat()).toEqual(
    ['', ''],
  );
  expect(store.get('contacts', contact)?.['email']).toBe('moved@new.example');
  expect(store.get('contacts', other)).toMatchObject({
    attributes: { FIRSTNAME: 'There', LASTNAME: 'Here' },
    listIds: [1, 3],
  });
  const vehicleId = [...store.ids('vehicle')].toSorted()[0] ?? '';
  const vehicle = store.get('vehicle', vehicleId)?.['attributes'] as Record<string, unknown>;
  expect([vehicle['plate'] ?? '', vehicle['seats'] ?? '']).toEqual(['', '']);
  expect(vehicle).toMatchObject({ price: 10 });
  const [links] = await sql(
    `SELECT count(*)::int AS n FROM brevo.vehicle_owner JOIN brevo.vehicle AS v ON v.id = vehicle_id WHERE plate = 'B-1'`,
  );
  expect(links).toEqual({ n: 7 });
  // A deep comparison of everything finds nothing.
  const again = await syncOnce(brevo.session, { signal });
  for (const { counts } of again.objects) {
    expect(counts).toMatchObject({ inserted: 0, removed: 0, conflicts: 0 });
  }
}
