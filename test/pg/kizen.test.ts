import { afterAll, beforeAll, expect, test } from 'vitest';
import { type KizenWorkspace, nothingLeft, openKizen } from '../support/kizen-workspace.ts';

// A business of Kizen, from its emulator into Postgres and back.

const SIZES = { companies: 12, client_client: 40, deals: 20, projects: 6 };
let workspace: KizenWorkspace;

beforeAll(async () => {
  workspace = await openKizen({ sizes: SIZES });
});

afterAll(async () => {
  await workspace.stop();
});

async function one(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>> {
  const [row] = await workspace.sql(text, values);
  if (row === undefined) throw new Error(`no row: ${text}`);
  return row;
}

/** A record as the app shows it: values by API name. */
function shown(object: string, id: unknown): Record<string, unknown> | null {
  const record = workspace.emulator.store.get(object, String(id));
  if (record === null) return null;
  const fields = Object.values(
    record['fields'] as Record<string, { name: string; value: unknown }>,
  );
  return Object.fromEntries(fields.map(({ name, value }) => [name, value]));
}

test('the first pass brings every record, and the second writes nothing', async () => {
  const first = await workspace.sync();
  expect(first.left).toEqual(nothingLeft);
  const inserted = first.objects.map(({ object, counts }) => [object, counts.inserted]);
  expect(Object.fromEntries(inserted)).toEqual(SIZES);
  expect(await workspace.differences()).toEqual([]);
  const second = await workspace.sync();
  for (const { counts } of second.objects) {
    expect(counts).toMatchObject({ inserted: 0, updated: 0, removed: 0, conflicts: 0 });
  }
});

test('columns have the names and types of the fields', async () => {
  const columns = await workspace.sql(
    `SELECT table_name || '.' || column_name AS name, data_type AS type
       FROM information_schema.columns WHERE table_schema = 'kizen'`,
  );
  expect(Object.fromEntries(columns.map(({ name, type }) => [name, type]))).toMatchObject({
    'client_client.email': 'text',
    'client_client.tags': 'ARRAY',
    'client_client.lead_score': 'integer',
    'client_client.company': 'text',
    'companies.annual_revenue': 'double precision',
    'companies.satisfaction': 'integer',
    'companies.customer': 'boolean',
    'companies.founded': 'date',
    'deals.stage': 'text',
    'deals.documents': 'jsonb',
    'deals.decision_at': 'timestamp with time zone',
    'projects.region': 'ARRAY',
    'projects.approved': 'text',
    'projects.scorecard': 'jsonb',
    'client_client_deals.deals_id': 'text',
  });
  expect(columns.map(({ name }) => name)).not.toContain('companies.updated');
});

test('edits, creates that refer to each other, links, stages and deletions arrive in Kizen', async () => {
  const deal = await one(
    `UPDATE kizen.deals SET name = 'Renamed', entity_value = 12.5, stage = 'Won', channel = 'Web'
      WHERE id = (SELECT min(id) FROM kizen.deals) RETURNING id`,
  );
  await workspace.sql('BEGIN');
  await workspace.sql(
    `INSERT INTO kizen.companies (name, labels) VALUES ('New Co', '{vip,fresh}')`,
  );
  await workspace.sql(
    `INSERT INTO kizen.client_client (first_name, email, company)
     SELECT 'Zed', 'zed@new-co.example', id FROM kizen.companies WHERE name = 'New Co'`,
  );
  await workspace.sql(
    `INSERT INTO kizen.deals (name, stage, company)
     SELECT 'New deal', 'Proposal', id FROM kizen.companies WHERE name = 'New Co'`,
  );
  await workspace.sql(
    `INSERT INTO kizen.client_client_deals (deals_id, client_client_id)
     SELECT d.id, c.id FROM kizen.deals AS d, kizen.client_client AS c
      WHERE d.name IN ('New deal', 'Renamed') AND c.email = 'zed@new-co.example'`,
  );
  await workspace.sql('COMMIT');
  const gone = await workspace.sql(
    `DELETE FROM kizen.projects WHERE id IN (SELECT id FROM kizen.projects ORDER BY id LIMIT 2)
     RETURNING id`,
  );

  const { left } = await workspace.sync();

  expect(left).toEqual(nothingLeft);
  expect(shown('deals', deal['id'])).toMatchObject({
    name: 'Renamed',
    entity_value: { amount: 12.5 },
    stage: { name: 'Won' },
    channel: { name: 'Web' },
  });
  const made = await one(`SELECT id, stage, company FROM kizen.deals WHERE name = 'New deal'`);
  expect(made['stage']).toBe('Proposal');
  expect(shown('deals', made['id'])).toMatchObject({
    stage: { name: 'Proposal' },
    company: { id: made['company'] },
    contacts: [{ email: 'zed@new-co.example' }],
  });
  expect(shown('companies', made['company'])).toMatchObject({
    labels: [{ name: 'vip' }, { name: 'fresh' }],
  });
  for (const { id } of gone)
    expect(workspace.emulator.store.get('projects', String(id))).toBeNull();
  expect(workspace.emulator.mails()).toBe(0);
  expect(await workspace.differences()).toEqual([]);
});

test('edits, creates, archives and what is brought back in Kizen arrive in the rows', async () => {
  const { store } = workspace.emulator;
  // The newest was made and linked here.
  const [other, deal] = await workspace.sql(
    'SELECT id, _key FROM kizen.deals ORDER BY _created_at DESC LIMIT 2',
  );
  store.update('deals', String(deal?.['id']), {
    name: 'Theirs',
    entity_value: null,
    stage: 'Lost',
  });
  store.archive('deals', String(other?.['id']));
  store.create('companies', { name: 'Late Ltd', industry: 'Energy' });
  await workspace.ageRows();

  expect((await workspace.sync()).left).toEqual(nothingLeft);

  expect(
    await workspace.sql('SELECT name, entity_value, stage FROM kizen.deals WHERE id = $1', [
      deal?.['id'],
    ]),
  ).toEqual([{ name: 'Theirs', entity_value: null, stage: 'Lost' }]);
  expect(await workspace.sql('SELECT 1 FROM kizen.deals WHERE id = $1', [other?.['id']])).toEqual(
    [],
  );
  expect(
    await workspace.sql('SELECT reason FROM kizen_sync.tombstone WHERE id = $1', [other?.['id']]),
  ).toEqual([{ reason: 'archived' }]);
  expect(await workspace.differences()).toEqual([]);

  store.unarchive('deals', String(other?.['id']));
  // A list may show for half a minute what is gone.
  await workspace.sql(
    `UPDATE kizen_sync.tombstone SET noticed_at = noticed_at - interval '1 minute'`,
  );
  expect((await workspace.sync()).left).toEqual(nothingLeft);
  expect(
    await workspace.sql('SELECT _key FROM kizen.deals WHERE id = $1', [other?.['id']]),
  ).toEqual([{ _key: other?.['_key'] }]);
  expect(await workspace.differences()).toEqual([]);
});

test('what is blank in Kizen can be written, and cleared, in every form', async () => {
  const company = await one(
    `UPDATE kizen.companies SET customer = false, phone = NULL, industry = NULL, labels = '{}',
            website = '  padded.example  ', parent_company = NULL, founded = NULL
      WHERE id = (SELECT min(id) FROM kizen.companies) RETURNING id`,
  );
  const contact = await one(
    `UPDATE kizen.client_client SET first_name = NULL, last_name = '', company = NULL, tags = NULL,
            mobile_phone = '+1 (415) 555-0100'
      WHERE id = (SELECT min(id) FROM kizen.client_client) RETURNING id`,
  );
  expect((await workspace.sync()).left).toEqual(nothingLeft);
  expect(shown('companies', company['id'])).toMatchObject({ website: 'padded.example' });
  for (const name of ['phone', 'industry', 'labels', 'parent_company', 'founded']) {
    expect(shown('companies', company['id'])).not.toHaveProperty(name);
  }
  expect(shown('client_client', contact['id'])).toMatchObject({ mobile_phone: '+14155550100' });
  expect(shown('client_client', contact['id'])).not.toHaveProperty('first_name');
  expect((await workspace.sync()).left).toEqual(nothingLeft);
  expect(await workspace.differences()).toEqual([]);
});

test('both sides edited: other fields merge, the same one is judged, and never for certain', async () => {
  const { store } = workspace.emulator;
  const deal = await one(
    `UPDATE kizen.deals SET name = 'Ours', discount = 5
      WHERE id = (SELECT min(id) FROM kizen.deals) RETURNING id`,
  );
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  store.update('deals', String(deal['id']), { name: 'Theirs, later', next_step: 'Wait' });

  await workspace.sync();

  expect(
    await workspace.sql('SELECT name, discount, next_step FROM kizen.deals WHERE id = $1', [
      deal['id'],
    ]),
  ).toEqual([{ name: 'Theirs, later', discount: 5, next_step: 'Wait' }]);
  expect(
    await workspace.sql(
      'SELECT field, resolution, certain FROM kizen_sync.conflict WHERE record_id = $1',
      [deal['id']],
    ),
  ).toEqual([{ field: 'name', resolution: 'remote', certain: false }]);
});

test('what Kizen alone writes is refused at once', async () => {
  for (const change of [`display_name = 'x'`, `documents = '[]'`]) {
    await expect(workspace.sql(`UPDATE kizen.deals SET ${change}`)).rejects.toMatchObject({
      code: 'CS011',
    });
  }
});

test('a label that there is not is parked with the reason, and goes on once it is added', async () => {
  const { store } = workspace.emulator;
  const company = await one(
    `UPDATE kizen.companies SET industry = 'Space' WHERE id = (SELECT min(id) FROM kizen.companies)
     RETURNING id`,
  );
  expect((await workspace.sync()).left).toEqual({ ...nothingLeft, parked: 1 });
  expect(
    await workspace.sql(`SELECT last_error FROM kizen_sync.outbox WHERE state = 'parked'`),
  ).toEqual([{ last_error: expect.stringContaining('industry has no option of that label') }]);
  store.setOption('companies', 'industry', 'Space', {});
  await workspace.sql(`UPDATE kizen.companies SET employees = 7 WHERE id = $1`, [company['id']]);
  // Fields are read anew no more often than every half minute.
  await workspace.session.remote.discover({ priority: 'pull', signal: AbortSignal.timeout(9_000) });
  expect((await workspace.sync()).left).toEqual(nothingLeft);
  expect(shown('companies', company['id'])).toMatchObject({ industry: { name: 'Space' } });
});
