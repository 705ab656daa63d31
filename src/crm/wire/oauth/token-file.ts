import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SyncError } from '../../../domain/errors.ts';
import type { OAuthNames } from './oauth-names.ts';
import { parseTokens, printTokens, type Tokens, unreadable } from './tokens.ts';

/** Null where there is no such file. @throws SyncError `login-unreadable` */
export async function readTokens(path: string): Promise<Tokens | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return null;
    throw unreadable(path, code ?? 'unreadable');
  }
  return parseTokens(text, path);
}

/**
 * Puts the tokens into a file that nobody else can read, whole or not at all: whoever reads it
 * meanwhile finds the old ones, and after a crash one or the other is there.
 *
 * @throws SyncError `login-unwritable`
 */
export async function writeTokens(path: string, tokens: Tokens, names: OAuthNames): Promise<void> {
  const beside = `${resolve(path)}.${randomUUID()}`;
  try {
    await mkdir(dirname(beside), { recursive: true, mode: 0o700 });
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(printTokens(tokens));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw unwritable(path, error, names);
  }
}

export function unwritable(path: string, cause: unknown, names: OAuthNames): SyncError {
  return new SyncError(`the login cannot be kept in ${path}: ${codeOf(cause) ?? 'no access'}`, {
    code: 'login-unwritable',
    disposition: 'halt',
    hint: `let the service write there, or set ${names.file} to another file`,
    cause,
  });
}

/** Whether others than its owner may read it: it was copied about, most likely. */
export async function isExposed(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  try {
    const { mode } = await stat(path);
    return (mode & 0o077) !== 0;
  } catch {
    return false;
  }
}

export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
