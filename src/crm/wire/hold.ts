import { RemoteError } from '../../domain/errors.ts';
import type { Outcome } from './transport.ts';

/**
 * The server's own wish that an endpoint be let alone (`Retry-After`), beyond what its allowance
 * says. It concerns that endpoint alone, and may be forgotten or meant otherwise: every few minutes
 * one request asks whether it still stands.
 */
export interface Hold {
  /** Until the next request may start; Infinity while one finds out. */
  waitMs(nowMs: number): number;
  /** A request starts. @returns whether it is the one that asks. */
  started(nowMs: number): boolean;
  /** A request ended; `wishMs`: the server wants to be let alone for so long. */
  ended(
    outcome: Outcome | null,
    about: { readonly isProbe: boolean; readonly wishMs: number | null; readonly nowMs: number },
  ): void;
  /** For how long it is to be let alone, if nothing else is said meanwhile. */
  leftMs(nowMs: number): number;
}

const PROBE_MS = 180_000;
/** What lasts no longer is nothing to talk about. */
export const WORTH_TELLING_MS = 30_000;

/** `onChange` is told for how much longer where that is worth telling; null: it is over. */
export function createHold(onChange: (leftMs: number | null) => void): Hold {
  let untilMs = 0;
  let probeAtMs = 0;
  let isProbing = false;
  let toldMs: number | null = null;

  return {
    waitMs(nowMs) {
      if (nowMs >= untilMs) return 0;
      if (isProbing) return Number.POSITIVE_INFINITY;
      return Math.max(0, Math.min(untilMs, probeAtMs) - nowMs);
    },
    started(nowMs) {
      const isProbe = nowMs < untilMs;
      isProbing ||= isProbe;
      return isProbe;
    },
    ended(outcome, { isProbe, wishMs, nowMs }) {
      if (isProbe) isProbing = false;
      if (wishMs !== null) {
        untilMs = nowMs + wishMs;
        probeAtMs = nowMs + PROBE_MS;
        // Said once, not with every answer that says the same.
        const isNews = toldMs === null || Math.abs(untilMs - toldMs) > PROBE_MS;
        if (wishMs < WORTH_TELLING_MS || !isNews) return;
        toldMs = untilMs;
        onChange(wishMs);
        return;
      }
      // One that was under way before says nothing of what was said since.
      if (!isProbe && nowMs < untilMs) return;
      if (outcome?.kind !== 'answer') {
        probeAtMs = nowMs + PROBE_MS;
        return;
      }
      untilMs = 0;
      if (toldMs === null) return;
      toldMs = null;
      onChange(null);
    },
    leftMs: (nowMs) => Math.max(0, untilMs - nowMs),
  };
}

export const HELD_HINT =
  'It passes by itself, and every few minutes one request asks whether it has.';

export function heldMessage(title: string, endpoint: string, untilMs: number): string {
  return `${endpoint}: ${title} lets no request through until ${new Date(untilMs).toISOString()}`;
}

/** What is left is not for everybody: it is kept for those who are more urgent. */
export function keptError(endpoint: string, untilMs: number, waitMs: number): RemoteError {
  const until = new Date(untilMs).toISOString();
  return new RemoteError(
    `${endpoint}: what is left of the budget of requests is kept for what is more urgent until ${until}`,
    {
      code: 'remote-rate-limited',
      disposition: 'retry',
      status: 429,
      hint: 'It passes by itself: some is kept for writing until the budget is full again.',
      retryAfterMs: waitMs,
    },
  );
}

export function heldError(
  title: string,
  endpoint: string,
  { untilMs, waitMs }: { untilMs: number; waitMs: number },
): RemoteError {
  return new RemoteError(heldMessage(title, endpoint, untilMs), {
    code: 'remote-rate-limited',
    disposition: 'retry',
    status: 429,
    hint: HELD_HINT,
    retryAfterMs: waitMs,
  });
}
