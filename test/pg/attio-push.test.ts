import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pushDeps } from '../../src/app/push-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// What Attio does by itself, and what becomes of creates whose answers are lost (invariants 3 to 5).

let attio: SyncedAttio;

beforeAll(async () => {
  attio = await openSyncedAttio({
    sizes: { companies: 4, people: 6, deals: 4, projects: 0 },
    switches: { enriches: true, enrichmentMs: 150 },
  });
  await attio.sync();
});
afterAll(() => attio.stop());

beforeEach(() => {
  attio.emulator.faults.clear();
  attio.emulator.switches.visibilityDelayMs = 0;
});

const enriched = () => new Promise((resolve) => setTimeout(resolve, 400));
const sql = (text: string, values?: readonly unknown[]) => attio.sql(text, values);

/** Ids of the companies that have a domain, in Attio. */
const companiesOf = (domain: string) =>
  attio.emulator.store
    .ids('companies')
    .filter((id) => attio.values('companies', id).domains?.some((one) => one.domain === domain));

const rowsOf = (domain: string) =>
  sql('SELECT id, name, description FROM attio.companies WHERE $1 = ANY(domains)', [domain]);

const insertPerson = (email: string) =>
  sql('INSERT INTO attio.people (email_addresses) VALUES (ARRAY[$1])', [email]);
const insertCompany = (name: string, domain: string) =>
  sql('INSERT INTO attio.companies (name, domains) VALUES ($1, ARRAY[$2])', [name, domain]);

async function agreeOn(domain: string, name: string): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    expect((await attio.sync()).left).toEqual(nothingLeft);
    await enriched();
  }
  const [id, ...others] = companiesOf(domain);
  expect(others).toEqual([]);
  expect(await rowsOf(domain)).toMatchObject([{ id, name }]);
  expect(attio.values('companies', id).name).toMatchObject([{ value: name }]);
  const [person] = await sql(
    `SELECT company FROM attio.people WHERE email_addresses[1] LIKE '%@' || $1`,
    [domain],
  );
  expect(person).toEqual({ company: id });
}

test('a company that Attio made of an address is the one that is inserted after it came in', async () => {
  await insertPerson('a@after.example');
  await attio.sync();
  await enriched();
  await attio.sync();
  expect(await rowsOf('after.example')).toMatchObject([{ name: null }]);
  await insertCompany('After', 'after.example');
  await agreeOn('after.example', 'After');
});

test('… and the one that is inserted before anybody has heard of it', async () => {
  await insertPerson('a@unheard.example');
  await attio.sync();
  attio.emulator.switches.visibilityDelayMs = 1_000;
  await enriched();
  expect(companiesOf('unheard.example')).toHaveLength(1);
  await insertCompany('Unheard', 'unheard.example');
  await attio.sync();
  expect(companiesOf('unheard.example')).toHaveLength(1);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await agreeOn('unheard.example', 'Unheard');
});

test.each(['people', 'companies'])(
  '… and the one inserted together with it, %s first',
  async (first) => {
    const domain = `${first}-first.example`;
    const steps = [() => insertPerson(`a@${domain}`), () => insertCompany('Together', domain)];
    for (const step of first === 'people' ? steps : steps.toReversed()) await step();
    await agreeOn(domain, 'Together');
    expect(companiesOf(domain)).toHaveLength(1);
  },
);

test('what Attio fills in meanwhile is no conflict, and takes the place of nothing', async () => {
  await insertCompany('Filled', 'filled.example');
  await attio.sync();
  await sql(`UPDATE attio.companies SET description = 'Ours' WHERE name = 'Filled'`);
  await enriched();
  const [id] = companiesOf('filled.example');
  expect(attio.values('companies', id).description).toMatchObject([
    { value: expect.stringContaining('filled.example'), created_by_actor: { type: 'system' } },
  ]);
  expect((await attio.sync()).left).toEqual(nothingLeft);
  expect(await rowsOf('filled.example')).toMatchObject([{ description: 'Ours' }]);
  expect(attio.values('companies', id).description).toMatchObject([{ value: 'Ours' }]);
  expect(await sql('SELECT 1 FROM attio_sync.conflict WHERE record_id = $1', [id])).toEqual([]);
  const [row] = await sql(
    `SELECT categories IS NOT NULL AS known FROM attio.companies WHERE id = $1`,
    [id],
  );
  expect(row).toEqual({ known: true });
});

