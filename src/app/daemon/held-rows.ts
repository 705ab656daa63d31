import { SyncError } from '../../domain/errors.ts';
import { retryHeld } from '../../pull/retry-held.ts';
import type { PushLease } from '../../push/push-deps.ts';
import type { Session } from '../session.ts';

/** Tries again what could not be written because somebody held its row. */
export interface HeldRows {
  /** Some of an object were put aside. */
  note(object: string): void;
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
  timer: NodeJS.Timeout | undefined;
  /** Put aside while it is tried: it may have come too late for that. */
  isNoted: boolean;
}

/**
 * A second after it is told, then after pauses that double; what joins rows that are held for long waits with
 * them, or for the next pull. Two of our own may hold a row at the same time
 * as well, such as who settles an answer and who writes a page: nobody is to wait for the next pull.
 */
export function createHeldRows(
  session: Session,
  lease: PushLease,
  { signal, onHalt }: HeldRowsOptions,
): HeldRows {
  const held = new Map<string, Held>();
  const running = new Set<Promise<void>>();

  async function retry(object: string): Promise<boolean> {
    const table = session.tables.find((known) => known.object === object);
    if (table === undefined || signal.aborted || lease.epoch === null) return false;
    try {
      return await retryHeld(session, table, { signal, priority: 'pull' });
    } catch (error) {
      // Whatever it is, the next pull meets it too, and says so.
      if (signal.aborted) return false;
      if (!(error instanceof SyncError)) onHalt(error);
      else session.log.debug({ object, code: error.code }, 'held rows are left to the next pull');
      return false;
    }
  }

  async function attempt(object: string, one: Held): Promise<void> {
    one.isNoted = false;
    const isLeft = await retry(object);
    if (signal.aborted || !(isLeft || one.isNoted)) {
      held.delete(object);
      return;
    }
    one.pauseMs = Math.min(LONGEST_MS, one.pauseMs * 2);
    wait(object, one);
  }

  function wait(object: string, one: Held): void {
    one.timer = setTimeout(() => {
      const tried = attempt(object, one).finally(() => running.delete(tried));
      running.add(tried);
    }, one.pauseMs);
  }

  return {
    note(object) {
      if (signal.aborted) return;
      const known = held.get(object);
      if (known !== undefined) {
        known.isNoted = true;
        return;
      }
      const one = { pauseMs: FIRST_MS, timer: undefined, isNoted: false };
      held.set(object, one);
      wait(object, one);
    },
    async stop() {
      for (const { timer } of held.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}
