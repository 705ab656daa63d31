import type { Database } from './database.ts';
import { acquireLease, releaseLease, renewLease } from './lease.ts';

export interface LeaseKeeperOptions {
  readonly holder: string;
  /** Default 10 s: how long a dead leader keeps the others waiting. */
  readonly ttlMs?: number;
  /** Default 2.5 s. */
  readonly renewEveryMs?: number;
  /** Told when this process begins to lead, and when it ceases to. */
  readonly onChange?: (epoch: bigint | null) => void;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs?: () => number;
}

/**
 * Holds the lease, or tries to get it, until stopped. What it says of itself errs on the safe
 * side: a lease counts from before the statement that took it was sent. Start and stop are safe
 * in any order and any number of times.
 */
export class LeaseKeeper {
  readonly #db: Database;
  readonly #options: Required<LeaseKeeperOptions>;
  #epoch: bigint | null = null;
  #untilMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | null = null;
  #running = false;

  constructor(db: Database, options: LeaseKeeperOptions) {
    this.#db = db;
    this.#options = {
      ttlMs: 10_000,
      renewEveryMs: 2_500,
      onChange: () => undefined,
      monotonicMs: () => performance.now(),
      ...options,
    };
  }

  /** Null where this process does not lead, or no longer for certain. */
  get epoch(): bigint | null {
    return this.remainingMs() > 0 ? this.#epoch : null;
  }

  /** How long the lease lasts for certain. */
  remainingMs(): number {
    return this.#epoch === null ? 0 : Math.max(0, this.#untilMs - this.#options.monotonicMs());
  }

  /** Returns after the first attempt. @throws SyncError where the database does not answer. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#keep();
    } catch (error) {
      this.#running = false;
      throw error;
    }
    this.#schedule();
  }

  /** Releases the lease. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    await this.#turn?.catch(() => undefined);
    const epoch = this.#epoch;
    this.#set(null, 0);
    // Where the database is gone the lease runs out by itself.
    if (epoch !== null) await releaseLease(this.#db, epoch).catch(() => undefined);
  }

  #schedule(): void {
    if (!this.#running) return;
    this.#timer = setTimeout(() => {
      this.#turn = this.#keep()
        // A database that is away for a moment: what is left of the lease still counts.
        .catch(() => undefined)
        .finally(() => this.#schedule());
    }, this.#options.renewEveryMs);
  }

  async #keep(): Promise<void> {
    const { ttlMs, holder, monotonicMs } = this.#options;
    const askedAtMs = monotonicMs();
    if (this.#epoch !== null && (await renewLease(this.#db, this.#epoch, ttlMs))) {
      this.#set(this.#epoch, askedAtMs + ttlMs);
      return;
    }
    const again = monotonicMs();
    const lease = await acquireLease(this.#db, { holder, ttlMs });
    this.#set(lease?.epoch ?? null, again + ttlMs);
  }

  #set(epoch: bigint | null, untilMs: number): void {
    const changed = epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#untilMs = untilMs;
    if (changed) this.#options.onChange(epoch);
  }
}
