export interface RequestStats {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
}

export interface Stats {
  /** By method and path with the object's name, such as `GET /objects/person/resources`. */
  readonly endpoints: Readonly<Record<string, RequestStats>>;
  readonly requests: number;
  readonly recordsRead: number;
  readonly recordsWritten: number;
  /** Writes that asked for `silent=true`, and those that would have told people. */
  readonly silentWrites: number;
  readonly loudWrites: number;
  readonly faults: number;
}

export interface RequestEvent {
  readonly endpoint: string;
  readonly method: string;
  /** Path with query, as it came. */
  readonly path: string;
  /** Null where no answer was sent. */
  readonly status: number | null;
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
  let endpoints = new Map<string, Map<string, number>>();
  let totals = freshTotals();
  return {
    count(event) {
      const statuses = endpoints.get(event.endpoint) ?? new Map<string, number>();
      endpoints.set(event.endpoint, statuses);
      const status = event.status === null ? 'none' : String(event.status);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      totals.requests += 1;
      totals.recordsRead += event.recordsRead;
      totals.recordsWritten += event.recordsWritten;
      if (event.fault !== null) totals.faults += 1;
      if (event.method === 'GET') return;
      if (event.silent) totals.silentWrites += 1;
      else totals.loudWrites += 1;
    },
    read: () => ({
      ...totals,
      endpoints: Object.fromEntries(
        [...endpoints].map(([name, statuses]): [string, RequestStats] => {
          const requests = [...statuses.values()].reduce((sum, count) => sum + count, 0);
          return [name, { requests, byStatus: Object.fromEntries(statuses) }];
        }),
      ),
    }),
    reset() {
      endpoints = new Map();
      totals = freshTotals();
    },
  };
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
