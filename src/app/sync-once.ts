import { countUnsettled } from '../db/outbox.ts';
import { refreshUsers } from './background-jobs.ts';
import { type ObjectProgress, type ObjectRun, pullAll } from './pull-all.ts';
import { copiedDatabase, type PushOutcome, pushOnce } from './push-once.ts';
import { withDeletions } from './reconcile-all.ts';
import { createRecordingsPass } from './recordings-pass.ts';
import type { Session } from './session.ts';
import { sweepAll } from './sweep-all.ts';

export interface SyncOutcome {
  readonly objects: readonly ObjectRun[];
  /** Null where push is off, or the database a copy. */
  readonly push: PushOutcome | null;
  readonly left: Left;
}

/** What both sides do not agree on yet. */
export interface Left {
  readonly pending: number;
  readonly blocked: number;
  readonly parked: number;
  readonly openConflicts: number;
}

export interface SyncOptions {
  readonly objects?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ObjectProgress) => void) | undefined;
}

/**
 * One complete pass: what changed in the CRM, what was deleted there (by comparison where no feed
 * tells), what is due of the rolling sweep and of recordings, then what waits in the outbox, which takes in once
 * more what it is about to overwrite. The schema was checked when the session was opened.
 */
export async function syncOnce(session: Session, options: SyncOptions): Promise<SyncOutcome> {
  const reading = { ...options, priority: 'pull' } as const;
  const objects: ObjectRun[] = [];
  for (const run of await pullAll(session, reading)) {
    objects.push(await withDeletions(session, run, reading));
  }
  await sweepAll(session, reading);
  if (!options.objects) await refreshUsers(session, { ...reading, force: false });
  if (!options.objects) await createRecordingsPass(session)(reading);
  const { config, installation, log } = session;
  if (config.push && !installation.adopted) log.warn(copiedDatabase(), 'nothing is pushed');
  const push = config.push && installation.adopted ? await pushOnce(session, options) : null;
  const { pending, sending, blocked, parked, openConflicts } = await countUnsettled(
    session.db,
    options.objects,
  );
  return { objects, push, left: { pending: pending + sending, blocked, parked, openConflicts } };
}