/** Pushes, and lets the time pass that a late write may take: `meanwhile` happens in it. */
async function pushThrough(meanwhile: () => void = () => undefined): Promise<void> {
  const keeper = new LeaseKeeper(attio.session.db, { holder: attio.session.holder });
  await keeper.start();
  try {
    const push = () => runPush(pushDeps(attio.session, keeper), attio.signal);
    await push();
    await push();
    meanwhile();
    await sql(
      `UPDATE attio_sync.outbox SET next_attempt_at = clock_timestamp() WHERE state = 'sending'`,
    );
    await push();
    await push();
  } finally {
    await keeper.stop();
  }
}

test('several alike whose answers were lost are made once each', async () => {
  const [owner] = await sql('SELECT owner FROM attio.deals LIMIT 1');
  const before = attio.emulator.store.count('deals');
  const lost = { method: 'POST', path: '/deals/records$' } as const;
  // Two arrive and nobody hears of it, one never arrives, one is answered.
  attio.emulator.faults.add({ kind: 'reset-after-write', ...lost, count: 2 });
  attio.emulator.faults.add({ kind: 'reset-before-write', ...lost, count: 1 });
  await sql(
    `INSERT INTO attio.deals (name, stage, owner) SELECT 'Alike', 'Lead', $1 FROM generate_series(1, 4)`,
    [owner?.['owner']],
  );
  const keeper = new LeaseKeeper(attio.session.db, { holder: attio.session.holder });
  await keeper.start();
  try {
    const push = () => runPush(pushDeps(attio.session, keeper), attio.signal);
    const first = await push();
    // Lists may be late by so much.
    expect(first.waitMs).toBeGreaterThan(25_000);
    expect(await push()).toMatchObject({ delivered: 0 });
    await sql(
      `UPDATE attio_sync.outbox SET next_attempt_at = clock_timestamp() WHERE state = 'sending'`,
    );
    await push();
    await push();
  } finally {
    await keeper.stop();
  }
  expect((await attio.sync()).left).toEqual(nothingLeft);
  expect(attio.emulator.store.count('deals')).toBe(before + 4);
  const rows = await sql(
    `SELECT id FROM attio.deals WHERE name = 'Alike' AND id NOT LIKE 'local:%'`,
  );
  expect(new Set(rows.map(({ id }) => id)).size).toBe(4);
});

test('an upsert whose answer was lost is sent again, and makes no second record', async () => {
  attio.emulator.faults.add({
    kind: 'reset-after-write',
    method: 'PUT',
    path: 'matching_attribute',
    count: 2,
  });
  await insertPerson('a@lost.example');
  await insertPerson('b@lost.example');
  expect((await attio.sync()).left).toEqual(nothingLeft);
  const people = attio.emulator.store
    .ids('people')
    .filter((id) =>
      attio
        .values('people', id)
        .email_addresses?.some((one) => one.email_domain === 'lost.example'),
    );
  expect(people).toHaveLength(2);
});

test('what is required and missing parks the create alone, with Attio’s words', async () => {
  const [owner] = await sql('SELECT owner FROM attio.deals LIMIT 1');
  await sql(`INSERT INTO attio.deals (name) VALUES ('Nobody’s')`);
  await sql(`INSERT INTO attio.deals (name, stage, owner) VALUES ('Somebody’s', 'Lead', $1)`, [
    owner?.['owner'],
  ]);
  const { left } = await attio.sync();
  expect(left).toEqual({ ...nothingLeft, parked: 1 });
  const [parked] = await sql(
    `SELECT changes -> 'name' ->> 'value' AS name, last_error FROM attio_sync.outbox WHERE state = 'parked'`,
  );
  expect(parked).toEqual({ name: 'Nobody’s', last_error: expect.stringMatching(/stage|owner/) });
  // Once it is mended it goes.
  await sql(`UPDATE attio.deals SET stage = 'Lead', owner = $1 WHERE name = 'Nobody’s'`, [
    owner?.['owner'],
  ]);
  expect((await attio.sync()).left).toEqual(nothingLeft);
  // And what is required cannot be cleared.
  await sql(`UPDATE attio.deals SET stage = NULL WHERE name = 'Nobody’s'`);
  expect((await attio.sync()).left).toEqual({ ...nothingLeft, parked: 1 });
});

