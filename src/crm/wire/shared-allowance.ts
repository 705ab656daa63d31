import type { Priority } from '../../domain/remote.ts';
import { type Allowance, createAllowance } from './allowance.ts';
import type { RateHeaders } from './rate-headers.ts';

/** One queue's hold on an allowance that others may share. */
export interface AllowanceShare {
  waitMs(priority: Priority, nowMs: number): number;
  /**
   * For how long nothing of this priority may start, where that may be longer than anybody should
   * sit through: whoever asks is told, and comes again. Left out where a window passes soon.
   */
  spentMs?(priority: Priority, nowMs: number): number;
  /** When what is left is full again, by the clock that is never set; null where that is not told. */
  resetAtMs?(): number | null;
  start(priority: Priority, nowMs: number): Ticket;
  answered(ticket: Ticket, rate: RateHeaders, answer: { refused: boolean; nowMs: number }): void;
  unanswered(ticket: Ticket, outcome: { left: boolean; nowMs: number }): void;
  readonly limit: number | null;
  readonly remaining: number | null;
}

export interface Ticket {
  readonly number: number;
  readonly startedAtMs: number;
}

interface OwnTicket extends Ticket {
  readonly allowance: Allowance;
  /** How many answers there had been when it started. */
  readonly answersBefore: number;
}

/**
 * Whether all objects share the limit of one endpoint, or each has its own, no source says. It is
 * taken for shared until the headers contradict: then each has its own.
 */
export interface SharedAllowance {
  /** `changed` is called whenever a request of any queue that shares the allowance ends. */
  join(changed: () => void): AllowanceShare;
}

/** A request started this recently is still counted by every server with a rolling minute. */
const SURELY_COUNTED_MS = 55_000;

export function createSharedAllowance(percent: number): SharedAllowance {
  const common = createAllowance(percent);
  const members: (() => void)[] = [];
  let isShared = true;
  /** When the requests answered lately had started, in the order of the answers. */
  let startedAtMs: number[] = [];
  /** How many older ones were dropped from that list. */
  let dropped = 0;

  /** More is left than could be if all our requests had been counted together. */
  function contradicts(
    ticket: OwnTicket,
    { limit, remaining }: RateHeaders,
    nowMs: number,
  ): boolean {
    if (limit === null || remaining === null) return false;
    const kept = startedAtMs.findIndex((atMs) => atMs > nowMs - SURELY_COUNTED_MS);
    const old = kept === -1 ? startedAtMs.length : kept;
    startedAtMs = old === 0 ? startedAtMs : startedAtMs.slice(old);
    dropped += old;
    const counted = Math.max(0, ticket.answersBefore - dropped);
    return remaining > limit - counted;
  }

  return {
    join(changed) {
      members.push(changed);
      let own: Allowance | null = null;
      const current = (): Allowance => {
        if (isShared) return common;
        own ??= createAllowance(percent);
        return own;
      };
      const tellAll = (): void => {
        for (const member of members) member();
      };
      return {
        waitMs: (priority, nowMs) => current().waitMs(priority, nowMs),
        start(priority, nowMs): OwnTicket {
          const allowance = current();
          return {
            allowance,
            number: allowance.start(priority, nowMs),
            startedAtMs: nowMs,
            answersBefore: dropped + startedAtMs.length,
          };
        },
        answered(ticket: OwnTicket, rate, { refused, nowMs }) {
          if (isShared && !refused) {
            if (members.length > 1 && contradicts(ticket, rate, nowMs)) isShared = false;
            else startedAtMs.push(ticket.startedAtMs);
          }
          ticket.allowance.answered(ticket.number, rate, { refused, nowMs });
          tellAll();
        },
        unanswered(ticket: OwnTicket, outcome) {
          ticket.allowance.unanswered(outcome);
          tellAll();
        },
        get limit() {
          return current().limit;
        },
        get remaining() {
          return current().remaining;
        },
      };
    },
  };
}
