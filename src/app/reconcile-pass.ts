import type { ObjectRun } from './pull-all.ts';
import { type ReconcileRunOptions, reconcileAll } from './reconcile-all.ts';
import type { Session } from './session.ts';
import { readTooEarly, type UnconfirmedRows, unconfirmedRows } from './too-early.ts';

export interface ReconcileOutcome {
  readonly objects: readonly ObjectRun[];
  readonly unconfirmed: readonly UnconfirmedRows[];
}

/** A comparison that somebody waits for: with what it could not tell yet, or which rows those are. */
export async function reconcilePass(
  session: Session,
  options: ReconcileRunOptions,
): Promise<ReconcileOutcome> {
  const runs = await reconcileAll(session, options);
  const again = (reading: ReconcileRunOptions) => reconcileAll(session, { ...options, ...reading });
  const objects = await readTooEarly(session, runs, options, again);
  return { objects, unconfirmed: await unconfirmedRows(session, options.objects) };
}
