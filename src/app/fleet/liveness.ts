import type { Expiry } from '../../db/lease/beat.ts';

/**
 * Tells who is alive by when it ends unless renewed. An end further away than any can be was written
 * before the database's clock was set back: that one counts while it moves.
 */
export class Liveness {
  readonly #ttlMs: number;
  readonly #stuck = new Map<string, { readonly expiresAt: string; readonly sinceMs: number }>();

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  /** @param nowMs by a clock that never jumps. */
  isAlive(key: string, { expiresAt, leftMs }: Expiry, nowMs: number): boolean {
    // A daemon of its own gives itself a second more.
    if (leftMs <= this.#ttlMs + LONGER_MS) {
      this.#stuck.delete(key);
      return leftMs > 0;
    }
    const known = this.#stuck.get(key);
    if (known?.expiresAt !== expiresAt) {
      this.#stuck.set(key, { expiresAt, sinceMs: nowMs });
      return true;
    }
    return nowMs - known.sinceMs <= this.#ttlMs + LONGER_MS;
  }
}

const LONGER_MS = 2_000;
