import { SyncError } from '../../domain/errors.ts';
import { retryHeld } from '../../pull/retry-held.ts';
import type { PushLease } from '../../push/push-deps.ts';
import type { Session } from '../session.ts';

/** Tries again what could not be written because somebody held its row. */
export interface HeldRows {
  /** Some of an object were put aside just now. */
  note(object: string): void;
  /** Some of an object were found to wait still. */
  keep(object: string): void;
  /** Returns when nothing runs any more. */
  stop(): Promise<void>;
}

export interface HeldRowsOptions {
  /** Aborting it drains. */
  readonly signal: AbortSignal;
  /** Told of an error that no repetition mends. */
  readonly onHalt: (error: unknown) => void;
}

const FIRST_MS = 1_000;
/** The next pull tries it as well. */
const LONGEST_MS = 60_000;

/** Of one object. */
interface Held {
  pauseMs: number;
  dueMs: number;
  /** None while it is tried. */
  timer: NodeJS.Timeout | undefined;
  /** Put aside while it is tried: it may have come too late for that. */
  isNoted: boolean;
}

export function createHeldRows(
  session: Session,
  lease: PushLease,
  { signal, onHalt }: HeldRowsOptions,
): HeldRows {
  return retryHeldRows(signal, async (object) => {
    const table = session.tables.find((known) => known.object === object);
    if (table === undefined || lease.epoch === null) return false;
    try {
      return await retryHeld(session, table, { signal, priority: 'pull' });
    } catch (error) {
      // Whatever it is, the next pull meets it too, and says so.
      if (signal.aborted) return false;
      if (!(error instanceof SyncError)) onHalt(error);
      else session.log.debug({ object, code: error.code }, 'held rows are left to the next pull');
      return false;
    }
  });
}

/**
 * A second after it is told, then after pauses that double; what joins rows that are held for long begins
 * with a second again, and they with it. Two of our own may hold a row at the same time as well, such as who
 * settles an answer and who writes a page: nobody is to wait for the next pull.
 *
 * @param retry whether something waits still.
 */
export function retryHeldRows(
  signal: AbortSignal,
  retry: (object: string) => Promise<boolean>,
): HeldRows {
  const held = new Map<string, Held>();
  const running = new Set<Promise<void>>();

  async function attempt(object: string, one: Held): Promise<void> {
    one.timer = undefined;
    one.isNoted = false;
    const isLeft = !signal.aborted && (await retry(object));
    if (signal.aborted || !(isLeft || one.isNoted)) held.delete(object);
    else wait(object, one, one.isNoted ? FIRST_MS : Math.min(LONGEST_MS, one.pauseMs * 2));
  }

  function wait(object: string, one: Held, pauseMs: number): void {
    one.pauseMs = pauseMs;
    one.dueMs = performance.now() + pauseMs;
    one.timer = setTimeout(() => {
      const tried = attempt(object, one).finally(() => running.delete(tried));
      running.add(tried);
    }, pauseMs);
  }

  function keep(object: string): void {
    if (signal.aborted || held.has(object)) return;
    const one = { pauseMs: 0, dueMs: 0, timer: undefined, isNoted: false };
    held.set(object, one);
    wait(object, one, FIRST_MS);
  }

  return {
    keep,
    note(object) {
      const known = held.get(object);
      if (known === undefined) return keep(object);
      known.isNoted = true;
      known.pauseMs = FIRST_MS;
      // Never later than it would have been: others may go on being put aside.
      if (known.timer === undefined || known.dueMs - performance.now() <= FIRST_MS) return;
      clearTimeout(known.timer);
      wait(object, known, FIRST_MS);
    },
    async stop() {
      for (const { timer } of held.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}
