import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { type AttioEmulator, startAttio } from '../../src/emulator/attio/emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// A workspace of Attio, from its emulator into Postgres and back.

const signal = new AbortController().signal;
const SIZES = { companies: 12, people: 40, deals: 20, projects: 6 };
let emulator: AttioEmulator;
let database: TestDatabase;
let session: Session;
let user: pg.Client;

beforeAll(async () => {
  emulator = await startAttio({ sizes: SIZES });
  database = await createTestDatabase();
  const config = await loadConfig({
    env: {
      CLARIFY_SYNC_CRM: 'attio',
      ATTIO_API_KEY: emulator.apiKey,
      ATTIO_API_URL: emulator.url,
      DATABASE_URL: database.url,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: 'off',
    },
  });
  session = await openSession(config, { log: createLog({ level: 'silent' }), signal });
  user = new pg.Client({ connectionString: database.url, options: '-c idle_session_timeout=0' });
  await user.connect();
});

afterAll(async () => {
  await user.end();
  await session.stop();
  await database.drop();
  await emulator.stop();
});

async function sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await user.query(text, values)).rows;
}

/** As somebody else with a key would ask. */
async function ask(method: string, path: string, values?: object): Promise<unknown> {
  const response = await fetch(`${emulator.url}/v2/objects/${path}`, {
    method,
    headers: { authorization: `Bearer ${emulator.apiKey}`, 'content-type': 'application/json' },
    ...(values === undefined ? {} : { body: JSON.stringify({ data: { values } }) }),
  });
  return { status: response.status, body: await response.json() };
}

/** As if every row had been written a while ago: one written just now is missed by no list. */
async function agedRows(): Promise<void> {
  for (const { qualified } of session.tables) {
    await session.db.transaction(
      (tx) => tx.query(`UPDATE ${qualified} SET _synced_at = _synced_at - interval '5 minutes'`),
      { asWriter: true },
    );
  }
}

function recordOf(object: string, row: Record<string, unknown> | undefined): string {
  return `${object}/records/${String(row?.['id'])}`;
}

const nothingLeft = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };

test('the first pass brings every record, and the second writes nothing', async () => {
  const first = await syncOnce(session, { signal });
  expect(first.left).toEqual(nothingLeft);
  const inserted = first.objects.map(({ object, counts }) => [object, counts.inserted]);
  expect(Object.fromEntries(inserted)).toEqual(SIZES);
  const [row] = await sql(
    `SELECT name__full_name = name ->> 'full_name' AS named, _created_at < _updated_at AS later,
            _created_by IS NOT NULL AS known, _extra
       FROM attio.people WHERE company IS NOT NULL ORDER BY _created_at LIMIT 1`,
  );
  expect(row).toEqual({ named: true, later: true, known: true, _extra: null });
  const second = await syncOnce(session, { signal });
  for (const { counts } of second.objects) {
    expect(counts).toMatchObject({ inserted: 0, updated: 0, removed: 0, conflicts: 0 });
  }
});

test('edits, creates that refer to each other, links and deletions arrive in Attio', async () => {
  const [deal] = await sql(
    `UPDATE attio.deals SET name = 'Renamed', value = 12.5
      WHERE id = (SELECT min(id) FROM attio.deals) RETURNING id`,
  );
  await sql('BEGIN');
  await sql(`INSERT INTO attio.companies (name, domains) VALUES ('New Co', '{new-co.example}')`);
  await sql(
    `INSERT INTO attio.people (name, email_addresses, company)
     SELECT '{"first_name":"Zed","last_name":"Young"}', '{zed@new-co.example}', id
       FROM attio.companies WHERE name = 'New Co'`,
  );
  await sql(
    `INSERT INTO attio.deals_associated_people (deals_id, people_id)
     SELECT $1, id FROM attio.people WHERE email_addresses = '{zed@new-co.example}'`,
    [deal?.id],
  );
  await sql('COMMIT');
  const [gone] = await sql(
    `DELETE FROM attio.projects WHERE id = (SELECT min(id) FROM attio.projects) RETURNING id`,
  );

  const { left } = await syncOnce(session, { signal });

  expect(left).toEqual(nothingLeft);
  const [zed] = await sql(
    `SELECT id, company, name__full_name FROM attio.people
      WHERE email_addresses = '{zed@new-co.example}'`,
  );
  expect(zed).toMatchObject({ name__full_name: 'Zed Young' });
  expect(await ask('GET', recordOf('people', zed))).toMatchObject({
    body: { data: { values: { company: [{ target_record_id: zed?.company }] } } },
  });
  expect(await sql(`SELECT state FROM attio_sync.outbox WHERE op = 'link'`)).toEqual([
    { state: 'done' },
  ]);
  const shown = await ask('GET', recordOf('deals', deal));
  expect(shown).toMatchObject({
    body: { data: { values: { name: [{ value: 'Renamed' }], value: [{ currency_value: 12.5 }] } } },
  });
  expect(JSON.stringify(shown)).toContain(String(zed?.id));
  expect(await ask('GET', recordOf('projects', gone))).toMatchObject({ status: 404 });
});

