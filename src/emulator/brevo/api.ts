import { type Api, admitTo, type Charge } from '../kernel/admit.ts';
import type { Admitted, ErrorForm, WireRequest } from '../kernel/model.ts';
import { BODY_CEILING } from '../kernel/request-body.ts';
import { matchRoute, type RouteMatch } from '../kernel/route.ts';
import { errorForm, invalid, refuse } from './api-error.ts';
import { apiRoutes } from './api-routes.ts';
import type { Budgets } from './budgets.ts';
import type { Workspace } from './workspace.ts';

export interface Key {
  readonly value: string;
  revoked: boolean;
}

export interface ApiDeps {
  readonly workspace: Workspace;
  readonly key: Key;
  readonly budgets: Budgets;
}

const ROOT = /^\/v3(\/.*)$/;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const MAX_IMPORT_BYTES = 10_000_000;

export function createApi({
  workspace,
  key,
  budgets,
}: ApiDeps): (request: WireRequest) => Admitted {
  const { switches } = workspace;
  const pathOf = ({ url }: WireRequest): string => ROOT.exec(url.pathname)?.[1] ?? '';
  const errors: ErrorForm = {
    ...errorForm,
    unknownPath(request) {
      const isKnown = METHODS.some((each) => matchRoute(apiRoutes, each, pathOf(request)) !== null);
      return isKnown
        ? refuse(405, 'method_not_allowed', 'Method not allowed')
        : errorForm.unknownPath(request);
    },
    tooLarge: () =>
      switches.bodyOver === '413' ? errorForm.tooLarge() : invalid('The body is too large'),
  };
  const api: Api<Workspace> = {
    workspace,
    routes: apiRoutes,
    errors,
    bodyLimit({ route: { pattern } }) {
      if (pattern.startsWith('/objects/')) return switches.bodyMax;
      return pattern === '/contacts/import' ? MAX_IMPORT_BYTES : BODY_CEILING;
    },
    pathOf,
    charge: (request, match) => charge(budgets, pathOf(request), request.method, match),
    checkAccess({ headers }) {
      workspace.jobs.settle();
      const given = headers['api-key'] ?? headers.authorization?.replace(/^Bearer /, '');
      if (key.revoked || given !== key.value) throw refuse(401, 'unauthorized', 'Key not found');
    },
    isSilent: () => false,
  };
  return (request) => admitTo(api, request);
}

function charge(
  budgets: Budgets,
  path: string,
  method: string,
  match: RouteMatch<Workspace> | null,
): Charge {
  const { bucket, headers, allowed } = budgets.take(
    path,
    `${method} ${match?.route.pattern ?? ''}`,
  );
  return {
    bucket,
    headers,
    refusal: allowed ? null : refuse(429, null, 'Too many requests'),
  };
}
