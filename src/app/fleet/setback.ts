import { isPassing, SyncError } from '../../domain/errors.ts';

/** Why a workspace does not run here, and when it is tried again. */
export interface Setback {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly retryAt: Date;
}

interface Pauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** What passes by itself is looked at often; what somebody has to mend, soon at first. */
const PASSING: Pauses = { firstMs: 1_000, longestMs: 60_000 };
const MENDED: Pauses = { firstMs: 5_000, longestMs: 300_000 };
/** Whoever has worked for that long is not the one that fails again and again. */
const PROVEN_MS = 120_000;

/** Counts how often a workspace failed, and says how long it is let alone. */
export class Setbacks {
  readonly #random: () => number;
  #attempts = 0;
  current: Setback | null = null;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** @returns how long to wait. */
  failed(error: unknown, workedMs: number): number {
    this.#attempts = workedMs >= PROVEN_MS ? 1 : this.#attempts + 1;
    const { firstMs, longestMs } = isPassing(error) ? PASSING : MENDED;
    const ceilingMs = Math.min(longestMs, firstMs * 2 ** Math.min(this.#attempts - 1, 16));
    // Half of it by chance: what failed together parts.
    const pauseMs = ceilingMs * (0.5 + this.#random() / 2);
    const said =
      error instanceof SyncError
        ? { code: error.code, message: error.message, hint: error.hint ?? null }
        : UNEXPECTED;
    this.current = { ...said, retryAt: new Date(Date.now() + pauseMs) };
    return pauseMs;
  }

  over(): void {
    this.current = null;
  }

  /** Somebody has changed what it failed by. */
  forget(): void {
    this.#attempts = 0;
    this.current = null;
  }
}

const UNEXPECTED = {
  code: 'unexpected',
  message: 'a bug of clarify-sync',
  hint: 'The log has its stack: please report it.',
};
