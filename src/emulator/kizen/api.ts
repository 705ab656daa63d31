import type { IncomingHttpHeaders } from 'node:http';
import { type Api, admitTo, type Charge } from '../kernel/admit.ts';
import { ApiError, PageError } from '../kernel/api-error.ts';
import { htmlPage, retryAfterText } from '../kernel/fault-answer.ts';
import type { Admitted, WireRequest } from '../kernel/model.ts';
import type { RateLimiter } from '../kernel/rate-limit.ts';
import { type Handler, matchRoute, type Route } from '../kernel/route.ts';
import { errorForm, forbidden, refuse } from './api-error.ts';
import { bulkArchiveRoute, bulkChangeRoute, isBulkMail } from './bulk-routes.ts';
import type { Business } from './business.ts';
import { fieldValuesRoute, lookupRoute, readRoute } from './read-routes.ts';
import {
  businessRoute,
  listContactTags,
  listFields,
  listObjects,
  listStages,
  listTags,
  readObjectRoute,
} from './schema-routes.ts';
import { searchRoute } from './search-route.ts';
import {
  addRoute,
  archiveRoute,
  moveRoute,
  patchRoute,
  putRoute,
  unarchiveRoute,
  upsertRoute,
} from './write-routes.ts';

/** Who may ask: a key, and whose it is. */
export interface Credentials {
  readonly apiKey: string;
  readonly userId: string;
  revoked: boolean;
}

export interface ApiDeps {
  readonly business: Business;
  readonly credentials: Credentials;
  readonly limiter: RateLimiter;
}

const BODY_MAX = 50 * 1024 * 1024;
const SECOND_MS = 1_000;
const OBJECT = '/custom-objects/{object}';
const RECORDS = '/records/{object}';
const RECORD = `${RECORDS}/{id}`;

function route(
  method: string,
  pattern: string,
  handle: Handler<Business>,
  isRead = method === 'GET',
): Route<Business> {
  return { method, pattern, isRead, handle };
}

export const apiRoutes: readonly Route<Business>[] = [
  route('GET', '/business/mine', businessRoute),
  route('GET', '/custom-objects', listObjects),
  route('GET', OBJECT, readObjectRoute),
  route('GET', `${OBJECT}/fields`, listFields),
  route('GET', `${OBJECT}/fields/settings-search`, listFields),
  route('POST', '/custom-objects/{id}/bulk-archive-entity-record', bulkArchiveRoute),
  route('POST', '/custom-objects/{id}/bulk-change-field-value', bulkChangeRoute),
  route('GET', '/pipelines/{id}/stages', listStages),
  route('GET', '/pipelines/{id}/fields/{field}/tags', listTags),
  route('GET', '/client/fields/{field}/tags', listContactTags),
  route('POST', `${RECORDS}/search`, searchRoute, true),
  route('GET', `${RECORDS}/lookup`, lookupRoute),
  route('POST', `${RECORDS}/add`, addRoute),
  route('POST', `${RECORDS}/upsert`, upsertRoute),
  route('GET', RECORD, readRoute),
  route('PATCH', RECORD, patchRoute),
  route('PUT', RECORD, putRoute),
  route('DELETE', RECORD, archiveRoute),
  route('PATCH', `${RECORD}/move`, moveRoute),
  route('PATCH', `${RECORD}/unarchive`, unarchiveRoute),
  route('GET', '/records/{id}/field-values/{field}', fieldValuesRoute),
];

const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];

export function createApi(deps: ApiDeps): (request: WireRequest) => Admitted {
  const { business } = deps;
  const api: Api<Business> = {
    workspace: business,
    routes: apiRoutes,
    errors: { ...errorForm, unknownPath },
    bodyLimit: () => BODY_MAX,
    pathOf,
    charge: () => charge(deps),
    checkAccess(request) {
      business.settle();
      // Paths are looked at before keys are.
      if (!isKnown(request)) throw unknownPath(request);
      checkCredentials(deps, request.headers);
    },
    isSilent: (request) => !isBulkMail(request),
  };
  return (request) => admitTo(api, request);
}

/** Empty for a path with a slash at its end, or with nothing between two: nobody knows them. */
function pathOf({ url }: Pick<WireRequest, 'url'>): string {
  return /^\/api((?:\/[^/]+)+)$/.exec(url.pathname)?.[1] ?? '';
}

function isKnown(request: WireRequest): boolean {
  const path = pathOf(request);
  return METHODS.some((method) => matchRoute(apiRoutes, method, path) !== null);
}

/** A path that nobody knows is a page of the web server. */
export function unknownPath(request: WireRequest): ApiError {
  if (!isKnown(request)) return new PageError(404, htmlPage(404));
  const detail = `Method "${request.method}" not allowed.`;
  return new ApiError(405, { detail, code: 'method_not_allowed' });
}

/** @throws ApiError 401, 403 */
function checkCredentials({ business, credentials }: ApiDeps, headers: IncomingHttpHeaders): void {
  const [key, user, id] = ['x-api-key', 'x-user-id', 'x-business-id'].map((name) => headers[name]);
  if (key === undefined || user === undefined || id === undefined) {
    throw new ApiError(401, { code: 'missing_business_context' });
  }
  if (credentials.revoked || key !== credentials.apiKey || user !== credentials.userId) {
    throw refuse(401, 'authentication_failed', 'Incorrect authentication credentials.');
  }
  if (id !== business.id) throw forbidden();
}

/** Every answer can be asked after; no budget is told of. */
function charge({ business, limiter }: ApiDeps): Charge {
  const { switches, newId } = business;
  const headers = { 'X-Request-ID': newId() };
  const limit = switches.requestsPerSecond;
  if (limit === 0 || limiter.take('all', { limit, windowMs: SECOND_MS }).allowed) {
    return { headers, refusal: null };
  }
  const { retryAfter, limitForm } = switches;
  const wait = retryAfter === 'absent' ? null : retryAfterText(1, retryAfter, business.now());
  const told: Record<string, string> = wait === null ? {} : { 'Retry-After': wait };
  const detail = 'Request was throttled.';
  const refusal =
    limitForm === 'detail'
      ? new ApiError(429, { detail, code: 'throttled' }, told)
      : new PageError(429, limitForm === 'html' ? htmlPage(429) : '', told);
  return { headers, refusal };
}
