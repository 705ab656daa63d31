import type { Database } from '../connection/database.ts';
import { acquireLease, readExpiry, releaseLease, renewLease } from './lease.ts';
import { LeaseHold, type LeaseHoldOptions } from './lease-hold.ts';

export interface LeaseKeeperOptions extends LeaseHoldOptions {
  readonly holder: string;
  /** Default 10 s: how long a dead leader keeps the others waiting. */
  readonly ttlMs?: number;
  /** Default 2.5 s. */
  readonly renewEveryMs?: number;
}

/** A lease that is over and still in somebody's transaction is asked for again after this long. */
const AGAIN_MS = 100;

/**
 * Holds the lease, or tries to get it, until stopped. Start and stop are safe in any order and any
 * number of times.
 */
export class LeaseKeeper {
  readonly #db: Database;
  readonly #options: Required<Pick<LeaseKeeperOptions, 'holder' | 'ttlMs' | 'renewEveryMs'>>;
  readonly #monotonicMs: () => number;
  readonly #hold: LeaseHold;
  /** Somebody else's lease that lasts longer than any does, and since when it has not moved. */
  #stuck: { readonly expiresAt: string; readonly sinceMs: number } | null = null;
  #nextTurn: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #running = false;
  /** When to renew, or where somebody else leads, when his lease is over if he has died. */
  #againInMs: number;

  constructor(db: Database, options: LeaseKeeperOptions) {
    this.#db = db;
    const { holder, ttlMs = 10_000, renewEveryMs = 2_500 } = options;
    this.#options = { holder, ttlMs, renewEveryMs };
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#hold = new LeaseHold(options);
    this.#againInMs = renewEveryMs;
  }

  /** Null where this process does not lead, or no longer for certain. */
  get epoch(): bigint | null {
    return this.#hold.epoch;
  }

  /** How long the lease lasts for certain. */
  remainingMs(): number {
    return this.#hold.remainingMs();
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
    const { held } = this.#hold;
    this.#hold.letGo();
    // Where the database is gone the lease runs out by itself.
    if (held !== null) await releaseLease(this.#db, held).catch(() => undefined);
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
    const { held } = this.#hold;
    if (held !== null) {
      const end = this.#hold.endOf(ttlMs);
      if (await renewLease(this.#db, held, ttlMs, waits)) {
        this.#hold.hold(held, end);
        this.#againInMs = renewEveryMs;
        return;
      }
      this.#hold.letGo();
    }
    const end = this.#hold.endOf(ttlMs);
    const silent = this.#silent();
    const { lease, expiry } = await this.#db.transaction(async (tx) => {
      const taken = await acquireLease(tx, { holder, ttlMs, silent });
      return { lease: taken, expiry: taken === null ? await readExpiry(tx) : null };
    }, waits);
    if (lease !== null) this.#hold.hold(lease.epoch, end);
    this.#watch(expiry);
    this.#againInMs = Math.min(renewEveryMs, Math.max(expiry?.leftMs ?? ttlMs, AGAIN_MS));
  }

  /** A lease that ends later than any can was given by a clock that has been set back since. */
  #watch(expiry: { readonly expiresAt: string | null; readonly leftMs: number } | null): void {
    const { ttlMs } = this.#options;
    const expiresAt = expiry !== null && expiry.leftMs > ttlMs ? expiry.expiresAt : null;
    if (expiresAt === null) this.#stuck = null;
    else if (this.#stuck?.expiresAt !== expiresAt) {
      this.#stuck = { expiresAt, sinceMs: this.#monotonicMs() };
    }
  }

  /** Nobody who is alive leaves his lease alone for that long. */
  #silent(): string | null {
    const { ttlMs } = this.#options;
    if (this.#stuck === null || this.#monotonicMs() - this.#stuck.sinceMs <= ttlMs) return null;
    return this.#stuck.expiresAt;
  }
}
