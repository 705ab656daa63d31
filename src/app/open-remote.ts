import type { HoldChange } from '../clarify/hold.ts';
import { oauthCredentials } from '../clarify/oauth/oauth-credentials.ts';
import { readTokens } from '../clarify/oauth/token-file.ts';
import { type ClarifyRemote, createClarifyRemote } from '../clarify/remote.ts';
import { UsageError } from '../domain/errors.ts';
import type { Config } from './config/config.ts';
import type { Logger } from './log.ts';

/** By what we are let in. */
export type AccessKind = 'api-key' | 'login';

export function accessKind({ clarify }: Pick<Config, 'clarify'>): AccessKind | null {
  if (clarify.apiKey !== null) return 'api-key';
  return clarify.tokens === null ? null : 'login';
}

/** For a person. */
export function describeAccess(kind: AccessKind | null): string {
  return kind === null ? 'no key and no login' : kind === 'login' ? 'OAuth login' : 'API key';
}

/** The CRM alone, for what needs no database. The caller stops it. */
export function openRemote(config: Config, log: Logger): ClarifyRemote {
  const { apiKey, tokens, workspace, url } = config.clarify;
  const access = apiKey ?? (tokens === null ? null : oauthCredentials({ path: tokens }));
  if (access === null || workspace === null) {
    throw new UsageError(['CLARIFY_API_KEY and CLARIFY_WORKSPACE are needed']);
  }
  const { allowance: allowancePercent } = config;
  const options = { baseUrl: url, workspace, apiKey: access, allowancePercent, log };
  const remote = createClarifyRemote(options);
  remote.watchHolds(tellHolds(log));
  return remote;
}

/** Says once that an endpoint is to be let alone, and until when; and when that is over. */
function tellHolds(log: Logger): (change: HoldChange) => void {
  const told = new Set<string>();
  return ({ endpoint, untilMs }) => {
    if (untilMs === null) {
      told.delete(endpoint);
      return log.info({ endpoint }, 'Clarify lets requests through again');
    }
    const fields = { endpoint, until: new Date(untilMs).toISOString() };
    const message = 'Clarify lets no request through for a while; asked about every few minutes';
    log[told.has(endpoint) ? 'debug' : 'warn'](fields, message);
    told.add(endpoint);
  };
}

/**
 * Tells whose eyes we see with: another key may see other records. Stays the same while a login is
 * refreshed, and where the same person signs in again. A secret, where it is the key.
 */
export async function readAccount({ clarify }: Config): Promise<string> {
  const { apiKey, tokens } = clarify;
  return apiKey ?? (tokens === null ? null : await readTokens(tokens))?.account ?? '';
}
