import { recordRun } from '../../db/service/run-log.ts';
import { type CommentCounts, pushComments } from '../../push/push-comments.ts';
import type { PushLease } from '../../push/push-deps.ts';
import { createService, type Service } from '../service.ts';
import type { Session } from '../session.ts';
import { createLoop, Wake } from './loop.ts';

export interface CommentWorker extends Service {
  /** Something was committed, or is due. */
  wake(): void;
}

/** Whoever looks what is due sees every two seconds whether any wait; this is for when nobody can. */
const POLL_MS = 30_000;
const NOTHING: CommentCounts = { delivered: 0, refused: 0, failed: 0 };

/** Sends comments that were written here, once. `objects` left out: of all. */
export async function sendComments(
  session: Session,
  lease: PushLease,
  options: { readonly signal: AbortSignal; readonly objects?: readonly string[] | undefined },
): Promise<CommentCounts> {
  const { db, remote, tables, holder, log } = session;
  const { createComment, readRecord } = remote;
  if (createComment === undefined) return NOTHING;
  const { signal, objects = null } = options;
  const startedMs = session.nowMs();
  const counts = await pushComments(
    { db, createComment, readRecord, tables, lease, objects },
    signal,
  );
  if (Object.values(counts).some((count) => count > 0)) {
    log.info({ ...counts }, 'comments pushed');
    const tookMs = session.nowMs() - startedMs;
    await recordRun(db, {
      kind: 'push',
      object: null,
      holder,
      counts: { comments: counts.delivered, refused: counts.refused, failed: counts.failed },
      tookMs,
    });
  }
  return counts;
}

/**
 * Sends them whenever it is told of them, while this process leads.
 *
 * @param onHalt told of an error that no repetition mends.
 */
export function createCommentWorker(
  session: Session,
  lease: PushLease,
  onHalt: (error: unknown) => void,
): CommentWorker {
  const wake = new Wake();
  const loop = createService(async () => {
    const stopping = new AbortController();
    const { signal } = stopping;
    const sending = createLoop(
      {
        name: 'comments',
        idleMs: POLL_MS,
        wake,
        log: session.log,
        async runOnce() {
          if (lease.epoch !== null) await sendComments(session, lease, { signal });
          return undefined;
        },
      },
      onHalt,
    );
    await sending.start();
    return async () => {
      stopping.abort();
      await sending.stop();
    };
  });
  return { start: loop.start, stop: loop.stop, wake: () => wake.wake() };
}
