import type { Priority } from '../../domain/remote.ts';
import type { RateHeaders } from './rate-headers.ts';
import type { AllowanceShare, SharedAllowance } from './shared-allowance.ts';

/**
 * A budget of so many requests until a reset, of which every answer tells what is left and for how
 * long: learned from that alone, for others spend from it too. Whether all endpoints that count
 * against it share one, or each has its own, is taken for shared until answers contradict.
 */
export interface WindowOptions {
  /** Of the limit: ours to use. */
  readonly percent: number;
  /** Requests a second that hold beside the limit of a long window, by that limit; default none. */
  readonly perSecond?: (limit: number) => number;
}

/**
 * What is kept back for who is more urgent, as a share of what is ours: it melts as the window goes
 * by, so that reading is spread over it and nothing is left unused at its end.
 */
const KEPT: Readonly<Record<Priority, number>> = { push: 0, pull: 0.2, backfill: 0.35 };
/** After a refusal that tells no reset. */
const REFUSED_MS = 60_000;
/** A window that is no longer than this is left to itself: there is nothing to be spread. */
const SHORT_MS = 60_000;
/** Two resets no further apart than this are one. */
const SAME_RESET_MS = 3_000;

/** What was told of one budget. */
interface Bucket {
  limit: number | null;
  remaining: number;
  /** By the clock that is never set. */
  resetAtMs: number;
  blockedUntilMs: number;
  /** The longest reset told: how long the window is. */
  windowMs: number;
  /** Of the newest request whose answer counts. */
  toldBy: number;
  inFlight: number;
  /** Which endpoint's answer told it. */
  teller: object | null;
}

export function createWindowAllowance(options: WindowOptions): SharedAllowance {
  const common = createBucket();
  const members: (() => void)[] = [];
  /** When the requests of the last second began. */
  let startedAtMs: number[] = [];
  let isShared = true;
  /** Once refused although an endpoint of its own had some left: they share it. */
  let isSettled = false;
  let tickets = 0;

  function forgetOld(nowMs: number): void {
    startedAtMs = startedAtMs.filter((atMs) => atMs > nowMs - 1_000);
  }

  function paceMs(bucket: Bucket, nowMs: number): number {
    const { limit, windowMs } = bucket;
    if (options.perSecond === undefined || limit === null || windowMs <= SHORT_MS) return 0;
    const each = Math.max(1, Math.floor((options.perSecond(limit) * options.percent) / 100));
    forgetOld(nowMs);
    const oldest = startedAtMs[startedAtMs.length - each];
    return oldest === undefined ? 0 : Math.max(1, oldest + 1_000 - nowMs);
  }

  function waitMs(bucket: Bucket, priority: Priority, nowMs: number): number {
    if (bucket.blockedUntilMs > nowMs) return bucket.blockedUntilMs - nowMs;
    // Nothing is known of this window: one request finds out.
    if (bucket.limit === null || bucket.resetAtMs <= nowMs) {
      return bucket.inFlight === 0 ? 0 : Number.POSITIVE_INFINITY;
    }
    const left = bucket.remaining - bucket.inFlight - othersOf(bucket, options.percent);
    const kept = keptOf(bucket, { priority, nowMs, percent: options.percent });
    if (left - kept >= 1) return paceMs(bucket, nowMs);
    // Those in flight bring news when they are answered.
    if (bucket.inFlight > 0) return Number.POSITIVE_INFINITY;
    const resetMs = bucket.resetAtMs - nowMs;
    if (left < 1 || kept === 0) return Math.ceil(resetMs);
    // What is kept melts in a straight line.
    const meltedMs = resetMs * (1 - (left - 1) / kept);
    return Math.max(1, Math.ceil(Math.min(meltedMs, resetMs)));
  }

  return {
    join(changed) {
      members.push(changed);
      const self = {};
      const own = createBucket();
      const current = (): Bucket => (isShared ? common : own);
      const tellAll = (): void => {
        for (const member of members) member();
      };

      /** As much is left as another endpoint told before: what we took did not count there. */
      function contradicts(before: Standing, rate: RateHeaders, nowMs: number): boolean {
        const { limit, remaining, resetMs } = rate;
        if (isSettled || limit === null || remaining === null || resetMs === null) return false;
        if (before.teller === null || before.teller === self || before.limit !== limit)
          return false;
        const isSameWindow =
          nowMs < before.resetAtMs && Math.abs(nowMs + resetMs - before.resetAtMs) < SAME_RESET_MS;
        return isSameWindow && remaining >= before.remaining;
      }

      const standings = new Map<number, Standing>();
      const share: AllowanceShare = {
        waitMs: (priority, nowMs) => waitMs(current(), priority, nowMs),
        spentMs: (priority, nowMs) => {
          const ms = waitMs(current(), priority, nowMs);
          return Number.isFinite(ms) ? ms : 0;
        },
        start(_priority, nowMs) {
          tickets += 1;
          common.inFlight += 1;
          own.inFlight += 1;
          forgetOld(nowMs);
          startedAtMs.push(nowMs);
          standings.set(tickets, { ...common });
          return { number: tickets, startedAtMs: nowMs };
        },
        answered({ number }, rate, { refused, nowMs }) {
          common.inFlight -= 1;
          own.inFlight -= 1;
          const before = standings.get(number);
          standings.delete(number);
          if (refused && !isShared && own.limit !== null && own.remaining > 1) {
            isShared = true;
            isSettled = true;
          }
          if (isShared && !refused && before !== undefined && contradicts(before, rate, nowMs)) {
            isShared = false;
          }
          const told = { number, rate, refused, nowMs, teller: self };
          takeIn(common, told);
          takeIn(own, told);
          tellAll();
        },
        unanswered({ number }, { left }) {
          common.inFlight -= 1;
          own.inFlight -= 1;
          standings.delete(number);
          if (left) {
            // It may have been counted all the same.
            common.remaining = Math.max(0, common.remaining - 1);
            own.remaining = Math.max(0, own.remaining - 1);
          }
          tellAll();
        },
        get limit() {
          return current().limit;
        },
        get remaining() {
          const { limit, remaining } = current();
          return limit === null ? null : remaining;
        },
        resetAtMs: () => (current().limit === null ? null : current().resetAtMs),
      };
      return share;
    },
  };
}

