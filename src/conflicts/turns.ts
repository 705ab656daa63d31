import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { SyncError } from '../domain/errors.ts';

/** Whoever reads an object moves its cursor: two at a time would undo each other's pages. */
export interface Turns {
  /**
   * Runs `read` once nobody else in this process reads the object, and again where another process
   * has moved the cursor meanwhile: then, or where it had to wait, `read` begins by loading it.
   *
   * @throws what `read` throws, or the signal's reason.
   */
  take<T>(object: string, signal: AbortSignal, read: (isAtOnce: boolean) => Promise<T>): Promise<T>;
}

/** Somebody got further each time, so this is reached only where two race for minutes. */
const MOST_ATTEMPTS = 60;
const LONGEST_PAUSE_MS = 2_000;

export function createTurns(
  deps: {
    readonly random?: () => number;
    readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  } = {},
): Turns {
  const { random = Math.random, pause = abortablePause } = deps;
  const queues = new Map<string, PQueue>();
  return {
    async take(object, signal, read) {
      const queue = queues.get(object) ?? new PQueue({ concurrency: 1 });
      queues.set(object, queue);
      const isFree = queue.size + queue.pending === 0;
      // Who waits may leave; one that reads and was told to stop is waited for.
      const waiting = new AbortController();
      const leave = () => waiting.abort(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
      const begun = () => signal.removeEventListener('abort', leave);
      const turn = async () => {
        begun();
        for (let attempt = 1; ; attempt += 1) {
          signal.throwIfAborted();
          try {
            return await read(isFree && attempt === 1);
          } catch (error) {
            const isMoved = error instanceof SyncError && error.code === 'cursor-moved';
            if (!isMoved || attempt >= MOST_ATTEMPTS) throw error;
            await pause(random() * Math.min(LONGEST_PAUSE_MS, 25 * 2 ** attempt), signal);
          }
        }
      };
      signal.throwIfAborted();
      return await queue.add(turn, { signal: waiting.signal }).finally(begun);
    },
  };
}

async function abortablePause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal });
}
