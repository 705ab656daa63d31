import type { Counter, Histogram } from 'prom-client';
import type { countConflictsAfter } from '../db/service/activity.ts';
import type { ObjectStanding } from '../db/service/status.ts';
import type { RequestDone } from '../domain/traffic.ts';
import type { Beside } from './beside.ts';
import type { Received } from './hook-route.ts';
import { createMetricSet, type MetricsOf } from './metric-set.ts';
import type { StatusSource, WorkspaceState } from './status-source.ts';
import { withinMs } from './within.ts';

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

/** What a daemon tells as it happens. */
export interface Notes {
  noteRequest(done: RequestDone): void;
  notePull(object: string, counts: PulledCounts): void;
  notePush(counts: PushedCounts): void;
  noteNudge(): void;
  noteHook(outcome: Received | 'failed'): void;
}

/** A workspace, as its metrics need it. */
export interface Measured extends Pick<StatusSource, 'version' | 'leads' | 'endpoints'> {
  /** Its label; null without a fleet, where nothing has one. */
  readonly name: string | null;
  readonly state: WorkspaceState | null;
  standing(): Promise<readonly ObjectStanding[]>;
  beside(): Promise<Beside>;
  conflictsAfter(newest: bigint | null): ReturnType<typeof countConflictsAfter>;
}

export interface Metrics {
  readonly contentType: string;
  /** In Prometheus' text format. */
  render(measured: readonly Measured[]): Promise<string>;
  /** Of the workspace of that name. */
  notes(name: string | null): Notes;
}

/** Prometheus gives up after ten seconds by default. */
const SCRAPE_MS = 7_000;

type Labels = Readonly<Record<string, string>>;

const labelsOf = (name: string | null): Labels => (name === null ? {} : { workspace: name });

/**
 * One set for all workspaces: each is a label, and costs what its series do. In a fleet a process
 * tells of the workspaces that it leads, and of the others only that it does not: all processes
 * together tell everything once.
 */
