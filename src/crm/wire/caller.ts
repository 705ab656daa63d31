import { changedError, RemoteError } from '../../domain/errors.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { Api } from './api.ts';
import { type Call, isWrite, type Send } from './call.ts';
import type { Clock } from './clock.ts';
import { conclude, failureError } from './conclude.ts';
import type { CredentialsProvider } from './credentials.ts';
import { createDoubts } from './doubts.ts';
import type { EndpointQueue } from './endpoint-queue.ts';
import type { Outcome, Transport } from './transport.ts';

export interface WireLog {
  debug(details: object, message: string): void;
}

export interface CallerDeps {
  readonly api: Api;
  readonly userAgent: string;
  readonly transport: Transport;
  readonly credentials: CredentialsProvider;
  readonly queueFor: (endpoint: string) => EndpointQueue;
  readonly observe: (answer: Outcome & { kind: 'answer' }) => void;
  readonly clock: Clock;
  readonly log: WireLog | undefined;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
}

interface Ladder {
  readonly attempts: number;
  /** No further attempt once this long has passed since the first failure. */
  readonly withinMs: number;
}

const READ_LADDER: Ladder = { attempts: 6, withinMs: 180_000 };
const WRITE_LADDER: Ladder = { attempts: 4, withinMs: 30_000 };
/** Refusals are no failures: the queue waits as long as the server says. */
const MOST_REFUSALS = 10;
const BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 20_000;
/** A server that asks for more patience than this gets it from the caller's own schedule. */
const LONGEST_RETRY_AFTER_MS = 120_000;

/** The retry ladder: the only place that sends anything twice. */
export function createSend(deps: CallerDeps): Send {
  const { api } = deps;
  const doubts = createDoubts(deps, async (call, options) => {
    const { outcome } = await attempt(deps, call, options, undefined);
    return conclude(call, outcome, deps);
  });
  return async <T>(call: Call<T>, options: CallOptions): Promise<T> => {
    const ladder = isWrite(call) ? WRITE_LADDER : READ_LADDER;
    const withinMs = options.withinMs ?? ladder.withinMs;
    const attempts = call.attempts ?? ladder.attempts;
    let failingSinceMs: number | null = null;
    let failures = 0;
    let refusals = 0;
    let maybeCarriedOut = false;
    let rejectedToken: string | undefined;
    const doubted: number[] = [];
    /** What keeps a write from being repeated does not undo the attempt before. */
    const givenUp = (error: unknown): unknown => {
      if (!maybeCarriedOut) return error;
      if (options.signal.aborted) return asAmbiguous(call, interrupted(api, call, error));
      return error instanceof RemoteError ? asAmbiguous(call, error) : error;
    };
    for (;;) {
      const { token, outcome } = await attempt(deps, call, options, rejectedToken).catch(
        (error: unknown) => {
          throw givenUp(error);
        },
      );
      const result = conclude(call, outcome, deps);
      if (result.ok) {
        doubts.answered(call);
        return result.value;
      }
      if (
        result.error.status === 401 &&
        rejectedToken === undefined &&
        (await deps.credentials(token)).token !== token
      ) {
        // An access token that has run out. Nothing was carried out.
        rejectedToken = token;
        continue;
      }
      const judged = await doubts
        .judge(call, result.error, { ...options, doubted })
        .catch((reason: unknown) => {
          throw givenUp(reason);
        });
      if (judged === 'again') {
        doubted.push(result.error.status ?? 0);
        continue;
      }
      const error = judged;
      maybeCarriedOut ||= result.maybeCarriedOut;
      if (outcome.kind === 'failure' && outcome.failure === 'aborted' && !maybeCarriedOut) {
        options.signal.throwIfAborted();
      }
      if (error.status === 429) refusals += 1;
      else failures += 1;
      const pauseMs = pauseBefore(failures, error, deps.clock);
      failingSinceMs ??= deps.clock.monotonicMs();
      const failingMs = deps.clock.monotonicMs() - failingSinceMs;
      const again =
        error.disposition === 'retry' &&
        // It would be as long again: whoever asked can ask for less.
        error.code !== 'remote-answer-too-large' &&
        !options.signal.aborted &&
        (call.repeatable || !maybeCarriedOut) &&
        failures < attempts &&
        refusals <= MOST_REFUSALS &&
        (error.status === 429 || failingMs + pauseMs < withinMs) &&
        (error.retryAfterMs ?? 0) <= LONGEST_RETRY_AFTER_MS;
      if (!again) throw maybeCarriedOut ? asAmbiguous(call, error) : error;
      deps.log?.debug(
        { endpoint: call.endpoint, code: error.code, status: error.status, pauseMs },
        `${api.title} did not answer as it should; trying again`,
      );
      // After a 429 the endpoint's queue does the waiting, for everyone.
      if (error.status !== 429) {
        await deps.clock.sleep(pauseMs, options.signal).catch((reason: unknown) => {
          throw givenUp(reason);
        });
      }
    }
  };
}

/** Full jitter, with the server's own wish as the floor. */
function pauseBefore(failures: number, error: RemoteError, clock: Clock): number {
  const ceilingMs = Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** failures);
  return Math.ceil((error.retryAfterMs ?? 0) + clock.random() * ceilingMs);
}

async function attempt<T>(
  deps: CallerDeps,
  call: Call<T>,
  { priority, signal, timeoutMs, beforeAttempt }: CallOptions,
  rejectedToken: string | undefined,
): Promise<{ token: string; outcome: Outcome }> {
  let token = '';
  const limitMs = timeoutMs ?? (isWrite(call) ? deps.writeTimeoutMs : deps.readTimeoutMs);
  const url = buildUrl(deps.api.root, call);
  const outcome = await deps.queueFor(call.endpoint).run(priority, signal, async () => {
    const credentials = await deps.credentials(rejectedToken);
    token = credentials.token;
    await beforeAttempt?.(limitMs);
    return deps.transport.attempt({
      method: call.method,
      url,
      headers: {
        accept: 'application/json',
        ...credentials.headers,
        'user-agent': deps.userAgent,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: call.body,
      timeoutMs: limitMs,
      signal,
    });
  });
  if (outcome.kind === 'answer') deps.observe(outcome);
  return { token, outcome };
}

function buildUrl<T>(root: string, { path, query = [], endpoint }: Call<T>): URL {
  // A URL drops such segments, also escaped ones, and would name something else.
  if (path.some((segment) => /^\.{0,2}$/.test(segment))) {
    throw new RemoteError(`${endpoint}: an object, id or field that no path can name`, {
      code: 'remote-invalid',
      disposition: 'park',
      status: null,
    });
  }
  const where = path.map(encodeURIComponent).join('/');
  const what = query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  return new URL(`${root}/${where}${what === '' ? '' : `?${what}`}`);
}

function interrupted<T>(api: Api, { endpoint }: Call<T>, reason: unknown): RemoteError {
  const cause = reason instanceof Error ? reason : new Error('aborted');
  return failureError(api, endpoint, { kind: 'failure', failure: 'aborted', left: true, cause });
}

function asAmbiguous<T>(call: Call<T>, error: RemoteError): RemoteError {
  // What the server refuses outright was decided, whatever became of an attempt before. But a
  // create may be refused although one before it has arrived.
  if (error.disposition !== 'retry' && call.method !== 'POST') return error;
  return changedError(error, {
    message: `${error.message}; whether it was carried out is not known`,
    ambiguous: true,
    hint: call.repeatable ? error.hint : undefined,
  });
}
