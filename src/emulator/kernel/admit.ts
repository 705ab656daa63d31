import { parseJson } from '../../domain/json.ts';
import { type ApiError, refusal } from './api-error.ts';
import type { Admitted, ErrorForm, WireRequest } from './model.ts';
import { matchRoute, type Route, type RouteMatch } from './route.ts';

/** What a request costs: told of in its answer's headers, or the reason to refuse it. */
export interface Charge {
  /** Of every answer, a fault's as well. */
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal: ApiError | null;
  /** What it was spent from, for statistics; none where a CRM counts by endpoint alone. */
  readonly bucket?: string;
}

/** One API: its routes over a workspace, who may use them and how often. */
export interface Api<Workspace> {
  readonly workspace: Workspace;
  readonly routes: readonly Route<Workspace>[];
  readonly errors: ErrorForm;
  /** Bytes that the body of such a request may have. */
  bodyLimit(match: RouteMatch<Workspace>): number;
  /** What follows the API's root; empty where the request is for elsewhere. */
  pathOf(request: WireRequest): string;
  /**
   * Counts the request.
   *
   * @param place the pattern and its parameters; null for a path that is unknown
   */
  charge(request: WireRequest, match: RouteMatch<Workspace> | null): Charge;
  /** @throws ApiError for whoever may not ask */
  checkAccess(request: WireRequest): void;
  /** Of a write: it asks that nobody be told. */
  isSilent(request: WireRequest): boolean;
}

/** Finds the route of a request and counts it; what comes of it is found when it is run. */
export function admitTo<Workspace>(api: Api<Workspace>, request: WireRequest): Admitted {
  const match = matchRoute(api.routes, request.method, api.pathOf(request));
  const { headers, refusal: tooOften, bucket = null } = api.charge(request, match);
  return {
    endpoint: `${request.method} ${endpointOf(match)}`,
    bucket,
    isWrite: match?.route.isRead !== true && request.method !== 'GET',
    silent: api.isSilent(request),
    headers,
    run(served, body = request.body) {
      try {
        api.checkAccess(request);
        if (tooOften !== null) throw tooOften;
        if (match === null) throw api.errors.unknownPath(request);
        return carryOut(api, { ...request, body }, match, served);
      } catch (error) {
        return refusal(error);
      }
    },
  };
}

/** The pattern, with the object's name in it. */
export function endpointOf<Workspace>(match: RouteMatch<Workspace> | null): string {
  if (match === null) return '(unknown)';
  return match.route.pattern.replace('{object}', match.params.get('object') ?? '{object}');
}

/** @throws ApiError */
function carryOut<Workspace>(
  api: Api<Workspace>,
  request: WireRequest,
  match: RouteMatch<Workspace>,
  served: number,
) {
  const { host, url, headers, body, bodyBytes } = request;
  if (bodyBytes > api.bodyLimit(match)) throw api.errors.tooLarge();
  return match.route.handle(api.workspace, {
    param: (name) => match.params.get(name) ?? '',
    body: readBody(body, api.errors),
    headers,
    host,
    hostname: host.replace(/:\d+$/, ''),
    pathname: url.pathname,
    query: url.searchParams,
    served,
  });
}

/** @throws ApiError 400 */
function readBody(text: string, errors: ErrorForm): unknown {
  if (text === '') return undefined;
  try {
    return parseJson(text);
  } catch {
    throw errors.badJson();
  }
}
