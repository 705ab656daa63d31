import { crmMinusDatabaseMs } from '../conflicts/clocks.ts';
import { type RemoteWrites, readRemoteWrites } from '../conflicts/remote-writes.ts';
import type { Database } from '../db/database.ts';
import { readCurrentIds } from '../db/identities.ts';
import { holdsLease } from '../db/lease.ts';
import type { LinkTable } from '../db/mirror/links.ts';
import { lockForWriting } from '../db/mirror/lock.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { MassDeleteLimits } from '../db/outbox/delete-guard.ts';
import { isPassing, SyncError } from '../domain/errors.ts';
import type { ConflictPolicy } from '../domain/merge-fields.ts';
import type { Remote } from '../domain/remote.ts';
import { claim } from './claim.ts';
import { leaseLost } from './lease-lost.ts';
import type { Outgoing } from './outgoing.ts';
import { sendAll } from './send.ts';
import type { Sent } from './sent.ts';
import { settle, settleAside } from './settle.ts';

export interface PushDeps {
  readonly db: Database;
  readonly remote: Remote;
  /** In the order in which records have to be created. */
  readonly tables: readonly MirrorTable[];
  readonly links: readonly LinkTable[];
  readonly policyOf: (object: string, field: string) => ConflictPolicy;
  /** The unique field that makes creates repeatable; null where there is none. */
  readonly matchOn: (table: MirrorTable) => string | null;
  readonly massDelete: MassDeleteLimits;
  readonly lease: PushLease;
  /**
   * Takes in the object's remote changes, right before they would be overwritten: all of them, or
   * those `after` what an earlier call came to, which it returns.
   */
  readonly refresh: (
    table: MirrorTable,
    after: string | null,
    signal: AbortSignal,
  ) => Promise<string | null>;
  readonly random: () => number;
  /** Epoch milliseconds by a clock that is never set. */
  readonly nowMs: () => number;
  readonly trouble: PushTrouble;
}

/** What keeps objects from being sent, and when each is tried again. */
export interface PushTrouble {
  /** Until it may be tried; 0 where it may now. */
  waitMs(object: string): number;
  stands(object: string): boolean;
  /**
   * @returns why its changes wait, as `last_error` tells it, and for how long; null where it is not
   *   this object's trouble, but everybody's. @throws what ends the service.
   */
  failed(
    object: string,
    error: unknown,
    signal: AbortSignal,
  ): Promise<{ readonly reason: string; readonly retryInMs: number } | null>;
  /** It could be sent: what had been put off is due again. @returns whether anything had been. */
  worked(object: string): Promise<boolean>;
}

/** The right to send, as the leader holds it. */
export interface PushLease {
  readonly epoch: bigint | null;
  /** How long the lease lasts for certain. */
  remainingMs(): number;
}

export interface PushCounts {
  readonly delivered: number;
  readonly refused: number;
  readonly gone: number;
  readonly failed: number;
  readonly unclear: number;
}

/** A write is given up after this long; the lease has to outlast it (invariant 9). */
export const WRITE_TIMEOUT_MS = 6_000;
export const MOST_SETTLE_ATTEMPTS = 5;

/**
 * Claims what is due of one object, sends and settles it. @returns null where nothing was due.
 *
 * @throws SyncError `lease-lost` where this process no longer leads; `halt` errors of the CRM.
 */
export async function pushObject(
  deps: PushDeps,
  table: MirrorTable,
  signal: AbortSignal,
): Promise<PushCounts | null> {
  const { remote, lease } = deps;
  const epoch = lease.epoch;
  if (epoch === null) throw leaseLost();
  const claimed = await claim(deps, table, epoch);
  if (!claimed) return null;
  // Of how often its object could not be sent a record knows nothing.
  const inTrouble = deps.trouble.stands(table.object);
  const outgoing = inTrouble
    ? claimed.outgoing.map((change) => ({ ...change, attempts: 1 }))
    : claimed.outgoing;
  const counts = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };
  const inFlight = delayedAbort(signal, WRITE_TIMEOUT_MS);
  const report = async (sent: readonly Sent[]): Promise<void> => {
    const confirmed = await confirm(remote, table, sent, inFlight.signal);
    const checked = await followed(deps, table, confirmed, inFlight.signal);
    const records = checked.flatMap((one) =>
      one.kind === 'delivered' && one.record !== null ? [one.record] : [],
    );
    const reading = { priority: 'push', signal: inFlight.signal } as const;
    // Nice to know; that what was sent is settled does not depend on it.
    const writes = await readRemoteWrites(deps, table, records, reading).catch(() => undefined);
    await settleAgain(deps, table, { epoch, readAt: claimed.readAt, writes }, checked);
    for (const { kind } of checked) counts[kind] += 1;
  };
  const mayStart = () =>
    !signal.aborted && lease.epoch === epoch && lease.remainingMs() > WRITE_TIMEOUT_MS;
  try {
    const call = {
      priority: 'push',
      signal: inFlight.signal,
      timeoutMs: WRITE_TIMEOUT_MS,
    } as const;
    for (const group of sendingOrder(outgoing)) {
      await sendAll({ remote, nowMs: deps.nowMs, mayStart }, table.schema, group, {
        ...call,
        report,
      });
    }
  } finally {
    inFlight.release();
  }
  return counts;
}

