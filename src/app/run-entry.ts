import type { Database } from '../db/connection/database.ts';
import {
  type EndedRun,
  finishRun,
  type RunKind,
  type RunState,
  recordRun,
  startRun,
} from '../db/service/run-log.ts';

export interface RunFacts {
  readonly kind: RunKind;
  readonly object: string;
  readonly holder: string;
}

export interface RunOutcome {
  readonly state: RunState;
  readonly counts: Readonly<Record<string, number>>;
  /** A code, never a value. */
  readonly error: string | null;
}

/** A run that is on record, or will be. */
export interface RunEntry {
  /** May be called again where it has failed. */
  end(outcome: RunOutcome): Promise<void>;
}

/** How runs are put on record. */
export type BeginRun = (run: RunFacts) => Promise<RunEntry>;

/** From its beginning. */
export function beginAtOnce(db: Database): BeginRun {
  return async (run) => {
    const id = await startRun(db, run);
    return { end: (outcome) => finishRun(db, id, outcome) };
  };
}

/** Nobody sees of a run that it is under way before it has lasted so long. */
const SHOWN_AFTER_MS = 1_000;

/**
 * One that is over within a second at its end alone: a look that finds nothing is one row, and those that
 * end together are one statement. Whoever is killed within that second leaves no trace of having looked.
 */
export function beginLate(
  db: Database,
  deps: {
    readonly nowMs: () => number;
    readonly record?: (run: EndedRun) => Promise<void>;
  },
): BeginRun {
  const { nowMs, record = (run) => recordRun(db, run) } = deps;
  return async (run) => {
    const startedMs = nowMs();
    let shown: Promise<bigint | null> | null = null;
    const show = () => {
      // Where the database is away it is put on record at its end after all.
      shown = startRun(db, run, nowMs() - startedMs).catch(() => null);
    };
    const timer = setTimeout(show, SHOWN_AFTER_MS);
    return {
      async end(outcome) {
        clearTimeout(timer);
        const id = await shown;
        if (id !== null) return await finishRun(db, id, outcome);
        await record({ ...run, ...outcome, tookMs: nowMs() - startedMs });
      },
    };
  };
}
