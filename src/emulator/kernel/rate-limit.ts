/** So many requests in any so long a time. */
export interface Budget {
  readonly limit: number;
  readonly windowMs: number;
  /** A window begins with its first request and ends as a whole; otherwise it rolls. */
  readonly fixed?: boolean;
}

/** A budget of one bucket: whoever names the bucket spends from it. */
export interface NamedBudget extends Budget {
  readonly bucket: string;
}

export interface RateVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  /** Requests left in the window, after this one. */
  readonly remaining: number;
  /** Whole seconds until the oldest request leaves the window, or until the window ends. */
  readonly resetSeconds: number;
}

export interface RateLimiter {
  /** Counts a request against a bucket; a refused one does not count. */
  take(bucket: string, budget: Budget): RateVerdict;
  /**
   * Counts a request against several budgets at once: against all of them, or, where one has nothing
   * left, against none.
   *
   * @returns a verdict for each; the request may pass where every one allows it
   */
  takeAll(budgets: readonly NamedBudget[]): RateVerdict[];
}

interface Window {
  times: number[];
  first: number;
}

/** `monotonicMs` is real time, also where the clock is not. */
export function createRateLimiter(
  monotonicMs: () => number = () => performance.now(),
): RateLimiter {
  const windows = new Map<string, Window>();

  const windowOf = ({ bucket, windowMs, fixed = false }: NamedBudget, now: number): Window => {
    const key = `${bucket} ${windowMs} ${fixed}`;
    const window = windows.get(key) ?? { times: [], first: 0 };
    windows.set(key, window);
    const isOver = (time: number | undefined): boolean => (time ?? now) <= now - windowMs;
    if (fixed) {
      if (isOver(window.times[0])) window.times = [];
      return window;
    }
    while (isOver(window.times[window.first])) window.first += 1;
    if (window.first > 4096) {
      window.times = window.times.slice(window.first);
      window.first = 0;
    }
    return window;
  };

  const takeAll = (budgets: readonly NamedBudget[]): RateVerdict[] => {
    const now = monotonicMs();
    const asked = budgets.map((budget) => ({ ...budget, window: windowOf(budget, now) }));
    const verdicts = asked.map(({ limit, window }) => window.times.length - window.first < limit);
    if (verdicts.every(Boolean)) for (const { window } of asked) window.times.push(now);
    return asked.map(({ limit, windowMs, window: { times, first } }, index) => ({
      allowed: verdicts[index] === true,
      limit,
      remaining: Math.max(0, limit - (times.length - first)),
      // In this order, for the oldest of them all is now: sums of fractions can be more.
      resetSeconds: Math.max(1, Math.ceil((windowMs - (now - (times[first] ?? now))) / 1000)),
    }));
  };

  return {
    takeAll,
    take(bucket, budget) {
      const [verdict] = takeAll([{ bucket, ...budget }]);
      if (verdict === undefined) throw new RangeError('one budget has one verdict');
      return verdict;
    },
  };
}
