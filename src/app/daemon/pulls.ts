import type { Database } from '../../db/connection/database.ts';
import { pruneStep } from '../../db/service/retention.ts';
import { type EndedRun, recordRuns } from '../../db/service/run-log.ts';
import { readStandings, type Standing } from '../../db/standing.ts';
import { SyncError } from '../../domain/errors.ts';
import type { PushLease } from '../../push/push-deps.ts';
import { type ObjectRun, pullOne } from '../pull-all.ts';
import { type BeginRun, beginLate } from '../run-entry.ts';
import type { Session } from '../session.ts';
import { backgroundJobs } from './background-jobs.ts';
import { DUE, isTooEarly, pauseOf, schemaCheckAt } from './due.ts';
import { gather } from './gather.ts';
import { ReconcileSchedule } from './reconcile-schedule.ts';
import { Schedule, type Scheduled } from './schedule.ts';

export interface PullsOptions {
  /** Aborting it drains. */
  readonly signal: AbortSignal;
  /** Told of every run of an object. */
  readonly onRun?: (run: ObjectRun) => void;
}

/** Who has just opened the workspace has just asked. */
const FRESH_MS = 60_000;

/** Objects that are read at the same time share one look at what users changed of the tables. */
const SHAPE_MS = 5_000;

/** One schedule per object, and one for the schema; new objects join as they appear. */
export class Pulls {
  readonly #session: Session;
  readonly #lease: PushLease;
  readonly #options: PullsOptions;
  readonly #halt: (error: unknown) => void;
  readonly #begin: BeginRun;
  readonly #standing: (object: string) => Promise<Standing>;
  /** Those that are pulled at the same time look at the tables once. */
  readonly #follows: (schema: 'schema') => Promise<boolean>;
  readonly #schedules = new Map<string, Schedule>();
  readonly #comparisons: ReconcileSchedule;
  /** Why each object's last pull was not complete: said once, not every minute. */
  readonly #problems = new Map<string, string>();
  readonly #attempts = new Map<string, NodeJS.Timeout>();
  /** When each object was last read, and whether that failed, for those whose budget allows only so much. */
  readonly #lastPulls = new Map<string, { readonly atMs: number; readonly failed: boolean }>();