test('a value written in another form than Attio keeps it in is delivered, and no change', async () => {
  const [company] = await sql(
    `UPDATE attio.companies SET domains = ARRAY['https://' || upper(domains[1]) || '/about']
      WHERE id = (SELECT min(id) FROM attio.companies WHERE cardinality(domains) = 1)
      RETURNING id, domains`,
  );
  const [person] = await sql(
    `UPDATE attio.people SET phone_numbers = '{+1 (415) 555-0100}'
      WHERE id = (SELECT min(id) FROM attio.people) RETURNING id`,
  );
  for (const phones of ['{+1 (415) 555-0100}', '{+1 415 555 0100}']) {
    await sql('UPDATE attio.people SET phone_numbers = $2 WHERE id = $1', [person?.['id'], phones]);
    expect((await syncOnce(session, { signal })).left).toEqual(nothingLeft);
  }
  expect(await ask('GET', recordOf('people', person))).toMatchObject({
    body: { data: { values: { phone_numbers: [{ phone_number: '+14155550100' }] } } },
  });
  expect(await ask('GET', recordOf('companies', company))).toMatchObject({
    body: { data: { values: { domains: [{ domain: expect.stringMatching(/^[a-z0-9.-]+$/) }] } } },
  });
});

test('edits, creates and deletions in Attio arrive in the rows', async () => {
  const [deal, other] = await sql('SELECT id FROM attio.deals ORDER BY id DESC LIMIT 2');
  await ask('PUT', recordOf('deals', deal), { name: ['Theirs'], value: [] });
  await ask('DELETE', recordOf('deals', other));
  await ask('POST', 'companies/records', { name: 'Late Ltd', domains: ['late.example'] });
  await agedRows();

  const { left } = await syncOnce(session, { signal });

  expect(left).toEqual(nothingLeft);
  expect(await sql('SELECT name, value FROM attio.deals WHERE id = $1', [deal?.id])).toEqual([
    { name: 'Theirs', value: null },
  ]);
  expect(await sql('SELECT 1 FROM attio.deals WHERE id = $1', [other?.id])).toEqual([]);
  expect(await sql('SELECT reason FROM attio_sync.tombstone WHERE id = $1', [other?.id])).toEqual([
    { reason: 'deleted' },
  ]);
  expect(await sql(`SELECT domains FROM attio.companies WHERE name = 'Late Ltd'`)).toEqual([
    { domains: ['late.example'] },
  ]);
});

test('a value written elsewhere meanwhile is judged by its own time, for certain', async () => {
  const [deal] = await sql('SELECT id FROM attio.deals ORDER BY id LIMIT 1');
  await sql(`UPDATE attio.deals SET name = 'Ours' WHERE id = $1`, [deal?.id]);
  // The clocks of both are known to the second: what is nearer would be judged without certainty.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await ask('PUT', recordOf('deals', deal), { name: ['Theirs, later'] });

  await syncOnce(session, { signal });

  expect(await sql('SELECT name FROM attio.deals WHERE id = $1', [deal?.id])).toEqual([
    { name: 'Theirs, later' },
  ]);
  expect(
    await sql('SELECT field, resolution, certain FROM attio_sync.conflict WHERE record_id = $1', [
      deal?.id,
    ]),
  ).toEqual([{ field: 'name', resolution: 'remote', certain: true }]);
});

