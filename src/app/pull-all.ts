import { setTimeout as sleep } from 'node:timers/promises';
import { backfillObject } from '../backfill/backfill-object.ts';
import type { ReadResult } from '../conflicts/read-object.ts';
import { loadCursor } from '../db/cursor.ts';
import { markFilled, readUnfilled } from '../db/mirror/load.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { finishRun, startRun } from '../db/run-log.ts';
import { isPassing, RemoteError, SyncError } from '../domain/errors.ts';
import type { Priority } from '../domain/remote.ts';
import { pullObject } from '../pull/pull-object.ts';
import type { ReconcileResult } from '../reconcile/reconcile-object.ts';
import type { Session } from './session.ts';

/** One object's run, as it stands in `clarify_sync.run`. */
export interface ObjectRun {
  readonly object: string;
  readonly kind: 'pull' | 'backfill' | 'reconcile';
  readonly state: 'ok' | 'incomplete' | 'failed';
  readonly counts: Readonly<Record<string, number>>;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
  } | null;
}

export interface RunOptions {
  /** All where left out. */
  readonly objects?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly priority: Priority;
  readonly onProgress?: ((progress: ObjectProgress) => void) | undefined;
  /** Objects read at the same time; default 3. */
  readonly concurrency?: number | undefined;
}

export interface ObjectProgress {
  readonly object: string;
  /** Records read so far. */
  readonly read: number;
  /** How many there are, where the CRM says. */
  readonly total: number | null;
}

/** Objects read at the same time: enough to hide latency, few enough for a small pool. */
const OBJECTS_AT_ONCE = 3;

const CLOSE_ATTEMPTS = 6;
const CLOSE_PAUSE_MS = 200;

/** Pulls objects; one never read is backfilled first. One that fails harms only itself. */
export async function pullAll(
  session: Session,
  options: RunOptions,
): Promise<readonly ObjectRun[]> {
  return await eachObject(session, options, (table, signal) =>
    pullOne(session, table, { ...options, signal }),
  );
}

/** Pulls one object and logs the run. */
export async function pullOne(
  session: Session,
  table: MirrorTable,
  options: RunOptions,
): Promise<ObjectRun> {
  const { object } = table;
  const { phase } = await loadCursor(session.db, object);
  const unfilled = (await readUnfilled(session.db)).find((one) => one.object === object);
  const pull = () =>
    loggedRun(session, table, 'pull', options, (reading) => pullObject(session, table, reading));
  if (phase === 'incremental' && !unfilled) return await pull();
  // Columns that came to rows that stood are filled by reading every record again.
  const restart = phase === 'incremental';
  const filled = await loggedRun(session, table, 'backfill', options, (reading) =>
    session.turns.take(`${object} from the beginning`, reading.signal, () =>
      backfillObject(session, table, {
        ...reading,
        priority: 'backfill',
        restart,
        first: !restart,
      }),
    ),
  );
  if (filled.state !== 'ok') return filled;
  if (unfilled) await markFilled(session.db, object, unfilled.fields);
  const pulled = await pull();
  return { ...pulled, kind: 'backfill', counts: sum(filled.counts, pulled.counts) };
}

/** Runs `read`, and puts its outcome in the run log whatever it is (invariant 8). */
export async function loggedRun(
  session: Session,
  table: MirrorTable,
  kind: ObjectRun['kind'],
  options: RunOptions,
  read: (reading: {
    signal: AbortSignal;
    priority: Priority;
    onPage: (page: { read: number; total: number | null }) => void;
  }) => Promise<ReadResult | ReconcileResult>,
): Promise<ObjectRun> {
  const { object } = table;
  const id = await startRun(session.db, { kind, object, holder: session.holder });
  let records = 0;
  const onPage = (page: { read: number; total: number | null }) => {
    records += page.read;
    options.onProgress?.({ object, read: records, total: page.total });
  };
  try {
    const { signal, priority } = options;
    const { state, reason, counts } = await read({ signal, priority, onPage });
    await finishRun(session.db, id, { state, counts: { ...counts }, error: reason });
    warnOfExtra(session, { object, kind, counts: { ...counts } });
    const error = reason === null ? null : { code: reason, message: `${object}: ${reason}` };
    return { object, kind, state, counts: { ...counts }, error };
  } catch (cause) {
    const error = describe(cause, object);
    if (isUnavailable(cause)) {
      const state = 'incomplete';
      await finishRun(session.db, id, { state, counts: { read: records }, error: error.code });
      return { object, kind, state, counts: { read: records }, error };
    }
    await closeFailed(session, { id, error: error.code, read: records });
    if (cause instanceof SyncError && cause.disposition === 'halt') throw cause;
    if (!(cause instanceof SyncError) && !options.signal.aborted) throw cause;
    return { object, kind, state: 'failed', counts: { read: records }, error };
  }
}

/** Of rows that were written: those that stand as they are were told of when they came. */
function warnOfExtra(session: Session, run: Pick<ObjectRun, 'object' | 'kind' | 'counts'>): void {
  const { object, kind } = run;
  const { extra = 0, inserted = 0, updated = 0 } = run.counts;
  if (extra === 0 || inserted + updated === 0) return;
  session.log.warn({ object, kind, extra }, 'values that fit no column are kept in _extra');
}

/**
 * The database may be what failed: it is given some seconds to come back, so that nobody reads
 * `running` of what does not run. Beyond that the run is found abandoned.
 */
async function closeFailed(
  { db, log }: Session,
  { id, error, read }: { readonly id: bigint; readonly error: string; readonly read: number },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await finishRun(db, id, { state: 'failed', counts: { read }, error });
    } catch (failure) {
      if (attempt >= CLOSE_ATTEMPTS || !isPassing(failure)) {
        return log.debug({ err: failure }, 'run not logged');
      }
      await sleep(CLOSE_PAUSE_MS * attempt);
    }
  }
}

/** Listed in the schema, and yet its records answer 404: nothing the next pass could mend. */
function isUnavailable(cause: unknown): boolean {
  return cause instanceof RemoteError && cause.code === 'remote-not-found';
}

function describe(cause: unknown, object: string) {
  if (isUnavailable(cause)) {
    return {
      code: 'object-unavailable',
      message: `${object}: Clarify lists it, but has no records of it`,
    };
  }
  if (!(cause instanceof SyncError))
    return { code: 'interrupted', message: `${object}: interrupted` };
  const { code, message, hint } = cause;
  return hint === undefined ? { code, message } : { code, message, hint };
}

/**
 * Runs something for every object, a few at a time.
 *
 * @throws the first error thrown, once everything else has been stopped.
 */
export async function eachObject(
  session: Session,
  options: RunOptions,
  run: (table: MirrorTable, signal: AbortSignal) => Promise<ObjectRun>,
): Promise<readonly ObjectRun[]> {
  const wanted = options.objects && new Set(options.objects);
  const queue = session.tables.filter(({ object }) => !wanted || wanted.has(object));
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const runs: ObjectRun[] = [];
  const work = async () => {
    for (let table = queue.shift(); table && !signal.aborted; table = queue.shift()) {
      try {
        runs.push(await run(table, signal));
      } catch (error) {
        broken.abort();
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(
    Array.from({ length: options.concurrency ?? OBJECTS_AT_ONCE }, work),
  );
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  return runs.toSorted((a, b) => a.object.localeCompare(b.object));
}

function sum(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) {
  const total = new Map(Object.entries(a));
  for (const [name, count] of Object.entries(b)) total.set(name, (total.get(name) ?? 0) + count);
  return Object.fromEntries(total);
}
