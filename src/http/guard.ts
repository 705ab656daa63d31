import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readCookie, writeCookie } from './cookies.ts';

export interface GuardOptions {
  readonly host: string;
  readonly token: string | null;
  readonly nowMs?: () => number;
  /** Of a clock that is never set. */
  readonly monotonicMs?: () => number;
}

export interface Guard {
  /** Checks every request before anything else looks at it. */
  protect(app: FastifyInstance): void;
}

const SESSION = 'clarify_sync_session';
const SESSION_MS = 7 * 24 * 3_600_000;
/** Whoever restarts processes has no token, and these tell nothing. */
const OPEN: ReadonlySet<string> = new Set(['/livez', '/readyz']);
const SIGN_IN = '/sign-in';
/**
 * What is below the one has a secret in its path, what is sent to the other is signed; in a fleet each
 * workspace has its own.
 */
const CALLED_PATH = /^(?:\/w\/[^/]+)?\/(?:nudge\/|webhook$)/;
/** Guesses of the token within a minute, from everyone together. */
const MOST_FAILURES = 20;
const FAILURES_MS = 60_000;

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Not `no-referrer`: a form would be sent with `Origin: null`.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

/** The name in a Host header, without its port; null where it is none. */
export function hostName(header: string | undefined): string | null {
  return /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/.exec(header ?? '')?.[1] ?? null;
}

/** Takes the same time whatever the texts are. */
export function equalSecrets(left: string, right: string): boolean {
  const key = randomBytes(32);
  const digest = (text: string) => createHmac('sha256', key).update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/**
 * Who may ask for what (invariant 13). On loopback only by a loopback name: a page elsewhere whose
 * name was made to point here would otherwise read everything. With a token, only with the token,
 * or a cookie that stands for it and ends with it. What changes something has to come from this
 * very page.
 */
export function createGuard(options: GuardOptions): Guard {
  const { host, token, nowMs = Date.now, monotonicMs = () => performance.now() } = options;
  const onLoopback = isLoopbackHost(host);
  const failures = createFailureCount(monotonicMs);

  function sign(expiresMs: string): string {
    return createHmac('sha256', `clarify-sync session ${token}`).update(expiresMs).digest('hex');
  }

  function isSignedIn(request: FastifyRequest): boolean {
    const cookie = readCookie(request.headers.cookie, SESSION) ?? '';
    const [, expiresMs = '', signature = ''] = /^(\d{1,15})\.([0-9a-f]{64})$/.exec(cookie) ?? [];
    return equalSecrets(signature, sign(expiresMs)) && Number(expiresMs) > nowMs();
  }

  /** Null where there is no such header. */
  function hasBearer(request: FastifyRequest): boolean | null {
    const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    return given === undefined || token === null ? null : equalSecrets(given, token);
  }

  async function check(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    reply.headers(HEADERS);
    const path = request.url.split('?', 1)[0] ?? '';
    // Called by a machine elsewhere, by whatever name it knows, with a secret of its own.
    if (CALLED_PATH.test(path)) return undefined;
    const name = hostName(request.headers.host);
    if (name === null || (onLoopback && !isLoopbackHost(name))) {
      return await refuse(reply, 421, 'this server answers to the names of loopback only');
    }
    if (OPEN.has(path)) return undefined;
    const bearer = hasBearer(request);
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    // No other site can make a browser send that header.
    if (changes && bearer !== true && !isSameOrigin(request)) {
      return await refuse(reply, 403, 'this has to be sent from the status page itself');
    }
    if (token === null || path === SIGN_IN || path.startsWith('/assets/')) return undefined;
    if (bearer === null ? isSignedIn(request) : bearer) return undefined;
    if (bearer === false) failures.add();
    if (failures.tooMany()) return await refuse(reply, 429, 'too many wrong tokens; wait a minute');
    if (bearer === null && !changes && wantsPage(request)) {
      return await reply.redirect(SIGN_IN, 303);
    }
    reply.header('www-authenticate', 'Bearer realm="clarify-sync"');
    return await refuse(reply, 401, 'a token is needed: Authorization: Bearer …, or sign in at /');
  }

  return {
    protect(app) {
      app.addHook('onRequest', check);
      if (token === null) return;
      app.post(SIGN_IN, async (request, reply) => {
        const given = tokenIn(request.body);
        if (failures.tooMany()) return await refuse(reply, 429, 'too many wrong tokens');
        if (given === null || !equalSecrets(given, token)) {
          failures.add();
          return await reply.redirect(`${SIGN_IN}?wrong`, 303);
        }
        const expiresMs = String(nowMs() + SESSION_MS);
        const value = `${expiresMs}.${sign(expiresMs)}`;
        const secure = request.headers['x-forwarded-proto'] === 'https';
        reply.header('set-cookie', writeCookie(SESSION, value, { maxAgeMs: SESSION_MS, secure }));
        return await reply.redirect('/', 303);
      });
    },
  };
}

/** Browsers send Origin with every form; where it is missing nothing vouches for the sender. */
function isSameOrigin({ headers }: FastifyRequest): boolean {
  const { origin, host } = headers;
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  const site = headers['sec-fetch-site'];
  return new URL(origin).host === host.toLowerCase() && (site ?? 'same-origin') === 'same-origin';
}

function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') ?? false;
}

function tokenIn(body: unknown): string | null {
  return body instanceof URLSearchParams ? body.get('token') : null;
}

async function refuse(reply: FastifyReply, status: number, message: string): Promise<unknown> {
  return await reply.code(status).type('text/plain; charset=utf-8').send(`${message}\n`);
}

function createFailureCount(monotonicMs: () => number) {
  let sinceMs = monotonicMs();
  let count = 0;
  const renew = () => {
    if (monotonicMs() - sinceMs < FAILURES_MS) return;
    sinceMs = monotonicMs();
    count = 0;
  };
  return {
    add() {
      renew();
      count += 1;
    },
    tooMany() {
      renew();
      return count >= MOST_FAILURES;
    },
  };
}
