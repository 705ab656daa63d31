import cron, { type ScheduledTask } from 'node-cron';

export interface Scheduled {
  readonly name: string;
  /** Five or six cron fields. */
  readonly expression: string;
  readonly run: () => Promise<void>;
}

/**
 * Runs jobs by the clock: each one at once and then by its expression, never twice at the same
 * time. node-cron only triggers; a job that is still running when its time comes is left alone.
 */
export class Schedule {
  readonly #jobs: readonly Scheduled[];
  readonly #running = new Map<string, Promise<void>>();
  /** Asked for while they ran. */
  readonly #again = new Set<string>();
  #tasks: ScheduledTask[] = [];

  constructor(jobs: readonly Scheduled[]) {
    this.#jobs = jobs;
  }

  start(): void {
    if (this.#tasks.length > 0) return;
    this.#tasks = this.#jobs.map((job) =>
      cron.schedule(job.expression, () => this.#trigger(job), { name: job.name }),
    );
    for (const job of this.#jobs) this.#trigger(job);
  }

  /** Returns when nothing runs any more. */
  async stop(): Promise<void> {
    const tasks = this.#tasks;
    this.#tasks = [];
    this.#again.clear();
    for (const task of tasks) await task.destroy();
    await Promise.all(this.#running.values());
  }

  /**
   * Runs a job now. One that runs already runs once more after that: what it is wanted for may
   * have come too late for it.
   */
  now(name: string): void {
    const job = this.#jobs.find((one) => one.name === name);
    if (job === undefined || this.#tasks.length === 0) return;
    if (this.#running.has(name)) this.#again.add(name);
    else this.#trigger(job);
  }

  /** When a job runs next, and how long from then to the time after; null where it has no time. */
  next(name: string): { readonly at: Date; readonly intervalMs: number } | null {
    const task = this.#tasks.find((one) => one.name === name);
    const [at, after] = task?.getNextRuns(2) ?? [];
    if (at === undefined || after === undefined) return null;
    return { at, intervalMs: after.getTime() - at.getTime() };
  }

  /** Errors are the job's own to handle: one that throws is a bug, and loud. */
  #trigger(job: Scheduled): void {
    if (this.#running.has(job.name)) return;
    const running = job.run().finally(() => {
      this.#running.delete(job.name);
      if (this.#again.delete(job.name)) this.#trigger(job);
    });
    this.#running.set(job.name, running);
  }
}
