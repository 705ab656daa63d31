import { freeFromFuture } from '../../db/outbox/clock-set-back.ts';
import { readLastRunAge, recordRun } from '../../db/service/run-log.ts';
import { isPassing } from '../../domain/errors.ts';
import type { Priority } from '../../domain/remote.ts';
import { pullUsers } from '../../pull/pull-users.ts';
import { MEETING } from '../config/meeting.ts';
import { noteBudget } from '../note-budget.ts';
import { objectError } from '../object-error.ts';
import type { Session } from '../session.ts';
import { sweepAll } from '../sweep-all.ts';
import { createActivitiesPass } from './activities-pass.ts';
import { DUE, sweepsAt } from './due.ts';
import { createRecordingsPass } from './recordings-pass.ts';
import type { Scheduled } from './schedule.ts';
import { createSidePass } from './side-pass.ts';

export interface BackgroundOptions {
  readonly signal: AbortSignal;
  /** Whether this process may work now. */
  readonly leads: () => boolean;
  /** Told of an error that no repetition mends. */
  readonly onHalt: (error: unknown) => void;
}

const USERS_EVERY_MS = 86_400_000;

/** What the service does beside pulling and pushing, when nothing more urgent waits. */
export function backgroundJobs(session: Session, options: BackgroundOptions): readonly Scheduled[] {
  const { signal, leads, onHalt } = options;
  let isFirst = true;
  const unscanned = new Set<string>();
  const sweep = async () => {
    const runs = await sweepAll(session, { signal, priority: 'backfill' });
    for (const { object, problem, ...counts } of runs) {
      const { changed, linked, unlinked } = counts;
      if (problem !== null) session.log.warn({ object, code: problem }, 'sweep not complete');
      else if (changed + linked + unlinked > 0) session.log.info({ object, ...counts }, 'swept');
    }
  };
  const users = async () => {
    await refreshUsers(session, { signal, priority: 'backfill', force: isFirst });
    isFirst = false;
  };
  const budget = async () => {
    await noteBudget(session, unscanned);
  };
  const waits = async () => {
    const entries = await freeFromFuture(session.db);
    if (entries > 0) session.log.warn({ entries }, 'the database’s clock was set back: sent anew');
  };
  const recordings = createRecordingsPass(session);
  const activities = createActivitiesPass(session);
  const isOver = () => signal.aborted || !leads();
  const sides = createSidePass(session);
  const guarded = (run: () => Promise<void>) => async () => {
    if (signal.aborted || !leads()) return;
    try {
      await run();
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) return onHalt(error);
      session.log.info({ code: error.code }, error.message);
    }
  };
  return [
    { name: 'sweep', expression: sweepsAt(session.config.second ?? 0), run: guarded(sweep) },
    { name: 'waits', expression: DUE.waits, run: guarded(waits) },
    { name: 'budget', expression: DUE.budget, run: guarded(budget) },
    { name: 'users', expression: DUE.users, run: guarded(users) },
    {
      name: 'sides',
      expression: DUE.sides,
      run: guarded(() => sides({ signal, priority: 'backfill', isOver })),
    },
    {
      name: 'recordings',
      expression: DUE.recordings,
      run: guarded(async () => {
        if (session.troubles.waitMs({ object: MEETING, part: 'recordings' }) > 0) return;
        await recordings({ signal, priority: 'backfill' });
      }),
    },
    {
      name: 'activities',
      expression: DUE.activities,
      run: guarded(() => activities({ signal, priority: 'backfill', isOver })),
    },
  ];
}

/**
 * Brings over the users of the workspace, unless that was done within a day. A key that may not see
 * them, or a server that does not tell, is no reason to stop: said, and tried again.
 *
 * @throws what ends the service.
 */
export async function refreshUsers(
  session: Session,
  options: { readonly signal: AbortSignal; readonly priority: Priority; readonly force: boolean },
): Promise<void> {
  const { db, holder } = session;
  const { signal, priority, force } = options;
  const ageMs = await readLastRunAge(db, 'users');
  // Read in the future: by a clock that has been set back since.
  if (!force && ageMs !== null && Math.abs(ageMs) < USERS_EVERY_MS) return;
  const startedMs = session.nowMs();
  try {
    const counts = await pullUsers(session, { signal, priority });
    if (counts === null) return;
    // The first reading makes the table.
    await session.grantRights();
    const tookMs = session.nowMs() - startedMs;
    await recordRun(db, { kind: 'users', object: null, holder, counts, tookMs });
    await session.troubles.worked({ object: 'user', part: 'users' });
  } catch (error) {
    const part = { object: 'user', part: 'users' } as const;
    await objectError(session, part, error, signal);
  }
}
