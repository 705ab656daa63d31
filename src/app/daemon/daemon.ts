import { Listener } from '../../db/connection/listener.ts';
import { LeaseKeeper } from '../../db/lease/lease-keeper.ts';
import type { PushedCounts } from '../../http/metrics.ts';
import type { ObjectRun } from '../pull-all.ts';
import type { Session } from '../session.ts';
import { createServing } from './serving.ts';
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

/**
 * The long-running service of one workspace, with its own lease and status page. Of several daemons
 * on one workspace the leader works and the others stand by. Returns when it has drained.
 *
 * @throws the error that no repetition mends, such as a key that was revoked.
 */
export async function runDaemon(session: Session, options: DaemonOptions): Promise<void> {
  const { signal } = options;
  const keeper = new LeaseKeeper(session.db, {
    holder: session.holder,
    onChange: (epoch) => {
      if (signal.aborted || isOver) return;
      const message = epoch === null ? 'standing by: another daemon leads' : 'leading';
      session.log.info({ epoch: epoch?.toString() }, message);
      options.onLeading?.(epoch !== null);
    },
  });
  const listener = new Listener(session.config.database?.directUrl ?? session.databaseUrl);
  const serving = createServing(session, {
    signal,
    lease: keeper,
    listener,
    onRun(run) {
      const { inserted = 0, updated = 0, removed = 0 } = run.counts;
      status?.notes.notePull(run.object, { inserted, updated, removed });
      options.onRun?.(run);
    },
    onPushed(counts) {
      status?.notes.notePush(counts);
      options.onPushed?.(counts);
    },
  });
  const status = await createDaemonStatus(session, {
    leads: () => keeper.epoch !== null,
    nextRun: serving.nextRun,
    nudge: serving.nudge,
  });
  let isOver = false;
  try {
    // First: where the port is taken, nothing else is to have begun.
    const statusUrl = (await status?.start()) ?? null;
    await keeper.start();
    await listener.start();
    await serving.run(() => options.onReady?.(statusUrl));
  } finally {
    isOver = true;
    await listener.stop();
    await keeper.stop();
    await status?.stop();
  }
}
