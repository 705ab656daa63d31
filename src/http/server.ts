import Fastify, { type FastifyInstance } from 'fastify';
import { SyncError } from '../domain/errors.ts';
import { createGuard } from './guard.ts';
import { addSharedPages } from './page-routes.ts';
import type { StatusSource } from './status-source.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Asked of everyone where there is one; beyond loopback there has to be one. */
  readonly token: string | null;
  /** Whoever knows it may have a pull begin, from anywhere; null for nobody. */
  readonly nudgeSecret: string | null;
}

/** Both calls are safe in any order and number. */
export interface Server {
  /**
   * @returns the address it answers at, such as `http://127.0.0.1:8460`.
   * @throws SyncError `http-port-in-use` or `http-not-listening`.
   */
  start(): Promise<string>;
  /** Returns once no request is under way any more. */
  stop(): Promise<void>;
}

/** Nobody here sends more: forms of a few fields. */
const BODY_LIMIT_BYTES = 16 * 1024;
/** A name in an address, each character of which may be written as twelve. */
const PARAM_LIMIT = 1_000;

/** @param addRoutes what it serves, behind the guard; asked anew at each start. */
export function createServer(
  addRoutes: (app: FastifyInstance) => void,
  options: ServerOptions & { readonly log: StatusSource['log'] },
): Server {
  let app: FastifyInstance | null = null;
  return {
    async start() {
      if (app !== null) return addressOf(app, options);
      const starting = build(options);
      addRoutes(starting);
      try {
        await starting.listen({ host: options.host, port: options.port });
      } catch (error) {
        await starting.close();
        throw explain(error, options);
      }
      app = starting;
      return addressOf(starting, options);
    },
    async stop() {
      const running = app;
      app = null;
      await running?.close();
    },
  };
}

function build(options: ServerOptions & { readonly log: StatusSource['log'] }): FastifyInstance {
  const app = Fastify({
    // Our own log says what matters, and an access log would name records.
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: PARAM_LIMIT },
    // An open page must not hold up the end.
    forceCloseConnections: true,
  });
  const form = 'application/x-www-form-urlencoded';
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(form, { parseAs: 'string' }, async (_request: unknown, body: string) => {
    return new URLSearchParams(body);
  });
  createGuard(options).protect(app);
  app.setErrorHandler(async (error, _request, reply) => {
    const { status, code, message } = describe(error);
    if (status >= 500) options.log.warn({ err: error }, 'a request to the status server failed');
    return await reply.code(status).type('text/plain; charset=utf-8').send(`${code}: ${message}\n`);
  });
  app.setNotFoundHandler(async (_request, reply) => {
    return await reply.code(404).type('text/plain; charset=utf-8').send('nothing here\n');
  });
  addSharedPages(app);
  return app;
}

/** No error may show more than a code and words of our own. */
function describe(error: unknown): {
  readonly status: number;
  readonly code: string;
  readonly message: string;
} {
  if (error instanceof SyncError) {
    const status = error.disposition === 'retry' ? 503 : 500;
    return { status, code: error.code, message: error.message };
  }
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : 500;
  if (status < 500) return { status, code: 'refused', message: 'this request cannot be used' };
  return { status, code: 'unexpected', message: 'something went wrong; the log tells where' };
}

function addressOf(app: FastifyInstance, { host }: ServerOptions): string {
  const bound = app.server.address();
  const shown = host.includes(':') ? `[${host}]` : host;
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  return `http://${shown}:${port}`;
}

function explain(error: unknown, { host, port }: ServerOptions): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const hint = 'set CLARIFY_SYNC_HTTP to another host:port, or to off';
  if (error.code === 'EADDRINUSE') {
    return new SyncError(`port ${port} of ${host} is in use by another program`, {
      code: 'http-port-in-use',
      disposition: 'halt',
      hint,
      cause: error,
    });
  }
  return new SyncError(
    `the status server cannot listen on ${host}:${port} (${String(error.code)})`,
    {
      code: 'http-not-listening',
      disposition: 'halt',
      hint,
      cause: error,
    },
  );
}
