import type { Priority } from '../../domain/remote.ts';
import type { RateHeaders } from './rate-headers.ts';

/**
 * What one counter of the server's leaves us of its limit (invariant 12): learned from the headers, and the same
 * for every process that uses the workspace, since `remaining` counts everyone's requests.
 */
export interface Allowance {
  /** Milliseconds until a request of this priority may start; 0 for now. Every `nowMs` is of a clock that is never set. */
  waitMs(priority: Priority, nowMs: number): number;
  /** A request starts: its ticket. Exactly one `answered` or `unanswered` follows. */
  start(priority: Priority, nowMs: number): number;
  answered(ticket: number, rate: RateHeaders, answer: { refused: boolean; nowMs: number }): void;
  unanswered(outcome: { left: boolean; nowMs: number }): void;
  readonly limit: number | null;
  readonly remaining: number | null;
}

/** The rolling window of the limit. */
export const WINDOW_MS = 60_000;
/** After a refusal that does not say how long. */
const REFUSED_MS = 1_000;
const PROBE_MS = 1_000;
/** What backfill leaves of the allowance, so that a tick always finds some. */
const SHARE: Readonly<Record<Priority, number>> = { push: 1, pull: 1, backfill: 0.95 };

/** `percent` of the limit is ours to use. */
export function createAllowance(percent: number): Allowance {
  let limit: number | null = null;
  let heard = false;
  /** Of the newest request answered, and when that was. */
  let remaining = 0;
  let remainingTicket = -1;
  let remainingAtMs = 0;
  let blockedUntilMs = 0;
  let probeAtMs = 0;
  let probes = 0;
  let tickets = 0;
  let inFlight = 0;
  /** When each of our requests has left the window for certain, oldest first. */
  let leavesAtMs: number[] = [];
  /** How many left it since `remaining` was told. */
  let freed = 0;
  /** Some servers do not roll their window but start it afresh: then leaving frees nothing. */
  let leavingFrees = true;
  /** The request that finds out whether it does. */
  let leaverTicket = -1;

  function forgetOld(nowMs: number): void {
    const kept = leavesAtMs.findIndex((atMs) => atMs > nowMs);
    const gone = kept === -1 ? leavesAtMs.length : kept;
    if (gone === 0) return;
    leavesAtMs = leavesAtMs.slice(gone);
    freed += gone;
  }

  function available(priority: Priority, nowMs: number, knownLimit: number): number {
    const usable = Math.max(1, Math.floor((knownLimit * percent * SHARE[priority]) / 100));
    // After a whole window nothing that was counted then is counted any more.
    const left = nowMs - remainingAtMs >= WINDOW_MS ? knownLimit : remaining;
    return left - (knownLimit - usable) - inFlight;
  }

  return {
    waitMs(priority, nowMs) {
      if (blockedUntilMs > nowMs) return blockedUntilMs - nowMs;
      // The first answer tells whether there is a limit: until then, one request at a time.
      if (!heard) return inFlight === 0 ? 0 : Number.POSITIVE_INFINITY;
      if (limit === null) return 0;
      forgetOld(nowMs);
      const spare = available(priority, nowMs, limit);
      if (spare >= 1) return 0;
      // Those in flight bring news when they are answered.
      if (inFlight > 0) return Number.POSITIVE_INFINITY;
      // Otherwise the window moves: our own requests leave it, or the server said when it resets.
      // Then one request at a time finds out what is left, since what others use is unknown.
      if (nowMs >= probeAtMs) return 0;
      if (leavingFrees && spare + freed >= 1) return 0;
      const ownLeaveAtMs =
        (leavingFrees ? leavesAtMs[-spare - freed] : undefined) ?? Number.POSITIVE_INFINITY;
      return Math.max(1, Math.min(probeAtMs, ownLeaveAtMs) - nowMs);
    },

    start(priority, nowMs) {
      tickets += 1;
      const isBeyond = limit !== null && available(priority, nowMs, limit) < 1;
      if (isBeyond && leavingFrees && freed > 0) leaverTicket = tickets;
      else probes = isBeyond ? probes + 1 : 0;
      inFlight += 1;
      return tickets;
    },

    answered(ticket, rate, { refused, nowMs }) {
      inFlight -= 1;
      heard = true;
      forgetOld(nowMs);
      if (refused) {
        const pauseMs = rate.retryAfterMs ?? rate.resetMs ?? REFUSED_MS;
        // A longer wish is not about the limit, whose window it outlasts.
        const boundedMs = Math.min(Math.max(pauseMs, 50), WINDOW_MS);
        blockedUntilMs = Math.max(blockedUntilMs, nowMs + boundedMs);
        heard = limit !== null || rate.limit !== null;
      } else {
        leavesAtMs.push(nowMs + WINDOW_MS);
      }
      limit = rate.limit ?? limit;
      const told = refused ? 0 : rate.remaining;
      // Answers overtake one another: an older one counts only if it tells of less.
      if (told === null || (ticket < remainingTicket && told > remaining)) return;
      // Although this request took one, there are as many as before.
      if (ticket === leaverTicket) leavingFrees = told >= remaining;
      else if (told > remaining) leavingFrees = true;
      remaining = told;
      remainingTicket = Math.max(ticket, remainingTicket);
      remainingAtMs = nowMs;
      freed = 0;
      // A probe that finds nothing costs one request beyond our share: ask ever more rarely.
      const pauseMs = Math.max(rate.resetMs ?? WINDOW_MS, PROBE_MS * 2 ** probes);
      probeAtMs = refused ? blockedUntilMs : nowMs + Math.min(pauseMs, WINDOW_MS);
    },

    unanswered({ left, nowMs }) {
      inFlight -= 1;
      if (!left) return;
      // It may have been counted all the same.
      remaining = Math.max(0, remaining - 1);
      leavesAtMs.push(nowMs + WINDOW_MS);
    },

    get limit() {
      return limit;
    },
    get remaining() {
      return limit === null ? null : remaining;
    },
  };
}
