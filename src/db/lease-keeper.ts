import type { Database } from './database.ts';
import { acquireLease, readExpiry, releaseLease, renewLease } from './lease.ts';

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
  /** Milliseconds of a clock that goes on while the machine sleeps. */
  readonly nowMs?: () => number;
}

/** A lease that is over and still in somebody's transaction is asked for again after this long. */
const AGAIN_MS = 100;

/**
 * Holds the lease, or tries to get it, until stopped. What it says of itself errs on the safe
 * side: a lease counts from before the statement that took it was sent, and is over as soon as
 * either of our clocks says so, since the other one may stand while the machine sleeps. Start and stop are safe
 * in any order and any number of times.
 */
export class LeaseKeeper {
  readonly #db: Database;
  readonly #options: Required<LeaseKeeperOptions>;
  #epoch: bigint | null = null;
  #untilMs = 0;
  /** The same by the clock that may be set. */
  #untilTimeMs = 0;
  /** Somebody else's lease that lasts longer than any does, and since when it has not moved. */
  #stuck: { readonly expiresAt: string; readonly sinceMs: number } | null = null;
  #nextTurn: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #running = false;
  /** When to renew, or where somebody else leads, when his lease is over if he has died. */
  #againInMs: number;

  constructor(db: Database, options: LeaseKeeperOptions) {
    this.#db = db;
    this.#options = {
      ttlMs: 10_000,
      renewEveryMs: 2_500,
      onChange: () => undefined,
      monotonicMs: () => performance.now(),
      nowMs: () => Date.now(),
      ...options,
    };
    this.#againInMs = this.#options.renewEveryMs;
  }

  /** Null where this process does not lead, or no longer for certain. */
  get epoch(): bigint | null {
    return this.remainingMs() > 0 ? this.#epoch : null;
  }

  /** How long the lease lasts for certain. */
  remainingMs(): number {
    if (this.#epoch === null) return 0;
    const { nowMs } = this.#options;
    return Math.max(0, Math.min(this.#leftMs(), this.#untilTimeMs - nowMs()));
  }

  #leftMs(): number {
    return Math.max(0, this.#untilMs - this.#options.monotonicMs());
  }

  /** Returns after the first attempt. @throws SyncError where the database does not answer. */
  async start(): Promise<void> {
    if (this.#running) return await this.#turn;
    this.#running = true;
    this.#turn = this.#turn.catch(() => undefined).then(() => this.#keep());
    try {
      await this.#turn;
    } catch (error) {
      this.#running = false;
      throw error;
    }
    this.#schedule();
  }

  /** Releases the lease. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#nextTurn);
    await this.#turn.catch(() => undefined);
    const epoch = this.#epoch;
    this.#set(null);
    // Where the database is gone the lease runs out by itself.
    if (epoch !== null) await releaseLease(this.#db, epoch).catch(() => undefined);
  }

  #schedule(): void {
    clearTimeout(this.#nextTurn);
    if (!this.#running) return;
    this.#nextTurn = setTimeout(() => {
      // A database that is away for a moment: what is left of the lease still counts.
      this.#turn = this.#keep().catch(() => undefined);
      void this.#turn.then(() => this.#schedule());
    }, this.#againInMs);
  }

  async #keep(): Promise<void> {
    const { ttlMs, holder, renewEveryMs } = this.#options;
    // Whoever waits longer has lost the lease before the answer comes.
    const waits = {
      lockTimeoutMs: renewEveryMs,
      statementTimeoutMs: renewEveryMs,
      reserved: true,
    };
    const held = this.#epoch;
    if (held !== null) {
      const until = this.#lease(ttlMs);
      if (await this.#db.transaction((tx) => renewLease(tx, held, ttlMs), waits)) {
        this.#set(held, until);
        this.#againInMs = renewEveryMs;
        return;
      }
      this.#set(null);
    }
    const until = this.#lease(ttlMs);
    const silent = this.#silent();
    const { lease, expiry } = await this.#db.transaction(async (tx) => {
      const taken = await acquireLease(tx, { holder, ttlMs, silent });
      return { lease: taken, expiry: taken === null ? await readExpiry(tx) : null };
    }, waits);
    this.#set(lease?.epoch ?? null, until);
    this.#watch(expiry);
    this.#againInMs = Math.min(renewEveryMs, Math.max(expiry?.leftMs ?? ttlMs, AGAIN_MS));
  }

  /** A lease that is taken now ends then. */
  #lease(ttlMs: number): { readonly untilMs: number; readonly untilTimeMs: number } {
    const { monotonicMs, nowMs } = this.#options;
    return { untilMs: monotonicMs() + ttlMs, untilTimeMs: nowMs() + ttlMs };
  }

  /** A lease that ends later than any can was given by a clock that has been set back since. */
  #watch(expiry: { readonly expiresAt: string | null; readonly leftMs: number } | null): void {
    const { ttlMs, monotonicMs } = this.#options;
    const expiresAt = expiry !== null && expiry.leftMs > ttlMs ? expiry.expiresAt : null;
    if (expiresAt === null) this.#stuck = null;
    else if (this.#stuck?.expiresAt !== expiresAt) {
      this.#stuck = { expiresAt, sinceMs: monotonicMs() };
    }
  }

  /** Nobody who is alive leaves his lease alone for that long. */
  #silent(): string | null {
    const { ttlMs, monotonicMs } = this.#options;
    if (this.#stuck === null || monotonicMs() - this.#stuck.sinceMs <= ttlMs) return null;
    return this.#stuck.expiresAt;
  }

  #set(epoch: bigint | null, until = { untilMs: 0, untilTimeMs: 0 }): void {
    const changed = epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#untilMs = until.untilMs;
    this.#untilTimeMs = until.untilTimeMs;
    clearTimeout(this.#expiry);
    // Nobody tells us where the database is out of reach: the lease ends all the same.
    if (epoch !== null) this.#expiry = setTimeout(() => this.#expire(), this.#leftMs());
    if (changed) this.#options.onChange(epoch);
  }

  #expire(): void {
    const leftMs = this.#leftMs();
    if (leftMs === 0) this.#set(null);
    else this.#expiry = setTimeout(() => this.#expire(), leftMs);
  }
}
