import { createHash, randomBytes } from 'node:crypto';
import type { Answer, WireAnswer } from '../kernel/answer.ts';
import type { Workspace } from './workspace.ts';

export const AUTHORIZE_PATH = '/oauth2/authorize';
export const TOKEN_PATH = '/oauth2/token';

/** Where people sign in, by Authorization Code with PKCE. As strict as a server may be. */
export interface AuthorizationServer {
  /** The page that a browser opens; sends it back once it is decided. */
  page(url: URL): WireAnswer;
  /** The token endpoint. */
  giveTokens(method: string, body: string): Answer;
  /** Whether an Authorization header lets one in. */
  accepts(authorization: string): boolean;
  revoke(what: 'access' | 'logins'): void;
}

/** One consent, and everything that came of it. */
interface Login {
  refreshToken: string | null;
  readonly spent: Set<string>;
  revoked: boolean;
}

interface Code {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly offline: boolean;
  readonly expiresMs: number;
}

const CODE_MS = 60_000;
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d+\//;

export function createAuthorizationServer(
  workspace: Workspace,
  clientId: string,
): AuthorizationServer {
  const codes = new Map<string, Code>();
  const access = new Map<string, { readonly login: Login; readonly expiresMs: number }>();
  const logins = new Set<Login>();

  function page(url: URL): WireAnswer {
    const asked = url.searchParams;
    const redirectUri = asked.get('redirect_uri') ?? '';
    const challenge = asked.get('code_challenge') ?? '';
    // Nowhere to send the browser to: said on the page.
    if (asked.get('client_id') !== clientId) return html(400, 'This app is not known.');
    if (!LOOPBACK.test(redirectUri) || !URL.canParse(redirectUri))
      return html(400, 'This app may not send people there.');
    const back = new URL(redirectUri);
    const state = asked.get('state');
    if (state !== null) back.searchParams.set('state', state);
    const refuse = (error: string) => {
      back.searchParams.set('error', error);
      return redirect(back);
    };
    if (asked.get('response_type') !== 'code') return refuse('unsupported_response_type');
    if (asked.get('code_challenge_method') !== 'S256' || challenge === '') {
      return refuse('invalid_request');
    }
    const decision = decide(asked.get('decision'));
    if (decision === 'ask') return consentPage(url);
    if (decision === 'deny') return refuse('access_denied');
    const code = secret('code');
    codes.set(code, {
      challenge,
      redirectUri,
      offline: (asked.get('scope') ?? '').split(' ').includes('offline_access'),
      expiresMs: workspace.now() + CODE_MS,
    });
    back.searchParams.set('code', code);
    return redirect(back);
  }

  function decide(given: string | null): 'ask' | 'grant' | 'deny' {
    const { consent } = workspace.switches;
    return consent === 'ask' && (given === 'grant' || given === 'deny') ? given : consent;
  }

  function redeem(form: URLSearchParams): Answer {
    const given = form.get('code') ?? '';
    const code = codes.get(given);
    codes.delete(given);
    if (code === undefined || workspace.now() > code.expiresMs) return problem('invalid_grant');
    const verifier = form.get('code_verifier') ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (form.get('redirect_uri') !== code.redirectUri || challenge !== code.challenge) {
      return problem('invalid_grant');
    }
    const login: Login = { refreshToken: null, spent: new Set(), revoked: false };
    logins.add(login);
    if (code.offline && workspace.switches.refreshTokens !== 'none') {
      login.refreshToken = secret('refresh');
    }
    return give(login, { id_token: idToken() });
  }

  function renew(form: URLSearchParams): Answer {
    const given = form.get('refresh_token') ?? '';
    const login = [...logins].find((each) => each.refreshToken === given || each.spent.has(given));
    if (login === undefined || login.revoked) return problem('invalid_grant');
    if (login.spent.has(given)) {
      // Used twice: one of the two was stolen, and nobody knows which.
      login.revoked = true;
      return problem('invalid_grant');
    }
    if (workspace.switches.refreshTokens === 'rotate') {
      login.spent.add(given);
      login.refreshToken = secret('refresh');
    }
    return give(login, {});
  }

  function give(login: Login, more: Readonly<Record<string, string>>): Answer {
    const seconds = workspace.switches.accessTokenSeconds;
    const token = secret('access');
    access.set(token, { login, expiresMs: workspace.now() + seconds * 1_000 });
    const { refreshToken } = login;
    const body = {
      access_token: token,
      token_type: 'Bearer',
      expires_in: seconds,
      ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
      ...more,
    };
    return { status: 200, text: JSON.stringify(body) };
  }

  function idToken(): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [user] = workspace.users;
    return `${part({ alg: 'RS256' })}.${part({ sub: user?.id, aud: clientId })}.unsigned`;
  }

  return {
    page,
    giveTokens(method, body) {
      const form = new URLSearchParams(body);
      if (method !== 'POST') return problem('invalid_request', 405);
      if (form.get('client_id') !== clientId) return problem('invalid_client', 401);
      const type = form.get('grant_type');
      if (type === 'authorization_code') return redeem(form);
      return type === 'refresh_token' ? renew(form) : problem('unsupported_grant_type');
    },
    accepts(authorization) {
      const [, token = ''] = /^Bearer (\S+)$/.exec(authorization) ?? [];
      const found = access.get(token);
      return found !== undefined && !found.login.revoked && workspace.now() < found.expiresMs;
    },
    revoke(what) {
      if (what === 'access') access.clear();
      else for (const login of logins) login.revoked = true;
    },
  };
}

function secret(kind: string): string {
  return `${kind}-${randomBytes(24).toString('base64url')}`;
}

function problem(error: string, status = 400): Answer {
  return { status, text: JSON.stringify({ error }) };
}

function redirect(to: URL): WireAnswer {
  return { ...html(302, ''), headers: { Location: to.href } };
}

function consentPage(url: URL): WireAnswer {
  const link = (decision: string, label: string) => {
    const target = new URL(url);
    target.searchParams.set('decision', decision);
    const href = `${target.pathname}${target.search}`.replaceAll('&', '&amp;');
    return `<a href="${href.replaceAll('"', '%22')}">${label}</a>`;
  };
  return html(
    200,
    `May this app see and change your workspace? ${link('grant', 'Yes')} · ${link('deny', 'No')}`,
  );
}

function html(status: number, says: string): WireAnswer {
  return {
    status,
    text: `<!doctype html><title>Clarify (emulated)</title><p>${says}</p>\n`,
    contentType: 'text/html; charset=utf-8',
    headers: {},
  };
}
