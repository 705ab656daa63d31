import { LeaseKeeper } from '../../db/lease-keeper.ts';
import { Listener, NUDGE_CHANNEL, notify, OUTBOX_CHANNEL } from '../../db/listener.ts';
import { pruneStep } from '../../db/retention.ts';
import { abandonRuns } from '../../db/run-log.ts';
import { SyncError } from '../../domain/errors.ts';
import type { PushedCounts } from '../../http/metrics.ts';
import { type ObjectRun, pullOne } from '../pull-all.ts';
import { copiedDatabase } from '../push-once.ts';
import type { Session } from '../session.ts';
import { backgroundJobs } from './background-jobs.ts';
import { DUE } from './due.ts';
import { createNudge } from './nudge.ts';
import { createPushWorker } from './push-worker.ts';
import { ReconcileSchedule } from './reconcile-schedule.ts';
import { Schedule, type Scheduled } from './schedule.ts';
import { createDaemonStatus } from './status.ts';

export interface DaemonOptions {
  /** Aborting it drains: what is under way comes to its end, nothing new is started. */
  readonly signal: AbortSignal;
  /** Told once schedules and push worker run, and where the status page is; null where it is off. */
  readonly onReady?: (statusUrl: string | null) => void;
  /** Told of every run of an object. */
  readonly onRun?: (run: ObjectRun) => void;
  /** Told of every push that did something. */
  readonly onPushed?: (counts: PushedCounts) => void;
  /** Told when this process begins to lead, and when it ceases to. */
  readonly onLeading?: (leads: boolean) => void;
}

/** Objects that are read at the same time share one look at what users changed of the tables. */
const SHAPE_MS = 5_000;

/**
 * The long-running service: pulls by schedule, pushes what is committed, follows the workspace's
 * schema. Of several daemons on one workspace the leader works and the others stand by. Returns
 * when it has drained.
 *
 * @throws the error that no repetition mends, such as a key that was revoked.
 */
export async function runDaemon(session: Session, options: DaemonOptions): Promise<void> {
  const halted = new AbortController();
  const stopping = AbortSignal.any([options.signal, halted.signal]);
  const halt = (error: unknown) => {
    // What ends because we are stopping is no error.
    if (!stopping.aborted) halted.abort(error);
  };
  const keeper = new LeaseKeeper(session.db, {
    holder: session.holder,
    onChange: (epoch) => {
      if (stopping.aborted) return;
      const message = epoch === null ? 'standing by: another daemon leads' : 'leading';
      session.log.info({ epoch: epoch?.toString() }, message);
      options.onLeading?.(epoch !== null);
    },
  });
  const status = createDaemonStatus(session, {
    leads: () => keeper.epoch !== null,
    nextRun: (object) => pulls.nextRun(object),
    nudge: (object) => (keeper.epoch === null ? passOn(object) : nudge.nudge(object)),
  });
  const worker = createPushWorker(session, keeper, {
    onHalt: halt,
    onPushed: (counts) => {
      status?.notePush(counts);
      options.onPushed?.(counts);
    },
  });
  const listenUrl = session.config.database?.directUrl ?? session.databaseUrl;
  const pushes = session.config.push && session.installation.adopted;
  const nudged = session.config.http?.nudgeSecret != null;
  const listener = new Listener(listenUrl, {
    ...(pushes && { [OUTBOX_CHANNEL]: () => worker.wake() }),
    ...(nudged && { [NUDGE_CHANNEL]: (object: string) => nudge.nudge(object || null) }),
  });
  // Which of several daemons is called is up to whoever stands before them; the leader pulls.
  const passOn = (object: string | null) => {
    notify(session.db, NUDGE_CHANNEL, object ?? '').catch((error: unknown) =>
      session.log.debug({ err: error }, 'nudge not passed on'),
    );
  };
  const onRun = (run: ObjectRun) => {
    const { inserted = 0, updated = 0, removed = 0 } = run.counts;
    status?.notePull(run.object, { inserted, updated, removed });
    options.onRun?.(run);
  };
  const pulls = new Pulls(session, keeper, { signal: stopping, onRun }, halt);
  const nudge = createNudge({ pull: (objects) => pulls.now(objects) });
  try {
    // First: where the port is taken, nothing else is to have begun.
    const statusUrl = (await status?.start()) ?? null;
    await keeper.start();
    await abandonRuns(session.db, session.holder);
    pulls.start();
    if (session.config.push && !session.installation.adopted) {
      session.log.warn(copiedDatabase(), 'nothing is pushed');
    } else if (pushes) {
      await worker.start();
    }
    if (pushes || nudged) await listener.start();
    options.onReady?.(statusUrl);
    await new Promise<void>((resolve) => {
      if (stopping.aborted) resolve();
      else stopping.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    nudge.stop();
    await listener.stop();
    await Promise.all([pulls.stop(), worker.stop()]);
    await keeper.stop();
    await status?.stop();
  }
  if (halted.signal.aborted) throw halted.signal.reason;
}

/** One schedule per object, and one for the schema; new objects join as they appear. */
class Pulls {
  readonly #session: Session;
  readonly #lease: LeaseKeeper;
  readonly #options: DaemonOptions;
  readonly #halt: (error: unknown) => void;
  readonly #schedules = new Map<string, Schedule>();
  readonly #comparisons: ReconcileSchedule;
  /** Why each object's last pull was not complete: said once, not every minute. */
  readonly #problems = new Map<string, string>();
  readonly #attempts = new Map<string, NodeJS.Timeout>();

  constructor(
    session: Session,
    lease: LeaseKeeper,
    options: DaemonOptions,
    halt: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#lease = lease;
    this.#options = options;
    this.#halt = halt;
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
    return this.#schedules.get(object)?.next(object) ?? null;
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
      if (await this.#session.followSchema(SHAPE_MS)) this.#follow();
    } catch (error) {
      // Whatever it is, the pull meets it too, and says so.
      if (!(error instanceof SyncError)) this.#halt(error);
    }
  }

  async #pull(object: string): Promise<void> {
    await this.#followSchema();
    const table = this.#session.tables.find((known) => known.object === object);
    const { signal, onRun } = this.#options;
    if (!table || signal.aborted || this.#lease.epoch === null) return;
    const part = { object, part: 'pull' } as const;
    if (this.#session.troubles.waitMs(part) > 0) return;
    try {
      const run = await pullOne(this.#session, table, { signal, priority: 'pull' });
      onRun?.(run);
      this.#logRun(run);
      this.#comparisons.pulled(run);
      if (run.state === 'failed') this.#tryAgain(object);
    } catch (error) {
      this.#halt(error);
    }
  }

  /** As soon as its trouble may have passed, where its schedule would come later. */
  #tryAgain(object: string): void {
    const waitMs = this.#session.troubles.waitMs({ object, part: 'pull' });
    clearTimeout(this.#attempts.get(object));
    if (waitMs === 0 || this.#options.signal.aborted) return;
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
      // Listed without records: Clarify is like that, and nobody has to do anything. Of what is in
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
        await this.#session.refreshSchema(signal);
        this.#follow();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof SyncError) || error.disposition === 'halt') this.#halt(error);
        else this.#session.log.warn({ code: error.code }, error.message);
      }
    };
    return { name: 'schema', expression: DUE.schemaCheck, run };
  }
}
