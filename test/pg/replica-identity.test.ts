import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkPublication, DEPENDANT_CHECKS } from '../../src/app/doctor/beside.ts';
import { keepPublication } from '../../src/db/access/publication.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// A change stream names a row by its replica identity. By the primary key, a row that gets its id
// from the CRM would look like one that went and another that came.
let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 2, company: 1 } },
    config: { publication: true },
  });
});
afterEach(() => workspace?.stop());

/** The columns by which rows of a table are named in a stream. */
async function namedBy(table: string): Promise<unknown> {
  const [row] = await workspace.sql(
    `SELECT CASE c.relreplident WHEN 'i' THEN
              (SELECT array_agg(a.attname::text) FROM pg_index AS i
                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
                WHERE i.indrelid = c.oid AND i.indisreplident)
            ELSE ARRAY[c.relreplident::text] END AS by
       FROM pg_class AS c WHERE c.oid = $1::regclass`,
    [table],
  );
  return row?.['by'];
}

const check = async () => await workspace.session.refreshSchema(workspace.signal);
const doctor = async () => await checkPublication(workspace.session.db, workspace.session.config);

async function refused(): Promise<unknown> {
  const found = DEPENDANT_CHECKS.find(({ name }) => name === 'publications');
  return await found?.look(workspace.session.db);
}

test('rows of published mirror tables are named by their key, links by theirs', async () => {
  const { emulator, session } = workspace;
  for (const { name } of session.tables) {
    expect([name, await namedBy(`clarify.${name}`)]).toEqual([name, ['_key']]);
  }
  expect(await namedBy('clarify.deal_people')).toEqual(['d']);
  emulator.store.addObject({
    object: 'c_new',
    singular: 'New',
    plural: 'New ones',
    fields: [{ name: 'title', form: { kind: 'text' } }],
  });
  await check();
  expect(await namedBy('clarify.c_new')).toEqual(['_key']);
  expect(await doctor()).toMatchObject({ state: 'ok' });
});

test('nothing is set where nothing is published', async () => {
  const other = await openWorkspace();
  try {
    const found = await other.sql(
      `SELECT relname FROM pg_class
        WHERE relnamespace = 'clarify'::regnamespace AND relkind = 'r' AND relreplident <> 'd'`,
    );
    expect(found).toEqual([]);
  } finally {
    await other.stop();
  }
});

test('an index that is lost and made anew names the rows again', async () => {
  const { sql } = workspace;
  await sql('ALTER TABLE clarify.person DROP CONSTRAINT person__key_key');
  await expect(sql(`UPDATE clarify.person SET job_title = 'x'`)).rejects.toThrow(
    /replica identity/,
  );
  expect(await refused()).toMatchObject({
    state: 'warn',
    hint: 'ALTER TABLE clarify.person REPLICA IDENTITY DEFAULT',
  });
  await check();
  expect(await namedBy('clarify.person')).toEqual(['_key']);
  await sql(`UPDATE clarify.person SET job_title = 'x'`);
});

test('what a user chose stays chosen, and doctor says what it means', async () => {
  const { sql } = workspace;
  await sql('ALTER TABLE clarify.person REPLICA IDENTITY USING INDEX person_pkey');
  await check();
  expect(await namedBy('clarify.person')).toEqual(['id']);
  expect(await doctor()).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('clarify.person by a replica identity that was chosen'),
  });
  await sql('ALTER TABLE clarify.person REPLICA IDENTITY DEFAULT');
  expect(await doctor()).toMatchObject({
    hint: expect.stringContaining('run `clarify-sync sync`'),
  });
  await check();
  expect(await doctor()).toMatchObject({ state: 'ok' });
});

test.for([
  ['a column list', 'clarify.person (id, job_title)'],
  ['a row filter', `clarify.person WHERE (id LIKE 'a%')`],
])('%s that does not go with the key keeps the primary key', async ([, table]) => {
  const { session, sql } = workspace;
  const [{ version } = {}] = await sql(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  if (Number(version) < 150_000) return;
  await sql(`CREATE PUBLICATION mine FOR TABLE ${table}`);
  expect(await refused()).toMatchObject({
    state: 'warn',
    hint: 'let column lists have, and row filters name no other than, _key of clarify.person',
  });
  await check();
  expect(await namedBy('clarify.person')).toEqual(['d']);
  await sql(`UPDATE clarify.person SET job_title = 'x'`);
  expect(await doctor()).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('clarify.person by id'),
  });
  expect(await refused()).toMatchObject({ state: 'ok' });
  await sql(`DROP PUBLICATION mine; CREATE PUBLICATION mine FOR TABLE clarify.person (_key, id)
               WHERE (_key LIKE 'a%')`);
  await keepPublication(session.db);
  expect(await namedBy('clarify.person')).toEqual(['_key']);
  await sql(`UPDATE clarify.person SET job_title = 'y'`);
});

test('a table that somebody holds keeps no other waiting', async () => {
  const { session, sql } = workspace;
  for (const table of ['company', 'person']) {
    await sql(`ALTER TABLE clarify.${table} REPLICA IDENTITY DEFAULT`);
  }
  await sql('ALTER PUBLICATION clarify_mirror DROP TABLE clarify.task');
  await sql('BEGIN; LOCK TABLE clarify.company IN ACCESS SHARE MODE');
  await expect(keepPublication(session.db)).rejects.toMatchObject({
    code: 'database-lock-timeout',
  });
  await sql('COMMIT');
  expect(await namedBy('clarify.company')).toEqual(['d']);
  expect(await namedBy('clarify.person')).toEqual(['_key']);
  const published = await sql(
    `SELECT tablename FROM pg_publication_tables WHERE pubname = 'clarify_mirror' AND tablename = 'task'`,
  );
  expect(published).toHaveLength(1);
  await keepPublication(session.db);
  expect(await namedBy('clarify.company')).toEqual(['_key']);
});
