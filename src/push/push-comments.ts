import type { Database, Transaction } from '../db/connection/database.ts';
import { holdsLease } from '../db/lease/lease.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import {
  claimComments,
  type DeliveredComment,
  type FailedComment,
  hasRow,
  parkOrphans,
  postponeComments,
  readUnsent,
  returnComments,
  settleComments,
} from '../db/side/comments.ts';
import { mendSideTable } from '../db/side/ensure.ts';
import { SIDE_TABLES } from '../db/side/tables.ts';
import { RemoteError } from '../domain/errors.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';
import type { NewComment } from '../domain/side.ts';
import { leaseLost } from './lease-lost.ts';
import type { PushLease } from './push-deps.ts';
import { delayedAbort, WRITE_TIMEOUT_MS } from './push-object.ts';
import { NOT_STARTED, notStarted } from './writing/call.ts';

export interface CommentDeps {
  readonly db: Database;
  readonly createComment: NonNullable<Remote['createComment']>;
  readonly readRecord: Remote['readRecord'];
  readonly tables: readonly MirrorTable[];
  readonly lease: PushLease;
  /** Null: of all. */
  readonly objects?: readonly string[] | null;
}

export interface CommentCounts {
  readonly delivered: number;
  readonly refused: number;
  readonly failed: number;
}

/** Claimed and settled together. */
const BATCH = 50;
/** Requests under way at once. */
const AT_ONCE = 4;

interface Outcomes {
  readonly delivered: DeliveredComment[];
  readonly failed: FailedComment[];
  /** Claimed, and not sent: what kept the others concerns them as well. */
  readonly left: NewComment[];
}

/**
 * Sends comments that were written here, until none is due: each by the id of its row, so that one whose
 * answer was lost is sent again, and is one. What is refused is parked with the server's reason.
 *
 * @throws SyncError `lease-lost` where another process leads by now.
 */
export async function pushComments(deps: CommentDeps, signal: AbortSignal): Promise<CommentCounts> {
  const { db, lease, objects = null } = deps;
  const { epoch } = lease;
  const counts = { delivered: 0, refused: 0, failed: 0 };
  if (epoch === null) return counts;
  const led = <T>(work: (tx: Transaction) => Promise<T>) =>
    db.transaction(
      async (tx) => {
        if (!(await holdsLease(tx, epoch))) throw leaseLost();
        return await work(tx);
      },
      { asWriter: true },
    );
  const unsent = await readUnsent(db);
  if (unsent.length === 0) return counts;
  for (const { object, awaits } of unsent) {
    const mirror = awaits ? deps.tables.find((table) => table.object === object) : undefined;
    if (mirror !== undefined) counts.refused += await parkOrphans(db, object, mirror.qualified);
  }
  const inFlight = delayedAbort(signal, WRITE_TIMEOUT_MS);
  try {
    while (!signal.aborted && lease.epoch === epoch) {
      const table = await mendSideTable(db, SIDE_TABLES.comment);
      const claimed = await led((tx) => claimComments(tx, table, { epoch, limit: BATCH, objects }));
      if (claimed.length === 0) break;
      const { delivered, failed, left } = await sendAll(deps, claimed, {
        signal: inFlight.signal,
        mayStart: () =>
          !signal.aborted && lease.epoch === epoch && lease.remainingMs() > WRITE_TIMEOUT_MS,
      });
      await led(async (tx) => {
        await settleComments(tx, table, { epoch, items: delivered });
        await postponeComments(tx, { epoch, failed });
        await returnComments(tx, { epoch, left });
      });
      counts.delivered += delivered.length;
      for (const { state } of failed) counts[state === 'parked' ? 'refused' : 'failed'] += 1;
      if (left.length > 0) break;
    }
  } finally {
    inFlight.release();
  }
  return counts;
}

async function sendAll(
  deps: CommentDeps,
  claimed: readonly NewComment[],
  { signal, mayStart }: { readonly signal: AbortSignal; readonly mayStart: () => boolean },
): Promise<Outcomes> {
  const outcomes: Outcomes = { delivered: [], failed: [], left: [] };
  let isStopped = false;
  const call: CallOptions = {
    priority: 'push',
    signal,
    timeoutMs: WRITE_TIMEOUT_MS,
    withinMs: WRITE_TIMEOUT_MS,
    beforeAttempt: () => {
      if (!mayStart()) throw notStarted();
    },
  };
  const queue = claimed.values();
  const lane = async () => {
    for (const comment of queue) {
      if (isStopped || !mayStart()) {
        outcomes.left.push(comment);
        continue;
      }
      try {
        outcomes.delivered.push(await send(deps, comment, call));
      } catch (error) {
        if (wasNotSent(error) || (signal.aborted && !(error instanceof RemoteError))) {
          outcomes.left.push(comment);
        } else if (error instanceof RemoteError) {
          isStopped ||= isEverybodys(error);
          outcomes.failed.push(failureOf(error, comment));
        } else throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
  return outcomes;
}

/**
 * Where it is refused because its record is not there, that was merged, perhaps: then it goes to the one that
 * lives on. What may have arrived is looked for there as well where the comment is said to be another record's.
 */
async function send(
  deps: CommentDeps,
  comment: NewComment,
  call: CallOptions,
): Promise<DeliveredComment> {
  const { id, object, recordId } = comment;
  try {
    return { ...(await deps.createComment(comment, call)), id, object, recordId, was: recordId };
  } catch (error) {
    if (!(error instanceof RemoteError) || !mayBeMerged(error, comment)) throw error;
    const survivor = await findSurvivor(deps, comment, call);
    if (survivor === null) throw error;
    const formerIds = [...comment.formerIds, recordId];
    const told = await deps.createComment({ ...comment, recordId: survivor, formerIds }, call);
    return { ...told, id, object, recordId: survivor, was: recordId };
  }
}

function mayBeMerged({ status, code }: RemoteError, { inDoubt }: NewComment): boolean {
  return status === 404 || (inDoubt && code === 'remote-duplicate');
}

/**
 * @returns the record that lives on; null where it is the same one, or there is none.
 * @throws RemoteError that is tried again where it is gone and its row is not: the next pull says why.
 */
async function findSurvivor(
  { db, readRecord, tables }: CommentDeps,
  { object, recordId, inDoubt }: NewComment,
  call: CallOptions,
): Promise<string | null> {
  const mirror = tables.find((table) => table.object === object);
  if (mirror === undefined) return null;
  const record = await readRecord({ object: mirror.schema, id: recordId, follow: true }, call);
  if (record !== null) return record.id === recordId ? null : record.id;
  if (!(await hasRow(db, mirror.qualified, recordId))) return null;
  throw new RemoteError('POST /comments: its record is gone, or was merged', {
    code: 'record-unknown',
    disposition: 'retry',
    status: 404,
    ambiguous: inDoubt,
  });
}

/** The lease ends too soon, or we are told to stop. */
function wasNotSent(error: unknown): boolean {
  return error instanceof RemoteError && error.code === NOT_STARTED && !error.ambiguous;
}

/** It is about the CRM, the key or the network, and not about this comment. */
function isEverybodys({ status, disposition }: RemoteError): boolean {
  return status === null || status === 429 || disposition === 'halt';
}

function failureOf(error: RemoteError, { id, inDoubt }: NewComment): FailedComment {
  const reason = `${error.code}: ${error.reason ?? error.message}`;
  if (error.disposition === 'park') return { id, state: 'parked', reason };
  return { id, state: inDoubt || error.ambiguous ? 'sending' : 'pending', reason };
}
