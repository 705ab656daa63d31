import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const PLACES = [process.env['PGBOUNCER_PATH'] ?? '', '/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'];

/** PgBouncer in transaction mode before a server. */
export interface Pooler {
  /** The same database through the pooler. */
  through(databaseUrl: string): string;
  stop(): Promise<void>;
}

/**
 * Two connections to the server for everybody: whoever relies on a session of his own, or leaves
 * something behind in it, meets the others.
 */
export async function startPooler(serverUrl: string): Promise<Pooler> {
  const program = PLACES.find((path) => path !== '' && existsSync(path));
  if (program === undefined) {
    throw new Error('no PgBouncer found: apt-get install pgbouncer, or set PGBOUNCER_PATH');
  }
  const server = new URL(serverUrl);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-pgbouncer-'));
  // As root it runs as another user, who has to read its file.
  await chmod(folder, 0o755);
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]
* = host=${server.hostname} port=${server.port} user=${server.username} password=${server.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
`,
  );
  const asUser = userInfo().uid === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(program, [...asUser, file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const through = (databaseUrl: string) => {
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${port}`;
    return url.href;
  };
  try {
    await untilAnswering(through(serverUrl), () => child.exitCode === null);
  } catch (cause) {
    await stop();
    throw new Error(`PgBouncer did not start\n${said}`, { cause });
  }
  return { through, stop };
}

async function untilAnswering(url: string, runs: () => boolean): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.query('SELECT 1');
      return;
    } catch (error) {
      if (attempt >= 100 || !runs()) throw error;
      await sleep(50);
    } finally {
      await client.end().catch(() => undefined);
    }
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
