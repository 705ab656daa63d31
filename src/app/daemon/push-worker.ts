import { setTimeout as sleep } from 'node:timers/promises';
import { readLook } from '../../db/look.ts';
import { readUntold } from '../../db/position/hints.ts';
import { recordRun } from '../../db/service/run-log.ts';
import { SyncError } from '../../domain/errors.ts';
import type { PushCounts, PushDeps, PushLease } from '../../push/push-deps.ts';
import { createPushLine, type PushLine, type Turn } from '../../push/push-line.ts';
import { pushDeps } from '../push-once.ts';
import { createService, type Service } from '../service.ts';
import type { Session } from '../session.ts';
import { createLoop, Wake } from './loop.ts';

export interface PushWorkerOptions {
  /** Told of an error that no repetition mends. */
  readonly onHalt: (error: unknown) => void;
  /** Told of every push that did something. */
  readonly onPushed?: (counts: PushCounts) => void;
  /** Told whenever comments are seen that wait to be sent. */
  readonly onComments?: () => void;
}

export interface PushWorker extends Service {
  /** Something was committed. */
  wake(): void;
}

/** The outbox is looked at this often, whatever notifications say. */
const POLL_MS = 2_000;
const SCHEMA_PATIENCE_MS = 100;

/**
 * Sends what is committed, as soon as it is told of it and every two seconds anyway. Works only
 * while this process leads. Stopped, it returns when nothing is in flight any more.
 */
export function createPushWorker(
  session: Session,
  lease: PushLease,
  options: PushWorkerOptions,
): PushWorker {
  const wake = new Wake();
  let line: PushLine | null = null;
  const service = createService(async () => {
    const stopping = new AbortController();
    const sending = createPushLine({
      signal: stopping.signal,
      onTurn(turn) {
        noteTurn(session, turn, options).catch((error: unknown) =>
          session.log.debug({ err: error }, 'push not logged'),
        );
      },
      onFree: () => wake.wake(),
    });
    line = sending;
    const loop = createLoop(
      {
        name: 'push',
        idleMs: POLL_MS,
        wake,
        log: session.log,
        runOnce: createRound(session, lease, {
          ...options,
          line: sending,
          deps: () => pushDeps(session, lease),
        }),
      },
      options.onHalt,
    );
    await loop.start();
    return async () => {
      stopping.abort();
      await loop.stop();
      // What ended while we stop is taken over by whoever leads next.
      await sending.settled().catch(() => undefined);
    };
  });
  return {
    start: service.start,
    stop: service.stop,
    wake() {
      line?.wake();
      wake.wake();
    },
  };
}

const LEAST_PAUSE_MS = 100;
/** A timer may fire so much early. */
const EARLY_MS = 1;

/** One look at what is due. What had nothing to do is asked again when it is told of, or polled. */
export function createRound(
  session: Pick<Session, 'db' | 'config' | 'remote' | 'tables' | 'takeSchema'>,
  lease: PushLease,
  options: Pick<PushWorkerOptions, 'onHalt' | 'onComments'> & {
    readonly line: Pick<PushLine, 'wake' | 'look'>;
    readonly deps: () => PushDeps;
    readonly monotonicMs?: () => number;
  },
) {
  const { line, onHalt, onComments, monotonicMs = () => performance.now() } = options;
  let pollAtMs = Number.NEGATIVE_INFINITY;
  const { db, config, remote } = session;
  const isCalled = config.hookUrl != null && remote.hooks !== undefined;
  const untold: Pick<PushDeps, 'untold'> = isCalled
    ? { untold: (object, ids) => readUntold(db, object, ids) }
    : {};
  return async (): Promise<{ readonly pauseMs?: number } | undefined> => {
    if (lease.epoch === null) return undefined;
    if (monotonicMs() >= pollAtMs - EARLY_MS) {
      pollAtMs = monotonicMs() + POLL_MS;
      line.wake();
    }
    const objects = session.tables.map(({ object }) => object);
    const { schema, due, comments } = await readLook(db, objects);
    // A check of the tables may have to wait for somebody's lock: nobody waits for that.
    const followed = session.takeSchema(schema).catch((error: unknown) => {
      if (!(error instanceof SyncError)) onHalt(error);
    });
    await within(SCHEMA_PATIENCE_MS, followed);
    if (comments) onComments?.();
    const { againMs } = await line.look({ ...options.deps(), ...untold }, due);
    // Counted from the last one, whoever woke us since; a database that takes as long has its rest.
    const pollInMs = Math.max(LEAST_PAUSE_MS, pollAtMs - monotonicMs());
    return { pauseMs: Math.min(againMs ?? POLL_MS, pollInMs) };
  };
}

/** Waits for something, and no longer than that. */
async function within(ms: number, done: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const { signal } = late;
  await Promise.race([done, sleep(ms, undefined, { signal }).catch(() => undefined)]);
  late.abort();
}

async function noteTurn(
  { db, holder, log }: Session,
  { object, counts, tookMs }: Turn,
  { onPushed }: PushWorkerOptions,
): Promise<void> {
  if (Object.values(counts).every((count) => count === 0)) return;
  log.info({ object, ...counts }, 'pushed');
  onPushed?.(counts);
  await recordRun(db, { kind: 'push', object, holder, counts: { ...counts }, tookMs });
}
