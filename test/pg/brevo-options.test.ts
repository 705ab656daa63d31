import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { type BrevoFixture, openBrevo } from '../support/brevo.ts';

// A value that no list has is refused without a call, unless it has been added since the list was read
// (invariant 10).

const signal = new AbortController().signal;
let brevo: BrevoFixture;

beforeAll(async () => {
  const sizes = { contacts: 300, companies: 12, deals: 6, vehicle: 0, trip: 0 };
  brevo = await openBrevo({ sizes });
  await pullAll(brevo.session, { signal, priority: 'pull' });
});
afterAll(() => brevo.stop());

const root = () => brevo.emulator.url.replace(/\/v3$/, '');

async function admin(action: string, body: object): Promise<void> {
  const response = await fetch(`${root()}/_emulator/${action}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** Sends what is due. @returns how many requests there were of each kind. */
async function push() {
  const read = async () => {
    const answer = await fetch(`${root()}/_emulator/stats`);
    const { endpoints } = (await answer.json()) as {
      readonly endpoints: Readonly<Record<string, { readonly requests: number }>>;
    };
    return endpoints;
  };
  const before = await read();
  await pushOnce(brevo.session, { signal });
  const after = Object.entries(await read());
  return new Map(
    after.map(([name, { requests }]) => [name, requests - (before[name]?.requests ?? 0)]),
  );
}

const parked = () =>
  brevo.sql(
    `SELECT object, last_error AS reason, count(*)::int AS rows
       FROM brevo_sync.outbox WHERE state = 'parked' GROUP BY 1, 2 ORDER BY 1`,
  );

test('rows with a value that no list has cost a look at the list for each hundred of them', async () => {
  await brevo.sql(`UPDATE brevo.contacts SET "TIER" = 'Nowhere'`);
  const requests = await push();
  const reason = 'remote-invalid: contacts.TIER has no such option';
  expect(await parked()).toEqual([{ object: 'contacts', reason, rows: 300 }]);
  expect(requests.get('PUT /contacts/{id}') ?? 0).toBe(0);
  expect(requests.get('GET /contacts/attributes')).toBe(3);
});

test('an option that is added is taken at once, also right after another was looked for in vain', async () => {
  await brevo.sql(
    `UPDATE brevo.contacts SET "TIER" = CASE WHEN id = (SELECT min(id) FROM brevo.contacts) THEN 'Nowhere' ELSE 'Prospect' END
      WHERE id IN (SELECT id FROM brevo.contacts ORDER BY id LIMIT 20)`,
  );
  await brevo.sql(
    `UPDATE brevo.companies SET industry = 'Nowhere' WHERE id = (SELECT min(id) FROM brevo.companies)`,
  );
  await push();
  await admin('option', { object: 'contacts', attribute: 'TIER', key: '7', label: 'Friend' });
  await admin('option', { object: 'companies', attribute: 'industry', key: 'toys', label: 'Toys' });
  await brevo.sql(
    `UPDATE brevo.contacts SET "TIER" = 'Friend' WHERE id IN (SELECT id FROM brevo.contacts ORDER BY id LIMIT 20)`,
  );
  await brevo.sql(`UPDATE brevo.companies SET industry = 'Toys'`);
  const requests = await push();
  expect(await parked()).toEqual([expect.objectContaining({ object: 'contacts', rows: 280 })]);
  expect(requests.get('GET /contacts/attributes')).toBe(1);
  expect(requests.get('GET /crm/attributes/companies')).toBe(1);
  expect(await brevo.sql(`SELECT DISTINCT industry FROM brevo.companies`)).toEqual([
    { industry: 'Toys' },
  ]);
});

test('a deal is moved to a stage that was made a moment ago', async () => {
  const [deal] = await brevo.sql(`SELECT id, pipeline FROM brevo.deals ORDER BY id LIMIT 1`);
  const { id, pipeline } = deal ?? {};
  await brevo.sql(`UPDATE brevo.deals SET deal_stage = 'nowhere' WHERE id = $1`, [id]);
  await push();
  expect((await parked()).at(-1)).toMatchObject({
    object: 'deals',
    reason: expect.stringContaining('is no stage of any pipeline'),
  });
  await admin('stage', { pipeline, stage: 'made-just-now', name: 'Made just now' });
  await brevo.sql(`UPDATE brevo.deals SET deal_stage = 'made-just-now' WHERE id = $1`, [id]);
  await push();
  expect((await parked()).filter(({ object }) => object === 'deals')).toEqual([]);
});
