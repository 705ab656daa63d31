import type { NamedBudget, RateLimiter, RateVerdict } from '../kernel/rate-limit.ts';
import type { Switches } from './switches.ts';

export interface Spent {
  /** `contacts`, or `others`, which each endpoint may have for itself. */
  readonly bucket: string;
  readonly allowed: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** What may be asked in an hour or a second, by whoever asks. */
export interface Budgets {
  /** Counts a request. */
  take(path: string, endpoint: string): Spent;
  /** Counts what others ask. */
  spend(path: string, endpoint: string, requests: number): void;
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const ENDLESS = 1_000_000_000;

export function createBudgets(switches: Switches, limiter: RateLimiter): Budgets {
  const take = (path: string, endpoint: string): Spent => {
    const bucket = bucketOf(path, endpoint, switches);
    const verdicts = limiter.takeAll(budgetsOf(bucket, switches));
    return {
      bucket,
      allowed: verdicts.every(({ allowed }) => allowed),
      headers: headersOf(verdicts, switches),
    };
  };
  return {
    take,
    spend(path, endpoint, requests) {
      for (let left = requests; left > 0; left -= 1) take(path, endpoint);
    },
  };
}

/** Attributes, lists and imports of contacts are contacts as well. */
function bucketOf(path: string, endpoint: string, { budgetScope }: Switches): string {
  if (path === '/contacts' || path.startsWith('/contacts/')) return 'contacts';
  return budgetScope === 'one' ? 'others' : `others ${endpoint}`;
}

function budgetsOf(bucket: string, switches: Switches): NamedBudget[] {
  const fixed = switches.budgetWindow === 'fixed';
  const windows =
    bucket === 'contacts'
      ? [
          { limit: switches.contactsPerSecond, windowMs: SECOND_MS },
          { limit: switches.contactsPerHour, windowMs: HOUR_MS },
        ]
      : [{ limit: switches.othersPerHour, windowMs: HOUR_MS }];
  return windows.map(({ limit, windowMs }) => ({
    bucket,
    fixed,
    windowMs,
    limit: limit === 0 ? ENDLESS : limit,
  }));
}

/** Of one window alone, and seconds left: never an epoch. */
function headersOf(verdicts: readonly RateVerdict[], { headersTell }: Switches) {
  const byRemaining = verdicts.toSorted((a, b) => a.remaining - b.remaining);
  const told =
    headersTell === 'second'
      ? verdicts[0]
      : headersTell === 'hour'
        ? verdicts.at(-1)
        : byRemaining[0];
  return {
    'x-sib-ratelimit-limit': String(told?.limit),
    'x-sib-ratelimit-remaining': String(told?.remaining),
    'x-sib-ratelimit-reset': String(told?.resetSeconds),
  };
}
