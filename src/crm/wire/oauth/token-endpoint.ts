import { createHash, randomUUID } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import { RemoteError, SyncError } from '../../../domain/errors.ts';
import { isObject } from '../../../domain/json.ts';
import type { OAuthNames } from './oauth-names.ts';
import type { Tokens } from './tokens.ts';

/** A client of the authorization server: public, so without a secret. */
export interface OAuthClient {
  readonly clientId: string;
  readonly tokenUrl: string;
}

export interface EndpointDeps {
  readonly userAgent: string;
  readonly nowMs: () => number;
  readonly names: OAuthNames;
}

/** What comes back with the browser, checked. */
export interface Grant {
  readonly parameters: URLSearchParams;
  readonly redirectUri: string;
  readonly verifier: string;
}

const REQUEST_MS = 15_000;

/** Endpoints are given, not discovered: nothing the server publishes is needed. */
export function serverAt({ tokenUrl }: { readonly tokenUrl: string }): oauth.AuthorizationServer {
  return { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
}

/** Trades the code for tokens. @throws SyncError with a code that begins with `login-`. */
export async function redeemCode(
  client: OAuthClient,
  { parameters, redirectUri, verifier }: Grant,
  deps: EndpointDeps,
): Promise<Tokens> {
  const obtainedAtMs = deps.nowMs();
  return await ask(client, deps.names, async (server, known) => {
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      known,
      oauth.None(),
      parameters,
      redirectUri,
      verifier,
      requestOptions(client, deps),
    );
    const { answer, subject } = await withoutIdToken(response);
    const granted = await oauth.processAuthorizationCodeResponse(server, known, answer);
    const account = subject === null ? randomUUID() : fingerprint(client, subject);
    const before = { ...client, account, refreshToken: null };
    return toTokens(before, { granted, obtainedAtMs, names: deps.names });
  });
}

/**
 * Asks for another access token; the refresh token may change with it.
 *
 * @throws SyncError `login-expired` where the server takes the refresh token no more, and others
 * that begin with `login-`.
 */
export async function refresh(tokens: Tokens, deps: EndpointDeps): Promise<Tokens> {
  const { refreshToken } = tokens;
  if (refreshToken === null) throw expired(null);
  const obtainedAtMs = deps.nowMs();
  return await ask(tokens, deps.names, async (server, known) => {
    const response = await oauth.refreshTokenGrantRequest(
      server,
      known,
      oauth.None(),
      refreshToken,
      requestOptions(tokens, deps),
    );
    const { answer } = await withoutIdToken(response);
    const granted = await oauth.processRefreshTokenResponse(server, known, answer);
    return toTokens(tokens, { granted, obtainedAtMs, names: deps.names });
  });
}

function requestOptions({ tokenUrl }: OAuthClient, { userAgent }: EndpointDeps) {
  return {
    headers: { 'user-agent': userAgent },
    signal: AbortSignal.timeout(REQUEST_MS),
    // Whoever set the address to http means a server of their own. Deprecated so as to stand out.
    // oxlint-disable-next-line typescript/no-deprecated
    [oauth.allowInsecureRequests]: new URL(tokenUrl).protocol === 'http:',
  };
}

function toTokens(
  before: Pick<Tokens, 'clientId' | 'tokenUrl' | 'account' | 'refreshToken'>,
  {
    granted,
    obtainedAtMs,
    names,
  }: {
    readonly granted: oauth.TokenEndpointResponse;
    readonly obtainedAtMs: number;
    readonly names: OAuthNames;
  },
): Tokens {
  if (granted.token_type !== 'bearer') throw badAnswer(null, names);
  const { clientId, tokenUrl, account } = before;
  return {
    clientId,
    tokenUrl,
    account,
    accessToken: granted.access_token,
    refreshToken: granted.refresh_token ?? before.refreshToken,
    expiresAtMs:
      granted.expires_in === undefined ? null : obtainedAtMs + granted.expires_in * 1_000,
    obtainedAtMs,
  };
}

