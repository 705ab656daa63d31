import { randomBytes } from 'node:crypto';
import {
  appendFile,
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SyncError } from '../../domain/errors.ts';
import { type Account, type Binaries, reachableFolder, runAs } from './account.ts';

/** A cluster on disk. `password` is that of its superuser, `postgres`. */
export interface Cluster {
  readonly dataFolder: string;
  readonly portFile: string;
  readonly password: string;
}

const MAJOR = '18';
/** An empty cluster and its first log files, with some room to begin. */
const NEEDED_BYTES = 64 * 2 ** 20;

/** Reached over TCP on this machine alone. */
const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 50
log_min_messages = warning
log_checkpoints = off
`;

async function initialise(
  folder: string,
  { account, binaries }: { account: Account | null; binaries: Binaries },
): Promise<void> {
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  await mkdir(data, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o711);
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (account !== null) {
    await chown(data, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  await runAs(account, binaries.initdb, [
    `--pgdata=${data}`,
    `--pwfile=${passwordFile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]);
  await appendFile(join(data, 'postgresql.conf'), settings);
}

/** What a user may still write where `folder` is kept; no limit where nobody can tell. */
async function freeBytes(folder: string): Promise<number> {
  return await statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Number.POSITIVE_INFINITY,
  );
}

function inMb(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MB`;
}

async function isThere(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => null);
  if (found === null) return false;
  if (found.isSymbolicLink()) return true;
  // An empty folder is as good as none.
  return rmdir(folder).then(
    () => false,
    () => true,
  );
}

/**
 * Makes the cluster beside its place and moves it there in one step: a crash leaves nothing
 * half-made where the next start would find it, and of two first starts one wins.
 */
async function create(
  folder: string,
  tools: { account: Account | null; binaries: Binaries },
): Promise<void> {
  let target = folder;
  let part: string | null = null;
  try {
    target = await reachableFolder(tools.account, folder);
    part = `${target}.new-${randomBytes(4).toString('hex')}`;
    await initialise(part, tools);
    if (target === folder) {
      await rename(part, folder);
    } else {
      await rename(part, target);
      await symlink(target, folder);
    }
  } catch (cause) {
    if (part !== null) await rm(part, { recursive: true, force: true });
    if (target !== folder) await rm(target, { recursive: true, force: true });
    if (await isThere(folder)) return;
    const free = await freeBytes(dirname(target));
    const full = free < NEEDED_BYTES;
    throw new SyncError(`embedded Postgres could not be set up in ${folder}`, {
      code: 'embedded-postgres-failed',
      disposition: 'halt',
      hint: full
        ? `make room: it takes ${inMb(NEEDED_BYTES)} there, and ${inMb(free)} are free; or set DATABASE_URL`
        : `check that ${dirname(folder)} is writable, or set DATABASE_URL`,
      cause,
    });
  }
}

/** Opens the cluster kept in `folder`, an absolute path, making it on first use. */
export async function openCluster(
  folder: string,
  tools: { account: Account | null; binaries: Binaries },
): Promise<Cluster> {
  if (!(await isThere(folder))) await create(folder, tools);
  const refuse = (what: string, hint: string, cause?: unknown): never => {
    throw new SyncError(`${folder} ${what}`, {
      code: 'embedded-postgres-failed',
      disposition: 'halt',
      hint,
      cause,
    });
  };
  try {
    const real = await realpath(folder);
    const dataFolder = join(real, 'data');
    const password = (await readFile(join(real, 'password'), 'utf8')).trim();
    const version = (await readFile(join(dataFolder, 'PG_VERSION'), 'utf8')).trim();
    if (version !== MAJOR) {
      refuse(
        `was made by Postgres ${version}, and this is ${MAJOR}`,
        'dump it with the older version of clarify-sync, or move the folder away',
      );
    }
    return { dataFolder, password, portFile: join(real, 'port') };
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    return refuse('is not a folder of ours', 'move it away, or set DATABASE_URL', cause);
  }
}
