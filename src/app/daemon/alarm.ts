import { type CronTimes, cronTimes } from './cron-times.ts';
import { localOffset, type OffsetAt } from './local-time.ts';

/** The clocks of a machine, and its timer, as parameters so that a test can turn them. */
export interface MachineClock {
  /** Epoch milliseconds. Is set, forwards and back, and goes on while the machine sleeps. */
  nowMs(): number;
  /** Milliseconds of a clock that is never set, and may stand while the machine sleeps. */
  monotonicMs(): number;
  readonly offsetAt: OffsetAt;
  /** By the second of the two clocks. Returns what calls it off. */
  startTimer(ms: number, fire: () => void): () => void;
}

export const machineClock: MachineClock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  offsetAt: localOffset,
  startTimer(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

/** How soon it is noticed that the clock was set, or that the machine has slept. */
const LOOK_MS = 10_000;
/** A clock that is brought to the right time little by little is not set. */
const SET_MS = 1_000;
/** A clock set back by more was wrong before: what was done by it is not held against today. */
const REPEATED_MS = 86_400_000;

/**
 * Rings at the times of a cron expression, until stopped. Whatever became of the clock meanwhile,
 * it rings once for all that was missed; a clock set back neither holds it up nor makes a time of
 * day come again.
 */
export class Alarm {
  readonly #times: CronTimes;
  readonly #ring: () => void;
  readonly #clock: MachineClock;
  #dueMs: number | null;
  /** When it last rang; null before. */
  #rangMs: number | null = null;
  #seen: { readonly nowMs: number; readonly monotonicMs: number };
  #callOff: (() => void) | null = null;

  /** @param ring must not throw. */
  constructor(expression: string, ring: () => void, clock: MachineClock = machineClock) {
    this.#times = cronTimes(expression, clock.offsetAt);
    this.#ring = ring;
    this.#clock = clock;
    this.#seen = { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
    this.#dueMs = this.#times.after(this.#seen.nowMs);
    this.#wait();
  }

  stop(): void {
    this.#callOff?.();
    this.#callOff = null;
    this.#dueMs = null;
  }

  /** When it rings next, and how long from then to the time after; null where it has no time. */
  next(): { readonly at: Date; readonly intervalMs: number } | null {
    const atMs = this.#dueMs;
    const afterMs = atMs === null ? null : this.#times.after(atMs);
    if (atMs === null || afterMs === null) return null;
    return { at: new Date(atMs), intervalMs: afterMs - atMs };
  }

  #wait(): void {
    if (this.#dueMs === null) return;
    const leftMs = this.#dueMs - this.#seen.nowMs;
    const waitMs = Math.max(1, Math.min(LOOK_MS, leftMs));
    this.#callOff = this.#clock.startTimer(waitMs, () => this.#look());
  }

  #look(): void {
    const { nowMs: beforeMs, monotonicMs: startMs } = this.#seen;
    const nowMs = this.#clock.nowMs();
    const monotonicMs = this.#clock.monotonicMs();
    const setByMs = nowMs - beforeMs - (monotonicMs - startMs);
    this.#seen = { nowMs, monotonicMs };
    if (setByMs < -SET_MS) this.#dueMs = this.#dueAfterSetBack(nowMs, setByMs);
    const isDue = this.#dueMs !== null && nowMs >= this.#dueMs;
    if (isDue) {
      this.#rangMs = nowMs;
      this.#dueMs = this.#times.after(nowMs);
    }
    this.#wait();
    if (isDue) this.#ring();
  }

  #dueAfterSetBack(nowMs: number, setByMs: number): number | null {
    const { kind, after } = this.#times;
    const next = after(nowMs);
    if (kind === 'interval' || kind === 'hours') {
      // As much is left of it as before.
      return next === null || this.#dueMs === null ? next : Math.min(next, this.#dueMs + setByMs);
    }
    const rangMs = this.#rangMs ?? nowMs;
    const isRepeated = kind === 'times' && rangMs > nowMs && rangMs - nowMs <= REPEATED_MS;
    return isRepeated ? after(rangMs) : next;
  }
}
