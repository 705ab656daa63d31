import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import got, { type OptionsInit, RequestError, TimeoutError } from 'got';
import type { Clock } from './clock.ts';
import {
  AnswerTooLarge,
  createSpareBuffers,
  type GrowingBuffer,
  type SpareBuffers,
} from './spare-buffers.ts';

export interface Attempt {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What became of one attempt. `left` tells whether the request may have reached the server. */
export type Outcome =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Headers;
      /** The body's text, once: whatever keeps the outcome for a while does not keep a page. */
      readonly takeText: () => string;
      /** The body before that. */
      readonly body: Pick<GrowingBuffer, 'view' | 'discard'>;
      readonly sentAtMs: number;
      readonly answeredAtMs: number;
    }
  | {
      readonly kind: 'failure';
      readonly failure: 'unreachable' | 'reset' | 'timeout' | 'aborted' | 'too-large';
      readonly left: boolean;
      readonly cause: Error;
    };

export interface Transport {
  /** One attempt, never repeated, never redirected. Does not throw for anything the network does. */
  attempt(attempt: Attempt): Promise<Outcome>;
  close(): void;
}

/** A connection that takes longer than this to come about is given up: nothing was sent yet. */
const CONNECT_MS = 5_000;

type RequestOptions = Pick<OptionsInit, 'method' | 'headers' | 'signal' | 'body' | 'timeout'>;

export function createTransport({
  clock,
  mostAnswerBytes,
  buffers = createSpareBuffers(mostAnswerBytes),
  gather = (buffer) => buffer,
}: {
  clock: Clock;
  mostAnswerBytes?: number | undefined;
  buffers?: SpareBuffers | undefined;
  gather?: ((buffer: GrowingBuffer) => Pick<GrowingBuffer, 'append'>) | undefined;
}): Transport {
  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });
  const client = got.extend({
    agent: { http, https },
    decompress: true,
    followRedirect: false,
    // Our own ladder repeats: got knows neither the allowance nor which write is repeatable.
    retry: { limit: 0 },
    throwHttpErrors: false,
  });

  /** Pages are long and many: their bytes are gathered where those of others were before. */
  async function read(url: URL, options: RequestOptions) {
    const stream = client.stream(url, options);
    // The loop below tells of what goes wrong; got goes on to tell once that has ended.
    stream.on('error', () => {});
    // Where a method may have a body, got waits for one to be written.
    if (options.method !== 'GET' && options.body === undefined) stream.end();
    const body = buffers.take();
    const chunks: AsyncIterable<Uint8Array> = stream;
    const wanted = gather(body);
    for await (const chunk of chunks) wanted.append(chunk);
    const { response } = stream;
    if (response === undefined) throw new Error('got ended a stream without an answer');
    return { response, body };
  }

  return {
    async attempt({ method, url, headers, body, timeoutMs, signal }) {
      const connectMs = Math.min(CONNECT_MS, timeoutMs);
      const sentAtMs = clock.monotonicMs();
      try {
        const options = {
          method,
          headers,
          signal,
          ...(body === undefined ? {} : { body }),
          timeout: {
            lookup: connectMs,
            connect: connectMs,
            secureConnect: connectMs,
            request: timeoutMs,
          },
        };
        const { response, body: gathered } = await read(url, options);
        return {
          kind: 'answer',
          status: response.statusCode,
          headers: response.headers,
          takeText: gathered.release,
          body: gathered,
          sentAtMs,
          answeredAtMs: clock.monotonicMs(),
        };
      } catch (error) {
        if (error instanceof AnswerTooLarge) {
          return { kind: 'failure', failure: 'too-large', left: true, cause: error };
        }
        if (!(error instanceof RequestError)) throw error;
        return explainFailure(error, url, signal);
      }
    },
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

/** These say that no connection came about, whatever the timings say. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);
const CONNECT_PHASES = new Set(['lookup', 'connect', 'secureConnect']);

function explainFailure(error: RequestError, url: URL, signal: AbortSignal): Outcome {
  // The error itself holds the request's headers, and with them the key: keep what is harmless.
  const cause = Object.assign(new Error(error.message), { code: error.code });
  const neverConnected =
    NEVER_CONNECTED.has(error.code) ||
    (error instanceof TimeoutError && CONNECT_PHASES.has(error.event)) ||
    !isConnected(error, url);
  const left = !neverConnected;
  if (signal.aborted) return { kind: 'failure', failure: 'aborted', left, cause };
  if (error instanceof TimeoutError) return { kind: 'failure', failure: 'timeout', left, cause };
  return { kind: 'failure', failure: left ? 'reset' : 'unreachable', left, cause };
}

function isConnected({ timings }: RequestError, url: URL): boolean {
  // Without timings nothing is certain.
  if (timings === undefined) return true;
  const since = url.protocol === 'https:' ? timings.secureConnect : timings.connect;
  return since !== undefined;
}
