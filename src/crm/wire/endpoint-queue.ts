import PQueue from 'p-queue';
import type { RemoteError } from '../../domain/errors.ts';
import type { Priority } from '../../domain/remote.ts';
import type { EndpointStats, HoldChange, RequestDone } from '../../domain/traffic.ts';
import { WINDOW_MS } from './allowance.ts';
import type { Api } from './api.ts';
import type { Clock } from './clock.ts';
import { createHold, heldError, keptError } from './hold.ts';
import type { RateHeaders } from './rate-headers.ts';
import type { SharedAllowance } from './shared-allowance.ts';
import type { Outcome } from './transport.ts';

export interface EndpointQueue {
  /**
   * Runs one attempt as soon as the allowance has room and nothing more urgent waits.
   *
   * @throws RemoteError `remote-rate-limited` where the server asks for a longer wait than a
   *   caller should sit through, before or while it waits; the signal's reason where it aborts while
   *   waiting.
   */
  run(priority: Priority, signal: AbortSignal, attempt: () => Promise<Outcome>): Promise<Outcome>;
  stats(): EndpointStats;
}

const RANK: Readonly<Record<Priority, number>> = { push: 2, pull: 1, backfill: 0 };
const BY_RANK: readonly Priority[] = ['push', 'pull', 'backfill'];
/**
 * No caller waits longer than this for the server's leave; twice the window is never needed. Who
 * pushes has others' changes behind the one that waits.
 */
const LONGEST_WAIT_MS: Readonly<Record<Priority, number>> = {
  push: 5_000,
  pull: 120_000,
  backfill: 120_000,
};
/** After a refusal that does not say how long. */
const REFUSED_MS = 1_000;

