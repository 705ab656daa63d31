import type { Priority } from '../domain/remote.ts';
import { type SweepResult, sweepObject } from '../pull/sweep.ts';
import { objectError } from './object-error.ts';
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
 * itself: it is due again after a pause that grows.
 *
 * @throws what ends the service.
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
    const part = { object: table.object, part: 'sweep' } as const;
    if (session.troubles.waitMs(part) > 0) continue;
    try {
      const swept = await sweepObject(session, table, { signal, priority, intervalMs });
      if (swept === null) continue;
      runs.push({ object: table.object, ...swept });
      await session.troubles.worked(part);
    } catch (error) {
      // Where it is everybody's, whoever pulls says so.
      await objectError(session, part, error, signal);
    }
  }
  return runs;
}
