import { setTimeout as sleep } from 'node:timers/promises';
import { backfillObject } from '../backfill/backfill-object.ts';
import type { ReadResult } from '../conflicts/read-object.ts';
import { markFilled } from '../db/mirror/load.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { loadCursor } from '../db/position/cursor.ts';
import { readStanding, type Standing } from '../db/standing.ts';
import { wholeReadingOf } from '../domain/capabilities.ts';
import { isPassing, RemoteError } from '../domain/errors.ts';
import type { Priority } from '../domain/remote.ts';
import { pullObject } from '../pull/pull-object.ts';
import { readFirst } from '../pull/read-whole.ts';
import type { ReconcileResult } from '../reconcile/reconcile-object.ts';
import { objectError } from './object-error.ts';
import { type BeginRun, beginAtOnce, type RunEntry, type RunOutcome } from './run-entry.ts';
import type { Session } from './session.ts';
import { describeTrouble } from './trouble.ts';

/** One object's run, as it stands in `{sync}.run`. */
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
  /** Tries everything again that was put aside, due or not. */
  readonly everything?: boolean | undefined;
  /** How runs are put on record; default from their beginning. */
  readonly begin?: BeginRun | undefined;
}

/** How one object is pulled. */
export interface PullOneOptions extends RunOptions {
  /** How it stands; default a statement of its own. */
  readonly standing?: (() => Promise<Standing>) | undefined;
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

/**
 * Pulls one object and logs the run. Whatever concerns it alone is its run's error.
 *
 * @throws what ends the service.
 */
export async function pullOne(
  session: Session,
  table: MirrorTable,
  options: PullOneOptions,
): Promise<ObjectRun> {
  const { object } = table;
  const { everything, standing: read = () => readStanding(session.db, object) } = options;
  let standing: Standing;
  try {
    standing = await read();
  } catch (cause) {
    return await failedRun(session, { object, kind: 'pull', read: 0 }, cause, options.signal);
  }
  const { unfilled } = standing;
  const { phase } = standing.cursor;
  const pull = (how: { readonly whole: boolean; readonly standing?: Standing }) =>
    loggedRun(session, table, 'pull', options, (reading) =>
      pullObject(session, table, { ...reading, ...how, everything }),
    );
  if (phase === 'incremental' && unfilled === null) {
    return await pull({ whole: everything === true, standing });
  }
  // Columns that came to rows that stood are filled by reading every record again.
  const restart = phase === 'incremental';
  const filled = await loggedRun(session, table, 'backfill', options, async (reading) => {
    const result = await session.turns.take(`${object} from the beginning`, reading.signal, () =>
      readAll(session, table, { ...reading, priority: 'backfill', restart, first: !restart }),
    );
    if (result.state === 'ok' && unfilled) await markFilled(session.db, object, unfilled);
    return result;
  });
  if (filled.state !== 'ok') return filled;
  const pulled = await pull({ whole: false });
  return { ...pulled, kind: 'backfill', counts: addCounts(filled.counts, pulled.counts) };
}

/** Everything of an object, as its list allows. */
export async function readAll(
  session: Session,
  table: MirrorTable,
  options: Parameters<typeof backfillObject>[2],
): Promise<ReadResult> {
  const byPosition = wholeReadingOf(session.remote.capabilitiesOf(table.object)) === 'position';
  return byPosition
    ? await readFirst(session, table, options)
    : await backfillObject(session, table, options);
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
  const part = { object, part: partOf(kind) };
  const { begin = beginAtOnce(session.db) } = options;
  let entry: RunEntry | null = null;
  let records = 0;
  const onPage = (page: { read: number; total: number | null }) => {
    records += page.read;
    options.onProgress?.({ object, read: records, total: page.total });
  };
  try {
    entry = await begin({ kind, object, holder: session.holder });
    const { signal, priority } = options;
    const { state, reason, counts } = await read({ signal, priority, onPage });
    await entry.end({ state, counts: { ...counts }, error: reason });
    warnOfExtra(session, { object, kind, counts: { ...counts } });
    warnOfAside(session, { object, kind, counts: { ...counts } });
    await session.troubles.worked(part);
    const error = reason === null ? null : { code: reason, message: `${object}: ${reason}` };
    return { object, kind, state, counts: { ...counts }, error };
  } catch (cause) {
    if (entry !== null && (await isUnavailable(session, object, cause))) {
      const error = unavailable(session.remote.title, object);
      const run = { state: 'incomplete', counts: { read: records } } as const;
      await closeRun(session, entry, { ...run, error: error.code });
      await session.troubles.failed(part, cause, true);
      return { object, kind, ...run, error };
    }
    if (entry !== null) {
      const error = codeOf(cause, options.signal);
      await closeRun(session, entry, { state: 'failed', counts: { read: records }, error });
    }
    return await failedRun(session, { object, kind, read: records }, cause, options.signal);
  }
}

/** The object's own failure, unless it ends the service. */
async function failedRun(
  session: Session,
  { object, kind, read }: Pick<ObjectRun, 'object' | 'kind'> & { readonly read: number },
  cause: unknown,
  signal: AbortSignal,
): Promise<ObjectRun> {
  const part = { object, part: partOf(kind) };
  const { retryInMs: _, ...error } = await objectError(session, part, cause, signal);
  return { object, kind, state: 'failed', counts: { read }, error };
}

function partOf(kind: ObjectRun['kind']): 'pull' | 'reconcile' {
  return kind === 'reconcile' ? 'reconcile' : 'pull';
}

/** As the run log has it. */
function codeOf(cause: unknown, signal: AbortSignal): string {
  return signal.aborted ? 'interrupted' : describeTrouble(cause).code;
}

/** They are tried again by themselves, but it takes a person to mend the cause. */
function warnOfAside(session: Session, run: Pick<ObjectRun, 'object' | 'kind' | 'counts'>): void {
  const { object, kind } = run;
  const { setAside = 0 } = run.counts;
  if (setAside === 0) return;
  session.log.warn({ object, kind, setAside }, 'rows put aside: `clarify-sync doctor` says why');
}

/** Of rows that were written: those that stand as they are were told of when they came. */
function warnOfExtra(session: Session, run: Pick<ObjectRun, 'object' | 'kind' | 'counts'>): void {
  const { object, kind } = run;
  const { extra = 0, inserted = 0, updated = 0 } = run.counts;
  if (extra === 0 || inserted + updated === 0) return;
  session.log.warn({ object, kind, extra }, 'values that fit no column are kept in _extra');
}

/**
 * Puts on record how a run ended that met an error. The database may be what failed, or be gone since: it
 * is given some seconds to come back, so that nobody reads `running` of what does not run. Beyond that the
 * run is found abandoned.
 */
async function closeRun({ log }: Session, entry: RunEntry, outcome: RunOutcome): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await entry.end(outcome);
    } catch (failure) {
      if (attempt >= CLOSE_ATTEMPTS || !isPassing(failure)) {
        return log.debug({ err: failure }, 'run not logged');
      }
      await sleep(CLOSE_PAUSE_MS * attempt);
    }
  }
}

/**
 * Listed in the schema, and yet its records answer 404: a CRM may be like that, and nothing the next
 * pass could mend. Not so where they were read before.
 */
async function isUnavailable(session: Session, object: string, cause: unknown): Promise<boolean> {
  if (!(cause instanceof RemoteError) || cause.code !== 'remote-not-found') return false;
  const cursor = await loadCursor(session.db, object).catch(() => null);
  return cursor !== null && cursor.phase === 'backfill' && cursor.backfill === null;
}

function unavailable(title: string, object: string) {
  return {
    code: 'object-unavailable',
    message: `${object}: ${title} lists it, but has no records of it`,
  };
}

/**
 * Runs something for every object, a few at a time. What concerns one object is its run's error,
 * and the others go on.
 *
 * @throws the first error thrown: it ends everything, once all that runs has been stopped.
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
  return runs.toSorted((a, b) => (a.object < b.object ? -1 : 1));
}

export function addCounts(a: ObjectRun['counts'], b: ObjectRun['counts']): ObjectRun['counts'] {
  const total = new Map(Object.entries(a));
  for (const [name, count] of Object.entries(b)) total.set(name, (total.get(name) ?? 0) + count);
  return Object.fromEntries(total);
}
