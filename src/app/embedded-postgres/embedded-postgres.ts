import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { platform } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { TEMPLATE } from '../../db/control/schemas.ts';
import { SyncError } from '../../domain/errors.ts';
import { type Account, type Binaries, findAccount, findBinaries, runAs } from './account.ts';
import { type Cluster, openCluster } from './cluster.ts';

export interface EmbeddedPostgresOptions {
  /** Where the cluster is kept, such as `.clarify-sync/postgres`; made on first use. */
  readonly dir: string;
  /** Default: the port of the last start, or else any free one. */
  readonly port?: number;
}

export interface EmbeddedPostgres {
  /** Of its one database, as its superuser; holds the password. */
  readonly url: string;
  /** Ends the server, unless another of our processes still uses it. Safe to call twice. */
  stop(): Promise<void>;
}

/** As when there could be one workspace alone: clusters made then go on. */
const DATABASE = TEMPLATE.mirror;
/** Held shared by each of our processes; whoever gets it alone is the last. */
const KEEPER_LOCK = 7_235_419_023;
const ATTEMPTS = 5;
const START_SECONDS = '60';

interface Server {
  readonly cluster: Cluster;
  readonly account: Account | null;
  readonly binaries: Binaries;
}

async function portIsFree(port: number): Promise<number | null> {
  const probe = createServer();
  try {
    return await new Promise<number | null>((done) => {
      probe.once('error', () => done(null));
      probe.listen(port, '127.0.0.1', () => {
        const address = probe.address();
        done(address !== null && typeof address === 'object' ? address.port : null);
      });
    });
  } finally {
    probe.close();
  }
}

async function choosePort(cluster: Cluster, wanted: number | undefined): Promise<number> {
  const remembered = Number(await readFile(cluster.portFile, 'utf8').catch(() => '0'));
  const port =
    (await portIsFree(wanted ?? remembered)) ?? (wanted === undefined ? await portIsFree(0) : null);
  if (port !== null) return port;
  throw new SyncError(`port ${wanted} is taken`, {
    code: 'embedded-postgres-failed',
    disposition: 'halt',
    hint: 'choose another port',
  });
}

/** What the running server wrote of itself: its process and its port. */
async function readPostmaster(cluster: Cluster): Promise<{ pid: number; port: number } | null> {
  const text = await readFile(join(cluster.dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const [pid, , , port] = text.split('\n').map(Number);
  return pid && port ? { pid, port } : null;
}

/** After a kill or a reboot the number in the file may be somebody else's by now. */
async function isPostgres(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  if (platform() !== 'linux') return true;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() === 'postgres';
}

/** @returns the port of the server that runs, started or found. */
async function ensureRunning(server: Server, wanted: number | undefined): Promise<number> {
  const { cluster, account, binaries } = server;
  const postmaster = await readPostmaster(cluster);
  if (postmaster !== null) {
    if (await isPostgres(postmaster.pid)) return postmaster.port;
    await rm(join(cluster.dataFolder, 'postmaster.pid'), { force: true });
  }
  const port = await choosePort(cluster, wanted);
  const log = join(cluster.dataFolder, 'server.log');
  // One start's log and the one before: bounded, and a crash can still be read about.
  await rename(log, `${log}.old`).catch(() => {});
  // pg_ctl gives the server a session of its own: Ctrl-C is for us, who still have to drain.
  const args = ['start', '-D', cluster.dataFolder, '-l', log, '-w', '-t', START_SECONDS];
  await runAs(account, binaries.pgCtl, [...args, '-o', `-p ${port}`]);
  await writeFile(cluster.portFile, String(port));
  return port;
}

function connectionUrl(cluster: Cluster, port: number, database: string): string {
  return `postgres://postgres:${cluster.password}@127.0.0.1:${port}/${database}`;
}

/**
 * A connection that lives as long as we do and says that this process uses the server. It goes
 * with the process however that ends, so there is nothing stale to clean up.
 */
async function connectKeeper(cluster: Cluster, port: number): Promise<pg.Client> {
  const keeper = new pg.Client({
    connectionString: connectionUrl(cluster, port, 'postgres'),
    application_name: 'clarify-sync keeper',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  keeper.on('error', () => {});
  try {
    await keeper.connect();
    await keeper.query('select pg_advisory_lock_shared($1)', [KEEPER_LOCK]);
    const { rowCount } = await keeper.query('select from pg_database where datname = $1', [
      DATABASE,
    ]);
    if (rowCount === 0) await createDatabase(keeper);
    return keeper;
  } catch (error) {
    await keeper.end().catch(() => {});
    throw error;
  }
}

async function createDatabase(keeper: pg.Client): Promise<void> {
  try {
    await keeper.query(`create database ${DATABASE}`);
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    // Two first starts at once: the other one made it.
    if (code !== '42P04' && code !== '23505') throw error;
  }
}

async function startOrJoin(server: Server, wanted: number | undefined) {
  let cause: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      const port = await ensureRunning(server, wanted);
      return { port, keeper: await connectKeeper(server.cluster, port) };
    } catch (error) {
      if (error instanceof SyncError) throw error;
      // It may be starting, recovering or stopping just now on behalf of another of us.
      cause = error;
      await sleep(attempt * 300);
    }
  }
  const log = join(server.cluster.dataFolder, 'server.log');
  throw new SyncError('embedded Postgres did not start', {
    code: 'embedded-postgres-failed',
    disposition: 'halt',
    hint: `see ${log}; or set DATABASE_URL`,
    cause,
  });
}

async function stopServer({ cluster, account, binaries }: Server): Promise<void> {
  try {
    await runAs(account, binaries.pgCtl, ['stop', '-D', cluster.dataFolder, '-m', 'fast', '-w']);
  } catch (cause) {
    // Killed meanwhile: its sessions outlive it for a moment, and answer as if it were there.
    const postmaster = await readPostmaster(cluster);
    if (postmaster === null || !(await isPostgres(postmaster.pid))) return;
    throw new SyncError('embedded Postgres did not stop', {
      code: 'embedded-postgres-failed',
      disposition: 'halt',
      hint: `end process ${postmaster.pid}`,
      cause,
    });
  }
}

async function release(server: Server, keeper: pg.Client): Promise<void> {
  let last = false;
  try {
    await keeper.query('select pg_advisory_unlock_shared($1)', [KEEPER_LOCK]);
    const { rows } = await keeper.query<{ last: boolean }>(
      'select pg_try_advisory_lock($1) as last',
      [KEEPER_LOCK],
    );
    last = rows[0]?.last ?? false;
  } catch {
    // The connection is gone, and with it the server: there is nothing left to end.
  }
  if (last) {
    // The lock is held meanwhile, so whoever joins now waits, is cut off, and starts it afresh.
    await stopServer(server);
  }
  await keeper.end().catch(() => {});
}

/**
 * Starts the PostgreSQL that is kept in `dir`, or joins it where another of our processes runs
 * it already; a killed one recovers. As root the server runs as the user `postgres`, and where
 * that user cannot enter `dir`, the files go to `/var/lib/clarify-sync` and `dir` links there.
 *
 * @throws SyncError `embedded-postgres-missing`, `-account` or `-failed`.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const account = await findAccount();
  const binaries = await findBinaries(account);
  const cluster = await openCluster(resolve(options.dir), { account, binaries });
  const server = { cluster, account, binaries };
  const { port, keeper } = await startOrJoin(server, options.port);
  let stopping: Promise<void> | null = null;
  return {
    url: connectionUrl(cluster, port, DATABASE),
    stop() {
      stopping ??= release(server, keeper);
      return stopping;
    },
  };
}
