import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/connection/database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

/** A connection that is refused for a reason says that reason. */
let database: TestDatabase;
let role: string;

beforeAll(async () => {
  database = await createTestDatabase();
  role = database.name;
  await database.db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'right'`);
});
afterAll(async () => {
  await database.db.query(`DROP ROLE ${role}`);
  await database.drop();
});

async function refusalOf(url: string): Promise<unknown> {
  const db = openDatabase({ url, applicationName: 'test' });
  try {
    await db.query('SELECT 1');
    return 'connected';
  } catch (error) {
    return error;
  } finally {
    await db.close();
  }
}

function own(change: (url: URL) => void = () => {}): string {
  const url = new URL(database.urlAs(role, 'right'));
  change(url);
  return url.href;
}

describe('what Postgres says to whoever connects', () => {
  test.each([
    [
      'database-busy',
      'retry',
      /too many connections for role/,
      'CONNECTION LIMIT 0',
      'CONNECTION LIMIT -1',
    ],
    ['database-auth', 'halt', /not permitted to log in/, 'NOLOGIN', 'LOGIN'],
    [
      'database-auth',
      'halt',
      /password authentication failed/,
      `VALID UNTIL '2000-01-01'`,
      `VALID UNTIL 'infinity'`,
    ],
  ] as const)('%s, %s: %s', async (code, disposition, message, before, after) => {
    await database.db.query(`ALTER ROLE ${role} ${before}`);
    try {
      expect(await refusalOf(own())).toMatchObject({
        code,
        disposition,
        message: expect.stringMatching(message),
        hint: expect.any(String),
      });
    } finally {
      await database.db.query(`ALTER ROLE ${role} ${after}`);
    }
  });

  test('a limit of the database, a right to it that is lacking', async () => {
    await database.db.query(`ALTER DATABASE ${database.name} CONNECTION LIMIT 0`);
    expect(await refusalOf(own())).toMatchObject({
      code: 'database-busy',
      message: expect.stringMatching(/too many connections for database/),
    });
    await database.db.query(`ALTER DATABASE ${database.name} CONNECTION LIMIT -1`);
    await database.db.query(`REVOKE CONNECT ON DATABASE ${database.name} FROM PUBLIC`);
    expect(await refusalOf(own())).toMatchObject({
      code: 'database-permission',
      disposition: 'halt',
      message: expect.stringMatching(/permission denied for database/),
      hint: expect.stringMatching(/GRANT CONNECT/),
    });
    await database.db.query(`GRANT CONNECT ON DATABASE ${database.name} TO PUBLIC`);
  });

  test.each([
    ['-c no_such_setting=1', /no_such_setting/],
    ['-c statement_timeout=soon', /statement_timeout/],
    ['--bogus', /./],
  ])('an option it does not know: %s', async (options, message) => {
    const url = own(({ searchParams }) => searchParams.set('options', options));
    expect(await refusalOf(url)).toMatchObject({
      code: 'database-refused',
      disposition: 'halt',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/options in DATABASE_URL/),
    });
  });

  test('TLS where there is none, and a certificate that is not there', async () => {
    const url = own(({ searchParams }) => searchParams.set('sslmode', 'require'));
    expect(await refusalOf(url)).toMatchObject({
      code: 'database-tls',
      message: expect.stringMatching(/offers no TLS/),
    });
    const file = own(({ searchParams }) => {
      searchParams.set('sslmode', 'verify-full');
      searchParams.set('sslrootcert', '/no/such/file.pem');
    });
    expect(await refusalOf(file)).toMatchObject({
      code: 'database-tls',
      message: expect.stringMatching(/a file that DATABASE_URL names cannot be read \(ENOENT\)/),
    });
  });
});

/** A server that answers whoever connects in its own way. */
async function answering(
  answer: (socket: Socket) => void,
): Promise<{ url: string; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `postgres://u:secret@127.0.0.1:${port}/x`, server };
}

async function refusalBy(answer: (socket: Socket) => void, query = ''): Promise<unknown> {
  const { url, server } = await answering(answer);
  try {
    return await refusalOf(`${url}${query}`);
  } finally {
    server.close();
  }
}

function fatal(sqlState: string, message: string): Buffer {
  const fields = `SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`;
  const body = Buffer.from(fields);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const firstData = (answer: (socket: Socket) => void) => (socket: Socket) => {
  socket.once('data', () => answer(socket));
};

describe('what others on the way say', () => {
  test.each([
    ['08P01', 'unsupported startup parameter: options', 'database-unreachable', 'retry'],
    ['08004', 'the server rejected it', 'database-unreachable', 'retry'],
    ['XX000', 'Tenant or user not found', 'database-refused', 'retry'],
    ['XX000', 'The endpoint has been disabled', 'database-refused', 'retry'],
    [
      '28000',
      'no pg_hba.conf entry for host "::1", user "u", no encryption',
      'database-auth',
      'halt',
    ],
    [
      '0A000',
      'conversion between MULE_INTERNAL and UTF8 is not supported',
      'database-refused',
      'halt',
    ],
    ['53300', 'sorry, too many clients already', 'database-busy', 'retry'],
    ['57P03', 'the database system is starting up', 'database-restarting', 'retry'],
    ['P0001', 'not at this hour', 'database-refused', 'retry'],
    ['58030', 'could not read block', 'database-refused', 'retry'],
  ])('%s %s', async (sqlState, words, code, disposition) => {
    const refusal = await refusalBy(firstData((socket) => socket.end(fatal(sqlState, words))));
    expect(refusal).toMatchObject({ code, disposition, hint: expect.anything() });
    expect(String(refusal)).toContain(words);
    expect(String(refusal)).not.toContain('secret');
  });

  test('nothing, and hang up', async () => {
    expect(await refusalBy((socket) => socket.destroy())).toMatchObject({
      code: 'database-unreachable',
    });
  });

  test('hang up while TLS is set up', async () => {
    const hangUp = firstData((socket) => {
      socket.write('S');
      socket.once('data', () => socket.destroy());
    });
    expect(await refusalBy(hangUp, '?sslmode=no-verify')).toMatchObject({
      code: 'database-unreachable',
      message: expect.stringMatching(/TLS was set up/),
    });
  });

  test('another protocol than TLS', async () => {
    const talk = firstData((socket) => {
      socket.write('S');
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    expect(await refusalBy(talk, '?sslmode=no-verify')).toMatchObject({ code: 'database-tls' });
  });

  test.each([
    ['postgres://u:p@no-such-host.invalid/x', /ENOTFOUND|EAI_AGAIN/],
    ['postgres://u:p@127.0.0.1:1/x', /ECONNREFUSED/],
    ['postgres://u:p@localhost:1/x', /ECONNREFUSED/],
    ['postgres://u:p@%2Fno%2Fsocket/x', /ENOENT/],
  ])('nothing at all: %s', async (url, message) => {
    expect(await refusalOf(url)).toMatchObject({
      code: 'database-unreachable',
      disposition: 'retry',
      message: expect.stringMatching(message),
    });
  });
});
