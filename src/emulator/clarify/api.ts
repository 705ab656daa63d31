import { type Api, admitTo, type Charge, endpointOf } from '../kernel/admit.ts';
import type { ApiError } from '../kernel/api-error.ts';
import type { Admitted, WireRequest } from '../kernel/model.ts';
import type { RateLimiter, RateVerdict } from '../kernel/rate-limit.ts';
import { BODY_CEILING } from '../kernel/request-body.ts';
import type { RouteMatch } from '../kernel/route.ts';
import { frameworkError, notFound, refuse } from './api-error.ts';
import { apiRoutes } from './api-routes.ts';
import { type AuthorizationServer, TOKEN_PATH } from './authorization.ts';
import { errorForm } from './error-form.ts';
import type { Workspace } from './workspace.ts';

export interface ApiDeps {
  readonly workspace: Workspace;
  readonly apiKey: string;
  /** An OAuth access token that is accepted as `Bearer`. */
  readonly accessToken: string | null;
  readonly limiter: RateLimiter;
  readonly authorization: AuthorizationServer;
}

const ROOT = /^\/v1\/workspaces\/([^/]+)(\/.*)$/;
const MINUTE_MS = 60_000;

/** Takes requests to the API, and those for tokens. */
export function createApi(deps: ApiDeps): (request: WireRequest) => Admitted {
  const { workspace } = deps;
  const api: Api<Workspace> = {
    workspace,
    routes: apiRoutes,
    errors: errorForm,
    bodyLimit: () => bodyLimit(workspace),
    pathOf: ({ url }) => ROOT.exec(url.pathname)?.[2] ?? '',
    charge: (request, match) => charge(deps, request, match),
    checkAccess: (request) => checkAccess(deps, request),
    isSilent: ({ url }) => url.searchParams.get('silent') === 'true',
  };
  return (request) =>
    request.url.pathname === TOKEN_PATH ? admitToTokens(deps, request) : admitTo(api, request);
}

/** Bytes that a request to the API may have; beyond them it is a 413. */
export function bodyLimit({ switches: { bulkBytesMax } }: Workspace): number {
  return bulkBytesMax === 0 ? BODY_CEILING : Math.min(bulkBytesMax, BODY_CEILING);
}

function charge(
  { workspace, limiter }: ApiDeps,
  { method }: WireRequest,
  match: RouteMatch<Workspace> | null,
): Charge {
  const { rateScope, ratePerMinute } = workspace.switches;
  const counted =
    rateScope === 'object' || match === null ? endpointOf(match) : match.route.pattern;
  const budget = { limit: ratePerMinute, windowMs: MINUTE_MS };
  const verdict = limiter.take(`${method} ${counted}`, budget);
  return {
    headers: rateHeaders(verdict),
    refusal: verdict.allowed ? null : refuse(429, 'Too many requests'),
  };
}

function rateHeaders(rate: RateVerdict): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(rate.limit),
    'X-RateLimit-Remaining': String(rate.remaining),
    'X-RateLimit-Reset': String(rate.resetSeconds),
    ...(rate.allowed ? {} : { 'Retry-After': String(rate.resetSeconds) }),
  };
}

/** Of the authorization server, which has its own counters and answers its own errors. */
function admitToTokens({ authorization, limiter }: ApiDeps, request: WireRequest): Admitted {
  const endpoint = `${request.method} ${TOKEN_PATH}`;
  const budget = { limit: Number.MAX_SAFE_INTEGER, windowMs: MINUTE_MS };
  return {
    endpoint,
    bucket: null,
    isWrite: request.method !== 'GET',
    silent: false,
    headers: rateHeaders(limiter.take(endpoint, budget)),
    run: () => authorization.giveTokens(request.method, request.body),
  };
}

/** @throws ApiError 403 without a user agent, 404 off the root, 401, 404 or 401 for another slug */
function checkAccess(
  { workspace, apiKey, accessToken, authorization: logins }: ApiDeps,
  request: WireRequest,
): void {
  const { 'user-agent': userAgent = '', authorization = '' } = request.headers;
  if (userAgent === '') throw frameworkError(403, 'Forbidden', 'Forbidden');
  const slug = ROOT.exec(request.url.pathname)?.[1] ?? '';
  if (slug === '') throw errorForm.unknownPath(request);
  const isKnown =
    authorization === `api-key ${apiKey}` ||
    (accessToken !== null && authorization === `Bearer ${accessToken}`);
  if (!isKnown && !logins.accepts(authorization)) throw invalidKey();
  if (slug !== workspace.slug) {
    throw workspace.switches.wrongSlug === '401' ? invalidKey() : notFound('Workspace');
  }
}

function invalidKey(): ApiError {
  return refuse(401, 'Invalid API key');
}
