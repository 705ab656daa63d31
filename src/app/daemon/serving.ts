import { type Listener, notify } from '../../db/connection/listener.ts';
import { abandonRuns } from '../../db/service/run-log.ts';
import type { PushedCounts } from '../../http/metrics.ts';
import type { NextRun } from '../../http/status-source.ts';
import type { PushLease } from '../../push/push-deps.ts';
import type { ObjectRun } from '../pull-all.ts';
import { copiedDatabase } from '../push-once.ts';
import type { Session } from '../session.ts';
import { createCommentWorker } from './comment-worker.ts';
import { createHeldRows } from './held-rows.ts';
import { createHintReader } from './hints.ts';
import { createNudge } from './nudge.ts';
import { Pulls } from './pulls.ts';
import { createPushWorker } from './push-worker.ts';

export interface ServingOptions {
  /** Aborting it drains: what is under way comes to its end, nothing new is started. */
  readonly signal: AbortSignal;
  /** Works only while it is held; whoever holds it renews it. */
  readonly lease: PushLease;
  readonly listener: Pick<Listener, 'add'>;
  /** Waited for before the first pulls; what is committed is sent at once. */
  readonly calm?: () => Promise<void>;
  /** Told of every run of an object. */
  readonly onRun?: (run: ObjectRun) => void;
  /** Told of every push that did something. */
  readonly onPushed?: (counts: PushedCounts) => void;
}

/** The work of one workspace: pulls by schedule, pushes what is committed, follows the schema. */
export interface Serving {
  /**
   * Returns when it has drained. @param onReady told once schedules and push worker run.
   * @throws the error that no repetition mends, such as a key that was revoked.
   */
  run(onReady: () => void): Promise<void>;
  /** When an object is read next; null where it follows no schedule. */
  nextRun(object: string): NextRun | null;
  /** Somebody says that there is something to pull; passed on where another process leads. */
  nudge(object: string | null): void;
}

export function createServing(session: Session, options: ServingOptions): Serving {
  const { lease, listener } = options;
  const halted = new AbortController();
  const stopping = AbortSignal.any([options.signal, halted.signal]);
  const halt = (error: unknown) => {
    // What ends because we are stopping is no error.
    if (!stopping.aborted) halted.abort(error);
  };
  const worker = createPushWorker(session, lease, {
    onHalt: halt,
    onPushed: (counts) => options.onPushed?.(counts),
    onComments: () => comments.wake(),
  });
  const comments = createCommentWorker(session, lease, halt);
  const onRun = (run: ObjectRun) => options.onRun?.(run);
  const pulls = new Pulls(session, lease, { signal: stopping, onRun }, halt);
  const hints = createHintReader(session, lease, { onHalt: halt });
  const heldRows = createHeldRows(session, lease, { signal: stopping, onHalt: halt });
  const nudge = createNudge({ pull: (objects) => pulls.now(objects) });
  const pushes = session.config.push && session.installation.adopted;
  const nudged = session.config.http?.nudgeSecret != null;
  // Which of several daemons is called is up to whoever stands before them; the leader pulls.
  const passOn = (object: string | null) => {
    notify(session.db, 'nudge', object ?? '').catch((error: unknown) =>
      session.log.debug({ err: error }, 'nudge not passed on'),
    );
  };
  return {
    async run(onReady) {
      let deaf = () => {};
      let begun: Promise<void> | undefined;
      try {
        await abandonRuns(session.db, session.holder);
        if (options.calm === undefined) pulls.start();
        else begun = options.calm().then(() => (stopping.aborted ? undefined : pulls.start()));
        await hints.start();
        if (session.config.push && !session.installation.adopted) {
          session.log.warn(copiedDatabase(), 'nothing is pushed');
        } else if (pushes) {
          await worker.start();
          if (session.remote.createComment !== undefined) await comments.start();
        }
        deaf = listener.add(session.db.schemas, {
          ...(pushes && {
            outbox: () => {
              worker.wake();
              comments.wake();
            },
          }),
          hint: () => hints.wake(),
          aside: (object) => heldRows.note(object),
          held: (object) => heldRows.keep(object),
          ...(nudged && { nudge: (object: string) => nudge.nudge(object || null) }),
        });
        onReady();
        await new Promise<void>((resolve) => {
          if (stopping.aborted) resolve();
          else stopping.addEventListener('abort', () => resolve(), { once: true });
        });
      } finally {
        nudge.stop();
        deaf();
        await begun;
        const parts = [pulls, hints, worker, comments, heldRows];
        await Promise.all(parts.map((part) => part.stop()));
      }
      if (halted.signal.aborted) throw halted.signal.reason;
    },
    nextRun: (object) => pulls.nextRun(object),
    nudge: (object) => (lease.epoch === null ? passOn(object) : nudge.nudge(object)),
  };
}
