import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushDeps } from '../../src/app/push-once.ts';
import { previewPush } from '../../src/app/push-preview.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { linkDifferences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let deal: string;
let people: readonly string[];

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 10, company: 2, deal: 2, task: 0, meeting: 0, c_project: 1 } },
  });
  await syncOnce(workspace.session, { signal: workspace.signal });
  const { store } = workspace.emulator;
  [deal = ''] = store.ids('deal');
  people = store.ids('person').filter((id) => !store.linked('deal', deal, 'people').includes(id));
});
afterAll(() => workspace.stop());

const refused = async (text: string, values: readonly unknown[] = []) => {
  const error: unknown = await workspace.sql(text, values).then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error.message : String(error);
};
const unsettled = () =>
  workspace.sql(
    `SELECT object, record_id, op, changes FROM clarify_sync.outbox WHERE state = 'pending' ORDER BY id`,
  );

test('a link needs both rows, and the refusal names the one that is missing', async () => {
  const text = 'INSERT INTO clarify.deal_people VALUES ($1, $2)';
  expect(await refused(text, ['no-deal', people[0]])).toMatch(
    /links rows that are there: clarify\.deal has none whose id is 'no-deal', given as deal_id/,
  );
  expect(await refused(text, [deal, 'local:nobody'])).toMatch(/clarify\.person has none/);
  expect(await unsettled()).toEqual([]);
});

test('TRUNCATE is refused, and what changes nothing is no change', async () => {
  expect(await refused('TRUNCATE clarify.deal_people')).toMatch(/use DELETE/);
  await workspace.sql('UPDATE clarify.deal_people SET person_id = person_id');
  await workspace.sql('DELETE FROM clarify.deal_people WHERE false');
  await workspace.sql(
    'INSERT INTO clarify.deal_people SELECT * FROM clarify.deal_people ON CONFLICT DO NOTHING',
  );
  expect(await unsettled()).toEqual([]);
});

test('a role with rights on the link table alone can write it', async () => {
  const { database, sql } = workspace;
  const role = `linker_${database.name}`;
  await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  await sql(`GRANT USAGE ON SCHEMA clarify TO ${role}`);
  await sql(`GRANT SELECT, INSERT, DELETE ON clarify.deal_people TO ${role}`);
  const user = new pg.Client({ connectionString: database.urlAs(role, 'secret') });
  await user.connect();
  try {
    await user.query('INSERT INTO clarify.deal_people VALUES ($1, $2)', [deal, people[0]]);
    await user.query('DELETE FROM clarify.deal_people WHERE deal_id = $1 AND person_id = $2', [
      deal,
      people[0],
    ]);
  } finally {
    await user.end();
    await sql(`DROP OWNED BY ${role}`);
    await sql(`DROP ROLE ${role}`);
  }
  expect(await unsettled()).toMatchObject([
    { object: 'deal', record_id: deal, op: 'link' },
    { object: 'deal', record_id: deal, op: 'unlink' },
  ]);
});

test('rows and links can be born in one statement, and a preview shows both', async () => {
  const { session, sql } = workspace;
  await sql(
    `WITH born AS (
       INSERT INTO clarify.person (email_addresses) VALUES ('{one@statement.example}') RETURNING id)
     INSERT INTO clarify.deal_people SELECT $1, id FROM born`,
    [deal],
  );
  await sql('INSERT INTO clarify.deal_people VALUES ($1, $2)', [deal, people[1]]);
  const deps = pushDeps(session, { epoch: null, remainingMs: () => 0 });
  const { changes } = await previewPush(session.db, deps);
  expect(changes.map(({ object, action }) => [object, action])).toEqual([
    ['person', 'create'],
    ['deal', 'link'],
    ['deal', 'link'],
  ]);
  const { left } = await syncOnce(session, { signal: workspace.signal });
  expect(left).toEqual({ pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 });
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('where an object may not be written, its links may not either', async () => {
  await workspace.session.db.query(
    `UPDATE clarify_sync.mirror SET refusal = 'push is off for it' WHERE object = 'person'`,
  );
  const text = 'INSERT INTO clarify.deal_people VALUES ($1, $2)';
  expect(await refused(text, [deal, people[2]])).toMatch(
    /cannot be written here, for it links person: push is off for it/,
  );
  await workspace.session.db.query(
    `UPDATE clarify_sync.mirror SET refusal = NULL WHERE object = 'person'`,
  );
  await workspace.session.db.query(
    `UPDATE clarify_sync.mirror SET read_only_links = '{people}' WHERE object = 'deal'`,
  );
  expect(await refused(text, [deal, people[2]])).toMatch(
    /deal_people cannot be written here, for it links deal: Clarify alone writes these links/,
  );
  await workspace.session.db.query(`UPDATE clarify_sync.mirror SET read_only_links = '{}'`);
  await workspace.session.db.query('UPDATE clarify_sync.installation SET push = false');
  expect(await refused(text, [deal, people[2]])).toMatch(/push is off.*CLARIFY_SYNC_PUSH=on/);
  expect(await unsettled()).toEqual([]);
});
