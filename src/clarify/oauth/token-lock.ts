import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SyncError } from '../../domain/errors.ts';
import type { Clock } from '../clock.ts';
import { codeOf, unwritable } from './token-file.ts';

/** A refresh takes seconds: who holds the lock for this long was killed. */
const DEAD_MS = 60_000;
const LOOK_AGAIN_MS = 50;
const LONGEST_WAIT_MS = 90_000;

/**
 * Runs `work` while no other process that uses the same file does. A server may take back every
 * token of a login whose refresh token was used twice, so that two refreshes at once would end it.
 * The lock is a folder beside the file: making one is atomic everywhere.
 *
 * @throws SyncError `login-busy` or `login-unwritable`
 */
export async function withTokenLock<T>(
  path: string,
  clock: Pick<Clock, 'sleep'>,
  work: () => Promise<T>,
): Promise<T> {
  const lock = `${path}.lock`;
  const signal = AbortSignal.timeout(LONGEST_WAIT_MS);
  while (!(await take(path, lock))) {
    await removeDead(lock);
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

async function take(path: string, lock: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await mkdir(lock, { mode: 0o700 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // Said before a refresh token is spent whose successor could not be kept.
    throw unwritable(path, error);
  }
}

/** Of several who find it dead one moves it away; who moved a living one by that puts it back. */
async function removeDead(lock: string): Promise<void> {
  const found = await age(lock);
  if (found === null || found.ageMs < DEAD_MS) return;
  const aside = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, aside);
    if ((await age(aside))?.ino === found.ino) await rm(aside, { recursive: true, force: true });
    else await rename(aside, lock);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function age(path: string): Promise<{ readonly ageMs: number; readonly ino: number } | null> {
  try {
    const { mtimeMs, ino } = await stat(path);
    return { ageMs: Date.now() - mtimeMs, ino };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
