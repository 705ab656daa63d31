import { setTimeout as timer } from 'node:timers/promises';
import { isPassing, RemoteError } from '../../domain/errors.ts';
import { createService, type Service } from '../service.ts';

/** Waits that long, or until the signal; never rejects. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Ends the pause of a loop. A wake that comes while the loop works ends its next pause. */
export class Wake {
  #controller = new AbortController();

  wake(): void {
    this.#controller.abort();
  }

  /** Everything before this call is taken note of: aborted by the next `wake`. */
  renew(): AbortSignal {
    this.#controller = new AbortController();
    return this.#controller.signal;
  }
}

export interface LoopLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface LoopOptions {
  readonly name: string;
  /** One round. May say how long to pause after it, instead of `idleMs`. */
  readonly runOnce: (signal: AbortSignal) => Promise<{ readonly pauseMs?: number } | undefined>;
  readonly idleMs: number;
  readonly wake?: Wake;
  readonly log: LoopLog;
  readonly random?: () => number;
  readonly sleep?: Sleep;
}

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

const sleepFor: Sleep = (ms, signal) =>
  timer(ms, undefined, { signal }).then(
    () => undefined,
    () => undefined,
  );

/** How long a pause after that many failures may be: it is chosen at random up to this. */
function ceilingMs(failures: number): number {
  return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 16));
}

/** A hiccup is worth a note; what has lasted for a while needs somebody to look at it. */
function levelFor(pauseMs: number): 'info' | 'warn' | 'error' {
  if (pauseMs < 4_000) return 'info';
  return pauseMs < 30_000 ? 'warn' : 'error';
}

/**
 * Repeats `runOnce` until the signal. What may pass is tried again after a pause that doubles,
 * with full jitter, and is at least what the server asked for; success resets it.
 *
 * @throws whatever no repetition mends: an error to halt on, or one that nobody expected.
 */
export async function runLoop(options: LoopOptions, signal: AbortSignal): Promise<void> {
  const { name, log, random = Math.random, sleep = sleepFor } = options;
  let failures = 0;
  while (!signal.aborted) {
    // Renewed before looking, so that what happens meanwhile is not slept over.
    const woken = options.wake?.renew();
    let pauseMs = options.idleMs;
    try {
      const result = await options.runOnce(signal);
      pauseMs = result?.pauseMs ?? options.idleMs;
      if (failures > 0) log.info({ loop: name, failures }, `${name} works again`);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      failures += 1;
      const longestMs = ceilingMs(failures);
      // What the server wants to be let alone is one endpoint: the client sees to that.
      const askedMs = error instanceof RemoteError ? (error.retryAfterMs ?? 0) : 0;
      pauseMs = Math.max(Math.min(askedMs, LONGEST_BACKOFF_MS), random() * longestMs);
      const fields = { loop: name, failures, code: error.code, pauseMs: Math.round(pauseMs) };
      log[levelFor(longestMs)](fields, `${name}: ${error.message}`);
    }
    // A nudge must not turn a failing loop into a busy one.
    const reasons = failures === 0 && woken ? [signal, woken] : [signal];
    await sleep(pauseMs, AbortSignal.any(reasons));
  }
}

/** {@link runLoop} as a service. @param onHalt told once of the error that ended the loop. */
export function createLoop(options: LoopOptions, onHalt: (error: unknown) => void): Service {
  return createService(() => {
    const stopping = new AbortController();
    const loop = runLoop(options, stopping.signal).catch(onHalt);
    return async () => {
      stopping.abort();
      await loop;
    };
  });
}