  constructor(
    session: Session,
    lease: PushLease,
    options: PullsOptions,
    halt: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#lease = lease;
    this.#options = options;
    this.#halt = halt;
    const { db, nowMs } = session;
    this.#begin = beginLate(db, { nowMs, record: gatherRuns(db) });
    this.#standing = gatherStandings(db);
    this.#follows = gather(async () => {
      const changed = await session.followSchema(SHAPE_MS);
      return () => changed;
    });
    this.#comparisons = new ReconcileSchedule(session, {
      signal: options.signal,
      leads: () => lease.epoch !== null,
      onRun: options.onRun,
      onHalt: halt,
    });
  }

  start(): void {
    const leads = () => this.#lease.epoch !== null;
    const { signal } = this.#options;
    const background = backgroundJobs(this.#session, { signal, leads, onHalt: this.#halt });
    const jobs = [this.#schemaCheck(), this.#housekeeping(), ...background];
    this.#schedules.set('', new Schedule(jobs, { mayRun: leads }));
    this.#schedules.get('')?.start();
    this.#follow();
  }

  async stop(): Promise<void> {
    for (const attempt of this.#attempts.values()) clearTimeout(attempt);
    await Promise.all([...this.#schedules.values()].map((schedule) => schedule.stop()));
    await this.#comparisons.stop();
  }

  /** When an object is read next; null where it follows no schedule. */
  nextRun(object: string): ReturnType<Schedule['next']> {
    const next = this.#schedules.get(object)?.next(object) ?? null;
    const last = this.#lastPulls.get(object);
    if (next === null || last === undefined) return next;
    // Its budget may let it pass by.
    const { changes } = this.#session.remote.capabilitiesOf(object);
    const pauseMs = pauseOf(changes, last.failed);
    const leftMs = Math.max(0, last.atMs + pauseMs - performance.now());
    const earliestMs = Date.now() + leftMs;
    return {
      at: new Date(Math.max(next.at.getTime(), pauseMs === 0 ? 0 : earliestMs)),
      intervalMs: Math.max(next.intervalMs, pauseMs),
    };
  }

  /** Pulls these now, or everything; what is not known is everything, for it was only a hint. */
  now(objects: ReadonlySet<string> | null): void {
    const known = [...(objects ?? [])].filter((object) => this.#schedules.has(object));
    const isKnown = objects !== null && known.length === objects.size;
    const wanted = isKnown ? known : this.#session.tables.map(({ object }) => object);
    for (const object of wanted) this.#schedules.get(object)?.now(object);
  }

  /** Starts schedules for objects that have none yet, ends those of objects that are gone. */
  #follow(): void {
    const present = new Set(this.#session.tables.map(({ object }) => object));
    for (const [object, schedule] of this.#schedules) {
      if (object === '' || present.has(object)) continue;
      this.#schedules.delete(object);
      void schedule.stop();
    }
    this.#comparisons.follow(present);
    this.#session.troubles.keepOnly([...present]).catch((error: unknown) => {
      this.#session.log.debug({ err: error }, 'troubles of objects that are gone not dropped');
    });
    for (const object of present) {
      if (this.#schedules.has(object)) continue;
      const { pull: expression } = this.#session.settings(object);
      const job = { name: object, expression, run: () => this.#pull(object) };
      const mayRun = () => this.#lease.epoch !== null;
      const schedule = new Schedule([job], { mayRun });
      this.#schedules.set(object, schedule);
      schedule.start();
    }
  }

  /** Beside us somebody may have run a `sync`, or another daemon has just led. */
  async #followSchema(): Promise<void> {
    try {
      if (await this.#follows('schema')) this.#follow();
    } catch (error) {
      // Whatever it is, the pull meets it too, and says so.
      if (!(error instanceof SyncError)) this.#halt(error);
    }
  }

  async #pull(object: string): Promise<void> {
    await this.#followSchema();
    const table = this.#session.tables.find((known) => known.object === object);
    const { signal, onRun } = this.#options;
    if (!table || signal.aborted) return;
    // Lost since it was due: as soon as this process leads again.
    if (this.#lease.epoch === null) return this.#schedules.get(object)?.now(object);
    const part = { object, part: 'pull' } as const;
    // A timer may fire a moment early.
    if (this.#session.troubles.waitMs(part) > 0) return this.#tryAgain(object);
    const { changes } = this.#session.remote.capabilitiesOf(object);
    const nowMs = performance.now();
    const last = this.#lastPulls.get(object);
    if (last && isTooEarly(changes, { sinceMs: nowMs - last.atMs, failed: last.failed })) return;
    let seen: Standing | undefined;
    const standing = async () => {
      seen = await this.#standing(object);
      return seen;
    };
    const how = { signal, priority: 'pull', standing, begin: this.#begin } as const;
    try {
      const run = await pullOne(this.#session, table, how);
      this.#lastPulls.set(object, { atMs: nowMs, failed: run.state === 'failed' });
      onRun?.(run);
      this.#logRun(run);
      this.#comparisons.pulled(run, seen?.cursor.deletionsNoted ? seen.reconcile : undefined);
      const isItsOwn = run.error?.code === this.#session.troubles.codeOf(part);
      if (run.state === 'failed' && isItsOwn) this.#tryAgain(object);
    } catch (error) {
      this.#halt(error);
    }
  }

  /** As soon as its trouble may have passed, where its schedule would come later. */
  #tryAgain(object: string): void {
    // Its pause may be over by now: then it is tried at once.
    const waitMs = this.#session.troubles.waitMs({ object, part: 'pull' });
    clearTimeout(this.#attempts.get(object));
    if (this.#options.signal.aborted) return;
    const attempt = setTimeout(() => this.#schedules.get(object)?.now(object), waitMs);
    this.#attempts.set(object, attempt);
  }

  /** One line per run that did something, and none for one that found nothing to do. */
  #logRun(run: ObjectRun): void {
    const { object, kind, state, counts, error } = run;
    const { inserted = 0, updated = 0, removed = 0 } = counts;
    const problem = error?.code ?? null;
    const known = this.#problems.get(object) ?? null;
    if (problem === null) this.#problems.delete(object);
    else this.#problems.set(object, problem);
    const fields = { object, kind, state, ...counts, code: problem };
    if (state !== 'ok') {
      // Listed without records: a CRM may be like that, and nobody has to do anything. Of what is in
      // trouble it was said when it stopped.
      const told = this.#session.troubles.stands({ object, part: 'pull' });
      const expected = problem === known || problem === 'object-unavailable' || told;
      const level = expected ? 'debug' : 'warn';
      if (!this.#options.signal.aborted) this.#session.log[level](fields, 'pull not complete');
    } else if (known !== null || inserted + updated + removed > 0) {
      this.#session.log.info(fields, 'pulled');
    }
  }

  /** What has outlived its time goes in small steps, so that nobody waits for it. */
  #housekeeping(): Scheduled {
    const run = async () => {
      const { signal } = this.#options;
      const { db, config, log } = this.#session;
      try {
        let rows = 0;
        for (
          let step = 1;
          step > 0 && !signal.aborted && this.#lease.epoch !== null;
          rows += step
        ) {
          step = await pruneStep(db, config.retention);
        }
        if (rows > 0) log.info({ rows }, 'pruned');
      } catch (error) {
        if (!(error instanceof SyncError)) this.#halt(error);
        else if (!signal.aborted) log.warn({ code: error.code }, error.message);
      }
    };
    return { name: 'housekeeping', expression: DUE.housekeeping, run };
  }

  #schemaCheck(): Scheduled {
    const run = async () => {
      const { signal } = this.#options;
      if (signal.aborted || this.#lease.epoch === null) return;
      try {
        await this.#session.refreshSchema(signal, FRESH_MS);
        this.#follow();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof SyncError) || error.disposition === 'halt') this.#halt(error);
        else this.#session.log.warn({ code: error.code }, error.message);
      }
    };
    return { name: 'schema', expression: schemaCheckAt(this.#session.config.second ?? 0), run };
  }
}

/** How objects stand that are pulled at the same time, by one statement. */
function gatherStandings(db: Database): (object: string) => Promise<Standing> {
  return gather(async (objects) => {
    const standings = await readStandings(db, objects);
    return (object) => {
      const standing = standings.get(object);
      if (standing === undefined) throw new Error(`${object} has no cursor`);
      return standing;
    };
  });
}

/** Puts runs that end at about the same time on record by one statement. */
function gatherRuns(db: Database): (run: EndedRun) => Promise<void> {
  return gather(async (runs) => {
    await recordRuns(db, runs);
    return () => undefined;
  });
}
