import PQueue from 'p-queue';
import { RemoteError } from '../domain/errors.ts';
import type { Priority } from '../domain/remote.ts';
import type { Clock } from './clock.ts';
import { readRateHeaders } from './rate-headers.ts';
import type { RequestDone } from './request-done.ts';
import type { SharedAllowance } from './shared-allowance.ts';
import type { Outcome } from './transport.ts';

/** What one endpoint did since the client was made. */
export interface EndpointStats {
  readonly endpoint: string;
  readonly requests: number;
  /** By HTTP status, or by failure (`timeout`, `reset`, …) where no answer came. */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly waiting: number;
}

export interface EndpointQueue {
  /**
   * Runs one attempt as soon as the allowance has room and nothing more urgent waits.
   *
   * @throws RemoteError `remote-rate-limited` where the server asks for a longer wait than a
   *   caller should sit through; the signal's reason where it aborts while waiting.
   */
  run(priority: Priority, signal: AbortSignal, attempt: () => Promise<Outcome>): Promise<Outcome>;
  stats(): EndpointStats;
}

const RANK: Readonly<Record<Priority, number>> = { push: 2, pull: 1, backfill: 0 };
const BY_RANK: readonly Priority[] = ['push', 'pull', 'backfill'];
/** No caller waits longer than this for the server's leave; twice the window is never needed. */
const LONGEST_WAIT_MS = 120_000;

export function createEndpointQueue(
  endpoint: string,
  {
    shared,
    concurrency,
    clock,
    onDone,
  }: {
    shared: SharedAllowance;
    concurrency: number;
    clock: Clock;
    onDone?: (done: RequestDone) => void;
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

  function mostUrgent(): Priority | undefined {
    return BY_RANK.find((priority) => waiting[priority] > 0);
  }

  function reconsider(): void {
    alarm?.abort();
    alarm = null;
    const next = mostUrgent();
    const waitMs = next === undefined ? null : allowance.waitMs(next, clock.monotonicMs());
    if (waitMs === 0) {
      queue.start();
      return;
    }
    queue.pause();
    if (waitMs !== null && Number.isFinite(waitMs)) wakeAfter(waitMs);
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
    requests += 1;
    reconsider();
    let outcome: Outcome | null = null;
    try {
      outcome = await attempt();
      return outcome;
    } finally {
      const nowMs = clock.monotonicMs();
      if (outcome?.kind === 'answer') {
        allowance.answered(ticket, readRateHeaders(outcome.headers, clock.nowMs()), {
          refused: outcome.status === 429,
          nowMs,
        });
        count(String(outcome.status), nowMs - startedAtMs);
      } else {
        allowance.unanswered(ticket, { left: outcome?.left ?? false, nowMs });
        count(outcome?.failure ?? 'given-up', nowMs - startedAtMs);
      }
    }
  }

  function count(status: string, durationMs: number): void {
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    onDone?.({ endpoint, status, durationMs });
  }

  return {
    async run(priority, signal, attempt) {
      signal.throwIfAborted();
      const waitMs = allowance.waitMs(priority, clock.monotonicMs());
      if (Number.isFinite(waitMs) && waitMs > LONGEST_WAIT_MS) {
        throw new RemoteError(`The server lets no request to ${endpoint} through for a while`, {
          code: 'remote-rate-limited',
          disposition: 'retry',
          status: 429,
          retryAfterMs: waitMs,
        });
      }
      // The queue drops a request whose signal aborts even while it runs. Ours aborts only while
      // it waits: what became of an attempt that left has to be known.
      const whileWaiting = new AbortController();
      let started = false;
      const giveUp = () => {
        if (!started) whileWaiting.abort(signal.reason);
      };
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
        if (!started) {
          leaveLine();
          reconsider();
        }
      }
    },
    stats() {
      const { limit, remaining } = allowance;
      return {
        endpoint,
        requests,
        byStatus: { ...byStatus },
        limit,
        remaining,
        waiting: queue.size,
      };
    },
  };
}
