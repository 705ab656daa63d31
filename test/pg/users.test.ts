import { afterAll, beforeAll, expect, test } from 'vitest';
import { refreshUsers } from '../../src/app/daemon/background-jobs.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { ensureSideTable } from '../../src/db/side/ensure.ts';
import { USERS } from '../../src/db/side/tables.ts';
import { writeSide } from '../../src/db/side/write.ts';
import type { Json } from '../../src/domain/json.ts';
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
  const told = await workspace.sql('SELECT name, email FROM clarify.user ORDER BY name');
  expect(told).toEqual([
    { name: 'Kim Keyes', email: 'kim@demo.example' },
    { name: 'Ola Ops', email: expect.any(String) },
    { name: 'Sam Sales', email: expect.any(String) },
  ]);
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

test('an object called user finds another name, whoever comes first', async () => {
  const { session, signal, emulator } = workspace;
  const fields = [{ name: 'title', form: { kind: 'text' } }] as const;
  const object = { object: 'user', singular: 'User', plural: 'Users', fields: [...fields] };
  emulator.store.addObject(object);
  emulator.store.create('user', { title: 'An object' });
  await session.refreshSchema(signal);
  await syncOnce(session, { signal });
  const table = session.tables.find((one) => one.object === 'user');
  expect(table?.name).toMatch(/^user_[0-9a-f]{8}$/);
  expect(await workspace.sql(`SELECT title FROM ${table?.qualified ?? ''}`)).toEqual([
    { title: 'An object' },
  ]);
  expect((await users()).length).toBeGreaterThan(0);

  const other = await openWorkspace({
    emulator: { sizes: { person: 1, company: 0, deal: 0, task: 0, meeting: 0, c_project: 0 } },
  });
  try {
    other.emulator.store.addObject(object);
    await other.session.refreshSchema(other.signal);
    await syncOnce(other.session, { signal: other.signal });
    expect(other.session.tables.find((one) => one.object === 'user')?.name).toBe(table?.name);
    expect(await other.sql('SELECT id FROM clarify.user')).not.toEqual([]);
  } finally {
    await other.stop();
  }
});

test('users that are listed as an object without records are no object', async () => {
  const other = await openWorkspace({ emulator: { sizes: 'none' } });
  const { session, signal, emulator } = other;
  try {
    emulator.store.addObject({ object: 'user', singular: 'User', plural: 'Users', fields: [] });
    emulator.faults.add({ kind: 'status', status: 404, path: '/objects/user/resources' });
    await session.refreshSchema(signal);
    expect(session.tables.map(({ object }) => object)).not.toContain('user');
    await syncOnce(session, { signal });
    expect(await other.sql('SELECT id FROM clarify.user')).not.toEqual([]);
  } finally {
    await other.stop();
  }
});

test('a name is known in every form, also in a table that was made without it', async () => {
  const { session, sql, database } = workspace;
  await database.db.query('ALTER TABLE clarify.user DROP COLUMN name, DROP COLUMN email');
  const table = await ensureSideTable(session.db, USERS);
  const user = (id: string, name: Json) => ({ id, fields: { name } });
  const listed = [
    user('a', { first_name: 'Ada', last_name: 'King', full_name: 'Ada K. King' }),
    user('auth0|b', { first_name: 'Bo', last_name: null }),
    user('c', 'Cy Text'),
    user('system', null),
    user('e', {}),
  ];
  const all = [{ object: '', key: '', items: listed }];
  await session.db.transaction((tx) => writeSide(tx, { table, side: USERS }, all), {
    asWriter: true,
  });
  expect(await sql('SELECT id, name FROM clarify.user ORDER BY id')).toEqual([
    { id: 'a', name: 'Ada K. King' },
    { id: 'auth0|b', name: 'Bo' },
    { id: 'c', name: 'Cy Text' },
    { id: 'e', name: null },
    { id: 'system', name: null },
  ]);
});
