import { type Answer, type RequestPlace } from './list-answer.ts';
import type { Workspace } from './workspace.ts';

export interface ApiRequest extends RequestPlace {
  /** A path parameter the route's pattern names. */
  readonly param: (name: string) => string;
  /** The parsed body; undefined where there was none. */
  readonly body: unknown;
}

export type Handler = (workspace: Workspace, request: ApiRequest) => Answer;

export interface Route {
  readonly method: string;
  /** Segments behind the workspace, `{name}` for a parameter. */
  readonly pattern: string;
  readonly handle: Handler;
}

export interface RouteMatch {
  readonly route: Route;
  readonly params: ReadonlyMap<string, string>;
}

/** `path` is what follows `/v1/workspaces/{slug}`, still encoded. */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): RouteMatch | null {
  const segments = path.split('/').slice(1);
  for (const route of routes) {
    if (route.method !== method) continue;
    const params = matchPattern(route.pattern.split('/').slice(1), segments);
    if (params !== null) return { route, params };
  }
  return null;
}

function matchPattern(
  pattern: readonly string[],
  segments: readonly string[],
): ReadonlyMap<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params = new Map<string, string>();
  for (const [index, part] of pattern.entries()) {
    const segment = decoded(segments[index] ?? '');
    if (part.startsWith('{')) params.set(part.slice(1, -1), segment);
    else if (part !== segment) return null;
  }
  return params;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
