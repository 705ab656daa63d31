import type { Random } from '../kernel/random.ts';
import type { Switches } from './switches.ts';

export type JobEnd = 'completed' | 'failed' | 'cancelled';

/** What a job does: its steps one after the other, and what is to be said of them in the end. */
export interface Work {
  readonly name: string;
  readonly steps: readonly (() => void)[];
  /** Reports, where there are any. */
  readonly info?: () => unknown;
}

export interface Job {
  readonly id: number;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** How it will end. */
  readonly ends: JobEnd;
  /** How it did; null while it is open. */
  ended: JobEnd | null;
  /** Left to do: none once it has ended. */
  readonly steps: (() => void)[];
  /** How many come half-way. */
  readonly half: number;
  halved: boolean;
  readonly info: (() => unknown) | null;
}

/** What is done later than it is answered. */
export interface Jobs {
  /** @returns the job's number */
  submit(work: Work): number;
  /** Carries out what is due. */
  settle(): void;
  /** Ends every open job now. @returns their numbers */
  endAll(as: JobEnd): number[];
  /** In the order in which they came. */
  all(): readonly Job[];
  get(id: number): Job | undefined;
  statusOf(job: Job): string;
}

interface JobsDeps {
  readonly switches: Switches;
  readonly random: Random;
  readonly now: () => number;
}

export function createJobs({ switches, random, now }: JobsDeps, newId: () => number): Jobs {
  const jobs = new Map<number, Job>();
  const open = new Set<Job>();

  const carryOut = (job: Job, count: number): void => {
    for (const step of job.steps.splice(0, count)) step();
  };
  const carryOutHalf = (job: Job): void => {
    if (!job.halved) carryOut(job, job.half);
    job.halved = true;
  };
  const end = (job: Job, as: JobEnd): void => {
    if (as === 'completed') carryOut(job, job.steps.length);
    else if (switches.brokenJobs === 'half') carryOutHalf(job);
    job.steps.length = 0;
    job.ended = as;
    open.delete(job);
  };
  /** Half-way, half of it is done: who looks then sees just that. */
  const advance = (job: Job, nowMs: number): void => {
    if (nowMs >= job.endMs) end(job, job.ends);
    else if (nowMs < (job.startMs + job.endMs) / 2) return;
    else if (job.ends === 'completed' || switches.brokenJobs === 'half') carryOutHalf(job);
  };
  const settle = (): void => {
    const nowMs = now();
    for (const job of [...open].toSorted((a, b) => a.endMs - b.endMs)) advance(job, nowMs);
  };

  return {
    submit(work) {
      const { queueMs, jobMs, jobOrder, jobEnds, jobEndShare } = switches;
      const lastMs = jobOrder === 'queue' ? Math.max(0, ...[...open].map(({ endMs }) => endMs)) : 0;
      const startMs = Math.max(now() + queueMs, lastMs);
      // Side by side, a later one may well be done before an earlier one.
      const takesMs = jobOrder === 'queue' ? jobMs : jobMs * (0.5 + random.next());
      const ends = random.next() < jobEndShare ? jobEnds : 'completed';
      const id = newId();
      const endMs = startMs + takesMs;
      const job: Job = {
        id,
        name: work.name,
        startMs,
        endMs,
        ends,
        ended: null,
        steps: [...work.steps],
        half: Math.floor(work.steps.length / 2),
        halved: false,
        info: work.info ?? null,
      };
      jobs.set(id, job);
      open.add(job);
      settle();
      return id;
    },
    settle,
    endAll(as) {
      const ended = [...open];
      for (const job of ended) end(job, as);
      return ended.map(({ id }) => id);
    },
    all: () => [...jobs.values()],
    get: (id) => jobs.get(id),
    statusOf({ ended, startMs }) {
      if (ended !== null) return ended;
      return now() < startMs ? 'queued' : switches.jobStatus;
    },
  };
}
