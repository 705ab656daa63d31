import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepPublication, readPublicationState } from '../../src/db/access/publication.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 2, company: 1 } },
    config: { publication: true },
  });
});
afterEach(() => workspace?.stop());

async function published(): Promise<unknown[]> {
  const rows = await workspace.sql(
    `SELECT schemaname || '.' || tablename AS name FROM pg_publication_tables
      WHERE pubname = 'clarify_mirror' ORDER BY name`,
  );
  return rows.map(({ name }) => name);
}

test('every mirror and link table is published, and nothing of the control tables', async () => {
  const { session } = workspace;
  const wanted = [...session.tables, ...session.links].map(({ name }) => `clarify.${name}`);
  expect(new Set(await published())).toEqual(new Set(wanted));
  expect(wanted).toContain('clarify.deal_people');
  expect(await readPublicationState(session.db)).toEqual({
    isTaken: false,
    due: [],
    identities: { due: [], others: [] },
  });
});

test('it follows tables as they come, go, and are made anew', async () => {
  const { emulator, session, signal, sql } = workspace;
  emulator.store.addObject({
    object: 'c_new',
    singular: 'New',
    plural: 'New ones',
    fields: [{ name: 'title', form: { kind: 'text' } }],
  });
  await sql('DROP TABLE clarify.deal CASCADE');
  await session.refreshSchema(signal);
  expect(await published()).toEqual(expect.arrayContaining(['clarify.c_new', 'clarify.deal']));
  emulator.store.removeObject('c_new');
  await session.refreshSchema(signal);
  expect(await published()).not.toContain('clarify.c_new');
});

test('what a user adds goes, what a user chose of a table stays', async () => {
  const { session, signal, sql } = workspace;
  await sql('CREATE TABLE public.mine (id int PRIMARY KEY)');
  await sql('ALTER PUBLICATION clarify_mirror ADD TABLE public.mine, clarify_sync.installation');
  await sql('ALTER PUBLICATION clarify_mirror DROP TABLE clarify.person');
  await sql('ALTER PUBLICATION clarify_mirror ADD TABLE clarify.person (id, job_title)');
  await session.refreshSchema(signal);
  expect(await published()).not.toContain('public.mine');
  expect(await published()).not.toContain('clarify_sync.installation');
  const [person] = await sql(
    `SELECT attnames::text[] AS names FROM pg_publication_tables WHERE tablename = 'person'`,
  );
  expect(person).toEqual({ names: ['id', 'job_title'] });
});

test("a publication of the name that is somebody else's is left alone", async () => {
  const { session, sql } = workspace;
  await sql('DROP PUBLICATION clarify_mirror; CREATE PUBLICATION clarify_mirror');
  expect(await keepPublication(session.db)).toMatchObject({ isTaken: true });
  expect(await published()).toEqual([]);
});

test('nothing is published unasked', async () => {
  const { session, sql } = workspace;
  expect(session.config.publication).toBe(true);
  const other = await openWorkspace();
  try {
    expect(await other.sql('SELECT pubname FROM pg_publication')).toEqual([]);
  } finally {
    await other.stop();
  }
  expect(await sql('SELECT pubname FROM pg_publication')).toHaveLength(1);
});
