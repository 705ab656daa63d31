import { createHash } from 'node:crypto';
import { type ReconcileState, readReconcileState } from '../../db/reconcile/state.ts';
import { objectError } from '../object-error.ts';
import type { ObjectRun } from '../pull-all.ts';
import { reconcileOne } from '../reconcile-all.ts';
import type { Session } from '../session.ts';
import { Alarm, type MachineClock, machineClock } from './alarm.ts';

export interface ReconcileScheduleOptions {
  readonly signal: AbortSignal;
  /** Whether this process may work now. */
  readonly leads: () => boolean;
  readonly onRun?: ((run: ObjectRun) => void) | undefined;
  /** Told of an error that no repetition mends. */
  readonly onHalt: (error: unknown) => void;
  readonly clock?: MachineClock;
}

/** A day and a little: the time of day has passed while nobody led. */
const MISSED_MS = 26 * 3_600_000;

/**
 * Compares every object once a day, each at its own time, and at once where the feed may have
 * dropped deletions before they were read. Always after a pull, so that what the feed tells is
 * known; one object at a time.
 */
export class ReconcileSchedule {
  readonly #session: Session;
  readonly #options: ReconcileScheduleOptions;
  readonly #alarms = new Map<string, Alarm>();
  /** Objects whose time has come. */
  readonly #wanted = new Set<string>();
  readonly #queued = new Set<string>();
  #work: Promise<void> = Promise.resolve();

  constructor(session: Session, options: ReconcileScheduleOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** Takes up objects that have appeared, and leaves those that are gone. */
  follow(objects: ReadonlySet<string>): void {
    const { clock = machineClock } = this.#options;
    for (const [object, alarm] of this.#alarms) {
      if (objects.has(object)) continue;
      this.#alarms.delete(object);
      alarm.stop();
    }
    for (const object of objects) {
      if (this.#alarms.has(object)) continue;
      const expression = timeOfDay(this.#session.installation.id, object);
      const alarm = new Alarm(expression, () => void this.#wanted.add(object), clock);
      this.#alarms.set(object, alarm);
    }
  }

  /**
   * After every pull of an object. Does not wait for the comparison.
   *
   * @param seen how it stood before; left out, it is read.
   */
  pulled(run: ObjectRun, seen?: ReconcileState): void {
    const { object, state } = run;
    if (seen !== undefined && !this.#isDue(object, seen)) return;
    if (state !== 'ok' || this.#queued.has(object) || this.#options.signal.aborted) return;
    this.#queued.add(object);
    this.#work = this.#work
      .then(() => this.#compare(object))
      .catch((error: unknown) => this.#failed(object, error))
      .finally(() => this.#queued.delete(object));
  }

  /** Returns when nothing runs any more. */
  async stop(): Promise<void> {
    for (const alarm of this.#alarms.values()) alarm.stop();
    this.#alarms.clear();
    await this.#work;
  }

  async #compare(object: string): Promise<void> {
    const { signal, leads, onRun } = this.#options;
    const table = this.#session.tables.find((known) => known.object === object);
    if (!table || signal.aborted || !leads()) return;
    if (this.#session.troubles.waitMs({ object, part: 'reconcile' }) > 0) return;
    const state = await readReconcileState(this.#session.db, object);
    if (state === null || !this.#isDue(object, state)) return;
    this.#wanted.delete(object);
    const run = await reconcileOne(this.#session, table, { signal, priority: 'backfill' });
    onRun?.(run);
    const { counts, error } = run;
    const fields = { object, kind: run.kind, state: run.state, ...counts, code: error?.code };
    const { missing = 0, differed = 0, deleted = 0, merged = 0 } = counts;
    if (run.state === 'ok' && missing + differed + deleted + merged === 0) return;
    const { log, remote } = this.#session;
    if (run.state === 'ok') log.info(fields, `compared with ${remote.title}`);
    else if (!signal.aborted) log.warn(fields, error?.message ?? 'not compared');
  }

  async #failed(object: string, error: unknown): Promise<void> {
    // Whatever made it due does so again after the next pull.
    this.#wanted.add(object);
    const part = { object, part: 'reconcile' } as const;
    await objectError(this.#session, part, error, this.#options.signal).catch(this.#options.onHalt);
  }

  #isDue(object: string, state: ReconcileState): boolean {
    if (state.phase !== 'incremental') return false;
    if (this.#wanted.has(object)) return true;
    const { sinceReconciledMs, due, triedLately } = state;
    const missed = sinceReconciledMs === null || Math.abs(sinceReconciledMs) > MISSED_MS;
    return (due || missed) && !triedLately;
  }
}

/** Once a day, spread over the day by object and installation. */
export function timeOfDay(installation: string, object: string): string {
  const digest = createHash('sha256').update(`${installation} ${object}`).digest();
  return `${digest.readUInt8(0) % 60} ${digest.readUInt8(1) % 24} * * *`;
}
