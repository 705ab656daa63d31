import { setTimeout as delay } from 'node:timers/promises';

/** Time and chance, as parameters so that tests need not wait. */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number;
  /** Rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to, not including, 1. */
  random(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
  random: Math.random,
};
