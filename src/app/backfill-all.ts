import { pullObject } from '../pull/pull-object.ts';
import { createActivitiesPass } from './daemon/activities-pass.ts';
import { refreshUsers } from './daemon/background-jobs.ts';
import { createRecordingsPass } from './daemon/recordings-pass.ts';
import { createSidePass } from './daemon/side-pass.ts';
import { eachObject, loggedRun, type ObjectRun, type RunOptions, readAll } from './pull-all.ts';
import type { Session } from './session.ts';

export interface BackfillAllOptions extends Omit<RunOptions, 'priority' | 'concurrency'> {
  /** Pages of one object asked for at the same time; default 4. */
  readonly concurrency?: number | undefined;
  readonly since?: string | undefined;
  readonly restart?: boolean | undefined;
}

/**
 * Brings objects over from scratch, then what changed meanwhile, then, where that is asked for, what is due of their
 * past and of what stands beside them. Resumes what was broken off.
 */
export async function backfillAll(
  session: Session,
  options: BackfillAllOptions,
): Promise<readonly ObjectRun[]> {
  const { since, restart, concurrency, ...rest } = options;
  const all = { ...rest, priority: 'backfill' } as const;
  const runs = await eachObject(session, all, async (table, signal) => {
    const run = { ...options, signal, priority: 'backfill' } as const;
    const filled = await loggedRun(session, table, 'backfill', run, (reading) =>
      session.turns.take(`${table.object} from the beginning`, signal, () =>
        readAll(session, table, { ...reading, since, restart, concurrency }),
      ),
    );
    if (filled.state !== 'ok') return filled;
    const quiet = { signal, priority: 'backfill' } as const;
    const pulled = await loggedRun(session, table, 'pull', quiet, (reading) =>
      pullObject(session, table, reading),
    );
    return pulled.state === 'ok' ? filled : { ...pulled, kind: 'backfill', counts: filled.counts };
  });
  if (!options.objects) {
    await refreshUsers(session, { ...all, force: true });
    await createRecordingsPass(session)(all);
  }
  await createActivitiesPass(session)(all);
  await createSidePass(session)(all);
  return runs;
}
