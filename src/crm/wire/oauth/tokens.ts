import * as z from 'zod';
import { SyncError } from '../../../domain/errors.ts';

/** What a login gave, and where more of it is to be had. */
export interface Tokens {
  readonly clientId: string;
  readonly tokenUrl: string;
  /** Names whose login it is; the same after each refresh. */
  readonly account: string;
  readonly accessToken: string;
  /** Null where the server gave none: then the login ends with the access token. */
  readonly refreshToken: string | null;
  /** Epoch milliseconds; null where the server does not say. */
  readonly expiresAtMs: number | null;
  /** Just before the access token was asked for. */
  readonly obtainedAtMs: number;
}

/** What a header can carry. */
const token = z.string().regex(/^[\x21-\x7e]+$/);

const stored = z.object({
  version: z.literal(1),
  clientId: z.string().min(1),
  tokenUrl: z.url(),
  account: z.string().min(1),
  accessToken: token,
  refreshToken: token.nullable(),
  expiresAtMs: z.number().nullable(),
  obtainedAtMs: z.number(),
});

export function printTokens(tokens: Tokens): string {
  return `${JSON.stringify({ version: 1, ...tokens }, null, 2)}\n`;
}

/**
 * Reads what `printTokens` wrote. No error quotes any of it.
 *
 * @throws SyncError `login-unreadable`
 */
export function parseTokens(text: string, path: string): Tokens {
  try {
    const { version: _version, ...tokens } = stored.parse(JSON.parse(text));
    return tokens;
  } catch {
    throw unreadable(path, 'it holds something else');
  }
}

export function unreadable(path: string, why: string): SyncError {
  return new SyncError(`the login in ${path} cannot be read: ${why}`, {
    code: 'login-unreadable',
    disposition: 'halt',
    hint: 'run `clarify-sync login` again',
  });
}

/** Before its end, so that no request leaves with a token that ends on its way. */
const MARGIN_MS = 60_000;

/** Whether to ask for another access token now, with a tenth of a short life to spare. */
export function isDue({ expiresAtMs, obtainedAtMs }: Tokens, nowMs: number): boolean {
  if (expiresAtMs === null) return false;
  return nowMs >= expiresAtMs - Math.min(MARGIN_MS, (expiresAtMs - obtainedAtMs) / 10);
}
