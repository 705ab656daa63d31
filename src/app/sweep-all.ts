import { SyncError } from '../domain/errors.ts';
import type { Priority } from '../domain/remote.ts';
import { type SweepResult, sweepObject } from '../pull/sweep.ts';
import type { Session } from './session.ts';

export interface SweepAllOptions {
  /** All where left out. */
  readonly objects?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly priority: Priority;
}

/** What one object's part of a sweep brought. */
export interface SweepRun extends SweepResult {
  readonly object: string;
}

/**
 * Reads what is due of the rolling sweep, one object after the other. One that fails harms only
 * itself: it is due again next time.
 *
 * @throws an error of disposition `halt`, or one that is a bug.
 */
export async function sweepAll(
  session: Session,
  options: SweepAllOptions,
): Promise<readonly SweepRun[]> {
  const wanted = options.objects && new Set(options.objects);
  const { signal, priority } = options;
  const runs: SweepRun[] = [];
  for (const table of session.tables) {
    if (signal.aborted) break;
    if (wanted && !wanted.has(table.object)) continue;
    const intervalMs = session.config.sweepMs;
    try {
      const swept = await sweepObject(session, table, { signal, priority, intervalMs });
      if (swept !== null) runs.push({ object: table.object, ...swept });
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof SyncError) || error.disposition === 'halt') throw error;
      session.log.debug({ object: table.object, code: error.code }, 'sweep not complete');
    }
  }
  return runs;
}
