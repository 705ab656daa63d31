export interface RateVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  /** Requests left in the window, after this one. */
  readonly remaining: number;
  /** Whole seconds until the oldest request leaves the window. */
  readonly resetSeconds: number;
}

export interface RateLimiter {
  /** Counts a request of the endpoint; a refused one does not count. */
  take(endpoint: string, limit: number): RateVerdict;
}

const WINDOW_MS = 60_000;

/** A rolling minute for each endpoint. `monotonicMs` is real time, also where the clock is not. */
export function createRateLimiter(
  monotonicMs: () => number = () => performance.now(),
): RateLimiter {
  const windows = new Map<string, { times: number[]; first: number }>();
  return {
    take(endpoint, limit) {
      const now = monotonicMs();
      const window = windows.get(endpoint) ?? { times: [], first: 0 };
      windows.set(endpoint, window);
      while ((window.times[window.first] ?? now) <= now - WINDOW_MS) window.first += 1;
      if (window.first > 4096) {
        window.times = window.times.slice(window.first);
        window.first = 0;
      }
      const allowed = window.times.length - window.first < limit;
      if (allowed) window.times.push(now);
      const oldest = window.times[window.first] ?? now;
      return {
        allowed,
        limit,
        remaining: Math.max(0, limit - (window.times.length - window.first)),
        // In this order, for the oldest of them all is now: sums of fractions can be more than 60.
        resetSeconds: Math.max(1, Math.ceil((WINDOW_MS - (now - oldest)) / 1000)),
      };
    },
  };
}
