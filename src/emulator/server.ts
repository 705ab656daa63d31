import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answerInPart, withAttribute } from './altered-answer.ts';
import { type Admitted, type ApiDeps, admit, type WireRequest } from './api.ts';
import { ARTIFACTS, artifact } from './artifact-route.ts';
import { AUTHORIZE_PATH } from './authorization.ts';
import type { Fault, Faults } from './faults.ts';
import type { Answer } from './list-answer.ts';
import { BODY_CEILING, bodyLimit, collectBody } from './request-body.ts';
import { type ServedExchange, type ServedText, servedExchange } from './served-exchange.ts';
import type { RequestEvent, StatsKeeper } from './stats.ts';
import { faultAnswer, JSON_TYPE, rateHeaders, sendAnswer, type WireAnswer } from './wire-answer.ts';

export interface ServerDeps extends ApiDeps {
  readonly faults: Faults;
  readonly stats: StatsKeeper;
  readonly onRequest: ((event: RequestEvent) => void) | undefined;
  readonly onExchange: ((exchange: ServedExchange) => void) | undefined;
  /** Answers requests under `/_emulator/`. */
  readonly admin: (request: WireRequest, response: ServerResponse) => Promise<void>;
}

/** The HTTP side: reads requests, applies faults and latency, writes answers. */
export function createApiServer(deps: ServerDeps): Server {
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
      sendAnswer(response, noTarget, { nowMs: deps.workspace.now() });
      return;
    }
    const isAdmin = /^\/_emulator(?:\/|$)/.test(url.pathname);
    const ceiling = isAdmin ? BODY_CEILING : bodyLimit(deps.workspace.switches);
    const wire = await readRequest(request, url, ceiling);
    if (wire === null) {
      response.destroy();
      return;
    }
    if (isAdmin) {
      if (isLoopback(request.socket.remoteAddress)) await deps.admin(wire, response);
      else sendAnswer(response, forbidden, { nowMs: deps.workspace.now() });
      return;
    }
    const tell = (text: ServedText | null, kind: Fault['kind'] | null): void =>
      deps.onExchange?.(servedExchange(request, wire, response, { text, fault: kind }));
    const beside = besideTheApi(deps, wire);
    if (beside !== null) {
      sendAnswer(response, beside, { nowMs: deps.workspace.now() });
      tell(beside.text, null);
      return;
    }
    const startedMs = performance.now();
    const admitted = admit(deps, wire);
    const path = wire.url.pathname + wire.url.search;
    const fault = deps.faults.hit({ method: wire.method, path, body: wire.body });
    served += 1;
    const exchange = { deps, response, admitted, served, body: wire.body };
    const answer =
      fault === null ? await answerPlainly(exchange) : await answerWithFault(exchange, fault);
    const event: RequestEvent = {
      endpoint: admitted.endpoint,
      method: wire.method,
      path,
      status: answer?.status ?? null,
      silent: wire.url.searchParams.get('silent') === 'true',
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

/** What is signed, or opened by a browser, asks for no key; null for a request to the API. */
function besideTheApi(deps: ServerDeps, wire: WireRequest): WireAnswer | null {
  if (wire.method !== 'GET') return null;
  if (wire.url.pathname.startsWith(ARTIFACTS)) return artifact(deps.workspace, wire);
  if (wire.url.pathname === AUTHORIZE_PATH) return deps.authorization.page(wire.url);
  return null;
}

interface Exchange {
  readonly deps: ServerDeps;
  readonly response: ServerResponse;
  readonly admitted: Admitted;
  readonly served: number;
  readonly body: string;
}

const forbidden: WireAnswer = { status: 403, text: '{}', contentType: JSON_TYPE, headers: {} };
const noTarget: WireAnswer = {
  status: 400,
  text: '{"statusCode":400,"message":"Bad request","error":"Bad Request"}',
  contentType: JSON_TYPE,
  headers: {},
};

async function answerPlainly(exchange: Exchange): Promise<Answer> {
  const { deps, response, admitted, served } = exchange;
  const { latencyMs } = deps.workspace.switches;
  if (latencyMs > 0) await waitWhileOpen(response, latencyMs);
  const answer = admitted.run(served);
  send(exchange, answer, false);
  return answer;
}

/** @returns what was carried out and answered; null where no answer was sent. */
async function answerWithFault(exchange: Exchange, fault: Fault): Promise<Answer | null> {
  const { deps, response, admitted, served } = exchange;
  switch (fault.kind) {
    case 'status':
    case 'html':
    case 'empty':
    case 'answer': {
      const done = fault.applied === true ? admitted.run(served) : null;
      const nowMs = deps.workspace.now();
      const answer = faultAnswer(fault, nowMs);
      const headers = { ...rateHeaders(admitted.rate), ...answer.headers };
      sendAnswer(response, { ...answer, headers }, { nowMs });
      return { ...done, status: answer.status, text: answer.text };
    }
    case 'reset-before-write':
      response.socket?.resetAndDestroy();
      return null;
    case 'reset-after-write':
      admitted.run(served);
      response.socket?.resetAndDestroy();
      return null;
    case 'timeout':
      if (fault.applied !== false) admitted.run(served);
      await waitWhileOpen(response, null);
      return null;
    case 'truncated': {
      const answer = admitted.run(served);
      send(exchange, answer, true);
      return answer;
    }
    case 'malformed': {
      const answer = admitted.run(served);
      send(exchange, { ...answer, text: `${answer.text.toString().slice(0, -1)},,` }, false);
      return answer;
    }
    case 'partial': {
      const answer = answerInPart(fault, exchange.body, (body) => admitted.run(served, body));
      send(exchange, answer, false);
      return answer;
    }
    case 'attribute': {
      const answer = withAttribute(fault, admitted.run(served));
      send(exchange, answer, false);
      return answer;
    }
    case 'slow': {
      const early = fault.applied === false ? null : admitted.run(served);
      await waitWhileOpen(response, fault.ms);
      const answer = early ?? admitted.run(served);
      send(exchange, answer, false);
      return answer;
    }
  }
}

function send({ deps, response, admitted }: Exchange, answer: Answer, cut: boolean): void {
  const headers = rateHeaders(admitted.rate);
  const { status, text, contentType = JSON_TYPE } = answer;
  const wire = { status, text, contentType, headers };
  sendAnswer(response, wire, { nowMs: deps.workspace.now(), cut });
}

/** Ends early where the other side hangs up; null waits for just that. */
function waitWhileOpen(response: ServerResponse, ms: number | null): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === null ? null : setTimeout(finish, ms);
    response.once('close', finish);
    function finish(): void {
      if (timer !== null) clearTimeout(timer);
      response.off('close', finish);
      resolve();
    }
  });
}

/** Null where the other side hung up first. */
async function readRequest(
  request: IncomingMessage,
  url: URL,
  ceiling: number,
): Promise<WireRequest | null> {
  const { host = 'localhost', authorization, 'user-agent': userAgent } = request.headers;
  try {
    const { text, bytes } = await collectBody(request, ceiling);
    return {
      method: request.method ?? 'GET',
      url,
      host,
      authorization,
      userAgent,
      body: text,
      bodyBytes: bytes,
    };
  } catch {
    return null;
  }
}

/** A target can be a path, `//` included, or a whole URL. Null for what is neither. */
function readTarget(target: string): URL | null {
  const whole = target.startsWith('/') ? `http://emulator${target}` : target;
  return URL.canParse(whole) ? new URL(whole) : null;
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || address?.replace('::ffff:', '').startsWith('127.') === true;
}
