import type { MirrorTable } from '../db/mirror/table.ts';
import { isUnproven, loadSweeps, type Sweep } from '../db/position/sweep-state.ts';
import type { Priority } from '../domain/remote.ts';
import { type SweepResult, sweepObject } from '../pull/sweep.ts';
import { objectError } from './object-error.ts';
import { settleScanned } from './reconcile-all.ts';
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

/** How often everything of an object is read. */
export function intervalOf({ settings, remote, config }: Session, object: string): number {
  const { changes } = remote.capabilitiesOf(object);
  const ownMs = changes.kind === 'full-scan' ? changes.everyMs : undefined;
  return settings(object).scanMs ?? ownMs ?? config.sweepMs;
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
  const tables = session.tables.filter(({ object }) => {
    return (wanted?.has(object) ?? true) && session.troubles.waitMs(partOf(object)) === 0;
  });
  const sweeps = await loadSweeps(
    session.db,
    tables.map(({ object }) => object),
  );
  for (const table of tables) {
    if (signal.aborted) break;
    const standing = sweeps.get(table.object);
    if (standing === undefined) continue;
    const intervalMs = intervalOf(session, table.object);
    const part = partOf(table.object);
    try {
      const swept = await sweepObject(session, table, { signal, priority, intervalMs, standing });
      if (swept === null) {
        await settleAgain(session, table, { signal, priority, standing });
        continue;
      }
      runs.push({ object: table.object, ...swept });
      await session.troubles.worked(part);
      const { isFinished, startedAt, problem } = swept;
      if (!isFinished || startedAt === null || isUnproven(problem)) continue;
      await settleScanned(session, table, { signal, priority, startedAt });
    } catch (error) {
      // Where it is everybody's, whoever pulls says so.
      await objectError(session, part, error, signal);
    }
  }
  return runs;
}

/**
 * What became of whom the last complete reading did not show could not be asked then: it is asked as soon
 * as that may be tried again, for the next reading may be a day away.
 */
async function settleAgain(
  session: Session,
  table: MirrorTable,
  { standing, ...options }: Omit<SweepAllOptions, 'objects'> & { readonly standing: Sweep },
): Promise<void> {
  const part = { object: table.object, part: 'reconcile' } as const;
  if (!session.troubles.stands(part) || session.troubles.waitMs(part) > 0) return;
  await settleScanned(session, table, { ...options, startedAt: standing.startedAt });
}

function partOf(object: string) {
  return { object, part: 'sweep' } as const;
}