/**
 * Takes the id token out: who somebody is decides nothing here, so a claim that we cannot check
 * (the issuer's name is not published) must not fail a login. Its subject only names the account.
 */
async function withoutIdToken(
  response: Response,
): Promise<{ readonly answer: Response; readonly subject: string | null }> {
  if (!response.ok) return { answer: response, subject: null };
  const { status, headers } = response;
  const text = await response.text();
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    return { answer: new Response(text, { status, headers }), subject: null };
  }
  if (!isObject(body)) return { answer: new Response(text, { status, headers }), subject: null };
  const { id_token: idToken, ...rest } = body;
  return {
    answer: new Response(JSON.stringify(rest), { status, headers }),
    subject: subjectOf(idToken),
  };
}

function subjectOf(idToken: unknown): string | null {
  if (typeof idToken !== 'string') return null;
  try {
    const payload = Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString();
    const claims: unknown = JSON.parse(payload);
    return isObject(claims) && typeof claims.sub === 'string' ? claims.sub : null;
  } catch {
    return null;
  }
}

function fingerprint({ tokenUrl }: OAuthClient, subject: string): string {
  return createHash('sha256').update(`${tokenUrl} ${subject}`).digest('hex').slice(0, 32);
}

/** Every error is told by its kind alone: the library's hold whole answers, tokens and all. */
async function ask<T>(
  client: OAuthClient,
  names: OAuthNames,
  exchange: (server: oauth.AuthorizationServer, client: oauth.Client) => Promise<T>,
): Promise<T> {
  try {
    return await exchange(serverAt(client), { client_id: client.clientId });
  } catch (error) {
    if (error instanceof SyncError) throw error;
    if (error instanceof oauth.ResponseBodyError) {
      if (error.error === 'invalid_grant') throw expired(error.status);
      throw PASSING.has(error.error)
        ? badAnswer(error.status, names)
        : refused(error.error, error.status, names);
    }
    if (error instanceof oauth.WWWAuthenticateChallengeError) {
      throw refused('invalid_client', error.status, names);
    }
    const isAnswer =
      error instanceof oauth.OperationProcessingError ||
      error instanceof oauth.UnsupportedOperationError;
    throw isAnswer ? badAnswer(null, names) : unreachable(error, names);
  }
}

const PASSING: ReadonlySet<string> = new Set([
  'server_error',
  'slow_down',
  'temporarily_unavailable',
]);

function expired(status: number | null): RemoteError {
  return new RemoteError('the login has ended: it expired or was revoked', {
    code: 'login-expired',
    disposition: 'halt',
    hint: 'run `clarify-sync login` again',
    status,
  });
}

/** `error` is a word of the protocol, such as `invalid_client`; anything else is not repeated. */
export function refused(error: string, status: number | null, names: OAuthNames): RemoteError {
  const word = /^[a-z_]{1,40}$/.test(error) ? error : 'an error of its own';
  return new RemoteError(`the authorization server refuses: ${word}`, {
    code: 'login-refused',
    disposition: 'halt',
    hint: `check ${names.clientId}, and what the client is registered for`,
    status,
  });
}

export function badAnswer(status: number | null, names: OAuthNames): RemoteError {
  return new RemoteError('the authorization server’s answer cannot be used', {
    code: 'login-bad-answer',
    disposition: 'retry',
    hint: `It usually passes; if not, check ${names.tokenUrl}.`,
    status,
  });
}

function unreachable(error: unknown, names: OAuthNames): RemoteError {
  const cause = error instanceof Error ? new Error(error.name) : undefined;
  return new RemoteError('the authorization server cannot be reached', {
    code: 'login-unreachable',
    disposition: 'retry',
    hint: `Check ${names.tokenUrl} and the network.`,
    status: null,
    cause,
  });
}
