import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Check } from '../../../src/app/doctor/check.ts';
import { runDoctor } from '../../../src/app/doctor/doctor.ts';
import { createLog } from '../../../src/app/log.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { person: 2, company: 1 } } });
});
afterEach(() => workspace?.stop());

async function check(name: string): Promise<Check | undefined> {
  const log = createLog({ level: 'silent' });
  const options = { log, signal: workspace.signal, adopt: false };
  const checks = await runDoctor(workspace.session.config, options);
  return checks.find((one) => one.name === name);
}

test.each([
  ['ALTER TABLE clarify.person DROP CONSTRAINT person_pkey CASCADE', 'give person its key back'],
  ['ALTER TABLE clarify.person ALTER COLUMN id DROP DEFAULT', 'give id of person its default back'],
  [
    `ALTER TABLE clarify.person DROP CONSTRAINT person_pkey CASCADE, ADD UNIQUE (id);
     ALTER TABLE clarify.person ALTER COLUMN id DROP NOT NULL`,
    'let no row of person be without id',
  ],
  ['ALTER TABLE clarify.person RENAME COLUMN job_title TO headline', 'add column job_title'],
  [
    'ALTER TABLE clarify.deal_people DROP CONSTRAINT deal_people_pkey',
    'give deal_people its key back',
  ],
])('what a table has lost is found: %s', async (damage, due) => {
  await workspace.sql(damage);
  expect(await check('objects')).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining(due),
  });
});

test('a table that was replaced is found, with what to do', async () => {
  const { sql } = workspace;
  await sql('ALTER TABLE clarify.person RENAME TO old_person');
  await sql('CREATE TABLE clarify.person (LIKE clarify.old_person INCLUDING ALL)');
  expect(await check('objects')).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('mirror-replaced'),
    hint: expect.stringContaining('rename clarify.person'),
  });
  await workspace.session.refreshSchema(workspace.signal);
  expect((await check('triggers'))?.state).toBe('ok');
});

test('what Postgres refused of a table is told, though a plan does not show it', async () => {
  const { emulator, session, signal, sql } = workspace;
  await sql(`CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql
               AS $$ BEGIN RAISE 'not by day'; END $$`);
  await sql(`CREATE EVENT TRIGGER by_night ON ddl_command_start
               WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.refuse()`);
  emulator.store.addField('deal', { name: 'margin', form: { kind: 'number' } });
  await session.refreshSchema(signal);
  expect(await check('objects')).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('[mirror-change-failed] deal'),
  });
  await sql('DROP EVENT TRIGGER by_night');
  await session.refreshSchema(signal);
  expect((await check('objects'))?.state).toBe('ok');
});

test('a foreign key that would be in the way is found, and its cure cures', async () => {
  const { sql } = workspace;
  await sql(`CREATE TABLE public."Scores" (
    person text NOT NULL CONSTRAINT "of whom" REFERENCES clarify.person,
    company text REFERENCES clarify.company ON UPDATE CASCADE ON DELETE SET NULL,
    deal text REFERENCES clarify.deal ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED)`);
  const found = await check('foreign keys');
  expect(found).toMatchObject({
    state: 'warn',
    detail: expect.stringMatching(
      /"of whom" on "Scores" refuses removals and new ids of clarify\.person/,
    ),
  });
  expect(found?.detail).toContain(
    '"Scores_deal_fkey" on "Scores" refuses removals of clarify.deal',
  );
  expect(found?.detail).not.toContain('company');
  await sql(found?.hint ?? '');
  expect((await check('foreign keys'))?.state).toBe('ok');
  const deferred = await sql(
    `SELECT condeferred FROM pg_constraint WHERE conname = 'Scores_deal_fkey'`,
  );
  expect(deferred).toEqual([{ condeferred: true }]);
});

test('a publication that would carry the secret is found', async () => {
  const { sql } = workspace;
  await sql('CREATE PUBLICATION everything FOR ALL TABLES');
  await sql('CREATE PUBLICATION ours FOR TABLE clarify_sync.installation, clarify.person');
  await sql('CREATE PUBLICATION mirror FOR TABLE clarify.person, clarify.company');
  const found = await check('publications');
  expect(found).toMatchObject({ state: 'warn', detail: expect.stringContaining('everything') });
  expect(found?.detail).toContain('ours');
  expect(found?.detail).not.toContain('publication mirror');
  await sql('DROP PUBLICATION everything; DROP PUBLICATION ours');
  expect((await check('publications'))?.state).toBe('ok');
});

test('a published table that Postgres refuses to change is found', async () => {
  const { sql } = workspace;
  await sql('CREATE PUBLICATION mirror FOR TABLE clarify.person, clarify.company');
  await sql('ALTER TABLE clarify.person REPLICA IDENTITY NOTHING');
  const found = await check('publications');
  expect(found).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('clarify.person, published by mirror'),
  });
  await expect(sql(`UPDATE clarify.person SET job_title = 'x'`)).rejects.toThrow(
    /replica identity/,
  );
  await sql(found?.hint ?? '');
  expect((await check('publications'))?.state).toBe('ok');
});

test('a published table whose rows name themselves by generated columns is found (18)', async () => {
  const { sql } = workspace;
  const [{ version } = {}] = await sql(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  await sql('CREATE PUBLICATION mirror FOR TABLE clarify.person');
  await sql('ALTER TABLE clarify.person REPLICA IDENTITY FULL');
  const found = await check('publications');
  const refused = await sql(`DELETE FROM clarify.person WHERE id = ''`).then(
    () => false,
    () => true,
  );
  expect(refused).toBe(Number(version) >= 180_000);
  expect(found?.state).toBe(refused ? 'warn' : 'ok');
});

test('a view that still reads a column put aside is found', async () => {
  const { emulator, session, signal, sql } = workspace;
  await sql('CREATE VIEW public.titles AS SELECT id, job_title FROM clarify.person');
  emulator.store.changeFieldType('person', 'job_title', { kind: 'number' });
  await session.refreshSchema(signal);
  expect(await check('views')).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('titles reads clarify.person.job_title__was_1'),
  });
  await sql(
    'CREATE OR REPLACE VIEW public.titles AS SELECT id, NULL::text AS job_title FROM clarify.person',
  );
  expect((await check('views'))?.state).toBe('ok');
});
