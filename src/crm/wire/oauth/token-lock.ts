import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SyncError } from '../../../domain/errors.ts';
import type { Clock } from '../clock.ts';
import type { OAuthNames } from './oauth-names.ts';
import { codeOf, unwritable } from './token-file.ts';

/** A refresh takes seconds: who holds the lock for this long was killed. */
const DEAD_MS = 60_000;
const LOOK_AGAIN_MS = 50;
const LONGEST_WAIT_MS = 90_000;

export interface TokenLockDeps {
  readonly clock: Pick<Clock, 'sleep' | 'monotonicMs'>;
  readonly names: OAuthNames;
}

/**
 * Runs `work` while no other process that uses the same file does. A server may take back every
 * token of a login whose refresh token was used twice, so that two refreshes at once would end it.
 * The lock is a folder beside the file: making one is atomic everywhere.
 *
 * @throws SyncError `login-busy` or `login-unwritable`
 */
export async function withTokenLock<T>(
  path: string,
  { clock, names }: TokenLockDeps,
  work: () => Promise<T>,
): Promise<T> {
  const lock = `${path}.lock`;
  const signal = AbortSignal.timeout(LONGEST_WAIT_MS);
  let watched: { readonly found: Found; readonly sinceMs: number } | null = null;
  while (!(await take(path, lock, names))) {
    const found = await look(lock);
    if (found !== null) {
      if (watched === null || !isSame(watched.found, found)) {
        watched = { found, sinceMs: clock.monotonicMs() };
      }
      // By our own watch as well: a lock made before the clock was set back seems young for long.
      const watchedMs = clock.monotonicMs() - watched.sinceMs;
      if (Math.max(Date.now() - found.madeMs, watchedMs) >= DEAD_MS) await removeDead(lock, found);
    }
    try {
      await clock.sleep(LOOK_AGAIN_MS, signal);
    } catch (cause) {
      throw new SyncError('another process keeps refreshing the login', {
        code: 'login-busy',
        disposition: 'retry',
        hint: `if no other runs, remove ${lock}`,
        cause,
      });
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function take(path: string, lock: string, names: OAuthNames): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await mkdir(lock, { mode: 0o700 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // Said before a refresh token is spent whose successor could not be kept.
    throw unwritable(path, error, names);
  }
}

/** Of several who find it dead one moves it away; who moved a living one by that puts it back. */
async function removeDead(lock: string, dead: Found): Promise<void> {
  const aside = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, aside);
    const moved = await look(aside);
    if (moved !== null && isSame(moved, dead)) await rm(aside, { recursive: true, force: true });
    else await rename(aside, lock);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

interface Found {
  readonly ino: number;
  readonly madeMs: number;
}

function isSame(one: Found, other: Found): boolean {
  return one.ino === other.ino && one.madeMs === other.madeMs;
}

async function look(path: string): Promise<Found | null> {
  try {
    const { mtimeMs, ino } = await stat(path);
    return { ino, madeMs: mtimeMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
