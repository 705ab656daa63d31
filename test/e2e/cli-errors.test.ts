import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { lastDocument, runCli } from './cli-process.ts';

let emulator: Emulator;
let database: TestDatabase;
let env: Record<string, string>;

const KEY = 'key-that-must-not-be-shown';
const PASSWORD = 'password-that-must-not-be-shown';

beforeAll(async () => {
  const sizes = { person: 3, company: 2 };
  emulator = await startCheckedEmulator({ apiKey: KEY, sizes });
  database = await createTestDatabase({ migrated: false });
  env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: KEY,
    CLARIFY_WORKSPACE: emulator.workspace,
    DATABASE_URL: database.url,
  };
});

afterAll(async () => {
  await emulator?.stop();
  await database?.drop();
});

/** One clear line, with the code expected, one on what to do, and nothing else. */
async function refused(
  args: readonly string[],
  expected: { readonly code: string; readonly exit: number },
  changes: Record<string, string> = {},
): Promise<string> {
  const result = await runCli(args, { env: { ...env, ...changes } });
  expect(result.stderr).toMatch(new RegExp(`^error \\[${expected.code}\\]: `));
  expect(result.stderr.trimEnd().split('\n').at(-1)).toMatch(/^→ /);
  expect(result.stderr).not.toMatch(/^ +at /m);
  expect(result.stderr + result.stdout).not.toContain(KEY);
  expect(result.stderr + result.stdout).not.toContain(PASSWORD);
  expect(result.stdout).toBe('');
  expect(result.code).toBe(expected.exit);
  return result.stderr;
}

async function schemas(): Promise<readonly string[]> {
  const rows = await database.db.query<{ name: string }>(
    `select nspname as name from pg_namespace where nspname like 'clarify%' order by 1`,
  );
  return rows.map(({ name }) => name);
}

describe('one clear line and nothing half-made', () => {
  test.each<[string, { code: string; exit: number }, () => Record<string, string>]>([
    ['wrong key', { code: 'remote-unauthorized', exit: 1 }, () => ({ CLARIFY_API_KEY: 'wrong' })],
    [
      'wrong workspace',
      { code: 'remote-workspace-not-found', exit: 1 },
      () => ({ CLARIFY_WORKSPACE: 'nobody' }),
    ],
    [
      'unreachable database',
      { code: 'database-unreachable', exit: 1 },
      () => ({ DATABASE_URL: `postgres://nobody:${PASSWORD}@127.0.0.1:9/none` }),
    ],
    [
      'database that does not exist',
      { code: 'database-missing', exit: 1 },
      () => ({ DATABASE_URL: `${database.url}_none` }),
    ],
    [
      'wrong configuration',
      { code: 'usage', exit: 2 },
      () => ({ CLARIFY_SYNC_PUSH: 'maybe', DATABASE_URL: `mysql://root:${PASSWORD}@db/x` }),
    ],
  ])('%s', async (_name, expected, changes) => {
    await refused(['sync'], expected, changes());
    expect(await schemas()).toEqual([]);
  });

  test('unreachable API', async () => {
    await refused(
      ['pull'],
      { code: 'remote-unreachable', exit: 1 },
      { CLARIFY_API_URL: 'http://127.0.0.1:9/v1' },
    );
    expect(await schemas()).toEqual([]);
  });

  test('missing configuration names every variable', async () => {
    const { code, stderr } = await runCli(['sync']);
    expect(code).toBe(2);
    expect(stderr).toContain('CLARIFY_API_KEY is not set');
    expect(stderr).toContain('CLARIFY_WORKSPACE is not set');
  });

  test('a role without rights, and doctor names the missing ones', async () => {
    const role = `weak_${database.name}`;
    await database.db.query(`create role ${role} login password '${PASSWORD}'`);
    try {
      const weak = { DATABASE_URL: database.urlAs(role, PASSWORD) };
      await refused(['migrate'], { code: 'database-permission', exit: 1 }, weak);
      const doctor = await runCli(['doctor'], { env: { ...env, ...weak } });
      expect(doctor.stdout).toContain(`GRANT CREATE ON DATABASE ${database.name} TO ${role}`);
      expect(doctor.code).toBe(1);
    } finally {
      await database.db.query(`drop role ${role}`);
    }
    expect(await schemas()).toEqual([]);
  });

  test('a schema of our name that somebody else made', async () => {
    await database.db.query('create schema clarify');
    await database.db.query('create table clarify.theirs (id integer)');
    await refused(['sync'], { code: 'schema-foreign', exit: 2 });
    expect(await schemas()).toEqual(['clarify']);
    await database.db.query('drop schema clarify cascade');
  });

  test('a status port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const http = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const changes = { CLARIFY_SYNC_HTTP: http };
    const message = await refused(['run'], { code: 'http-port-in-use', exit: 1 }, changes);
    expect(message).toContain('set CLARIFY_SYNC_HTTP to another host:port');
    await new Promise((resolve) => server.close(resolve));
  });

  test('a port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const message = await refused(['emulator', '--port', port], { code: 'port-in-use', exit: 1 });
    expect(message).toContain(`port ${port} on 127.0.0.1 is in use`);
    await new Promise((resolve) => server.close(resolve));
  });
});

test('an embedded Postgres where nothing can be written, or nothing fits', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'clarify-sync-closed-'));
  try {
    // A file where the folder would be: refused to root as well.
    await writeFile(join(cwd, '.clarify-sync'), '');
    const { DATABASE_URL: _, ...embedded } = env;
    const result = await runCli(['sync'], { env: embedded, cwd });
    expect(result.stderr).toMatch(/^error \[embedded-postgres-failed\]: .* could not be set up/);
    expect(result.stderr).toContain(`→ check that ${join(cwd, '.clarify-sync')} is writable`);
    expect(result.code).toBe(1);
    expect(await readdir(cwd)).toEqual(['.clarify-sync']);
  } finally {
    await rm(cwd, { recursive: true });
  }
});

describe('wrong usage', () => {
  test('an unknown object lists the known ones', async () => {
    const message = await refused(['pull', 'people'], { code: 'usage', exit: 2 });
    expect(message).toContain('no object is called people');
    expect(message).toContain('known objects: c_project, company, deal');
    for (const list of ['outbox', 'conflicts']) {
      const refusal = await refused([list, 'list', 'people'], { code: 'usage', exit: 2 });
      expect(refusal).toContain('known objects: c_project, company, deal');
    }
  });

  test.each([
    [['outbox', 'discard', '999'], 'see `clarify-sync outbox list`'],
    [['conflicts', 'resolve', '999', '--take', 'local'], 'see `clarify-sync conflicts list --all`'],
  ])('%j: an id that is not there says where to look', async (args, hint) => {
    expect(await refused(args, { code: 'usage', exit: 2 })).toContain(hint);
  });

  test('with --json an error is a document too', async () => {
    const result = await runCli(['sync', '--json'], { env: { ...env, CLARIFY_API_KEY: 'wrong' } });
    expect(lastDocument(result)).toMatchObject({
      type: 'error',
      error: { code: 'remote-unauthorized', hint: expect.any(String) },
      next: expect.any(String),
    });
    expect(result.code).toBe(1);
  });
});
