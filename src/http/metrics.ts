import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestDone } from '../clarify/request-done.ts';
import { countConflictsAfter } from '../db/activity.ts';
import type { Snapshot } from './snapshot.ts';
import type { StatusSource } from './status-source.ts';

/** Of one pull: how many rows it wrote. */
export interface PulledCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly removed: number;
}

/** Of one push, by what became of each record. */
export interface PushedCounts {
  readonly delivered: number;
  readonly gone: number;
  readonly refused: number;
  readonly failed: number;
  readonly unclear: number;
}

export interface Metrics {
  readonly contentType: string;
  /** In Prometheus' text format. */
  render(): Promise<string>;
  noteRequest(done: RequestDone): void;
  notePull(object: string, counts: PulledCounts): void;
  notePush(counts: PushedCounts): void;
  noteNudge(): void;
}

const DURATION_BUCKETS_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** `docs/metrics.md` explains each of them. */
export function createMetrics(source: StatusSource, snapshot: Snapshot): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name: `clarify_sync_${name}`, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `clarify_sync_${name}`, help, labelNames, registers });

  const up = gauge('database_up', 'Whether the database answered this scrape.', []);
  const leader = gauge('leader', 'Whether this process leads: pulls and pushes.', []);
  const lag = gauge('lag_seconds', 'Since the last complete pull of the object began.', ['object']);
  const rows = gauge('mirror_rows', 'Rows of the mirror table.', ['object']);
  const outbox = gauge('outbox_entries', 'Unsettled local changes: pending, blocked, parked.', [
    'object',
    'state',
  ]);
  const open = gauge('open_conflicts', 'Fields that wait for a decision.', ['object']);
  const trouble = gauge('trouble', 'What of an object does not work, and why.', [
    'object',
    'part',
    'code',
  ]);
  const aside = gauge('rows_set_aside', 'Rows that cannot be written as their record is.', [
    'object',
  ]);
  const ofDatabase = [lag, rows, outbox, open, trouble, aside];
  const remaining = gauge('allowance_remaining', 'Requests left by the last answer.', ['endpoint']);
  const limit = gauge('allowance_limit', 'Requests per window that Clarify allows.', ['endpoint']);
  const waiting = gauge('http_requests_waiting', 'Requests that wait for the allowance.', [
    'endpoint',
  ]);
  const held = gauge('http_held_seconds', 'For how long Clarify lets no request through.', [
    'endpoint',
  ]);
  const requests = counter('http_requests_total', 'Requests to Clarify by what came of them.', [
    'endpoint',
    'status',
  ]);
  const durations = new Histogram({
    name: 'clarify_sync_http_request_duration_seconds',
    help: 'How long requests to Clarify took, waits for the allowance left out.',
    labelNames: ['endpoint'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const pulled = counter('records_pulled_total', 'Rows that pulls wrote or removed.', ['object']);
  const pushed = counter('records_pushed_total', 'Records whose changes reached Clarify.', []);
  const unsent = counter('push_failures_total', 'Records whose changes did not, by the reason.', [
    'outcome',
  ]);
  const conflicts = counter('conflicts_total', 'Fields that both sides changed.', ['object']);
  const nudges = counter('nudges_total', 'Calls of the nudge address.', []);
  const info = gauge('build_info', 'Always 1; the label tells the version.', ['version']);
  info.set({ version: source.version }, 1);

  /** The newest conflict that was counted; null before the first scrape. */
  let counted: bigint | null = null;

  async function readDatabase(): Promise<void> {
    const objects = await snapshot.standing();
    for (const metric of ofDatabase) metric.reset();
    for (const standing of objects) {
      const { object, lagSeconds, pending, blocked, parked } = standing;
      if (lagSeconds !== null) lag.set({ object }, lagSeconds);
      rows.set({ object }, Number(standing.rows));
      open.set({ object }, standing.openConflicts);
      aside.set({ object }, standing.setAside);
      for (const [state, count] of Object.entries({ pending, blocked, parked })) {
        outbox.set({ object, state }, count);
      }
      for (const { part, code } of standing.troubles) trouble.set({ object, part, code }, 1);
      conflicts.inc({ object }, 0);
      pulled.inc({ object }, 0);
    }
    const { found, newest } = await countConflictsAfter(source.db, counted);
    // What was there before this process is not its to count: a restart is a reset anyway.
    if (counted !== null) for (const { object, count } of found) conflicts.inc({ object }, count);
    counted = newest;
  }

  function readEndpoints(): void {
    for (const metric of [remaining, limit, waiting, held, requests]) metric.reset();
    const nowMs = Date.now();
    for (const stats of source.endpoints()) {
      const { endpoint } = stats;
      if (stats.remaining !== null) remaining.set({ endpoint }, stats.remaining);
      if (stats.limit !== null) limit.set({ endpoint }, stats.limit);
      waiting.set({ endpoint }, stats.waiting);
      const heldMs = (stats.heldUntilMs ?? 0) - nowMs;
      if (heldMs > 0) held.set({ endpoint }, heldMs / 1_000);
      for (const [status, count] of Object.entries(stats.byStatus)) {
        requests.inc({ endpoint, status }, count);
      }
    }
  }

  return {
    contentType: registry.contentType,
    async render() {
      leader.set(source.leads() ? 1 : 0);
      readEndpoints();
      // What this process knows is told also while the database is away.
      const answered = await readDatabase().then(
        () => true,
        () => false,
      );
      up.set(answered ? 1 : 0);
      if (!answered) for (const metric of ofDatabase) metric.reset();
      return await registry.metrics();
    },
    noteRequest: ({ endpoint, durationMs }) => durations.observe({ endpoint }, durationMs / 1_000),
    notePull: (object, { inserted, updated, removed }) =>
      pulled.inc({ object }, inserted + updated + removed),
    noteNudge: () => nudges.inc(),
    notePush({ delivered, gone, refused, failed, unclear }) {
      pushed.inc(delivered + gone);
      for (const [outcome, count] of Object.entries({ refused, failed, unclear })) {
        unsent.inc({ outcome }, count);
      }
    },
  };
}
