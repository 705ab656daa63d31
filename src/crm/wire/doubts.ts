import { changedError, RemoteError } from '../../domain/errors.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { Api } from './api.ts';
import { type Call, isWrite } from './call.ts';
import type { Clock } from './clock.ts';

/** From so long to twice as long lie between an answer that is doubted and the next. */
const PAUSE_MS = 2_000;

/**
 * Among thousands of good answers one says that the key is not accepted, that an object is not there
 * or forbidden, that the plan has ended: much would follow from it, so it is believed only once it
 * was said twice (invariant 10).
 */
export interface Doubts {
  /**
   * What to make of an error: to be sent again, or to be believed as it is given back. Pauses, and
   * throws the signal's reason.
   */
  judge(call: Call<unknown>, error: RemoteError, options: Doubted): Promise<'again' | RemoteError>;
  /** A good answer: what was said before is doubted anew. */
  answered(call: Call<unknown>): void;
}

interface Doubted extends CallOptions {
  /** Statuses for which this call was sent again already. */
  readonly doubted: readonly number[];
}

/** Where each answer says something else, the last is as good as any. */
const MOST_DOUBTS = 3;

/** One attempt, not repeated. */
type Ask = (
  call: Call<unknown>,
  options: CallOptions,
) => Promise<{ readonly ok: true } | { readonly ok: false; readonly error: RemoteError }>;

export function createDoubts(
  { api, clock }: { readonly api: Api; readonly clock: Clock },
  ask: Ask,
): Doubts {
  /** What was confirmed, and has not been otherwise since, by endpoint. */
  const confirmed = new Map<string, number>();
  let keyIsRefused = false;

  function pause({ signal }: CallOptions): Promise<void> {
    return clock.sleep(Math.ceil(PAUSE_MS * (1 + clock.random())), signal);
  }

  /** Whether the key is what is refused: another endpoint tells. Null where it does not. */
  async function isKeyRefused({ priority, signal }: CallOptions): Promise<boolean | null> {
    try {
      const asked = await ask(api.keyProbe, { priority, signal });
      if (asked.ok) return false;
      return asked.error.code === 'remote-unauthorized' ? true : null;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) return null;
      throw error;
    }
  }

  async function judgeKey(
    call: Call<unknown>,
    error: RemoteError,
    options: Doubted,
  ): Promise<'again' | RemoteError> {
    if (keyIsRefused) return error;
    await pause(options);
    const refused = await isKeyRefused(options);
    if (refused === true) {
      keyIsRefused = true;
      return error;
    }
    if (refused === false && !isConfirmed(401, options)) return 'again';
    return unlikely(api, call, { error, refused });
  }

  return {
    async judge(call, error, options) {
      const { endpoint } = call;
      const { status } = error;
      if (error.code === 'remote-unauthorized') return await judgeKey(call, error, options);
      // What is tried again is not concluded from; a gateway's page among them.
      if (status === null || error.disposition === 'retry') return error;
      if (!(call.doubts ?? []).includes(status)) return error;
      if (isConfirmed(status, options) || confirmed.get(endpoint) === status) {
        if (isAboutOneEndpoint(call)) confirmed.set(endpoint, status);
        return error;
      }
      await pause(options);
      return 'again';
    },
    answered({ endpoint }) {
      confirmed.delete(endpoint);
      keyIsRefused = false;
    },
  };
}

function isConfirmed(status: number, { doubted }: Doubted): boolean {
  return doubted.includes(status) || doubted.length >= MOST_DOUBTS;
}

/** Where the address names a record, what was said of one says nothing of the next. */
function isAboutOneEndpoint(call: Call<unknown>): boolean {
  return !isWrite(call) && !call.endpoint.includes('{id}');
}

/** 401 here, and the key is good elsewhere, or nobody can tell: no reason to end everything. */
function unlikely(
  { title, keyProbe }: Api,
  { endpoint, records }: Call<unknown>,
  { error, refused }: { readonly error: RemoteError; readonly refused: boolean | null },
): RemoteError {
  if (refused === null || records !== undefined || endpoint === keyProbe.endpoint) {
    return changedError(error, {
      code: 'remote-unavailable',
      disposition: 'retry',
      message: `${endpoint}: ${title} did not accept the key, and it was not confirmed (401)`,
      hint: 'It usually passes; `clarify-sync doctor` checks the key.',
    });
  }
  return changedError(error, {
    code: 'remote-forbidden',
    disposition: 'park',
    message: `${endpoint}: ${title} accepts the key elsewhere and not here (401)`,
  });
}
