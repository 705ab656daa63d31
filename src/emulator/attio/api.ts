import type { IncomingHttpHeaders } from 'node:http';
import { type Api, admitTo, type Charge, endpointOf } from '../kernel/admit.ts';
import type { Answer } from '../kernel/answer.ts';
import { retryAfterText } from '../kernel/fault-answer.ts';
import type { Admitted, WireRequest } from '../kernel/model.ts';
import type { RateLimiter } from '../kernel/rate-limit.ts';
import { BODY_CEILING } from '../kernel/request-body.ts';
import type { Handler, Route, RouteMatch } from '../kernel/route.ts';
import { errorForm, refuse } from './api-error.ts';
import { instantMs } from './instants.ts';
import { queryRecords } from './query-route.ts';
import {
  assertRoute,
  createRoute,
  deleteRoute,
  mergeRoute,
  patchRoute,
  putRoute,
  readRoute,
  valuesRoute,
} from './record-routes.ts';
import {
  listAttributes,
  listMembers,
  listObjects,
  listOptions,
  readAttribute,
  readMember,
  readObject,
} from './schema-routes.ts';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  listWebhooks,
  readWebhook,
} from './webhook-routes.ts';
import type { Workspace } from './workspace.ts';

export interface Token {
  readonly value: string;
  revoked: boolean;
}

export interface ApiDeps {
  readonly workspace: Workspace;
  readonly token: Token;
  readonly limiter: RateLimiter;
}

const ROOT = /^\/v2(\/.*)$/;
const SECOND_MS = 1_000;
const OBJECT = '/objects/{object}';
const ATTRIBUTE = `${OBJECT}/attributes/{attribute}`;
const RECORDS = `${OBJECT}/records`;
const RECORD = `${RECORDS}/{id}`;

type Scope = 'record_permission' | 'object_configuration' | 'user_management' | 'webhook';

/** Of records and webhooks alone there are rights to write. */
function needs(scope: Scope, write: boolean, handle: Handler<Workspace>): Handler<Workspace> {
  return (workspace, request) => {
    const { scopes } = workspace;
    if (!scopes.has(`${scope}:read-write`) && (write || !scopes.has(`${scope}:read`))) {
      const right = `${scope}:${write ? 'read-write' : 'read'}`;
      throw refuse(403, 'unauthorized', `The token lacks the scope "${right}".`);
    }
    return handle(workspace, request);
  };
}

function route(
  method: string,
  pattern: string,
  scope: Scope,
  handle: Handler<Workspace>,
  isRead = method === 'GET',
): Route<Workspace> {
  return { method, pattern, isRead, handle: needs(scope, !isRead, handle) };
}

export const apiRoutes: readonly Route<Workspace>[] = [
  route('GET', '/objects', 'object_configuration', listObjects),
  route('GET', OBJECT, 'object_configuration', readObject),
  route('GET', `${OBJECT}/attributes`, 'object_configuration', listAttributes),
  route('GET', ATTRIBUTE, 'object_configuration', readAttribute),
  route('GET', `${ATTRIBUTE}/options`, 'object_configuration', listOptions('select')),
  route('GET', `${ATTRIBUTE}/statuses`, 'object_configuration', listOptions('status')),
  route('POST', `${RECORDS}/query`, 'record_permission', queryRecords, true),
  route('POST', `${RECORDS}/merge`, 'record_permission', mergeRoute),
  route('POST', RECORDS, 'record_permission', createRoute),
  route('PUT', RECORDS, 'record_permission', assertRoute),
  route('GET', RECORD, 'record_permission', readRoute),
  route('PATCH', RECORD, 'record_permission', patchRoute),
  route('PUT', RECORD, 'record_permission', putRoute),
  route('DELETE', RECORD, 'record_permission', deleteRoute),
  route('GET', `${RECORD}/attributes/{attribute}/values`, 'record_permission', valuesRoute),
  route('GET', '/workspace_members', 'user_management', listMembers),
  route('GET', '/workspace_members/{id}', 'user_management', readMember),
  route('GET', '/webhooks', 'webhook', listWebhooks),
  route('POST', '/webhooks', 'webhook', createWebhook),
  route('GET', '/webhooks/{id}', 'webhook', readWebhook),
  route('PATCH', '/webhooks/{id}', 'webhook', changeWebhook),
  route('DELETE', '/webhooks/{id}', 'webhook', deleteWebhook),
];

