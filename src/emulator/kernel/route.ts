import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './answer.ts';

/** What an envelope needs to know of the request. */
export interface RequestPlace {
  /** Host name without port. */
  readonly hostname: string;
  /** The host and port the request came to. */
  readonly host: string;
  readonly pathname: string;
  readonly query: URLSearchParams;
  /** How many answers were given before this one. */
  readonly served: number;
}

export interface ApiRequest extends RequestPlace {
  /** A path parameter the route's pattern names. */
  readonly param: (name: string) => string;
  /** The parsed body; undefined where there was none. */
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
}

export type Handler<Workspace> = (workspace: Workspace, request: ApiRequest) => Answer;

export interface Route<Workspace> {
  readonly method: string;
  /** Segments behind the API's root, `{name}` for a parameter. */
  readonly pattern: string;
  /** It changes nothing though it is no GET, such as a search. */
  readonly isRead?: boolean;
  readonly handle: Handler<Workspace>;
}

export interface RouteMatch<Workspace> {
  readonly route: Route<Workspace>;
  readonly params: ReadonlyMap<string, string>;
}

/** `path` is what follows the API's root, still encoded. */
export function matchRoute<Workspace>(
  routes: readonly Route<Workspace>[],
  method: string,
  path: string,
): RouteMatch<Workspace> | null {
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
