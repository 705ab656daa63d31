import { countUnsettled } from '../db/outbox/outbox.ts';
import { createActivitiesPass } from './daemon/activities-pass.ts';
import { refreshUsers } from './daemon/background-jobs.ts';
import { createRecordingsPass } from './daemon/recordings-pass.ts';
import { createSidePass } from './daemon/side-pass.ts';
import { readAllHints } from './hooks/read-hints.ts';
import { noteBudget } from './note-budget.ts';
import { type ObjectProgress, type ObjectRun, pullAll, type RunOptions } from './pull-all.ts';
import { copiedDatabase, type PushOutcome, pushOnce } from './push-once.ts';
import { withDeletions } from './reconcile-all.ts';
import type { Session } from './session.ts';
import { sweepAll } from './sweep-all.ts';
import { readTooEarly, type UnconfirmedRows, unconfirmedRows } from './too-early.ts';

export interface SyncOutcome {
  readonly objects: readonly ObjectRun[];
  /** Null where push is off, or the database a copy. */
  readonly push: PushOutcome | null;
  readonly left: Left;
  readonly unconfirmed: readonly UnconfirmedRows[];
}

/** What both sides do not agree on yet. */
export interface Left {
  readonly pending: number;
  readonly blocked: number;
  readonly parked: number;
  readonly openConflicts: number;
  /** Rows that cannot be written. */
  readonly setAside: number;
}

export interface SyncOptions {
  readonly objects?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ObjectProgress) => void) | undefined;
}

/** The past of many records, or what stands beside them, takes longer to read than somebody waits for a pass. */
const BESIDE_MS = 60_000;

function after({ nowMs }: Session, ms: number): () => boolean {
  const endMs = nowMs() + ms;
  return () => nowMs() > endMs;
}

/**
 * One complete pass: what changed in the CRM, what was deleted there (by comparison where no feed
 * tells), what is due of the rolling sweep, of hints, of recordings, of activities and of what
 * stands beside the records (for a minute each), then what waits in the outbox, which takes in once
 * more what it is about to overwrite. The schema was checked when the session was opened.
 */
export async function syncOnce(session: Session, options: SyncOptions): Promise<SyncOutcome> {
  const reading = { ...options, priority: 'pull', everything: true } as const;
  const read = await readOnce(session, reading);
  await sweepAll(session, reading);
  // What a list left in doubt an earlier time.
  await readAllHints(session, reading);
  if (!options.objects) await refreshUsers(session, { ...reading, force: false });
  if (!options.objects) await createRecordingsPass(session)(reading);
  await createActivitiesPass(session)({ ...reading, isOver: after(session, BESIDE_MS) });
  await createSidePass(session)({ ...reading, isOver: after(session, BESIDE_MS) });
  const { config, installation, log } = session;
  if (config.push && !installation.adopted) log.warn(copiedDatabase(), 'nothing is pushed');
  const push = config.push && installation.adopted ? await pushOnce(session, options) : null;
  const objects = await readTooEarly(session, read, reading, (rest) => readOnce(session, rest));
  await noteBudget(session);
  const unsettled = await countUnsettled(session.db, options.objects);
  const { pending, sending, blocked, parked, openConflicts, setAside } = unsettled;
  const runs = withProblems(session, objects, options.objects);
  return {
    objects: runs,
    push,
    left: { pending: pending + sending, blocked, parked, openConflicts, setAside },
    unconfirmed: await unconfirmedRows(session, options.objects),
  };
}

async function readOnce(session: Session, reading: RunOptions): Promise<readonly ObjectRun[]> {
  const runs: ObjectRun[] = [];
  for (const run of await pullAll(session, reading)) {
    runs.push(await withDeletions(session, run, reading));
  }
  return runs;
}

/** An object whose table is not what the workspace says is not in step, however well it was read. */
function withProblems(
  { problems }: Session,
  runs: readonly ObjectRun[],
  wanted: readonly string[] | undefined,
): readonly ObjectRun[] {
  const concerned = problems.filter(({ object }) => wanted?.includes(object) ?? true);
  const found = concerned.map(({ object, code, message, error: { hint } }): ObjectRun => {
    const counts = runs.find((run) => run.object === object)?.counts ?? {};
    const error = { code, message, ...(hint !== undefined && { hint }) };
    return { object, kind: 'pull', state: 'incomplete', counts, error };
  });
  const replaced = new Set(found.map(({ object }) => object));
  // What failed in itself says more.
  const kept = runs.filter(({ object, state }) => state === 'failed' || !replaced.has(object));
  const told = new Set(kept.map(({ object }) => object));
  return [...kept, ...found.filter(({ object }) => !told.has(object))].toSorted((a, b) =>
    a.object < b.object ? -1 : 1,
  );
}
