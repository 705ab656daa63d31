import { changedError, RemoteError } from '../../domain/errors.ts';
import { parseJson } from '../../domain/json.ts';
import type { Api } from './api.ts';
import { BadAnswer, type Call, isWrite as writes } from './call.ts';
import type { Clock } from './clock.ts';
import { HELD_HINT, heldMessage, WORTH_TELLING_MS } from './hold.ts';
import { mayRound } from './json-bytes.ts';
import { takeRawItems } from './raw-items.ts';
import type { Outcome } from './transport.ts';

/** What one attempt came to. */
export type Conclusion<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: RemoteError; readonly maybeCarriedOut: boolean };

export function conclude<T>(
  call: Call<T>,
  outcome: Outcome,
  { api, clock }: { readonly api: Api; readonly clock: Clock },
): Conclusion<T> {
  const isWrite = writes(call);
  if (outcome.kind === 'failure') {
    return {
      ok: false,
      error: failureError(api, call.endpoint, outcome),
      maybeCarriedOut: isWrite && outcome.left,
    };
  }
  const { status, headers } = outcome;
  const isGood = status >= 200 && status <= 299;
  const list = isGood && call.items ? takeRawItems(outcome.body, call.items) : null;
  const isExact = list === null && !mayRound(outcome.body.view());
  const text = list === null ? outcome.takeText() : list.rest;
  if (!isGood) {
    const { retryAfterMs } = api.readRate({ status, headers }, clock.nowMs());
    const answered = api.readRefusal({ status, text, retryAfterMs, headers }, call);
    const error = heldFor(api, answered, { call, nowMs: clock.nowMs() });
    // A server or gateway that failed may have failed after the work was done.
    const decided = status >= 400 && status < 500 && status !== 408;
    return { ok: false, error, maybeCarriedOut: isWrite && !decided };
  }
  // Part of a page is not the page that was asked for.
  const isPart = status === 206 && !isWrite;
  try {
    if (isPart) throw new BadAnswer('it is a part of what was asked for');
    const parse: (json: string) => unknown = isExact ? JSON.parse : parseJson;
    const body = text.trim() === '' ? undefined : parse(text);
    const told = api.readToldErrors(body);
    if (told === null || (isWrite && told.hasData)) {
      return { ok: true, value: call.read(body, status, list?.items) };
    }
    return complained(api, call, { status, text, said: told.status });
  } catch (error) {
    if (!(error instanceof BadAnswer || error instanceof SyntaxError)) throw error;
    // A SyntaxError quotes the text it choked on, so it is no cause to pass on.
    const why = error instanceof BadAnswer ? error.message : 'it is not JSON';
    return {
      ok: false,
      error: new RemoteError(`${call.endpoint}: ${api.title}’s answer cannot be used: ${why}`, {
        code: 'remote-bad-answer',
        disposition: 'retry',
        hint: `It usually passes; if not, check ${api.addressName}.`,
        status,
      }),
      maybeCarriedOut: isWrite,
    };
  }
}

export function failureError(
  { title, addressName }: Api,
  endpoint: string,
  { failure, cause }: Outcome & { kind: 'failure' },
): RemoteError {
  const says = {
    unreachable: ['remote-unreachable', `${title} cannot be reached`],
    reset: ['remote-unreachable', `the connection to ${title} broke`],
    timeout: ['remote-timeout', `${title} did not answer in time`],
    aborted: ['remote-interrupted', 'given up because we are stopping'],
    'too-large': ['remote-answer-too-large', `${title}’s answer is longer than any should be`],
  } as const;
  const [code, message] = says[failure];
  return new RemoteError(`${endpoint}: ${message}`, {
    code,
    disposition: 'retry',
    hint: failure === 'unreachable' ? `Check ${addressName} and the network.` : undefined,
    status: null,
    cause,
  });
}

/** A wait worth telling is told until when, instead of in the server's words. */
function heldFor(
  { title }: Api,
  error: RemoteError,
  { call: { endpoint }, nowMs }: { readonly call: Call<unknown>; readonly nowMs: number },
): RemoteError {
  const { retryAfterMs = 0, status } = error;
  if ((status !== 429 && status !== 503) || retryAfterMs < WORTH_TELLING_MS) return error;
  const message = `${heldMessage(title, endpoint, nowMs + retryAfterMs)} (${status})`;
  return changedError(error, { message, hint: HELD_HINT, reason: undefined });
}

/** Whatever the status line says, `errors` is no success: it is what its own status says. */
function complained(
  api: Api,
  call: Call<unknown>,
  { status, text, said }: { status: number; text: string; said: number | null },
): Conclusion<never> {
  const isWrite = writes(call);
  if (said === null) {
    const error = new RemoteError(`${call.endpoint}: ${api.title} answers ${status}, with errors`, {
      code: 'remote-bad-answer',
      disposition: 'retry',
      hint: `It usually passes; if not, report it to ${api.title}.`,
      status,
    });
    return { ok: false, error, maybeCarriedOut: isWrite };
  }
  const error = api.readRefusal({ status: said, text, retryAfterMs: null }, call);
  const isDecided = status !== 207 && said < 500 && said !== 408;
  return { ok: false, error, maybeCarriedOut: isWrite && !isDecided };
}
