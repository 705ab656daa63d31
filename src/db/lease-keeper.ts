import type { Database } from './database.ts';
import { acquireLease, readTimeToExpiry, releaseLease, renewLease } from './lease.ts';

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

/** A lease that is over and still in somebody's transaction is asked for again after this long. */
const AGAIN_MS = 100;

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
    return this.#epoch === null ? 0 : Math.max(0, this.#untilMs - this.#options.monotonicMs());
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
    this.#set(null, 0);
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
    const { ttlMs, holder, monotonicMs, renewEveryMs } = this.#options;
    // Whoever waits longer has lost the lease before the answer comes.
    const waits = { lockTimeoutMs: renewEveryMs, statementTimeoutMs: renewEveryMs };
    const held = this.#epoch;
    if (held !== null) {
      const askedAtMs = monotonicMs();
      if (await this.#db.transaction((tx) => renewLease(tx, held, ttlMs), waits)) {
        this.#set(held, askedAtMs + ttlMs);
        this.#againInMs = renewEveryMs;
        return;
      }
      this.#set(null, 0);
    }
    const askedAtMs = monotonicMs();
    const { lease, leftMs } = await this.#db.transaction(async (tx) => {
      const taken = await acquireLease(tx, { holder, ttlMs });
      return { lease: taken, leftMs: taken === null ? await readTimeToExpiry(tx) : ttlMs };
    }, waits);
    this.#set(lease?.epoch ?? null, askedAtMs + ttlMs);
    this.#againInMs = Math.min(renewEveryMs, Math.max(leftMs, AGAIN_MS));
  }

  #set(epoch: bigint | null, untilMs: number): void {
    const changed = epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#untilMs = untilMs;
    clearTimeout(this.#expiry);
    // Nobody tells us where the database is out of reach: the lease ends all the same.
    if (epoch !== null) this.#expiry = setTimeout(() => this.#expire(), this.remainingMs());
    if (changed) this.#options.onChange(epoch);
  }

  #expire(): void {
    const leftMs = this.remainingMs();
    if (leftMs === 0) this.#set(null, 0);
    else this.#expiry = setTimeout(() => this.#expire(), leftMs);
  }
}
