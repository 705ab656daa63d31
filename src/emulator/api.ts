import { parseJson, stringifyJson } from '../domain/json.ts';
import { ApiError, frameworkError, notFound, refuse } from './api-error.ts';
import { apiRoutes } from './api-routes.ts';
import { type AuthorizationServer, TOKEN_PATH } from './authorization.ts';
import type { Answer } from './list-answer.ts';
import { checkQuery } from './list-query.ts';
import type { RateLimiter, RateVerdict } from './rate-limit.ts';
import { bodyLimit } from './request-body.ts';
import { matchRoute, type RouteMatch } from './route.ts';
import type { Workspace } from './workspace.ts';

/** A request to the API, read in full. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  /** The Host header, port included. */
  readonly host: string;
  readonly authorization: string | undefined;
  readonly userAgent: string | undefined;
  /** Empty where there is more of it than is kept. */
  readonly body: string;
  readonly bodyBytes: number;
}

export interface ApiDeps {
  readonly workspace: Workspace;
  readonly apiKey: string;
  /** An OAuth access token that is accepted as `Bearer`. */
  readonly accessToken: string | null;
  readonly limiter: RateLimiter;
  readonly authorization: AuthorizationServer;
}

/** A request on its way: counted against its endpoint, not yet carried out. */
export interface Admitted {
  /** For statistics: the object's name is in it. */
  readonly endpoint: string;
  readonly rate: RateVerdict;
  /**
   * Carries the request out, or the same request with another body. Every refusal is an answer;
   * nothing is thrown.
   */
  readonly run: (served: number, body?: string) => Answer;
}

const ROOT = /^\/v1\/workspaces\/([^/]+)(\/.*)$/;

export function admit(deps: ApiDeps, request: WireRequest): Admitted {
  const { workspace, limiter } = deps;
  if (request.url.pathname === TOKEN_PATH) return admitToTokens(deps, request);
  const [, slug = '', path = ''] = ROOT.exec(request.url.pathname) ?? [];
  const match = matchRoute(apiRoutes, request.method, path);
  const pattern = match === null ? '(unknown)' : match.route.pattern;
  const named = pattern.replace('{object}', match?.params.get('object') ?? '{object}');
  const counted = workspace.switches.rateScope === 'object' ? named : pattern;
  const rate = limiter.take(`${request.method} ${counted}`, workspace.switches.ratePerMinute);
  return {
    endpoint: `${request.method} ${named}`,
    rate,
    run: (served, body = request.body) => {
      try {
        checkAccess(deps, request, slug);
        if (!rate.allowed) throw refuse(429, 'Too many requests');
        return carryOut(workspace, { ...request, body }, match, served);
      } catch (error) {
        if (error instanceof ApiError) {
          return { status: error.status, text: stringifyJson(error.body) };
        }
        throw error;
      }
    },
  };
}

/** Of the authorization server, which has its own counters and answers its own errors. */
function admitToTokens({ authorization, limiter }: ApiDeps, request: WireRequest): Admitted {
  const endpoint = `${request.method} ${TOKEN_PATH}`;
  const rate = limiter.take(endpoint, Number.MAX_SAFE_INTEGER);
  return { endpoint, rate, run: () => authorization.giveTokens(request.method, request.body) };
}

/** @throws ApiError 403 without a user agent, 404 off the root, 401, 404 or 401 for another slug */
function checkAccess(
  { workspace, apiKey, accessToken, authorization: logins }: ApiDeps,
  request: WireRequest,
  slug: string,
): void {
  if (request.userAgent === undefined || request.userAgent === '') {
    throw frameworkError(403, 'Forbidden', 'Forbidden');
  }
  if (slug === '') throw unknownPath(request);
  const token = accessToken === null ? null : `Bearer ${accessToken}`;
  const { authorization } = request;
  const isKnown =
    authorization === `api-key ${apiKey}` || (token !== null && authorization === token);
  if (!isKnown && !logins.accepts(authorization ?? '')) {
    throw invalidKey();
  }
  if (slug !== workspace.slug) {
    throw workspace.switches.wrongSlug === '401' ? invalidKey() : notFound('Workspace');
  }
}

function invalidKey(): ApiError {
  return refuse(401, 'Invalid API key');
}

/** @throws ApiError */
function carryOut(
  workspace: Workspace,
  request: WireRequest,
  match: RouteMatch | null,
  served: number,
): Answer {
  if (match === null) throw unknownPath(request);
  if (request.bodyBytes > bodyLimit(workspace.switches)) {
    throw frameworkError(413, 'request entity too large', 'Payload Too Large');
  }
  const { host, url } = request;
  if (request.method === 'GET') checkQuery(url.searchParams);
  return match.route.handle(workspace, {
    param: (name) => match.params.get(name) ?? '',
    body: readBody(request.body),
    host,
    hostname: host.replace(/:\d+$/, ''),
    pathname: url.pathname,
    query: url.searchParams,
    served,
  });
}

/** @throws ApiError 400 */
function readBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return parseJson(text);
  } catch {
    throw refuse(400, 'The body is not valid JSON');
  }
}

function unknownPath({ method, url }: WireRequest): ApiError {
  return frameworkError(404, `Cannot ${method} ${url.pathname}`, 'Not Found');
}