/** What is under way when we are told to stop may come to its end, so that its fate is known. */
export function delayedAbort(
  signal: AbortSignal,
  graceMs: number,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => controller.abort(signal.reason), graceMs);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** What makes room goes first: a unique value may move from one record to another. */
export function sendingOrder(outgoing: readonly Outgoing[]): readonly (readonly Outgoing[])[] {
  const creates = outgoing.filter(({ kind }) => kind === 'create');
  return [
    outgoing.filter(({ kind }) => kind === 'delete'),
    outgoing.filter(({ kind }) => kind === 'update'),
    creates.filter(({ matchOn }) => matchOn !== null),
    creates.filter(({ matchOn }) => matchOn === null),
  ].filter((group) => group.length > 0);
}

/**
 * A 404 in a bulk call is believed only of a record that is not there on its own either; a refusal
 * of a create says nothing of an earlier attempt, which may have arrived.
 */
async function confirm(
  remote: Remote,
  table: MirrorTable,
  sent: readonly Sent[],
  signal: AbortSignal,
): Promise<readonly Sent[]> {
  return await Promise.all(
    sent.map(async (one): Promise<Sent> => {
      if (one.kind !== 'gone' || one.change.kind === 'create') {
        const isRefused = one.kind === 'gone' || one.kind === 'refused';
        const kind = one.change.mayHaveArrived ? 'unclear' : 'refused';
        return isRefused ? { ...one, kind } : one;
      }
      const request = { object: table.schema, id: one.change.recordId, certain: true };
      const record = await remote.readRecord(request, { priority: 'push', signal });
      return record === null ? one : { ...one, kind: 'failed' };
    }),
  );
}

/**
 * A record may have been merged into another since it was last looked at: its edit follows to the
 * survivor, and is merged there before it is sent (invariant 6).
 */
async function followed(
  { db, refresh }: PushDeps,
  table: MirrorTable,
  sent: readonly Sent[],
  signal: AbortSignal,
): Promise<readonly Sent[]> {
  const isVanished = ({ kind, change }: Sent) => kind === 'gone' && change.kind === 'update';
  const vanished = sent.filter(isVanished).map(({ change }) => change.recordId);
  if (vanished.length === 0) return sent;
  await refresh(table, null, signal);
  const survivors = await readCurrentIds(db, table.object, vanished);
  return sent.map((one): Sent => {
    if (one.kind !== 'gone' || !isVanished(one)) return one;
    return survivors.has(one.change.recordId) ? { ...one, kind: 'failed' } : one;
  });
}

/** Whoever took the table since the claim is waited for this long, twice. */
const SETTLE_LOCK_MS = 1_000;

/** What was sent must be settled: the database gets several chances while we lead. */
async function settleAgain(
  deps: PushDeps,
  table: MirrorTable,
  round: {
    readonly epoch: bigint;
    readonly readAt: string;
    readonly writes: RemoteWrites | undefined;
  },
  sent: readonly Sent[],
): Promise<void> {
  const { db, tables, links, policyOf, random } = deps;
  let isLocked = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await db.transaction(
        async (tx) => {
          if (!(await holdsLease(tx, round.epoch))) throw leaseLost();
          if (!isLocked) await lockForWriting(tx, table);
          await (isLocked ? settleAside : settle)(tx, table, sent, {
            ...round,
            tables,
            links,
            random,
            crmMinusDatabaseMs: crmMinusDatabaseMs(deps),
            policyOf: (field) => policyOf(table.object, field),
          });
        },
        { asWriter: true, lockTimeoutMs: SETTLE_LOCK_MS },
      );
      return;
    } catch (error) {
      isLocked =
        attempt > 1 && error instanceof SyncError && error.code === 'database-lock-timeout';
      const again = isPassing(error) && error.code !== 'lease-lost';
      if (!again || attempt >= MOST_SETTLE_ATTEMPTS) throw error;
    }
  }
}
