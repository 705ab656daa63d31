import { crmMinusDatabaseMs } from '../conflicts/clocks.ts';
import { type RemoteWrites, readRemoteWrites } from '../conflicts/remote-writes.ts';
import { holdsLease } from '../db/lease/lease.ts';
import { lockForWriting } from '../db/mirror/lock.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readCurrentIds } from '../db/rows/identities.ts';
import { isPassing, SyncError } from '../domain/errors.ts';
import type { Remote } from '../domain/remote.ts';
import { leaseLost } from './lease-lost.ts';
import { UNIQUE_TAKEN } from './park-taken.ts';
import { MOST_WAITS_FOR_WORD, type PushCounts, type PushDeps } from './push-deps.ts';
import type { Sent } from './sent.ts';
import { settle, settleAside } from './settle.ts';

export const MOST_SETTLE_ATTEMPTS = 5;

/**
 * What writes down what came of changes: confirmed where that is in doubt, and settled in one
 * transaction with everything that follows.
 *
 * @param round `readAt`: database time from before any of it was answered or read.
 */
export function createReport(
  deps: PushDeps,
  table: MirrorTable,
  round: { readonly epoch: bigint; readonly readAt: string; readonly signal: AbortSignal },
): {
  readonly report: (sent: readonly Sent[]) => Promise<void>;
  /** What was reported so far. */
  readonly counts: PushCounts;
} {
  const { remote } = deps;
  const { epoch, readAt, signal } = round;
  const counts = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };
  const report = async (sent: readonly Sent[]): Promise<void> => {
    const confirmed = await confirm(remote, table, sent, signal);
    const checked = await followed(deps, table, confirmed, signal);
    const records = checked.flatMap((one) =>
      one.kind === 'delivered' && one.record !== null ? [one.record] : [],
    );
    const reading = { priority: 'push', signal, isAnswer: true } as const;
    // Nice to know; that what was sent is settled does not depend on it.
    const writes = await readRemoteWrites(deps, table, records, reading).catch(() => undefined);
    await settleAgain(deps, table, { epoch, readAt, writes }, checked);
    for (const { kind } of checked) if (kind !== 'waits') counts[kind] += 1;
  };
  return { report, counts };
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
        if (one.kind === 'refused' && isAboutToShow(remote, table, one)) {
          return { ...one, kind: 'failed' };
        }
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

/** Over a minute or so: a list may be that late. */
const MOST_WAITS = 8;

/**
 * A create is looked up by what identifies it, and found, although the list that was read before does
 * not show the record yet: once it does, the create becomes an edit of it.
 */
function isAboutToShow(
  remote: Remote,
  { object }: MirrorTable,
  { change, error }: Sent & { kind: 'refused' },
): boolean {
  const { creating } = remote.capabilitiesOf(object);
  const isLookedUp = creating.kind === 'lookup' && change.identity === creating.field;
  return isLookedUp && error.code === UNIQUE_TAKEN && change.attempts < MOST_WAITS;
}

/**
 * A record may have been merged into another since it was last looked at: its edit follows to the
 * survivor, and is merged there before it is sent (invariant 6). Where only a call tells of merges, that
 * is waited for.
 */
async function followed(
  { db, takeInChanges, untold }: PushDeps,
  table: MirrorTable,
  sent: readonly Sent[],
  signal: AbortSignal,
): Promise<readonly Sent[]> {
  const isVanished = ({ kind, change }: Sent) => kind === 'gone' && change.kind === 'update';
  const vanished = sent.filter(isVanished).map(({ change }) => change.recordId);
  if (vanished.length === 0) return sent;
  await takeInChanges(table, signal);
  const survivors = await readCurrentIds(db, table.object, vanished);
  const open = (await untold?.(table.object, vanished)) ?? new Set<string>();
  return sent.map((one): Sent => {
    if (one.kind !== 'gone' || !isVanished(one)) return one;
    const { recordId, attempts } = one.change;
    const follows =
      survivors.has(recordId) || (open.has(recordId) && attempts < MOST_WAITS_FOR_WORD);
    return follows ? { ...one, kind: 'failed' } : one;
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
  const { versions, removal } = deps.remote.capabilitiesOf(table.object);
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
            versions,
            removal,
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
