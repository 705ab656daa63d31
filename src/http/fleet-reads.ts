import PQueue from 'p-queue';
import { type Lease, readLease } from '../db/lease/lease.ts';
import { type ObjectStanding, readStanding } from '../db/service/status.ts';
import { SyncError } from '../domain/errors.ts';
import { type Beside, readBeside } from './beside.ts';
import { remembered } from './snapshot.ts';
import type { WorkspaceSource } from './status-source.ts';

/** What was last read of a workspace. */
export interface Reading {
  readonly objects: readonly ObjectStanding[];
  readonly lease: Lease | null;
  /** Why it could not be read, where that was tried after; null where nothing went wrong. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** Reads of many workspaces, so slow that the work never waits for them. */
export interface FleetReads {
  /**
   * Reads it where what is known is no longer fresh. Never throws: what went wrong is told.
   * @param goodMs for how long a reading that went well is good enough, also where it is no longer fresh.
   */
  read(source: WorkspaceSource, goodMs?: number): Promise<Reading>;
  /** What is known without waiting; null before its first reading. */
  known(source: WorkspaceSource): Reading | null;
  /** What stands beside the records; as rarely, by itself: of many records it takes longer. */
  beside(source: WorkspaceSource): Promise<Beside>;
  /** Any other read, after those of its database that asked before. */
  inTurn<T>(source: WorkspaceSource, work: () => Promise<T>): Promise<T>;
}

export interface FleetReadsOptions {
  /** How many workspaces there are: each may cost its share of a twentieth of the time. */
  readonly count: () => number;
  readonly monotonicMs?: () => number;
  /** Stands in for the database in tests. */
  readonly readOne?: (source: WorkspaceSource) => Promise<Omit<Reading, 'problem'>>;
  readonly besideOf?: (source: WorkspaceSource) => Promise<Beside>;
}

/** Of one database at the same time: its connections are there for the work. */
const AT_ONCE = 2;
const LEAST_MS = 1_000;
/** However long it takes: nobody wants to look at what was true minutes ago. */
const MOST_MS = 60_000;
const SHARE = 20;

interface Entry {
  latest: Reading | null;
  /** When it was read, by a clock that never jumps. */
  atMs: number;
  untilMs: number;
  reading: Promise<Reading> | null;
}

/** Nothing is kept of a workspace that is gone, and no timer of any. */
export function createFleetReads(options: FleetReadsOptions): FleetReads {
  const { count, monotonicMs = () => performance.now(), readOne = readBoth } = options;
  const { besideOf = readBeside } = options;
  const besides = new WeakMap<WorkspaceSource, () => Promise<Beside>>();
  const entries = new WeakMap<WorkspaceSource, Entry>();
  const queues = new Map<unknown, PQueue>();

  function entryOf(source: WorkspaceSource): Entry {
    const entry = entries.get(source) ?? { latest: null, atMs: 0, untilMs: 0, reading: null };
    entries.set(source, entry);
    return entry;
  }

  /** One database that hangs keeps nobody of another waiting. */
  async function inTurn<T>({ database }: WorkspaceSource, work: () => Promise<T>): Promise<T> {
    const queue = queues.get(database) ?? new PQueue({ concurrency: AT_ONCE });
    queues.set(database, queue);
    try {
      return await queue.add(work);
    } finally {
      if (queue.size + queue.pending === 0) queues.delete(database);
    }
  }

  async function readNow(source: WorkspaceSource, entry: Entry): Promise<Reading> {
    const reading = await inTurn(source, async () => {
      const startedMs = monotonicMs();
      const read = await attempt(source, entry.latest);
      const tookMs = monotonicMs() - startedMs;
      const restMs = Math.min(MOST_MS, Math.max(LEAST_MS, tookMs * SHARE * count()));
      entry.atMs = monotonicMs();
      entry.untilMs = entry.atMs + restMs;
      return read;
    });
    entry.latest = reading;
    return reading;
  }

  async function attempt(source: WorkspaceSource, latest: Reading | null): Promise<Reading> {
    try {
      return { ...(await readOne(source)), problem: null };
    } catch (error) {
      const problem =
        error instanceof SyncError
          ? { code: error.code, message: error.message }
          : { code: 'unexpected', message: 'something went wrong; the log tells where' };
      if (!(error instanceof SyncError))
        source.log.warn({ err: error }, 'a workspace was not read');
      return { objects: latest?.objects ?? [], lease: null, problem };
    }
  }

  return {
    async read(source, goodMs = 0) {
      const entry = entryOf(source);
      const { latest, atMs, untilMs } = entry;
      const goodUntilMs = latest?.problem === null ? atMs + goodMs : 0;
      if (latest !== null && monotonicMs() < Math.max(untilMs, goodUntilMs)) return latest;
      entry.reading ??= readNow(source, entry).finally(() => {
        entry.reading = null;
      });
      return await entry.reading;
    },
    known: (source) => entries.get(source)?.latest ?? null,
    beside(source) {
      const rest = { times: SHARE * count(), mostMs: MOST_MS, monotonicMs };
      const known =
        besides.get(source) ?? remembered(() => inTurn(source, () => besideOf(source)), rest);
      besides.set(source, known);
      return known();
    },
    inTurn,
  };
}

async function readBoth({ db }: WorkspaceSource): Promise<Omit<Reading, 'problem'>> {
  const lease = await readLease(db);
  return { lease, objects: await readStanding(db) };
}
