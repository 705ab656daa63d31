import { holdsLease } from '../db/lease/lease.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { type DueWork, hasPending, putOffDue, readDueWork } from '../db/outbox/due.ts';
import { prerequisites } from '../domain/dependency-order.ts';
import { isPassing } from '../domain/errors.ts';
import type { PushCounts, PushDeps } from './push-deps.ts';
import { add, pushTable } from './push-table.ts';
import { takeOver } from './recover.ts';

export interface PushResult extends PushCounts {
  /** A create may have arrived; it can be judged in this many milliseconds. */
  readonly waitMs: number | null;
}

export interface PushLineOptions {
  readonly signal: AbortSignal;
  /** All where left out. */
  readonly objects?: ReadonlySet<string> | undefined;
  /** Told whenever an object's turn has ended well. */
  readonly onTurn?: (turn: Turn) => void;
  /** Told whenever one has ended, well or not: what waited for it may begin. */
  readonly onFree?: () => void;
  readonly monotonicMs?: () => number;
}

/** One object's turn. */
export interface Turn {
  readonly object: string;
  readonly counts: PushCounts;
  readonly tookMs: number;
}

/**
 * Objects that are sent side by side (invariant 10): one whose list or table keeps it waiting holds up
 * no other. What refers to new records of another object goes after it, where that is quick; what is
 * claimed too early is blocked, and loses nothing but a turn.
 */
export interface PushLine {
  /**
   * Begins what is due and can begin.
   *
   * @param due as it was just read; left out, it is read.
   * @returns how many objects are at it, and when to look again for one that waits for another.
   * @throws what ended a turn and concerns everybody.
   */
  look(
    deps: PushDeps,
    due?: readonly DueWork[],
  ): Promise<{ readonly running: number; readonly againMs: number | null }>;
  /** Something has happened since: what had nothing to do, or failed, may be looked at again. */
  wake(): void;
  /** Resolves when a turn ends. */
  turn(): Promise<void>;
  /** Resolves once nothing runs any more. */
  settled(): Promise<PushResult>;
}

/** Objects at once that have just begun: they share the processor and the connections. */
const YOUNG_AT_ONCE = 4;
/** Who takes longer waits for somebody else, or has much to send: it takes nobody's place. */
const YOUNG_MS = 1_500;
const AT_ONCE = 16;
/** Objects at once that were in trouble the last time. */
const TROUBLED_AT_ONCE = 4;
/** New records of another object are waited for this long; a request takes less. */
const PATIENCE_MS = 250;

interface Running {
  readonly startedMs: number;
  readonly creates: boolean;
  readonly troubled: boolean;
  readonly done: Promise<void>;
}

export function createPushLine(options: PushLineOptions): PushLine {
  const { signal, objects, onTurn, onFree, monotonicMs = () => performance.now() } = options;
  const running = new Map<string, Running>();
  const resting = new Set<string>();
  const waits = new Map<string, number>();
  const total = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };
  let wakes = 0;
  let ended: { readonly error: unknown } | null = null;

  function hasRoom(troubled: boolean): boolean {
    const all = [...running.values()];
    const young = all.filter(({ startedMs }) => monotonicMs() - startedMs < YOUNG_MS);
    if (troubled && all.filter((one) => one.troubled).length >= TROUBLED_AT_ONCE) return false;
    return all.length < AT_ONCE && young.length < YOUNG_AT_ONCE;
  }

  /** How long one that may refer to new records still waits for those. */
  function patienceMs({ tables }: PushDeps, { object }: MirrorTable): number {
    if (![...running.values()].some(({ creates }) => creates)) return 0;
    const schemas = tables.map(({ schema }) => schema);
    const left = [...prerequisites(schemas, object)].map((earlier) => {
      const one = running.get(earlier);
      return one?.creates ? one.startedMs + PATIENCE_MS - monotonicMs() : 0;
    });
    return Math.max(0, ...left);
  }

  async function takeTurn(deps: PushDeps, table: MirrorTable, due: DueWork): Promise<void> {
    const { object } = table;
    const startedMs = monotonicMs();
    const before = wakes;
    waits.delete(object);
    try {
      const { counts, waitMs, claimedAny } = await pushTable(deps, table, due, signal);
      add(total, counts);
      if (waitMs !== null) waits.set(object, waitMs);
      if (!claimedAny && wakes === before) resting.add(object);
      onTurn?.({ object, counts, tookMs: monotonicMs() - startedMs });
    } catch (error) {
      resting.add(object);
      total.failed += await putOff(deps, table, error, signal);
    }
  }

  function begin(deps: PushDeps, table: MirrorTable, due: DueWork, troubled: boolean): void {
    const done = takeTurn(deps, table, due)
      .catch((error: unknown) => {
        ended ??= { error };
      })
      .finally(() => {
        running.delete(table.object);
        onFree?.();
      });
    running.set(table.object, { startedMs: monotonicMs(), creates: due.creates, troubled, done });
  }

  function raise(): void {
    if (ended === null) return;
    const { error } = ended;
    ended = null;
    throw error;
  }

  async function settled(): Promise<void> {
    await Promise.all([...running.values()].map(({ done }) => done));
  }

  return {
    async look(deps, read) {
      raise();
      const idle = deps.tables.filter(({ object }) => {
        if (running.has(object) || resting.has(object)) return false;
        return (objects?.has(object) ?? true) && deps.trouble.waitMs(object) === 0;
      });
      const byObject = new Map(idle.map((table) => [table.object, table]));
      let againMs: number | null = null;
      const all = read ?? (await readDueWork(deps.db, [...byObject.keys()]));
      for (const due of signal.aborted ? [] : all) {
        const table = byObject.get(due.object);
        if (table === undefined) continue;
        const troubled = deps.trouble.stands(due.object);
        const waitMs = hasRoom(troubled) ? patienceMs(deps, table) : YOUNG_MS;
        byObject.delete(due.object);
        if (waitMs > 0) againMs = Math.min(againMs ?? waitMs, waitMs);
        else begin(deps, table, due, troubled);
      }
      for (const object of byObject.keys()) await endIfIdle(deps, object);
      return { running: running.size, againMs };
    },
    wake() {
      wakes += 1;
      resting.clear();
    },
    async turn() {
      await Promise.race([...running.values()].map(({ done }) => done));
    },
    async settled() {
      await settled();
      raise();
      const waitMs = waits.size === 0 ? null : Math.max(...waits.values());
      return { ...total, waitMs };
    },
  };
}

/** What could not be sent may have been discarded since: nothing is left that could be in trouble. */
async function endIfIdle({ db, trouble }: PushDeps, object: string): Promise<void> {
  if (trouble.stands(object) && !(await hasPending(db, object))) await trouble.worked(object);
}

/**
 * What is due of an object that cannot be sent waits, and says why; what was claimed waits with it.
 *
 * @returns how many records.
 * @throws what is everybody's, and not this object's.
 */
async function putOff(
  deps: PushDeps,
  table: MirrorTable,
  error: unknown,
  signal: AbortSignal,
): Promise<number> {
  const trouble = await deps.trouble.failed(table.object, error, signal);
  const { epoch } = deps.lease;
  if (signal.aborted) return 0;
  if (trouble === null) throw error;
  if (epoch === null) return 0;
  try {
    return await deps.db.transaction(async (tx) => {
      if (!(await holdsLease(tx, epoch))) return 0;
      await takeOver(tx, table, { epoch, remote: deps.remote });
      return await putOffDue(tx, table.object, trouble);
    });
  } catch (failure) {
    // It is on record all the same.
    if (isPassing(failure)) return 0;
    throw failure;
  }
}
