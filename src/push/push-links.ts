import { holdsLease } from '../db/lease.ts';
import { type LinkTable, type LinkView, linkViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readMovedIds } from '../db/outbox/links.ts';
import { SyncError } from '../domain/errors.ts';
import type { CallOptions } from '../domain/remote.ts';
import { leaseLost } from './lease-lost.ts';
import { claimLinkChanges, type OutgoingLinks } from './link-claim.ts';
import { type LinkField, sendLinks } from './link-send.ts';
import { idOf, type SettledLinks, settleLinks } from './link-settle.ts';
import {
  delayedAbort,
  MOST_SETTLE_ATTEMPTS,
  type PushCounts,
  type PushDeps,
  WRITE_TIMEOUT_MS,
} from './push-object.ts';
import { notStarted } from './send.ts';

/** The end of a link table that the outbox knows by this field; null where it is gone. */
export function viewOfField(
  links: readonly LinkTable[],
  { object, field }: { readonly object: string; readonly field: string },
): LinkView | null {
  return linkViews(links, object).find(({ here }) => here.field === field) ?? null;
}

/** Records whose links are written at the same time. */
const WORKERS = 4;

interface Round {
  readonly view: LinkView;
  readonly table: MirrorTable;
  readonly epoch: bigint;
  readonly readAt: string;
}

/**
 * Claims what is due of one field's links, sends and settles it record by record. Counts are
 * links. @returns null where nothing was due, or the object is not mirrored any more.
 *
 * @throws SyncError `lease-lost` where this process no longer leads; `halt` errors of the CRM.
 */
export async function pushLinks(
  deps: PushDeps,
  view: LinkView,
  signal: AbortSignal,
): Promise<PushCounts | null> {
  const { lease, remote } = deps;
  const { epoch } = lease;
  const table = deps.tables.find(({ object }) => object === view.here.object);
  if (epoch === null) throw leaseLost();
  if (table === undefined) return null;
  const claimed = await claimLinkChanges(deps.db, view, epoch);
  if (claimed === null) return null;
  const round: Round = { view, table, epoch, readAt: claimed.readAt };
  const counts = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };
  const inFlight = delayedAbort(signal, WRITE_TIMEOUT_MS);
  let stopped = false;
  const mayStart = () =>
    !stopped && !signal.aborted && lease.epoch === epoch && lease.remainingMs() > WRITE_TIMEOUT_MS;
  const call: CallOptions = {
    priority: 'push',
    signal: inFlight.signal,
    timeoutMs: WRITE_TIMEOUT_MS,
    beforeAttempt: () => {
      if (!mayStart()) throw notStarted();
    },
  };
  const queue = [...claimed.outgoing];
  const work = async () => {
    try {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const sent = await sendLinks(remote, fieldOf(deps, round), next, call);
        const mapped = await readMapped(deps, round, { outgoing: next, ...sent }, signal);
        await settleAgain(deps, round, { outgoing: next, ...sent, mapped });
        for (const { kind } of sent.results) counts[kind] += 1;
      }
    } catch (error) {
      stopped = true;
      queue.length = 0;
      throw error;
    }
  };
  try {
    const workers = await Promise.allSettled(Array.from({ length: WORKERS }, work));
    for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  } finally {
    inFlight.release();
  }
  return counts;
}

function fieldOf(deps: PushDeps, { view, table }: Round): LinkField {
  const { here, there } = view;
  const target = deps.tables.find(({ object }) => object === there.object);
  return {
    object: table.schema,
    field: here.field,
    target: there.object,
    targetSchema: target?.schema ?? null,
  };
}

/**
 * Whose record has vanished may have been merged: what changed is taken in before the link is
 * given up, and one that lives on by another id is linked there (invariant 6).
 */
async function readMapped(
  deps: PushDeps,
  { view, table }: Round,
  sent: Omit<SettledLinks, 'mapped'> & { readonly outgoing: OutgoingLinks },
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const mapped = new Set<string>();
  for (const end of ['here', 'there'] as const) {
    const ids = sent.results.flatMap((result) =>
      result.kind === 'gone' && result.end === end ? [idOf(sent.outgoing, result)] : [],
    );
    const gone =
      end === 'here' ? table : deps.tables.find(({ object }) => object === view.there.object);
    if (ids.length === 0 || gone === undefined) continue;
    await deps.refresh(gone, null, signal);
    for (const id of await readMovedIds(deps.db, gone.object, ids)) mapped.add(id);
  }
  return mapped;
}

async function settleAgain(deps: PushDeps, round: Round, sent: SettledLinks): Promise<void> {
  const { epoch, readAt } = round;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await deps.db.transaction(
        async (tx) => {
          if (!(await holdsLease(tx, epoch))) throw leaseLost();
          await settleLinks(tx, round, [sent], { epoch, readAt, random: deps.random });
        },
        { asWriter: true },
      );
      return;
    } catch (error) {
      const again = error instanceof SyncError && error.disposition === 'retry';
      if (!again || error.code === 'lease-lost' || attempt >= MOST_SETTLE_ATTEMPTS) throw error;
    }
  }
}
