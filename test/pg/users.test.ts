import { afterAll, beforeAll, expect, test } from 'vitest';
import { refreshUsers } from '../../src/app/daemon/background-jobs.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 2, company: 1, deal: 1, task: 0, meeting: 0, c_project: 0 } },
  });
});
afterAll(() => workspace.stop());

const users = async () => workspace.sql('SELECT id, fields FROM clarify.user ORDER BY id');
const usersRequests = () => workspace.emulator.stats().endpoints['GET /users']?.requests ?? 0;

test('users come with a sync, once a day', async () => {
  const { session, signal } = workspace;
  await syncOnce(session, { signal });
  await syncOnce(session, { signal });
  expect(usersRequests()).toBe(1);
  const names = (await users()).map(({ fields }) => fields);
  expect(names).toContainEqual(
    expect.objectContaining({
      name: { first_name: 'Kim', last_name: 'Keyes' },
      email: 'kim@demo.example',
    }),
  );
  expect(names).toHaveLength(3);
});

test('they are read-only here', async () => {
  for (const text of [
    `INSERT INTO clarify.user (id, fields) VALUES ('u', '{}')`,
    'UPDATE clarify.user SET fields = $${}$$',
    'DELETE FROM clarify.user',
    'TRUNCATE clarify.user',
  ]) {
    await expect(workspace.sql(text)).rejects.toThrow(/clarify-sync:/);
  }
  expect((await users()).length).toBeGreaterThan(0);
});

test('a server that does not tell is no reason to stop', async () => {
  const { session, signal, emulator } = workspace;
  const before = await users();
  emulator.faults.add({ kind: 'status', status: 403, method: 'GET', path: '/users' });
  await refreshUsers(session, { signal, priority: 'backfill', force: true });
  emulator.faults.clear();
  expect(await users()).toEqual(before);
});

test('an object called user finds another name, and so do users who come second', async () => {
  const { session, signal, emulator } = workspace;
  const fields = [{ name: 'title', form: { kind: 'text' } }] as const;
  emulator.store.addObject({
    object: 'user',
    singular: 'User',
    plural: 'Users',
    fields: [...fields],
  });
  emulator.store.create('user', { title: 'An object' });
  await session.refreshSchema(signal);
  await syncOnce(session, { signal });
  const table = session.tables.find(({ object }) => object === 'user');
  expect(table?.name).toMatch(/^user_[0-9a-f]{8}$/);
  expect(await workspace.sql(`SELECT title FROM ${table?.qualified ?? ''}`)).toEqual([
    { title: 'An object' },
  ]);
  expect((await users()).length).toBeGreaterThan(0);

  const other = await openWorkspace({
    emulator: { sizes: { person: 1, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 } },
  });
  try {
    other.emulator.store.addObject({
      object: 'user',
      singular: 'User',
      plural: 'Users',
      fields: [...fields],
    });
    await other.session.refreshSchema(other.signal);
    await syncOnce(other.session, { signal: other.signal });
    const [made] = await other.sql(
      `SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'clarify_users_read_only'`,
    );
    expect(made?.name).toMatch(/^clarify\.user_[0-9a-f]{8}$/);
  } finally {
    await other.stop();
  }
});