test('one without an address whose answer was lost is known by what was sent, in Attio’s own form', async () => {
  const before = attio.emulator.store.count('people');
  attio.emulator.faults.add({
    kind: 'reset-after-write',
    method: 'POST',
    path: '/people/records$',
    count: 1,
  });
  await sql(
    `INSERT INTO attio.people (name, phone_numbers, primary_location)
     VALUES ('{"first_name":"Lost","last_name":"Answer"}', '{+1 (415) 555-0177}', '{"locality":"Oslo","country_code":"NO"}')`,
  );
  await pushThrough();
  expect(attio.emulator.store.count('people')).toBe(before + 1);
  const [entry] = await sql(
    `SELECT state FROM attio_sync.outbox WHERE op = 'insert' ORDER BY id DESC LIMIT 1`,
  );
  expect(entry).toEqual({ state: 'done' });
});

test('neighbours that somebody makes meanwhile leave no doubt about a create that never arrived', async () => {
  const { store, faults } = attio.emulator;
  const [owner] = await sql('SELECT owner FROM attio.deals LIMIT 1');
  const referenced = {
    referenced_actor_type: 'workspace-member',
    referenced_actor_id: String(owner?.['owner']),
  };
  for (let n = 0; n < 6; n += 1) {
    store.create('deals', { name: `Neighbour ${n}`, stage: 'Lead', owner: referenced });
  }
  const [edited = ''] = store.ids('deals').slice(-1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  store.update('deals', edited, { value: 3 });
  faults.add({ kind: 'reset-before-write', method: 'POST', path: '/deals/records$', count: 1 });
  await sql(`INSERT INTO attio.deals (name, stage, owner) VALUES ('Ours alone', 'Lead', $1)`, [
    owner?.['owner'],
  ]);
  const before = store.count('deals');
  await pushThrough();
  expect(store.count('deals')).toBe(before + 1);
  expect(
    await sql(
      `SELECT state, last_error FROM attio_sync.outbox WHERE changes -> 'name' ->> 'value' = 'Ours alone'`,
    ),
  ).toEqual([{ state: 'done', last_error: null }]);
});

test('one that was edited before anybody knew that it had arrived is known by its past', async () => {
  const { store, faults } = attio.emulator;
  const [owner] = await sql('SELECT owner FROM attio.deals LIMIT 1');
  const [edited = ''] = store.ids('deals').slice(-1);
  faults.add({ kind: 'reset-after-write', method: 'POST', path: '/deals/records$', count: 1 });
  await sql(`INSERT INTO attio.deals (name, stage, owner) VALUES ('Soon renamed', 'Lead', $1)`, [
    owner?.['owner'],
  ]);
  const before = store.count('deals');
  await pushThrough(() => {
    const [made = ''] = store.ids('deals').slice(-1);
    store.update('deals', made, { name: 'Renamed at once', stage: 'Lost' });
    // And a neighbour, which might have been it.
    store.update('deals', edited, { name: 'Renamed as well' });
  });
  expect(store.count('deals')).toBe(before + 1);
  expect((await attio.sync()).left).toMatchObject({ pending: 0, blocked: 0 });
  const rows = await sql(`SELECT name, stage FROM attio.deals WHERE name LIKE '%enamed at once'`);
  expect(rows).toEqual([{ name: 'Renamed at once', stage: 'Lost' }]);
});
