import type { LinkView } from '../db/mirror/links.ts';
import { readMovedIds } from '../db/outbox/links.ts';
import { RemoteError } from '../domain/errors.ts';
import type { CallOptions } from '../domain/remote.ts';
import { leaseLost } from './lease-lost.ts';
import { claimLinkChanges, type OutgoingLinks } from './link-claim.ts';
import { handOverLinks } from './link-jobs.ts';
import { type LinkRound, settleLinksAgain } from './link-report.ts';
import { type LinkField, type LinkSent, sendLinks } from './link-send.ts';
import { idOf, type SettledLinks } from './link-settle.ts';
import { MOST_WAITS_FOR_WORD, type PushCounts, type PushDeps } from './push-deps.ts';
import { delayedAbort, WRITE_TIMEOUT_MS } from './push-object.ts';
import { notStarted } from './writing/call.ts';

/** Records whose links are written at the same time. */
const WORKERS = 4;

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
  const { writing } = remote.capabilitiesOf(table.object);
  if (writing.kind === 'job' && writing.linksInJobs === true) {
    return await handOverLinks(deps, { view, table, epoch }, signal);
  }
  const claimed = await claimLinkChanges(deps.db, view, { epoch });
  if (claimed === null) return null;
  const round: LinkRound = { view, table, epoch, readAt: claimed.readAt };
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
        const told = await untilTold(deps, round, { outgoing: next, ...sent, mapped });
        await settleLinksAgain(deps, round, [told]);
        for (const { kind } of told.results) counts[kind] += 1;
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

function fieldOf(deps: PushDeps, { view, table }: LinkRound): LinkField {
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
  { view, table }: LinkRound,
  sent: Omit<SettledLinks, 'mapped'> & { readonly outgoing: OutgoingLinks },
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const mapped = new Set<string>();
  for (const end of ['here', 'there'] as const) {
    const ids = goneAt(end, sent);
    const gone =
      end === 'here' ? table : deps.tables.find(({ object }) => object === view.there.object);
    if (ids.length === 0 || gone === undefined) continue;
    await deps.takeInChanges(gone, signal);
    for (const id of await readMovedIds(deps.db, gone.object, ids)) mapped.add(id);
  }
  return mapped;
}

function goneAt(
  end: 'here' | 'there',
  { outgoing, results }: Pick<SettledLinks, 'outgoing' | 'results'>,
): readonly string[] {
  return results.flatMap((result) =>
    result.kind === 'gone' && result.end === end ? [idOf(outgoing, result)] : [],
  );
}

/** A link with what is not there waits, where the CRM may still say that it lives on in another. */
async function untilTold(
  { untold }: PushDeps,
  { view }: LinkRound,
  sent: SettledLinks,
): Promise<SettledLinks> {
  const { outgoing, mapped } = sent;
  if (untold === undefined || outgoing.attempts >= MOST_WAITS_FOR_WORD) return sent;
  const open = new Set<string>();
  for (const end of ['here', 'there'] as const) {
    const ids = goneAt(end, sent).filter((id) => !mapped.has(id));
    if (ids.length === 0) continue;
    for (const id of await untold(view[end].object, ids)) open.add(id);
  }
  const results = sent.results.map((result): LinkSent => {
    if (result.kind !== 'gone' || !open.has(idOf(outgoing, result))) return result;
    return { kind: 'failed', change: result.change, error: notThere(view[result.end].object) };
  });
  return { ...sent, results };
}

function notThere(object: string): RemoteError {
  return new RemoteError(`a record of ${object} is not there, and nobody has said yet why`, {
    code: 'remote-not-found',
    disposition: 'retry',
    status: 404,
  });
}