export function createEndpointQueue(
  endpoint: string,
  {
    api,
    shared,
    concurrency,
    clock,
    onDone,
    onHold = () => {},
  }: {
    api: Api;
    shared: SharedAllowance;
    concurrency: number;
    clock: Clock;
    onDone?: (done: RequestDone) => void;
    /** Told when the server begins to let nothing through for a while, and when that is over. */
    onHold?: (change: HoldChange) => void;
  },
): EndpointQueue {
  // Paused unless the most urgent request waiting may start: that is looked at again whenever a
  // request is added, starts or ends.
  const queue = new PQueue({ concurrency, autoStart: false });
  const waiting: Record<Priority, number> = { push: 0, pull: 0, backfill: 0 };
  const byStatus: Record<string, number> = {};
  let requests = 0;
  let alarm: AbortController | null = null;
  const allowance = shared.join(reconsider);
  let heldUntilMs: number | null = null;
  const hold = createHold((leftMs) => {
    heldUntilMs = leftMs === null ? null : clock.nowMs() + leftMs;
    onHold({ endpoint, untilMs: heldUntilMs });
  });
  /** Called where those that wait would wait too long. */
  const waiters = new Set<() => void>();

  function mostUrgent(): Priority | undefined {
    return BY_RANK.find((priority) => waiting[priority] > 0);
  }

  function reconsider(): void {
    alarm?.abort();
    alarm = null;
    const next = mostUrgent();
    const nowMs = clock.monotonicMs();
    const waitMs =
      next === undefined ? null : Math.max(hold.waitMs(nowMs), allowance.waitMs(next, nowMs));
    if (waitMs === 0) {
      queue.start();
      return;
    }
    queue.pause();
    if (waitMs === null) return;
    for (const waiter of waiters) waiter();
    if (Number.isFinite(waitMs) && mostUrgent() !== undefined) wakeAfter(waitMs);
  }

  function wakeAfter(ms: number): void {
    const mine = new AbortController();
    alarm = mine;
    clock.sleep(ms, mine.signal).then(reconsider, () => {
      // Called off: whoever did that looked at the queue again.
    });
  }

  async function spend(priority: Priority, attempt: () => Promise<Outcome>): Promise<Outcome> {
    const startedAtMs = clock.monotonicMs();
    const ticket = allowance.start(priority, startedAtMs);
    const isProbe = hold.started(startedAtMs);
    requests += 1;
    reconsider();
    let outcome: Outcome | null = null;
    try {
      outcome = await attempt();
      return outcome;
    } finally {
      const nowMs = clock.monotonicMs();
      if (outcome?.kind === 'answer') {
        const rate = api.readRate(outcome, clock.nowMs());
        const wishMs = wishOf(outcome.status, rate);
        hold.ended(outcome, { isProbe, wishMs, nowMs });
        if (wishMs !== null) for (const waiter of waiters) waiter();
        allowance.answered(ticket, rate, { refused: isUsedUp(outcome.status, rate), nowMs });
        count(String(outcome.status), nowMs - startedAtMs);
      } else {
        hold.ended(outcome, { isProbe, wishMs: null, nowMs });
        allowance.unanswered(ticket, { left: outcome?.left ?? false, nowMs });
        count(outcome?.failure ?? 'given-up', nowMs - startedAtMs);
      }
    }
  }

  function count(status: string, durationMs: number): void {
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    onDone?.({ endpoint, status, durationMs });
  }

  function heldTooLong(priority: Priority): RemoteError | null {
    const nowMs = clock.monotonicMs();
    const heldMs = hold.waitMs(nowMs);
    const spentMs = allowance.spentMs?.(priority, nowMs) ?? 0;
    const waitMs = Math.max(heldMs, spentMs);
    if (!Number.isFinite(waitMs) || waitMs <= LONGEST_WAIT_MS[priority]) return null;
    const leftMs = Math.max(hold.leftMs(nowMs), spentMs);
    const isKept = heldMs === 0 && allowance.spentMs?.('push', nowMs) === 0;
    if (isKept) return keptError(endpoint, clock.nowMs() + leftMs, waitMs);
    return heldError(api.title, endpoint, { untilMs: clock.nowMs() + leftMs, waitMs });
  }

  return {
    async run(priority, signal, attempt) {
      signal.throwIfAborted();
      const held = heldTooLong(priority);
      if (held !== null) throw held;
      // The queue drops a request whose signal aborts even while it runs. Ours aborts only while
      // it waits: what became of an attempt that left has to be known.
      const whileWaiting = new AbortController();
      let started = false;
      const giveUp = () => {
        if (!started) whileWaiting.abort(signal.reason);
      };
      const giveUpHeld = () => {
        const tooLong = started ? null : heldTooLong(priority);
        if (tooLong !== null) whileWaiting.abort(tooLong);
      };
      waiters.add(giveUpHeld);
      signal.addEventListener('abort', giveUp, { once: true });
      waiting[priority] += 1;
      const leaveLine = () => {
        started = true;
        waiting[priority] -= 1;
      };
      try {
        const result = queue.add(
          () => {
            leaveLine();
            return spend(priority, attempt);
          },
          { priority: RANK[priority], signal: whileWaiting.signal },
        );
        reconsider();
        return await result;
      } finally {
        signal.removeEventListener('abort', giveUp);
        waiters.delete(giveUpHeld);
        if (!started) {
          leaveLine();
          reconsider();
        }
      }
    },
    stats() {
      const { limit, remaining } = allowance;
      const resetAtMs = allowance.resetAtMs?.() ?? null;
      return {
        endpoint,
        requests,
        byStatus: { ...byStatus },
        limit,
        remaining,
        waiting: queue.size,
        heldUntilMs,
        resetsAtMs: resetAtMs === null ? null : clock.nowMs() + resetAtMs - clock.monotonicMs(),
      };
    },
  };
}

/** Refused because the limit is used up: that holds for everyone who shares it. */
function isUsedUp(status: number, { limit, remaining }: RateHeaders): boolean {
  return status === 429 && limit !== null && remaining === 0;
}

/** For how long this endpoint is to be let alone, beyond what its limit says; null where it is not. */
function wishOf(status: number, rate: RateHeaders): number | null {
  if (status !== 429) return status === 503 ? rate.retryAfterMs : null;
  const wishMs = rate.retryAfterMs ?? Math.min(rate.resetMs ?? REFUSED_MS, WINDOW_MS);
  return isUsedUp(status, rate) && wishMs <= WINDOW_MS ? null : Math.max(wishMs, MINIMUM_MS);
}

const MINIMUM_MS = 50;
