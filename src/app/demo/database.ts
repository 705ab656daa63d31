import { randomBytes } from 'node:crypto';
import { readdir, realpath, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.ts';

/** A server of the demo's own, gone without a trace once it is stopped. */
export interface DemoDatabase {
  readonly url: string;
  stop(): Promise<void>;
}

const FOLDER = '.clarify-sync/demo';
/** A folder that no server runs in may be one that is being set up; not after this long. */
const SETTING_UP_MS = 600_000;

/** Starts with an empty database every time, and clears away what a killed demo left. */
export async function startDemoDatabase(): Promise<DemoDatabase> {
  const parent = resolve(FOLDER);
  await clearLeftovers(parent);
  const dir = join(parent, randomBytes(4).toString('hex'));
  const postgres = await startEmbeddedPostgres({ dir });
  let stopping: Promise<void> | null = null;
  return {
    url: postgres.url,
    stop() {
      stopping ??= postgres.stop().then(() => removeCluster(dir));
      return stopping;
    },
  };
}

/** As root the files may lie elsewhere, with a link in their place. */
async function removeCluster(dir: string): Promise<void> {
  const real = await realpath(dir).catch(() => dir);
  await rm(real, { recursive: true, force: true });
  await rm(dir, { recursive: true, force: true });
}

async function clearLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const dir = join(parent, name);
    if (await isRunning(dir)) {
      // Ours to end only where no other demo holds on to it: joining and leaving finds out.
      const joined = await startEmbeddedPostgres({ dir }).catch(() => null);
      await joined?.stop();
      if (joined !== null && !(await isRunning(dir))) await removeCluster(dir);
    } else if (await isOld(dir)) {
      await removeCluster(dir);
    }
  }
}

async function isRunning(dir: string): Promise<boolean> {
  return await stat(join(dir, 'data', 'postmaster.pid')).then(
    () => true,
    () => false,
  );
}

async function isOld(dir: string): Promise<boolean> {
  const found = await stat(dir).catch(() => null);
  return found === null || Date.now() - found.mtimeMs > SETTING_UP_MS;
}
