import type { MachineClock } from '../../src/app/daemon/alarm.ts';
import type { OffsetAt } from '../../src/app/daemon/local-time.ts';

/** A machine whose clocks pass when told to, and are set, stopped and put to sleep. */
export interface TurnedClock extends MachineClock {
  /** Time passes; timers fire when they are due, and what they began comes to its end. */
  pass(ms: number): Promise<void>;
  /** The clock is set, by so much. */
  set(byMs: number): void;
  /** The machine sleeps: its clock goes on, timers and the monotonic clock stand. */
  sleep(ms: number): void;
  /** The process stands still (SIGSTOP): both clocks go on, nothing runs until it is over. */
  stand(ms: number): Promise<void>;
}

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

export function turnedClock(startMs: number, offsetAt: OffsetAt): TurnedClock {
  let nowMs = startMs;
  let monotonicMs = 0;
  const timers = new Set<Timer>();

  function nextTimer(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }

  async function pass(ms: number): Promise<void> {
    const untilMs = monotonicMs + ms;
    for (let timer = nextTimer(untilMs); timer; timer = nextTimer(untilMs)) {
      timers.delete(timer);
      const waitMs = Math.max(0, timer.atMs - monotonicMs);
      monotonicMs += waitMs;
      nowMs += waitMs;
      timer.fire();
      for (let turn = 0; turn < 3; turn += 1) await Promise.resolve();
    }
    nowMs += untilMs - monotonicMs;
    monotonicMs = untilMs;
  }

  return {
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs,
    offsetAt,
    startTimer(ms, fire) {
      const timer = { atMs: monotonicMs + ms, fire };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass,
    set(byMs) {
      nowMs += byMs;
    },
    sleep(ms) {
      nowMs += ms;
    },
    async stand(ms) {
      nowMs += ms;
      monotonicMs += ms;
      await pass(0);
    },
  };
}