type Standing = Readonly<Bucket>;

function createBucket(): Bucket {
  return {
    limit: null,
    remaining: 0,
    resetAtMs: 0,
    blockedUntilMs: 0,
    windowMs: 0,
    toldBy: -1,
    inFlight: 0,
    teller: null,
  };
}

/** What is left to other programs. */
function othersOf({ limit }: Bucket, percent: number): number {
  return limit === null ? 0 : limit - Math.max(1, Math.floor((limit * percent) / 100));
}

function keptOf(
  { limit, resetAtMs, windowMs }: Bucket,
  about: { readonly priority: Priority; readonly nowMs: number; readonly percent: number },
): number {
  if (limit === null || windowMs <= SHORT_MS) return 0;
  const share = Math.min(1, Math.max(0, (resetAtMs - about.nowMs) / windowMs));
  return (limit * about.percent * KEPT[about.priority] * share) / 100;
}

function takeIn(
  bucket: Bucket,
  told: {
    readonly number: number;
    readonly rate: RateHeaders;
    readonly refused: boolean;
    readonly nowMs: number;
    readonly teller: object;
  },
): void {
  const { number, rate, refused, nowMs, teller } = told;
  const { limit, remaining, resetMs, retryAfterMs } = rate;
  if (refused) {
    const knownMs = bucket.resetAtMs > nowMs ? bucket.resetAtMs - nowMs : REFUSED_MS;
    const untilMs = nowMs + (retryAfterMs ?? resetMs ?? knownMs);
    bucket.blockedUntilMs = Math.max(bucket.blockedUntilMs, untilMs);
  }
  // A refusal without headers tells of no limit.
  if (limit === null || limit === 0 || (remaining === null && !refused)) return;
  const left = refused ? 0 : (remaining ?? 0);
  const isNewWindow = nowMs >= bucket.resetAtMs;
  // Answers overtake one another: an older one counts only if it tells of less.
  if (!isNewWindow && number < bucket.toldBy && left > bucket.remaining) return;
  bucket.limit = limit;
  bucket.remaining = left;
  bucket.toldBy = Math.max(number, bucket.toldBy);
  bucket.teller = teller;
  if (resetMs === null) return;
  bucket.resetAtMs = nowMs + resetMs;
  bucket.windowMs = Math.max(bucket.windowMs, resetMs);
}
