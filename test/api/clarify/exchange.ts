import type { FieldBook } from './field-book.ts';

/**
 * One request and its answer as they stood on the wire. This folder is written from the page of API
 * facts alone, and imports neither side: what both sides misread alike would otherwise pass.
 */
export interface Exchange {
  readonly dialect: Dialect;
  readonly request: WireRequest;
  readonly answer: WireAnswer;
  /** What is known about the workspace beside the exchange itself. */
  readonly workspace?: Workspace;
  /** How many items of a long list are looked at (the envelope always is). Default: all. */
  readonly sample?: number;
}

export type Dialect = 'current' | 'classic';

export type Headers = Readonly<Record<string, string | readonly string[] | number | undefined>>;

export interface WireRequest {
  readonly method: string;
  /** Path and query, encoded as sent. */
  readonly url: string;
  readonly headers: Headers;
  /** Empty where there is none. */
  readonly body: string;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** In what else than the dialect says a server may be, where the sources disagree. */
export type Fact = 'schemas' | 'bulk size';

export interface Workspace {
  /** Facts that are as in the other dialect. */
  readonly otherwise?: readonly Fact[];
  /** To tell an API key sent as `Bearer` from an OAuth access token. */
  readonly apiKey?: string;
  /** Fields as the last `/schemas` answers told them. Without it, what needs a kind is let pass. */
  readonly fields?: FieldBook;
}

/** One way in which an exchange is not as the page says. Never holds a value. */
export interface Deviation {
  /** `request.body.data[0].attributes.name` */
  readonly at: string;
  readonly what: string;
  /** Where the page says that such a request is refused: the statuses that it names. */
  readonly refusedWith?: readonly number[];
}

/** What checks of requests and answers are told of an exchange. */
export interface Call {
  readonly dialect: Dialect;
  readonly method: string;
  readonly path: string;
  /** The variable parts of the path, decoded: `object`, `id`, `field`, … */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed; `undefined` where the request has none. */
  readonly body: unknown;
  readonly workspace: Workspace;
  readonly sample: number;
}

export function dialectOf({ dialect, workspace }: Call, fact: Fact): Dialect {
  if (!workspace.otherwise?.includes(fact)) return dialect;
  return dialect === 'current' ? 'classic' : 'current';
}

/** The value of a header, whatever the case of its name. */
export function header(headers: Headers, name: string): string | undefined {
  const found = Object.entries(headers).find(([each]) => each.toLowerCase() === name);
  return found?.[1] === undefined ? undefined : String(found[1]);
}
