import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ClarifyRemoteOptions,
  createClarifyRemote,
} from '../../../../src/crm/clarify/remote.ts';
import type { Clock } from '../../../../src/crm/wire/clock.ts';
import type { CallOptions } from '../../../../src/domain/remote.ts';
import type { Field, FieldKind, ObjectSchema } from '../../../../src/domain/schema.ts';

export interface Seen {
  readonly method: string;
  /** Below the workspace, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is written as JSON, a string as it is. */
  readonly body?: unknown;
  /** Takes the connection instead of answering. */
  readonly raw?: (response: ServerResponse) => void;
}

export interface ScriptedServer {
  readonly url: string;
  readonly seen: Seen[];
  close(): Promise<void>;
}

/** A server whose every answer the test decides. */
export async function startServer(
  answer: (request: Seen, count: number) => Reply | Promise<Reply>,
): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://server');
      const text = Buffer.concat(chunks).toString();
      const one: Seen = {
        method: request.method ?? '',
        path: decodeURIComponent(url.pathname.replace('/v1/workspaces/acme', '')),
        query: url.searchParams,
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
      seen.push(one);
      void write(response, answer(one, seen.length));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function write(response: ServerResponse, reply: Reply | Promise<Reply>): Promise<void> {
  const { status = 200, headers = {}, body, raw } = await reply;
  if (raw !== undefined) {
    raw(response);
    return;
  }
  response.writeHead(status, headers);
  response.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
}

/** Sleeps take no time; what was slept is kept. */
export function instantClock(): Clock & { readonly slept: number[]; set(byMs: number): void } {
  let offsetMs = 0;
  let setByMs = 0;
  const slept: number[] = [];
  return {
    slept,
    nowMs: () => Date.now() + offsetMs + setByMs,
    monotonicMs: () => Date.now() + offsetMs,
    /** As if somebody set the machine's clock. */
    set: (byMs) => {
      setByMs += byMs;
    },
    async sleep(ms, signal) {
      signal.throwIfAborted();
      slept.push(ms);
      offsetMs += ms;
      await Promise.resolve();
      signal.throwIfAborted();
    },
    random: () => 0.5,
  };
}

/** A client of a scripted server, both gone after `use`. */
export async function withRemote<T>(
  answer: (request: Seen, count: number) => Reply | Promise<Reply>,
  use: (
    remote: ReturnType<typeof createClarifyRemote>,
    server: ScriptedServer,
    clock: ReturnType<typeof instantClock>,
  ) => Promise<T>,
  options: Partial<ClarifyRemoteOptions> = {},
): Promise<T> {
  const server = await startServer(answer);
  const clock = instantClock();
  const remote = createClarifyRemote({
    baseUrl: server.url,
    workspace: 'acme',
    apiKey: 'key-1',
    allowancePercent: 80,
    clock,
    ...options,
  });
  try {
    return await use(remote, server, clock);
  } finally {
    await remote.stop();
    await server.close();
  }
}

export const pull: CallOptions = { priority: 'pull', signal: new AbortController().signal };
export const push: CallOptions = { priority: 'push', signal: new AbortController().signal };

export function field(name: string, kind: FieldKind, more: Partial<Field> = {}): Field {
  return {
    name,
    kind,
    label: null,
    unique: false,
    caseInsensitive: false,
    parts: [],
    relationship: null,
    ...more,
  };
}

export const person: ObjectSchema = {
  object: 'person',
  label: { singular: 'Person', plural: 'People' },
  fields: [
    field('name', 'json'),
    field('email_addresses', 'texts', { unique: true, caseInsensitive: true }),
    field('tags', 'texts'),
    field('job_title', 'text'),
    field('seen_at', 'timestamp'),
    field('deals', 'references'),
    field('company_id', 'reference'),
  ],
  identity: 'email_addresses',
  readOnly: null,
};

/** A record as the API writes it. */
export function resource(id: string, attributes: object = {}) {
  return { type: 'person', id, attributes };
}

/** The usual list envelope of the `current` dialect. */
export function page(data: readonly unknown[], total = data.length, next: string | null = null) {
  return { data, links: { next, prev: null }, meta: { total_records: total } };
}
