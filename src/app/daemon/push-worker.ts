import type { LeaseKeeper } from '../../db/lease-keeper.ts';
import { recordRun } from '../../db/run-log.ts';
import { type PushResult, runPush } from '../../push/push.ts';
import { pushDeps } from '../push-once.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session.ts';
import { createLoop, Wake } from './loop.ts';

export interface PushWorkerOptions {
  /** Told of an error that no repetition mends. */
  readonly onHalt: (error: unknown) => void;
  /** Told of every push that did something. */
  readonly onPushed?: (counts: Omit<PushResult, 'waitMs'>) => void;
}

export interface PushWorker extends Service {
  /** Something was committed. */
  wake(): void;
}

/** The outbox is looked at this often, whatever notifications say. */
const POLL_MS = 2_000;
/** What users may have changed of the tables is looked at this often: the catalog is not free. */
const SHAPE_MS = 10_000;

/**
 * Sends what is committed, as soon as it is told of it and every two seconds anyway. Works only
 * while this process leads. Stopped, it returns when nothing is in flight any more.
 */
export function createPushWorker(
  session: Session,
  lease: LeaseKeeper,
  options: PushWorkerOptions,
): PushWorker {
  const wake = new Wake();
  const loop = createLoop(
    {
      name: 'push',
      idleMs: POLL_MS,
      wake,
      log: session.log,
      async runOnce(signal) {
        if (lease.epoch !== null) await push(session, lease, { ...options, signal });
        return undefined;
      },
    },
    options.onHalt,
  );
  return { start: loop.start, stop: loop.stop, wake: () => wake.wake() };
}

async function push(
  session: Session,
  lease: LeaseKeeper,
  { signal, onPushed }: Pick<PushWorkerOptions, 'onPushed'> & { readonly signal: AbortSignal },
): Promise<void> {
  const startedAtMs = performance.now();
  await session.followSchema(SHAPE_MS);
  const { waitMs, ...counts } = await runPush(pushDeps(session, lease), signal);
  if (Object.values(counts).every((count) => count === 0)) return;
  session.log.info({ ...counts, waitMs }, 'pushed');
  onPushed?.(counts);
  const { db, holder } = session;
  const tookMs = performance.now() - startedAtMs;
  await recordRun(db, { kind: 'push', object: null, holder, counts, tookMs });
}