test('who wrote later here keeps it, and who wrote what there is told', async () => {
  const [deal] = await sql('SELECT id FROM attio.deals ORDER BY id DESC LIMIT 1');
  emulator.store.update(
    'deals',
    String(deal?.['id']),
    { name: 'Theirs too', value: 99 },
    { by: 'someone' },
  );
  // The clocks of both are known to the second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await sql(`UPDATE attio.deals SET name = 'Ours, later' WHERE id = $1`, [deal?.['id']]);
  await syncOnce(session, { signal });
  expect(await sql('SELECT name, value FROM attio.deals WHERE id = $1', [deal?.['id']])).toEqual([
    { name: 'Ours, later', value: '99.0000' },
  ]);
  expect(
    await sql(
      'SELECT field, remote, remote_by, resolution, certain FROM attio_sync.conflict WHERE record_id = $1',
      [deal?.['id']],
    ),
  ).toEqual([
    {
      field: 'name',
      remote: 'Theirs too',
      remote_by: 'someone',
      resolution: 'local',
      certain: true,
    },
  ]);
});

test('a value that was cleared is judged by the time it was cleared at', async () => {
  const [deal, other] = await sql('SELECT id FROM attio.deals ORDER BY id LIMIT 2 OFFSET 3');
  for (const one of [deal, other]) {
    emulator.store.update('deals', String(one?.['id']), { value: 10 });
  }
  await agedRows();
  await syncOnce(session, { signal });
  const edit = (one: typeof deal) =>
    sql('UPDATE attio.deals SET value = 11 WHERE id = $1', [one?.['id']]);
  const clear = (one: typeof deal) =>
    emulator.store.update('deals', String(one?.['id']), { value: [] });
  await edit(deal);
  clear(other);
  // The clocks of both are known to the second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  clear(deal);
  await edit(other);
  await syncOnce(session, { signal });
  const rows = await sql('SELECT id, value FROM attio.deals WHERE id = ANY($1)', [
    [deal?.['id'], other?.['id']],
  ]);
  expect(new Map(rows.map((row) => [row['id'], row['value']]))).toEqual(
    new Map([
      [deal?.['id'], null],
      [other?.['id'], '11.0000'],
    ]),
  );
  const conflicts = await sql(
    `SELECT record_id AS id, resolution, certain FROM attio_sync.conflict WHERE field = 'value'`,
  );
  expect(new Map(conflicts.map((one) => [one['id'], [one['resolution'], one['certain']]]))).toEqual(
    new Map([
      [deal?.['id'], ['remote', true]],
      [other?.['id'], ['local', true]],
    ]),
  );
});

test('what Attio writes itself is refused when it is written', async () => {
  const refusal = (column: string) =>
    expect.objectContaining({
      code: 'CS011',
      message: expect.stringContaining(`${column} is written by Attio alone, and read-only here`),
    });
  for (const statement of [
    `UPDATE attio.people SET avatar_url = 'x' WHERE id = (SELECT min(id) FROM attio.people)`,
    `INSERT INTO attio.people (job_title, avatar_url) VALUES ('CTO', 'x')`,
  ]) {
    await expect(sql(statement)).rejects.toEqual(refusal('attio.people.avatar_url'));
  }
  await expect(sql(`UPDATE attio.deals SET value__currency = 'CHF'`)).rejects.toEqual(
    refusal('attio.deals.value__currency'),
  );
  await sql(
    `UPDATE attio.people SET avatar_url = avatar_url, last_email_interaction = last_email_interaction`,
  );
  expect((await syncOnce(session, { signal })).left).toEqual(nothingLeft);
});

test('a rating is a small whole number, both ways', async () => {
  const [row] = await sql(
    `UPDATE attio.projects SET priority = CASE priority WHEN 2 THEN 3 ELSE 2 END
      WHERE id = (SELECT max(id) FROM attio.projects)
      RETURNING id, priority, pg_typeof(priority)::text AS type`,
  );
  expect(row?.['type']).toBe('smallint');
  expect((await syncOnce(session, { signal })).left).toEqual(nothingLeft);
  expect(await ask('GET', recordOf('projects', row))).toMatchObject({
    body: { data: { values: { priority: [{ value: row?.['priority'] }] } } },
  });
});

test('what Attio requires is asked for', async () => {
  await sql(`INSERT INTO attio.deals (name) VALUES ('Nobody’s')`);
  const { left } = await syncOnce(session, { signal });
  expect(left).toEqual({ ...nothingLeft, parked: 1 });
  const parked = await sql(
    `SELECT object, last_error FROM attio_sync.outbox WHERE state = 'parked' ORDER BY object`,
  );
  expect(parked).toEqual([
    { object: 'deals', last_error: expect.stringContaining('remote-invalid') },
  ]);
});
