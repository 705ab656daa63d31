import * as oauth from 'oauth4webapi';
import { SyncError } from '../../../domain/errors.ts';
import { systemClock } from '../clock.ts';
import { defaultUserAgent } from '../user-agent.ts';
import type { OAuthNames } from './oauth-names.ts';
import { listenForRedirect } from './redirect-listener.ts';
import { badAnswer, redeemCode, refused, serverAt } from './token-endpoint.ts';
import { writeTokens } from './token-file.ts';
import { withTokenLock } from './token-lock.ts';
import type { Tokens } from './tokens.ts';

export interface LoginOptions {
  readonly clientId: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** Where the browser comes back to on 127.0.0.1; 0 for any free port. */
  readonly port: number;
  readonly scope: string;
  readonly names: OAuthNames;
  /** Where the tokens are kept. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Told the address a person has to open. */
  readonly onAddress: (url: string) => void;
  /** How long to wait for them; default 5 minutes. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 300_000;

/**
 * Signs in: OAuth 2.0 Authorization Code with PKCE, through the person's own browser and back to a
 * port of this machine. The tokens go into the file and nowhere else.
 *
 * @throws SyncError with a code that begins with `login-`, or the signal's reason.
 */
export async function login(
  options: LoginOptions,
): Promise<Omit<Tokens, 'accessToken' | 'refreshToken'> & { readonly renewable: boolean }> {
  const { clientId, tokenUrl, path, names, signal, timeoutMs = TIMEOUT_MS } = options;
  const client = { client_id: clientId };
  const state = oauth.generateRandomState();
  const verifier = oauth.generateRandomCodeVerifier();
  const challenge = await oauth.calculatePKCECodeChallenge(verifier);
  const listener = await listenForRedirect(options.port, names);
  try {
    const { redirectUri } = listener;
    options.onAddress(addressFor(options, { redirectUri, state, challenge }));
    const tokens = await listener.wait(
      async (returned) => {
        const parameters = check(serverAt({ tokenUrl }), client, { returned, state, names });
        const deps = { userAgent: defaultUserAgent(), nowMs: Date.now, names };
        return await redeemCode(
          { clientId, tokenUrl },
          { parameters, redirectUri, verifier },
          deps,
        );
      },
      { signal, timeoutMs },
    );
    const deps = { clock: systemClock, names };
    await withTokenLock(path, deps, () => writeTokens(path, tokens, names));
    const { accessToken: _access, refreshToken, ...told } = tokens;
    return { ...told, renewable: refreshToken !== null };
  } finally {
    await listener.close();
  }
}

function addressFor(
  { authorizeUrl, clientId, scope }: LoginOptions,
  sent: { readonly redirectUri: string; readonly state: string; readonly challenge: string },
): string {
  const url = new URL(authorizeUrl);
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: sent.redirectUri,
    scope,
    state: sent.state,
    code_challenge: sent.challenge,
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** What the browser brought back answers our own request, and grants it. */
function check(
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  {
    returned,
    state,
    names,
  }: {
    readonly returned: URLSearchParams;
    readonly state: string;
    readonly names: OAuthNames;
  },
): URLSearchParams {
  const parameters = new URLSearchParams(returned);
  // It names the server among several; ours is the only one, and what it calls itself is not published.
  parameters.delete('iss');
  if (parameters.get('state') !== state) {
    throw new SyncError('the browser came back with an answer to another login', {
      code: 'login-state-mismatch',
      disposition: 'halt',
      hint: 'run `clarify-sync login` again, and open only the address it prints',
    });
  }
  try {
    return oauth.validateAuthResponse(server, client, parameters, state);
  } catch (error) {
    if (!(error instanceof oauth.AuthorizationResponseError)) {
      throw badAnswer(null, names);
    }
    if (error.error !== 'access_denied') throw refused(error.error, null, names);
    throw new SyncError('consent was denied in the browser', {
      code: 'login-denied',
      disposition: 'halt',
      hint: 'run `clarify-sync login` again to be asked again',
    });
  }
}