export function createApi(deps: ApiDeps): (request: WireRequest) => Admitted {
  const { workspace, token } = deps;
  const self: Route<Workspace> = {
    method: 'GET',
    pattern: '/self',
    handle: (_, { headers }) => introspect(workspace, token, headers),
  };
  const api: Api<Workspace> = {
    workspace,
    routes: [self, ...apiRoutes],
    errors: errorForm,
    bodyLimit: () => BODY_CEILING,
    pathOf: ({ url }) => ROOT.exec(url.pathname)?.[1] ?? '',
    charge: (request, match) => charge(deps, request, match),
    checkAccess({ headers, url }) {
      workspace.settle();
      // Whoever asks what its token is good for is told, whatever the token.
      if (url.pathname === '/v2/self' || isGood(token, headers)) return;
      throw refuse(401, 'unauthorized', 'The bearer token is not valid.');
    },
    isSilent: () => false,
  };
  return (request) => admitTo(api, request);
}

function isGood({ value, revoked }: Token, { authorization }: IncomingHttpHeaders): boolean {
  return !revoked && authorization === `Bearer ${value}`;
}

/** `GET /self`: never 401. */
function introspect(workspace: Workspace, token: Token, headers: IncomingHttpHeaders): Answer {
  if (!/^Bearer [\w.~+/=-]+$/.test(headers.authorization ?? '')) {
    throw refuse(400, 'missing_value', 'A bearer token is needed.');
  }
  if (!isGood(token, headers)) return { status: 200, text: '{"active":false}' };
  const { id, name, slug, scopes, switches, tokenId, members } = workspace;
  const [maker] = members;
  const told = {
    active: true,
    scope: [...scopes].join(' '),
    client_id: tokenId,
    token_type: 'Bearer',
    exp: null,
    iat: maker === undefined ? 0 : Math.floor(instantMs(maker.createdAt) / 1_000),
    sub: id,
    aud: tokenId,
    iss: 'attio.com',
    authorized_by_workspace_member_id: maker?.id ?? null,
    workspace_logo_url: null,
    workspace_id: id,
    workspace_name: name,
    workspace_slug: slug,
    ...(switches.tokenLevel === 'absent' ? {} : { token_level: switches.tokenLevel }),
  };
  return { status: 200, text: JSON.stringify(told) };
}

/** Reads and writes have a budget each, over the whole API; merges one beside that. */
function charge(
  { workspace, limiter }: ApiDeps,
  { method }: WireRequest,
  match: RouteMatch<Workspace> | null,
): Charge {
  const { readsPerSecond, writesPerSecond, mergesPerSecond } = workspace.switches;
  const isRead = match?.route.isRead ?? method === 'GET';
  const budgets = [
    {
      bucket: isRead ? 'reads' : 'writes',
      limit: isRead ? readsPerSecond : writesPerSecond,
      windowMs: SECOND_MS,
    },
  ];
  if (endpointOf(match).endsWith('/merge')) {
    budgets.push({ bucket: 'merges', limit: mergesPerSecond, windowMs: SECOND_MS });
  }
  const verdicts = limiter.takeAll(budgets);
  if (verdicts.every(({ allowed }) => allowed)) return { headers: {}, refusal: null };
  const wait = retryAfterText(1, 'date', workspace.now());
  const message = 'Rate limit exceeded, please try again later';
  return {
    headers: {},
    refusal: refuse(429, 'rate_limit_exceeded', message, { 'Retry-After': wait }),
  };
}
