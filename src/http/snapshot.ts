import { type Lease, readLease } from '../db/lease/lease.ts';
import { controlVersion, type MigrationResult } from '../db/migrate.ts';
import { type ObjectStanding, readStanding } from '../db/service/status.ts';
import { type Beside, readBeside } from './beside.ts';
import type { StatusSource } from './status-source.ts';

/** Reads shared by everyone who looks: a page left open, a scrape and a probe cost one. */
export interface Snapshot {
  standing(): Promise<readonly ObjectStanding[]>;
  beside(): Promise<Beside>;
  lease(): Promise<Lease | null>;
  migrations(): Promise<MigrationResult>;
}

export function createSnapshot(source: Pick<StatusSource, 'db' | 'readsBeside'>): Snapshot {
  const { db } = source;
  return {
    // Counting the rows of large tables is work: a twentieth of the time at most.
    standing: remembered(() => readStanding(db)),
    beside: remembered(() => readBeside(source)),
    lease: remembered(() => readLease(db)),
    migrations: remembered(() => controlVersion(db)),
  };
}

export interface RememberOptions {
  /** An answer is good for at least this long; default 1 s. */
  readonly atLeastMs?: number;
  /** And for this many times as long as reading it took; default 20. */
  readonly times?: number;
  /** But for no longer than this; default 15 s. */
  readonly mostMs?: number;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs?: () => number;
}

/** However slow the database: nobody wants to look at what was true minutes ago. */
const MOST_MS = 15_000;

/**
 * Calls `read` only where the last answer is no longer fresh: the longer it took, the longer it
 * is kept. Who asks while a read is under way gets its answer; an error is not kept.
 */
export function remembered<T>(
  read: () => Promise<T>,
  {
    atLeastMs = 1_000,
    times = 20,
    mostMs = MOST_MS,
    monotonicMs = () => performance.now(),
  }: RememberOptions = {},
): () => Promise<T> {
  let answer: Promise<T> | null = null;
  let untilMs = 0;
  return async () => {
    if (answer !== null && monotonicMs() < untilMs) return await answer;
    const startedMs = monotonicMs();
    const reading = read();
    answer = reading;
    untilMs = Number.POSITIVE_INFINITY;
    try {
      const result = await reading;
      const endedMs = monotonicMs();
      untilMs = endedMs + Math.min(mostMs, Math.max(atLeastMs, (endedMs - startedMs) * times));
      return result;
    } catch (error) {
      answer = null;
      throw error;
    }
  };
}
