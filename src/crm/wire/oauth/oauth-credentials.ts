import { SyncError } from '../../../domain/errors.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Credentials, CredentialsProvider } from '../credentials.ts';
import { defaultUserAgent } from '../user-agent.ts';
import type { OAuthNames } from './oauth-names.ts';
import { refresh } from './token-endpoint.ts';
import { readTokens, writeTokens } from './token-file.ts';
import { withTokenLock } from './token-lock.ts';
import { isDue, type Tokens } from './tokens.ts';

export interface OAuthCredentialsOptions {
  /** The file that `login` wrote. */
  readonly path: string;
  readonly names: OAuthNames;
  readonly userAgent?: string;
  readonly clock?: Clock;
}

const QUIET_MS = 5_000;

/**
 * Credentials of a login. The access token is asked for anew before it ends, and when the server
 * takes it no more; once for all requests of this process, and of every other that shares the file.
 *
 * The provider throws SyncErrors whose codes begin with `login-`.
 */
export function oauthCredentials(options: OAuthCredentialsOptions): CredentialsProvider {
  const { path, names, userAgent = defaultUserAgent(), clock = systemClock } = options;
  let known: Tokens | null = null;
  let renewing: Promise<Tokens> | null = null;
  /** After an attempt that failed, and was not urgent. */
  let quietUntilMs = Number.NEGATIVE_INFINITY;

  const isGood = (tokens: Tokens, rejected: string | undefined) =>
    tokens.accessToken !== rejected && !isDue(tokens, clock.nowMs());

  async function load(): Promise<Tokens> {
    const tokens = await readTokens(path);
    if (tokens !== null) return tokens;
    throw new SyncError(`there is no login in ${path} any more`, {
      code: 'login-missing',
      disposition: 'halt',
      hint: `run \`clarify-sync login\`, or set ${names.key}`,
    });
  }

  /** Under the lock the file is read again: another process may have been there first. */
  async function renew(rejected: string | undefined): Promise<Tokens> {
    return await withTokenLock(path, { clock, names }, async () => {
      const found = await load();
      if (isGood(found, rejected)) return found;
      const fresh = await refresh(found, { userAgent, nowMs: clock.nowMs, names });
      await writeTokens(path, fresh, names);
      return fresh;
    });
  }

  /** A token that is merely about to end still serves while no other can be had. */
  async function renewOrGoOn(before: Tokens, rejected: string | undefined): Promise<Tokens> {
    const ended = before.expiresAtMs !== null && clock.nowMs() >= before.expiresAtMs;
    const serves = !ended && before.accessToken !== rejected;
    if (serves && clock.monotonicMs() < quietUntilMs) return before;
    renewing ??= renew(rejected).finally(() => {
      renewing = null;
    });
    try {
      return await renewing;
    } catch (error) {
      if (!serves) throw error;
      quietUntilMs = clock.monotonicMs() + QUIET_MS;
      return before;
    }
  }

  return async (rejected) => {
    known ??= await load();
    if (!isGood(known, rejected)) known = await renewOrGoOn(known, rejected);
    return toCredentials(known);
  };
}

function toCredentials({ accessToken }: Tokens): Credentials {
  return { token: accessToken, headers: { authorization: `Bearer ${accessToken}` } };
}
