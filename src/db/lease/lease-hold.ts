export interface LeaseHoldOptions {
  /** Told when this process begins to lead, and when it ceases to. */
  readonly onChange?: (epoch: bigint | null) => void;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs?: () => number;
  /** Milliseconds of a clock that goes on while the machine sleeps. */
  readonly nowMs?: () => number;
}

/** When a lease ends, by both clocks. */
export interface LeaseEnd {
  readonly untilMs: number;
  readonly untilTimeMs: number;
}

/**
 * What a process knows of the lease it holds. It errs on the safe side: a lease counts from before
 * the statement that took it was sent, and is over as soon as either of our clocks says so, since
 * the other one may stand while the machine sleeps.
 */
export class LeaseHold {
  readonly #options: Required<LeaseHoldOptions>;
  #epoch: bigint | null = null;
  #end: LeaseEnd = { untilMs: 0, untilTimeMs: 0 };
  #expiry: NodeJS.Timeout | undefined;

  constructor(options: LeaseHoldOptions = {}) {
    this.#options = {
      onChange: () => undefined,
      monotonicMs: () => performance.now(),
      nowMs: () => Date.now(),
      ...options,
    };
  }

  /** Null where this process does not lead, or no longer for certain. */
  get epoch(): bigint | null {
    return this.remainingMs() > 0 ? this.#epoch : null;
  }

  /** What was taken last and not let go of, however old; to renew or release it. */
  get held(): bigint | null {
    return this.#epoch;
  }

  /** How long the lease lasts for certain. */
  remainingMs(): number {
    if (this.#epoch === null) return 0;
    const { nowMs } = this.#options;
    return Math.max(0, Math.min(this.#leftMs(), this.#end.untilTimeMs - nowMs()));
  }

  /** When a lease ends that is asked for now: to be called before the statement is sent. */
  endOf(ttlMs: number): LeaseEnd {
    const { monotonicMs, nowMs } = this.#options;
    return { untilMs: monotonicMs() + ttlMs, untilTimeMs: nowMs() + ttlMs };
  }

  hold(epoch: bigint, end: LeaseEnd): void {
    this.#set(epoch, end);
  }

  letGo(): void {
    this.#set(null, { untilMs: 0, untilTimeMs: 0 });
  }

  #leftMs(): number {
    return Math.max(0, this.#end.untilMs - this.#options.monotonicMs());
  }

  #set(epoch: bigint | null, end: LeaseEnd): void {
    const changed = epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#end = end;
    clearTimeout(this.#expiry);
    // Nobody tells us where the database is out of reach: the lease ends all the same.
    if (epoch !== null) this.#expiry = setTimeout(() => this.#expire(), this.#leftMs());
    if (changed) this.#options.onChange(epoch);
  }

  #expire(): void {
    const leftMs = this.#leftMs();
    if (leftMs === 0) this.letGo();
    else this.#expiry = setTimeout(() => this.#expire(), leftMs);
  }
}
