import { RemoteError } from '../domain/errors.ts';
import { parseJson } from '../domain/json.ts';
import type { CallOptions } from '../domain/remote.ts';
import { answerError, changedError } from './answer-error.ts';
import { BadAnswer, type Call, type Send } from './call.ts';
import type { Clock } from './clock.ts';
import type { CredentialsProvider } from './credentials.ts';
import { createDoubts } from './doubts.ts';
import type { EndpointQueue } from './endpoint-queue.ts';
import { readRateHeaders } from './rate-headers.ts';
import type { Outcome, Transport } from './transport.ts';

export interface ClarifyLog {
  debug(details: object, message: string): void;
}

export interface CallerDeps {
  /** `https://api.clarify.ai/v1/workspaces/<slug>`, no slash at the end. */
  readonly root: string;
  readonly userAgent: string;
  readonly transport: Transport;
  readonly credentials: CredentialsProvider;
  readonly queueFor: (endpoint: string) => EndpointQueue;
  readonly observe: (answer: Outcome & { kind: 'answer' }) => void;
  readonly clock: Clock;
  readonly log: ClarifyLog | undefined;
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
  const doubts = createDoubts(deps.clock, async (call, options) => {
    const { outcome } = await attempt(deps, call, options, undefined);
    return conclude(call, outcome, deps.clock);
  });
  return async <T>(call: Call<T>, options: CallOptions): Promise<T> => {
    const ladder = call.method === 'GET' ? READ_LADDER : WRITE_LADDER;
    const withinMs = options.withinMs ?? ladder.withinMs;
    const attempts = call.attempts ?? ladder.attempts;
    let failingSinceMs: number | null = null;
    let failures = 0;
    let refusals = 0;
    let maybeCarriedOut = false;
    let rejectedToken: string | undefined;
    let doubted = false;
    /** What keeps a write from being repeated does not undo the attempt before. */
    const givenUp = (error: unknown): unknown => {
      if (!maybeCarriedOut) return error;
      if (options.signal.aborted) return asAmbiguous(call, interrupted(call, error));
      return error instanceof RemoteError ? asAmbiguous(call, error) : error;
    };
    for (;;) {
      const { token, outcome } = await attempt(deps, call, options, rejectedToken).catch(
        (error: unknown) => {
          throw givenUp(error);
        },
      );
      const result = conclude(call, outcome, deps.clock);
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
        doubted = true;
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
        'Clarify did not answer as it should; trying again',
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
  const limitMs = timeoutMs ?? (call.method === 'GET' ? deps.readTimeoutMs : deps.writeTimeoutMs);
  const url = buildUrl(deps.root, call);
  const outcome = await deps.queueFor(call.endpoint).run(priority, signal, async () => {
    const credentials = await deps.credentials(rejectedToken);
    token = credentials.token;
    await beforeAttempt?.(limitMs);
    return deps.transport.attempt({
      method: call.method,
      url,
      headers: {
        accept: 'application/json',
        authorization: `${credentials.scheme} ${token}`,
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

type Conclusion<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: RemoteError; readonly maybeCarriedOut: boolean };

function conclude<T>(call: Call<T>, outcome: Outcome, clock: Clock): Conclusion<T> {
  const isWrite = call.method !== 'GET';
  if (outcome.kind === 'failure') {
    return {
      ok: false,
      error: failureError(call.endpoint, outcome),
      maybeCarriedOut: isWrite && outcome.left,
    };
  }
  const { status, headers } = outcome;
  const text = outcome.takeText();
  if (status < 200 || status > 299) {
    const { retryAfterMs } = readRateHeaders(headers, clock.nowMs());
    const error = answerError({ status, text, retryAfterMs }, call);
    // A server or gateway that failed may have failed after the work was done.
    const decided = status >= 400 && status < 500 && status !== 408;
    return { ok: false, error, maybeCarriedOut: isWrite && !decided };
  }
  try {
    return { ok: true, value: call.read(text.trim() === '' ? undefined : parseJson(text)) };
  } catch (error) {
    if (!(error instanceof BadAnswer || error instanceof SyntaxError)) throw error;
    // A SyntaxError quotes the text it choked on, so it is no cause to pass on.
    const why = error instanceof BadAnswer ? error.message : 'it is not JSON';
    return {
      ok: false,
      error: new RemoteError(`${call.endpoint}: Clarify’s answer cannot be used: ${why}`, {
        code: 'remote-bad-answer',
        disposition: 'retry',
        hint: 'It usually passes; if not, check CLARIFY_API_URL.',
        status,
      }),
      maybeCarriedOut: isWrite,
    };
  }
}

function failureError(endpoint: string, { failure, cause }: Outcome & { kind: 'failure' }) {
  const says = {
    unreachable: ['remote-unreachable', 'Clarify cannot be reached'],
    reset: ['remote-unreachable', 'the connection to Clarify broke'],
    timeout: ['remote-timeout', 'Clarify did not answer in time'],
    aborted: ['remote-interrupted', 'given up because we are stopping'],
    'too-large': ['remote-answer-too-large', 'Clarify’s answer is longer than any should be'],
  } as const;
  const [code, message] = says[failure];
  return new RemoteError(`${endpoint}: ${message}`, {
    code,
    disposition: 'retry',
    hint: failure === 'unreachable' ? 'Check CLARIFY_API_URL and the network.' : undefined,
    status: null,
    cause,
  });
}

function interrupted<T>({ endpoint }: Call<T>, reason: unknown): RemoteError {
  const cause = reason instanceof Error ? reason : new Error('aborted');
  return failureError(endpoint, { kind: 'failure', failure: 'aborted', left: true, cause });
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
