import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { JSON_TYPE, sendAnswer, type WireAnswer } from './answer.ts';
import { answerPlainly, answerWithFault } from './exchange.ts';
import type { Fault, Faults } from './faults.ts';
import type { Model, WireRequest } from './model.ts';
import { readRequest, readTarget } from './read-request.ts';
import { BODY_CEILING } from './request-body.ts';
import { type ServedExchange, type ServedText, servedExchange } from './served-exchange.ts';
import type { RequestEvent, StatsKeeper } from './stats.ts';

export interface ServerDeps {
  readonly model: Model;
  readonly faults: Faults;
  readonly stats: StatsKeeper;
  readonly onRequest: ((event: RequestEvent) => void) | undefined;
  readonly onExchange: ((exchange: ServedExchange) => void) | undefined;
  /** Answers requests under `/_emulator/`. */
  readonly admin: (request: WireRequest, response: ServerResponse) => Promise<void>;
}

/** The HTTP side: reads requests, applies faults and latency, writes answers. */
export function createApiServer(deps: ServerDeps): Server {
  const { model } = deps;
  let served = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.destroy();
      // A defect of the emulator itself must be loud, not an answer that clients retry.
      setImmediate(() => {
        throw error;
      });
    });
  });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = readTarget(request.url ?? '/');
    if (url === null) {
      request.resume();
      const text = JSON.stringify(model.errors.badTarget);
      sendAnswer(response, { ...empty, status: 400, text }, { nowMs: model.now() });
      return;
    }
    const isAdmin = /^\/_emulator(?:\/|$)/.test(url.pathname);
    const wire = await readRequest(request, url, isAdmin ? BODY_CEILING : model.bodyLimit());
    if (wire === null) {
      response.destroy();
      return;
    }
    if (isAdmin) {
      if (isLoopback(request.socket.remoteAddress)) await deps.admin(wire, response);
      else sendAnswer(response, { ...empty, status: 403 }, { nowMs: model.now() });
      return;
    }
    const tell = (text: ServedText | null, kind: Fault['kind'] | null): void =>
      deps.onExchange?.(servedExchange(request, wire, response, { text, fault: kind }));
    const beside = model.beside(wire);
    if (beside !== null) {
      sendAnswer(response, beside, { nowMs: model.now() });
      tell(beside.text, null);
      return;
    }
    const startedMs = performance.now();
    const admitted = model.admit(wire);
    const path = wire.url.pathname + wire.url.search;
    const fault = deps.faults.hit({ method: wire.method, path, body: wire.body });
    served += 1;
    const exchange = { model, response, admitted, served, body: wire.body };
    const answer =
      fault === null ? await answerPlainly(exchange) : await answerWithFault(exchange, fault);
    const event: RequestEvent = {
      endpoint: admitted.endpoint,
      bucket: admitted.bucket,
      method: wire.method,
      path,
      status: answer?.status ?? null,
      isWrite: admitted.isWrite,
      silent: admitted.silent,
      recordsRead: answer?.recordsRead ?? 0,
      recordsWritten: answer?.recordsWritten ?? 0,
      fault: fault?.kind ?? null,
      durationMs: performance.now() - startedMs,
    };
    deps.stats.count(event);
    deps.onRequest?.(event);
    tell(answer?.text ?? null, fault?.kind ?? null);
  };
  return server;
}

const empty: WireAnswer = { status: 200, text: '{}', contentType: JSON_TYPE, headers: {} };

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || address?.replace('::ffff:', '').startsWith('127.') === true;
}