export function createMetrics(of: MetricsOf): Metrics {
  const { fleet } = of;
  const set = createMetricSet(of);
  const ofObjects = [set.lag, set.rows, set.outbox, set.open, set.trouble, set.aside];
  const ofDatabase = [...ofObjects, set.beside, set.besideAge, set.comments];
  const ofEndpoints = [set.remaining, set.limit, set.waiting, set.held, set.requests];
  const ofProcess = [set.leader, set.info, set.up, ...(set.broken === null ? [] : [set.broken])];
  /** What adds up while it leads. */
  const countedUp = [set.pulled, set.pushed, set.unsent, set.conflicts, set.durations];
  /** The newest conflict of each that was counted. */
  const counted = new Map<string | null, bigint>();
  const told = new Set<string>();
  /** Whoever is called counts, also where another process leads. */
  const nudged = new Set<string>();

  async function readDatabase({ name, standing, beside: readBeside, conflictsAfter }: Measured) {
    const objects = await standing();
    const beside = await readBeside();
    const after = counted.get(name) ?? null;
    const { found, newest } = await conflictsAfter(after);
    // What was there before this process is not its to count: a restart is a reset anyway.
    const fresh = after === null || counted.get(name) !== after ? [] : found;
    counted.set(name, newest);
    return { objects, beside, found: fresh };
  }

  function tellObject(own: Labels, standing: ObjectStanding): void {
    const { object, lagSeconds, pending, blocked, parked } = standing;
    const labels = { ...own, object };
    if (lagSeconds !== null) set.lag.set(labels, lagSeconds);
    set.rows.set(labels, Number(standing.rows));
    set.open.set(labels, standing.openConflicts);
    set.aside.set(labels, standing.setAside);
    for (const [state, count] of Object.entries({ pending, blocked, parked })) {
      set.outbox.set({ ...labels, state }, count);
    }
    for (const { part, code } of standing.troubles) set.trouble.set({ ...labels, part, code }, 1);
    set.conflicts.inc(labels, 0);
    set.pulled.inc(labels, 0);
  }

  function tellBeside(own: Labels, { activities, sides, comments, troubles }: Beside): void {
    const tell = (labels: Labels, states: Readonly<Record<string, number>>) => {
      for (const [state, count] of Object.entries(states)) {
        set.beside.set({ ...own, ...labels, state }, count);
      }
    };
    for (const { object, waiting, failed } of activities) {
      tell({ table: 'activity', object }, { waiting, failed });
    }
    for (const { part, object, units, read, due, failed, oldestReadAt } of sides) {
      tell({ table: part, object: object ?? '' }, { waiting: due, failed });
      // Of records one is read when it changes: nothing is late.
      if (object !== null || read < units || oldestReadAt === null) continue;
      const ageMs = Math.max(0, Date.now() - Date.parse(oldestReadAt));
      set.besideAge.set({ ...own, table: part }, ageMs / 1_000);
    }
    for (const { object, waiting, parked } of comments) {
      set.comments.set({ ...own, object, state: 'pending' }, waiting);
      set.comments.set({ ...own, object, state: 'parked' }, parked);
    }
    for (const { object, part, code } of troubles) {
      set.trouble.set({ ...own, object, part, code }, 1);
    }
  }

  function tellEndpoints(own: Labels, { endpoints }: Measured): void {
    const nowMs = Date.now();
    for (const stats of endpoints()) {
      const labels = { ...own, endpoint: stats.endpoint };
      if (stats.remaining !== null) set.remaining.set(labels, stats.remaining);
      if (stats.limit !== null) set.limit.set(labels, stats.limit);
      set.waiting.set(labels, stats.waiting);
      const heldMs = (stats.heldUntilMs ?? 0) - nowMs;
      if (heldMs > 0) set.held.set(labels, heldMs / 1_000);
      for (const [status, count] of Object.entries(stats.byStatus)) {
        set.requests.inc({ ...labels, status }, count);
      }
    }
  }

  /** A workspace that another process leads now, or that is gone, leaves nothing behind. */
  async function forgetOthers(measured: readonly Measured[]): Promise<void> {
    const present = new Set(measured.map(({ name }) => name));
    const led = new Set(measured.filter(({ leads }) => leads()).map(({ name }) => name));
    const notLed = [...told].filter((name) => !led.has(name));
    if (notLed.length + nudged.size === 0) return;
    for (const metric of countedUp) await forget(metric, new Set(notLed));
    const gone = new Set([...nudged].filter((name) => !present.has(name)));
    await forget(set.nudges, gone);
    await forget(set.hooks, gone);
    for (const name of gone) nudged.delete(name);
    for (const name of notLed) {
      told.delete(name);
      counted.delete(name);
    }
  }

  return {
    contentType: set.registry.contentType,
    async render(measured) {
      if (fleet) await forgetOthers(measured);
      const isTold = (one: Measured) => !fleet || one.leads();
      const reads = await Promise.all(
        // What this process knows is told also while a database is away.
        measured.map(async (one) =>
          isTold(one) ? await withinMs(SCRAPE_MS, readDatabase(one)) : null,
        ),
      );
      // From here on nothing waits: a scrape beside this one sees all of it or nothing.
      for (const metric of [...ofDatabase, ...ofEndpoints, ...ofProcess]) metric.reset();
      for (const [n, one] of measured.entries()) {
        const own = labelsOf(one.name);
        set.leader.set(own, one.leads() ? 1 : 0);
        set.info.set({ ...own, version: one.version }, 1);
        if (one.state?.kind === 'broken') set.broken?.set({ ...own, code: one.state.code }, 1);
        if (!isTold(one)) continue;
        if (one.name !== null) told.add(one.name);
        const read = reads[n] ?? null;
        set.up.set(own, read === null ? 0 : 1);
        set.pushed.inc(own, 0);
        tellEndpoints(own, one);
        for (const standing of read?.objects ?? []) tellObject(own, standing);
        if (read !== null) tellBeside(own, read.beside);
        for (const { object, count } of read?.found ?? []) {
          set.conflicts.inc({ ...own, object }, count);
        }
      }
      return await set.registry.metrics();
    },
    notes(name) {
      const own = labelsOf(name);
      const note = () => {
        if (name !== null) told.add(name);
      };
      return {
        noteRequest({ endpoint, durationMs }) {
          note();
          set.durations.observe(name === null ? { endpoint } : own, durationMs / 1_000);
        },
        notePull(object, { inserted, updated, removed }) {
          note();
          set.pulled.inc({ ...own, object }, inserted + updated + removed);
        },
        noteNudge() {
          if (name !== null) nudged.add(name);
          set.nudges.inc(own);
        },
        noteHook(outcome) {
          if (name !== null) nudged.add(name);
          set.hooks.inc({ ...own, outcome });
        },
        notePush({ delivered, gone, refused, failed, unclear }) {
          note();
          set.pushed.inc(own, delivered + gone);
          for (const [outcome, count] of Object.entries({ refused, failed, unclear })) {
            set.unsent.inc({ ...own, outcome }, count);
          }
        },
      };
    },
  };
}

type Metric = Counter | Histogram;

async function forget(metric: Metric, workspaces: ReadonlySet<string>): Promise<void> {
  const { values } = await metric.get();
  for (const { labels } of values) {
    if (!workspaces.has(String(labels['workspace']))) continue;
    // Of a histogram every bucket is told, and all of them are one.
    const { le: _, ...own } = labels;
    metric.remove(own);
  }
}
