import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const DURATION_BUCKETS_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is measured. */
export interface MetricsOf {
  readonly fleet: boolean;
  /** The title of the CRM; of a fleet's, some words for those of all. */
  readonly crm: string;
}

/**
 * `docs/metrics.md` explains each of them. In a fleet every one has the label `workspace`, and how
 * long requests took is told without their endpoint: with it a hundred workspaces were fifty
 * thousand series, three quarters of them buckets.
 */
export function createMetricSet({ fleet, crm }: MetricsOf) {
  const every = fleet ? ['workspace'] : [];
  const registry = new Registry();
  const registers = [registry];
  const options = (name: string, help: string, labels: readonly string[]) => {
    return { name: `clarify_sync_${name}`, help, labelNames: [...every, ...labels], registers };
  };
  const gauge = (name: string, help: string, ...labels: readonly string[]) =>
    new Gauge(options(name, help, labels));
  const counter = (name: string, help: string, ...labels: readonly string[]) =>
    new Counter(options(name, help, labels));
  return {
    registry,
    up: gauge('database_up', 'Whether the database answered this scrape.'),
    leader: gauge('leader', 'Whether this process leads: pulls and pushes.'),
    lag: gauge('lag_seconds', 'Since the last complete pull of the object began.', 'object'),
    rows: gauge('mirror_rows', 'Rows of the mirror table.', 'object'),
    outbox: gauge(
      'outbox_entries',
      'Unsettled local changes: pending, blocked, parked.',
      'object',
      'state',
    ),
    open: gauge('open_conflicts', 'Fields that wait for a decision.', 'object'),
    trouble: gauge(
      'trouble',
      'What of an object does not work, and why.',
      'object',
      'part',
      'code',
    ),
    aside: gauge('rows_set_aside', 'Rows that cannot be written as their record is.', 'object'),
    beside: gauge(
      'beside_units',
      'What is read of what stands beside the records: waiting, failed.',
      'table',
      'object',
      'state',
    ),
    besideAge: gauge(
      'beside_age_seconds',
      'Since the part of the table that was read longest ago was.',
      'table',
    ),
    comments: gauge(
      'comments_unsent',
      `Comments written here that are not in ${crm}: pending, parked.`,
      'object',
      'state',
    ),
    remaining: gauge('allowance_remaining', 'Requests left by the last answer.', 'endpoint'),
    limit: gauge('allowance_limit', `Requests per window that ${crm} allows.`, 'endpoint'),
    waiting: gauge('http_requests_waiting', 'Requests that wait for the allowance.', 'endpoint'),
    held: gauge('http_held_seconds', `For how long ${crm} lets no request through.`, 'endpoint'),
    requests: counter(
      'http_requests_total',
      `Requests to ${crm} by what came of them.`,
      'endpoint',
      'status',
    ),
    durations: new Histogram({
      ...options(
        'http_request_duration_seconds',
        `How long requests to ${crm} took, waits for the allowance left out.`,
        fleet ? [] : ['endpoint'],
      ),
      buckets: DURATION_BUCKETS_SECONDS,
    }),
    pulled: counter('records_pulled_total', 'Rows that pulls wrote or removed.', 'object'),
    pushed: counter('records_pushed_total', `Records whose changes reached ${crm}.`),
    unsent: counter(
      'push_failures_total',
      'Records whose changes did not, by the reason.',
      'outcome',
    ),
    conflicts: counter('conflicts_total', 'Fields that both sides changed.', 'object'),
    nudges: counter('nudges_total', 'Calls of the nudge address.'),
    hooks: counter(
      'webhook_calls_total',
      `Calls of the webhook address by what came of them.`,
      'outcome',
    ),
    info: gauge('build_info', 'Always 1; the label tells the version.', 'version'),
    /** Told of a fleet alone. */
    broken: !fleet
      ? null
      : gauge('workspace_broken', 'A workspace that this process had to stop, and why.', 'code'),
  };
}
