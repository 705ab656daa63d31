export interface RequestStats {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
}

export interface Stats {
  /** By method and path with the object's name. */
  readonly endpoints: Readonly<Record<string, RequestStats>>;
  /** By the budget they were spent from, where budgets have names. */
  readonly buckets: Readonly<Record<string, RequestStats>>;
  readonly requests: number;
  readonly recordsRead: number;
  readonly recordsWritten: number;
  /** Writes that asked to be silent, and those that would have told people. */
  readonly silentWrites: number;
  readonly loudWrites: number;
  readonly faults: number;
}

export interface RequestEvent {
  readonly endpoint: string;
  readonly bucket: string | null;
  readonly method: string;
  /** Path with query, as it came. */
  readonly path: string;
  /** Null where no answer was sent. */
  readonly status: number | null;
  readonly isWrite: boolean;
  readonly silent: boolean;
  readonly recordsRead: number;
  readonly recordsWritten: number;
  readonly fault: string | null;
  readonly durationMs: number;
}

export interface StatsKeeper {
  count(event: RequestEvent): void;
  read(): Stats;
  reset(): void;
}

export function createStats(): StatsKeeper {
  let endpoints: Counts = new Map();
  let buckets: Counts = new Map();
  let totals = freshTotals();
  return {
    count(event) {
      countIn(endpoints, event.endpoint, event.status);
      if (event.bucket !== null) countIn(buckets, event.bucket, event.status);
      totals.requests += 1;
      totals.recordsRead += event.recordsRead;
      totals.recordsWritten += event.recordsWritten;
      if (event.fault !== null) totals.faults += 1;
      if (!event.isWrite) return;
      if (event.silent) totals.silentWrites += 1;
      else totals.loudWrites += 1;
    },
    read: () => ({ ...totals, endpoints: told(endpoints), buckets: told(buckets) }),
    reset() {
      endpoints = new Map();
      buckets = new Map();
      totals = freshTotals();
    },
  };
}

type Counts = Map<string, Map<string, number>>;

function countIn(counts: Counts, name: string, answered: number | null): void {
  const statuses = counts.get(name) ?? new Map<string, number>();
  counts.set(name, statuses);
  const status = answered === null ? 'none' : String(answered);
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
}

function told(counts: Counts): Record<string, RequestStats> {
  return Object.fromEntries(
    [...counts].map(([name, statuses]): [string, RequestStats] => {
      const requests = [...statuses.values()].reduce((sum, count) => sum + count, 0);
      return [name, { requests, byStatus: Object.fromEntries(statuses) }];
    }),
  );
}

function freshTotals() {
  return {
    requests: 0,
    recordsRead: 0,
    recordsWritten: 0,
    silentWrites: 0,
    loudWrites: 0,
    faults: 0,
  };
}
