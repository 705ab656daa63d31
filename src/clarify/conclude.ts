import { z } from 'zod';
import { RemoteError } from '../domain/errors.ts';
import { parseJson } from '../domain/json.ts';
import { answerError, changedError } from './answer-error.ts';
import { BadAnswer, type Call } from './call.ts';
import type { Clock } from './clock.ts';
import { isObject } from './envelope.ts';
import { HELD_HINT, heldMessage, WORTH_TELLING_MS } from './hold.ts';
import { readRateHeaders } from './rate-headers.ts';
import type { Outcome } from './transport.ts';

/** What one attempt came to. */
export type Conclusion<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: RemoteError; readonly maybeCarriedOut: boolean };

export function conclude<T>(call: Call<T>, outcome: Outcome, clock: Clock): Conclusion<T> {
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
    const answered = answerError({ status, text, retryAfterMs }, call);
    const error = heldFor(answered, call, clock.nowMs());
    // A server or gateway that failed may have failed after the work was done.
    const decided = status >= 400 && status < 500 && status !== 408;
    return { ok: false, error, maybeCarriedOut: isWrite && !decided };
  }
  // Part of a page is not the page that was asked for.
  const isPart = status === 206 && !isWrite;
  try {
    if (isPart) throw new BadAnswer('it is a part of what was asked for');
    const body = text.trim() === '' ? undefined : parseJson(text);
    const complaint = complaintIn(body);
    if (complaint === null || (isWrite && complaint.hasData)) {
      return { ok: true, value: call.read(body, status) };
    }
    return complained(call, { status, text, said: complaint.status });
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

export function failureError(endpoint: string, { failure, cause }: Outcome & { kind: 'failure' }) {
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

/** A wait worth telling is told until when, instead of in the server's words. */
function heldFor(error: RemoteError, { endpoint }: Call<unknown>, nowMs: number): RemoteError {
  const { retryAfterMs = 0, status } = error;
  if ((status !== 429 && status !== 503) || retryAfterMs < WORTH_TELLING_MS) return error;
  const message = `${heldMessage(endpoint, nowMs + retryAfterMs)} (${status})`;
  return changedError(error, { message, hint: HELD_HINT, reason: undefined });
}

const complaints = z.looseObject({
  errors: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown()), z.string()])
    .transform((errors) => (typeof errors === 'string' ? errors.split('') : Object.values(errors)))
    .refine((errors) => errors.length > 0),
});
const saidStatus = z.looseObject({ status: z.coerce.number().int().min(400).max(599) });

/** `errors` in an answer that calls itself good. */
function complaintIn(body: unknown): { status: number | null; hasData: boolean } | null {
  if (!isObject(body) || body.errors === undefined) return null;
  const parsed = complaints.safeParse(body);
  if (!parsed.success) return null;
  const { errors, data } = parsed.data;
  const said = errors.map((one) => saidStatus.safeParse(one).data?.status ?? null);
  const hasData = Array.isArray(data) ? data.length > 0 : typeof data === 'object' && data !== null;
  // Where they differ, the one that is tried again.
  const [first = null] = said;
  return { status: said.every((one) => one === first) ? first : null, hasData };
}

/** Whatever the status line says, `errors` is no success: it is what its own status says. */
function complained(
  call: Call<unknown>,
  { status, text, said }: { status: number; text: string; said: number | null },
): Conclusion<never> {
  const isWrite = call.method !== 'GET';
  if (said === null) {
    const error = new RemoteError(`${call.endpoint}: Clarify answers ${status}, with errors`, {
      code: 'remote-bad-answer',
      disposition: 'retry',
      hint: 'It usually passes; if not, report it to Clarify.',
      status,
    });
    return { ok: false, error, maybeCarriedOut: isWrite };
  }
  const error = answerError({ status: said, text, retryAfterMs: null }, call);
  const isDecided = status !== 207 && said < 500 && said !== 408;
  return { ok: false, error, maybeCarriedOut: isWrite && !isDecided };
}
