import type { Priority } from '../../domain/remote.ts';
import type { Allowance } from './allowance.ts';
import type { SharedAllowance } from './shared-allowance.ts';

/** What backfill leaves of the allowance, so that a tick always finds some. */
const SHARE: Readonly<Record<Priority, number>> = { push: 1, pull: 1, backfill: 0.9 };
/** After a refusal, at least so long; twice as long after each further one. */
const REFUSED_MS = 250;
const LONGEST_REFUSED_MS = 10_000;

/**
 * A limit that is known beforehand and that no answer tells anything of: so many requests in any
 * window, shared by every endpoint that counts against it. Others may use the same limit, and it may
 * be lowered: a refusal lets everybody wait.
 *
 * @param pace.atOnce requests under way at most; default as many as the window holds.
 */
export function createPacedAllowance(
  {
    requests,
    windowMs,
    atOnce = Number.POSITIVE_INFINITY,
  }: { readonly requests: number; readonly windowMs: number; readonly atOnce?: number },
  percent: number,
): SharedAllowance {
  const members: (() => void)[] = [];
  const tellAll = (): void => {
    for (const member of members) member();
  };
  let tickets = 0;
  let inFlight = 0;
  let refusals = 0;
  let blockedUntilMs = 0;
  /** When those of the last window ended, oldest first: the server counted each some time before. */
  let endedAtMs: number[] = [];

  function usable(priority: Priority): number {
    return Math.max(1, Math.floor((requests * percent * SHARE[priority]) / 100));
  }

  function counted(nowMs: number): number {
    const kept = endedAtMs.findIndex((atMs) => atMs > nowMs - windowMs);
    endedAtMs = kept === -1 ? [] : endedAtMs.slice(kept);
    return endedAtMs.length + inFlight;
  }

  const allowance: Allowance = {
    waitMs(priority, nowMs) {
      if (inFlight >= atOnce) return Number.POSITIVE_INFINITY;
      if (blockedUntilMs > nowMs) return blockedUntilMs - nowMs;
      const beyond = counted(nowMs) - usable(priority);
      if (beyond < 0) return 0;
      // Those in flight bring news when they are answered.
      const leavesAtMs = endedAtMs[beyond];
      if (leavesAtMs === undefined) return Number.POSITIVE_INFINITY;
      return Math.max(1, leavesAtMs + windowMs - nowMs);
    },
    start() {
      tickets += 1;
      inFlight += 1;
      return tickets;
    },
    answered(_ticket, rate, { refused, nowMs }) {
      inFlight -= 1;
      endedAtMs.push(nowMs);
      if (!refused) {
        if (nowMs >= blockedUntilMs) refusals = 0;
        return;
      }
      // Of those that were under way together, one tells.
      if (nowMs >= blockedUntilMs) refusals += 1;
      const leastMs = Math.min(REFUSED_MS * 2 ** (refusals - 1), LONGEST_REFUSED_MS);
      const pauseMs = Math.max(rate.retryAfterMs ?? 0, leastMs);
      blockedUntilMs = Math.max(blockedUntilMs, nowMs + pauseMs);
    },
    unanswered({ left, nowMs }) {
      inFlight -= 1;
      if (left) endedAtMs.push(nowMs);
    },
    limit: requests,
    get remaining() {
      return Math.max(0, requests - endedAtMs.length - inFlight);
    },
  };

  return {
    join(changed) {
      members.push(changed);
      return {
        waitMs: allowance.waitMs,
        start: (priority, nowMs) => ({
          number: allowance.start(priority, nowMs),
          startedAtMs: nowMs,
        }),
        answered(ticket, rate, answer) {
          allowance.answered(ticket.number, rate, answer);
          tellAll();
        },
        unanswered(_ticket, outcome) {
          allowance.unanswered(outcome);
          tellAll();
        },
        limit: requests,
        get remaining() {
          return allowance.remaining;
        },
      };
    },
  };
}
