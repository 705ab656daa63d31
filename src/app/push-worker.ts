import { setTimeout as sleep } from 'node:timers/promises';
import type { LeaseKeeper } from '../db/lease-keeper.ts';
import { recordRun } from '../db/run-log.ts';
import { isPassing } from '../domain/errors.ts';
import { type PushResult, runPush } from '../push/push.ts';
import { pushDeps } from './push-once.ts';
import type { Session } from './session.ts';

export interface PushWorkerOptions {
  /** Told of an error that no repetition mends. */
  readonly onHalt: (error: unknown) => void;
  /** Told of every push that did something. */
  readonly onPushed?: (counts: Omit<PushResult, 'waitMs'>) => void;
}

/** The outbox is looked at this often, whatever notifications say. */
const POLL_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Sends what is committed, as soon as it is told of it and every two seconds anyway. Works only
 * while this process leads. Start and stop are safe in any order and any number of times.
 */
export class PushWorker {
  readonly #session: Session;
  readonly #lease: LeaseKeeper;
  readonly #options: PushWorkerOptions;
  #stopping = new AbortController();
  #wake = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(session: Session, lease: LeaseKeeper, options: PushWorkerOptions) {
    this.#session = session;
    this.#lease = lease;
    this.#options = options;
  }

  start(): void {
    if (this.#loop) return;
    this.#stopping = new AbortController();
    this.#loop = this.#run(this.#stopping.signal);
  }

  /** Returns when nothing is in flight any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    this.#loop = null;
  }

  /** Something was committed. */
  wake(): void {
    this.#wake.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      // Renewed before looking, so that a commit meanwhile is not slept over.
      this.#wake = new AbortController();
      try {
        if (this.#lease.epoch !== null) await this.#push(signal);
        failures = 0;
      } catch (error) {
        if (!isPassing(error)) return this.#options.onHalt(error);
        failures += 1;
        this.#session.log[failures > 3 ? 'warn' : 'info']({ code: error.code }, error.message);
      }
      const pauseMs = failures === 0 ? POLL_MS : Math.random() * backoff(failures);
      const woken = failures === 0 ? [signal, this.#wake.signal] : [signal];
      await sleep(pauseMs, undefined, { signal: AbortSignal.any(woken) }).catch(() => undefined);
    }
  }

  async #push(signal: AbortSignal): Promise<void> {
    const startedAtMs = performance.now();
    await this.#session.followSchema();
    const { waitMs, ...counts } = await runPush(pushDeps(this.#session, this.#lease), signal);
    if (Object.values(counts).every((count) => count === 0)) return;
    this.#session.log.info({ ...counts, waitMs }, 'pushed');
    this.#options.onPushed?.(counts);
    const { db, holder } = this.#session;
    const tookMs = performance.now() - startedAtMs;
    await recordRun(db, { kind: 'push', object: null, holder, counts, tookMs });
  }
}

function backoff(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** failures);
}
