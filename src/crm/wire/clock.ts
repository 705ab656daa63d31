import { setTimeout as delay } from 'node:timers/promises';

/** Time and chance, as parameters so that tests need not wait. */
export interface Clock {
  /** Epoch milliseconds: for what others say of time. It may be set, forwards and back. */
  nowMs(): number;
  /**
   * What `nowMs` was when this process began, and the milliseconds since, by a clock that is never
   * set: for how long something takes or is left alone, and for comparing clocks of others.
   */
  monotonicMs(): number;
  /** Rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to, not including, 1. */
  random(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.timeOrigin + performance.now(),
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
