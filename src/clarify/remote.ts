import { type ClockBounds, narrowClock, seenClock } from '../domain/clock-bounds.ts';
import { SyncError } from '../domain/errors.ts';
import type { Remote } from '../domain/remote.ts';
import { createActivities } from './activities.ts';
import { createBatchLimit } from './batch-limit.ts';
import type { Send } from './call.ts';
import { type ClarifyLog, createSend } from './caller.ts';
import { type Clock, systemClock } from './clock.ts';
import { apiKeyCredentials, type CredentialsProvider } from './credentials.ts';
import { createDecoder } from './decode-record.ts';
import { createDelete } from './deletes.ts';
import { discover } from './discover.ts';
import { createEndpointQueue, type EndpointQueue, type EndpointStats } from './endpoint-queue.ts';
import type { HoldChange } from './hold.ts';
import { linkSignals } from './linked-signal.ts';
import { createPageLimit } from './page-limit.ts';
import { readDate } from './rate-headers.ts';
import { createReads } from './reads.ts';
import { createLinkWrites } from './relationships.ts';
import type { RequestDone } from './request-done.ts';
import { createSharedAllowance, type SharedAllowance } from './shared-allowance.ts';
import { createReadTranscript, type ReadTranscript } from './transcripts.ts';
import { createTransport } from './transport.ts';
import { defaultUserAgent } from './user-agent.ts';
import { createWireForms } from './wire-forms.ts';
import { createWrites } from './writes.ts';

export interface ClarifyRemoteOptions {
  /** Such as `https://api.clarify.ai/v1`. */
  readonly baseUrl: string;
  /** The workspace's slug. */
  readonly workspace: string;
  /** A key, or whatever gives the credentials to use now. */
  readonly apiKey: string | CredentialsProvider;
  /** Percent of the API's rate limit we may use. */
  readonly allowancePercent: number;
  readonly log?: ClarifyLog;
  /** Requests in flight per endpoint; default 8. */
  readonly concurrency?: number;
  /** Default 30 s. */
  readonly readTimeoutMs?: number;
  /** Default 8 s, less than the lease lasts. */
  readonly writeTimeoutMs?: number;
  /** A longer answer, unpacked, is given up; default 64 MB. */
  readonly mostAnswerBytes?: number;
  readonly userAgent?: string;
  readonly clock?: Clock;
}

export interface ClarifyRemote extends Remote {
  readonly readTranscript: ReadTranscript;
  /** Gives up whatever waits or runs, and returns once nothing does. Safe to call twice. */
  stop(): Promise<void>;
  stats(): readonly EndpointStats[];
  /** Tells of every attempt that ends. @returns how to stop that. */
  watch(listener: (done: RequestDone) => void): () => void;
  /** Tells where the server begins to let nothing through, and where it does again. */
  watchHolds(listener: (change: HoldChange) => void): () => void;
}

/** The vendor's cap for bulk calls in the classic dialect. */
const CLASSIC_BATCH = 25;

/**
 * A Clarify workspace over HTTP, in either dialect: which one is told by what the server answers,
 * never by configuration. Errors are `RemoteError`s with the codes of `docs/errors.md`; a call
 * given up by its signal throws the signal's reason, or `remote-interrupted` (ambiguous) where a
 * write may have arrived.
 */
export function createClarifyRemote(options: ClarifyRemoteOptions): ClarifyRemote {
  const { allowancePercent: percent, concurrency = 8, clock = systemClock } = options;
  const { apiKey } = options;
  const stopping = new AbortController();
  const queues = new Map<string, EndpointQueue>();
  const allowances = new Map<string, SharedAllowance>();
  const running = new Set<Promise<unknown>>();
  const watchers = new Set<(done: RequestDone) => void>();
  const holdWatchers = new Set<(change: HoldChange) => void>();
  let serverClock: ClockBounds | null = null;
  const transport = createTransport({ clock, mostAnswerBytes: options.mostAnswerBytes });
  const forms = createWireForms();
  const decoder = createDecoder(forms);
  const pageLimit = createPageLimit();
  const batchLimit = createBatchLimit();

  function onDone(done: RequestDone): void {
    for (const listener of watchers) listener(done);
  }

  function onHold(change: HoldChange): void {
    for (const listener of holdWatchers) listener(change);
  }

  function sharedBy(endpoint: string): SharedAllowance {
    const template = endpoint
      .replace(/^([A-Z]+ \/objects\/)[^/]+/, '$1{object}')
      .replace(/\/relationships\/.*$/, '/relationships/{field}');
    const shared = allowances.get(template) ?? createSharedAllowance(percent);
    allowances.set(template, shared);
    return shared;
  }

  const userAgent = options.userAgent ?? defaultUserAgent();
  const sendUntilAborted = createSend({
    root: `${options.baseUrl.replace(/\/+$/, '')}/workspaces/${encodeURIComponent(options.workspace)}`,
    userAgent,
    transport,
    credentials: typeof apiKey === 'string' ? apiKeyCredentials(apiKey) : apiKey,
    queueFor(endpoint) {
      const known = queues.get(endpoint);
      if (known !== undefined) return known;
      const shared = sharedBy(endpoint);
      const queue = createEndpointQueue(endpoint, { shared, concurrency, clock, onDone, onHold });
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
    log: options.log,
    readTimeoutMs: options.readTimeoutMs ?? 30_000,
    writeTimeoutMs: options.writeTimeoutMs ?? 8_000,
  });

  const send: Send = async (call, callOptions) => {
    const link = linkSignals(callOptions.signal, stopping.signal);
    const work = sendUntilAborted(call, { ...callOptions, signal: link.signal });
    running.add(work);
    try {
      return await work;
    } finally {
      running.delete(work);
      link.release();
    }
  };

  return {
    async discover(callOptions) {
      const classic = () => batchLimit.cap(CLASSIC_BATCH);
      const objects = await discover({ send, forms, classic }, callOptions);
      decoder.know(objects);
      return objects;
    },
    ...createReads({ send, decoder, pageLimit }),
    ...createWrites({ send, decoder, forms, batchLimit }),
    ...createActivities({ send, clock }),
    ...createLinkWrites(send),
    readTranscript: createReadTranscript(send, { api: new URL(options.baseUrl), userAgent }),
    delete: createDelete({ send, batchLimit }),
    get limits() {
      return { pageSize: pageLimit.size, batchSize: batchLimit.size };
    },
    get clock() {
      return serverClock;
    },
    async stop() {
      stopping.abort(
        new SyncError('The connection to Clarify is closed', {
          code: 'remote-closed',
          disposition: 'retry',
        }),
      );
      await Promise.allSettled(running);
      transport.close();
    },
    stats: () => [...queues.values()].map((queue) => queue.stats()),
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
