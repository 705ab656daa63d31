import { Alarm, type MachineClock, machineClock } from './alarm.ts';

export interface Scheduled {
  readonly name: string;
  /** Five or six cron fields. */
  readonly expression: string;
  readonly run: () => Promise<void>;
}

export interface ScheduleOptions {
  readonly clock?: MachineClock;
  /** Whether this process may work now; default always. */
  readonly mayRun?: () => boolean;
}

const LOOK_AGAIN_MS = 1_000;

/**
 * Runs jobs by the clock: each one at once and then by its expression, never twice at the same
 * time. A job that is still running when its time comes is left alone; one whose time comes while
 * this process may not work runs as soon as it may. After a sleep that is so: the lease is over.
 */
export class Schedule {
  readonly #jobs: readonly Scheduled[];
  readonly #running = new Map<string, Promise<void>>();
  /** Asked for while they ran. */
  readonly #again = new Set<string>();
  readonly #clock: MachineClock;
  #alarms: ReadonlyMap<string, Alarm> = new Map();

  readonly #mayRun: () => boolean;
  /** Due, and not run because this process may not. */
  readonly #putOff = new Set<Scheduled>();
  #lookAgain: (() => void) | null = null;

  constructor(jobs: readonly Scheduled[], options: ScheduleOptions = {}) {
    this.#jobs = jobs;
    this.#clock = options.clock ?? machineClock;
    this.#mayRun = options.mayRun ?? (() => true);
  }

  start(): void {
    if (this.#alarms.size > 0) return;
    this.#alarms = new Map(
      this.#jobs.map((job) => {
        const ring = () => this.#trigger(job);
        return [job.name, new Alarm(job.expression, ring, this.#clock)];
      }),
    );
    for (const job of this.#jobs) this.#trigger(job);
  }

  /** Returns when nothing runs any more. */
  async stop(): Promise<void> {
    for (const alarm of this.#alarms.values()) alarm.stop();
    this.#alarms = new Map();
    this.#lookAgain?.();
    this.#lookAgain = null;
    this.#putOff.clear();
    this.#again.clear();
    await Promise.all(this.#running.values());
  }

  /**
   * Runs a job now. One that runs already runs once more after that: what it is wanted for may
   * have come too late for it.
   */
  now(name: string): void {
    const job = this.#jobs.find((one) => one.name === name);
    if (job === undefined || this.#alarms.size === 0) return;
    if (this.#running.has(name)) this.#again.add(name);
    else this.#trigger(job);
  }

  /** When a job runs next, and how long from then to the time after; null where it has no time. */
  next(name: string): ReturnType<Alarm['next']> {
    return this.#alarms.get(name)?.next() ?? null;
  }

  /** Errors are the job's own to handle: one that throws is a bug, and loud. */
  #trigger(job: Scheduled): void {
    if (this.#running.has(job.name)) return;
    if (!this.#mayRun()) return this.#delay(job);
    const running = job.run().finally(() => {
      this.#running.delete(job.name);
      if (this.#again.delete(job.name)) this.#trigger(job);
    });
    this.#running.set(job.name, running);
  }

  #delay(job: Scheduled): void {
    this.#putOff.add(job);
    this.#lookAgain ??= this.#clock.startTimer(LOOK_AGAIN_MS, () => {
      this.#lookAgain = null;
      const jobs = [...this.#putOff];
      this.#putOff.clear();
      for (const each of jobs) this.#trigger(each);
    });
  }
}
