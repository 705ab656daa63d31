import { type ClockBounds, narrowClock, seenClock } from '../../domain/clock-bounds.ts';
import { SyncError } from '../../domain/errors.ts';
import type { Budget, HoldChange, RequestDone, Traffic } from '../../domain/traffic.ts';
import type { Api } from './api.ts';
import type { Send } from './call.ts';
import { createSend, type WireLog } from './caller.ts';
import { type Clock, systemClock } from './clock.ts';
import type { CredentialsProvider } from './credentials.ts';
import { createEndpointQueue, type EndpointQueue } from './endpoint-queue.ts';
import { linkSignals } from './linked-signal.ts';
import { readDate } from './rate-headers.ts';
import type { SharedAllowance } from './shared-allowance.ts';
import type { SpareBuffers } from './spare-buffers.ts';
import { createTransport } from './transport.ts';
import { defaultUserAgent } from './user-agent.ts';

export interface ConnectionOptions {
  readonly credentials: CredentialsProvider;
  /** Percent of the API's rate limit we may use. */
  readonly allowancePercent: number;
  readonly log?: WireLog | undefined;
  /** Requests in flight per endpoint; default 8. */
  readonly concurrency?: number | undefined;
  /** Default 30 s. */
  readonly readTimeoutMs?: number | undefined;
  /** Default 8 s, less than the lease lasts. */
  readonly writeTimeoutMs?: number | undefined;
  /** A longer answer, unpacked, is given up; default 64 MB. */
  readonly mostAnswerBytes?: number | undefined;
  /** Those of the process, where it has several connections; default its own. */
  readonly buffers?: SpareBuffers | undefined;
  readonly userAgent?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** All that is between a CRM's own calls and the network. */
export interface Connection extends Required<Traffic> {
  readonly send: Send;
  /** The server's clock against ours, from the `Date` headers so far; null before the first. */
  readonly serverClock: ClockBounds | null;
  readonly userAgent: string;
  /** Gives up whatever waits or runs, and returns once nothing does. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Errors are `RemoteError`s with the codes of `docs/errors.md`; a call given up by its signal throws
 * the signal's reason, or `remote-interrupted` (ambiguous) where a write may have arrived.
 */
export function openConnection(api: Api, options: ConnectionOptions): Connection {
  const { credentials, allowancePercent, log, concurrency = 8, clock = systemClock } = options;
  const { mostAnswerBytes, buffers, userAgent = defaultUserAgent() } = options;
  const stopping = new AbortController();
  const queues = new Map<string, EndpointQueue>();
  const counters = new Map<string, SharedAllowance>();
  const running = new Set<Promise<unknown>>();
  const watchers = new Set<(done: RequestDone) => void>();
  const holdWatchers = new Set<(change: HoldChange) => void>();
  let serverClock: ClockBounds | null = null;
  const transport = createTransport({ clock, mostAnswerBytes, buffers, gather: api.gather });

  function onDone(done: RequestDone): void {
    for (const listener of watchers) listener(done);
  }

  function onHold(change: HoldChange): void {
    for (const listener of holdWatchers) listener(change);
  }

  function counterFor(endpoint: string): SharedAllowance {
    const name = api.counterOf(endpoint);
    const counter = counters.get(name) ?? api.createCounter(name, allowancePercent);
    counters.set(name, counter);
    return counter;
  }

  const sendUntilAborted = createSend({
    api,
    userAgent,
    transport,
    credentials,
    queueFor(endpoint) {
      const known = queues.get(endpoint);
      if (known !== undefined) return known;
      const shared = counterFor(endpoint);
      const deps = { api, shared, concurrency, clock, onDone, onHold };
      const queue = createEndpointQueue(endpoint, deps);
      queues.set(endpoint, queue);
      return queue;
    },
    observe({ headers, sentAtMs, answeredAtMs }) {
      const dateMs = readDate(headers.date);
      if (dateMs === null) return;
      // Whole seconds, cut.
      const seen = seenClock(dateMs, { sentAtMs, answeredAtMs, stepMs: 1_000 });
      serverClock = narrowClock(serverClock, seen);
    },
    clock,
    log,
    readTimeoutMs: options.readTimeoutMs ?? 30_000,
    writeTimeoutMs: options.writeTimeoutMs ?? 8_000,
  });

  return {
    userAgent,
    async send(call, callOptions) {
      const link = linkSignals(callOptions.signal, stopping.signal);
      const work = sendUntilAborted(call, { ...callOptions, signal: link.signal });
      running.add(work);
      try {
        return await work;
      } finally {
        running.delete(work);
        link.release();
      }
    },
    get serverClock() {
      return serverClock;
    },
    async stop() {
      stopping.abort(
        new SyncError(`The connection to ${api.title} is closed`, {
          code: 'remote-closed',
          disposition: 'retry',
        }),
      );
      await Promise.allSettled(running);
      transport.close();
    },
    stats: () => [...queues.values()].map((queue) => queue.stats()),
    budgets() {
      const byName = new Map<string, Budget>();
      for (const queue of queues.values()) {
        const { endpoint, limit, remaining, resetsAtMs = null } = queue.stats();
        if (limit === null || remaining === null || resetsAtMs === null) continue;
        const name = api.counterOf(endpoint);
        const known = byName.get(name);
        // Where endpoints have budgets of their own, the scarcest tells.
        if (known !== undefined && known.remaining <= remaining) continue;
        byName.set(name, { name, limit, remaining, resetsAtMs });
      }
      return [...byName.values()];
    },
    watch(listener) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    watchHolds(listener) {
      holdWatchers.add(listener);
      return () => holdWatchers.delete(listener);
    },
  };
}
