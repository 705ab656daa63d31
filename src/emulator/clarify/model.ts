import type { Model } from '../kernel/model.ts';
import { createRateLimiter } from '../kernel/rate-limit.ts';
import { contentsOf, createActions } from './admin-actions.ts';
import { bodyLimit, createApi } from './api.ts';
import { ARTIFACTS, artifact } from './artifact-route.ts';
import { AUTHORIZE_PATH, type AuthorizationServer } from './authorization.ts';
import { errorForm, recordForm } from './error-form.ts';
import type { Store } from './store.ts';
import { parseSwitch } from './switches.ts';
import type { Workspace } from './workspace.ts';

export interface ModelDeps {
  readonly workspace: Workspace;
  readonly store: Store;
  readonly authorization: AuthorizationServer;
  readonly apiKey: string;
  readonly accessToken: string | null;
  readonly monotonicMs: (() => number) | undefined;
}

export function createModel(deps: ModelDeps): Model {
  const { workspace, store, authorization, monotonicMs } = deps;
  return {
    now: workspace.now,
    switches: workspace.switches,
    parseSwitch,
    bodyLimit: () => bodyLimit(workspace),
    beside(request) {
      const { method, url } = request;
      if (method !== 'GET') return null;
      if (url.pathname.startsWith(ARTIFACTS)) return artifact(workspace, request);
      return url.pathname === AUTHORIZE_PATH ? authorization.page(url) : null;
    },
    admit: createApi({ ...deps, limiter: createRateLimiter(monotonicMs) }),
    errors: errorForm,
    records: recordForm,
    contents: contentsOf(workspace, store),
    actions: createActions({ workspace, store, authorization }),
  };
}
