import { afterAll, beforeAll, expect, test } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { makeHostile } from '../support/hostile-settings.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** The whole service in a database whose settings are none that it was written for. */
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 60, company: 20 } },
    prepare: makeHostile,
    config: { objects: { person: { fields: {}, history: true, delete: 'push' } } },
  });
});
afterAll(() => workspace.stop());

const TITLE = `it's \\ \\' new`;
const sync = () => syncOnce(workspace.session, { signal: workspace.signal });

test('both sides agree whatever the settings of the database', async () => {
  const { emulator, session } = workspace;
  await sync();
  const [known] = emulator.store.all('person');
  const id = known?.id ?? '';
  emulator.store.update('person', id, { job_title: 'null' });
  // Its own connection, whose writes are a user's where it does not say that they are its own.
  const user = (text: string, values?: readonly unknown[]) => session.db.query(text, values);
  await user(`UPDATE clarify.person SET phone_numbers = '{+1}' WHERE id = $1`, [id]);
  await user(
    `INSERT INTO clarify.person (email_addresses, job_title) VALUES ('{new@example.com}', $1)`,
    [TITLE],
  );
  await sync();
  expect(emulator.store.get('person', id)?.attributes).toMatchObject({
    job_title: 'null',
    phone_numbers: { items: ['+1'] },
  });
  expect(emulator.store.all('person').map(({ attributes }) => attributes.job_title)).toContain(
    TITLE,
  );
  expect(await differences({ ...workspace, sql: user })).toEqual([]);
  const left = await user(
    `SELECT state, last_error FROM clarify_sync.outbox WHERE state <> 'done'`,
  );
  expect(left).toEqual([]);
});

test('the schema it made is the one it wants', async () => {
  // Indexes come once an object was read.
  await workspace.session.refreshSchema(workspace.signal);
  const { steps } = await workspace.session.refreshSchema(workspace.signal);
  expect(steps).toEqual([]);
});
