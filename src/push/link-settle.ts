import { applyLinks } from '../conflicts/link-apply.ts';
import type { Transaction } from '../db/connection/database.ts';
import type { LinkView } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { settleEntries } from '../db/outbox/outbox.ts';
import { recordConflicts } from '../db/outbox/unsettled.ts';
import { deleteLinks, lockLinks, renameLinks } from '../db/rows/link-rows.ts';
import type { RemoteError } from '../domain/errors.ts';
import { LOST_TO_DELETE } from '../domain/merge-record.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { ending, type OutgoingLinks, putOff } from './link-claim.ts';
import type { LinkSent, RecordSent } from './link-send.ts';
import type { Settlement } from './outgoing.ts';

/** What came of one record's links. `mapped`: an end is known by another id now. */
export interface SettledLinks extends RecordSent {
  readonly outgoing: OutgoingLinks;
  readonly mapped: ReadonlySet<string>;
}

export interface LinkSettleContext {
  readonly epoch: bigint;
  readonly readAt: string;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/**
 * Ends what was sent of links, in one transaction with what follows from it: a link with a record
 * that is gone goes, and is on record as a conflict that the deletion won; the set as it was read
 * last is brought over. Safe to repeat: entries settled already are left alone.
 */
export async function settleLinks(
  tx: Transaction,
  { view, table }: { readonly view: LinkView; readonly table: MirrorTable },
  sent: readonly SettledLinks[],
  context: LinkSettleContext,
): Promise<void> {
  await settleEntries(
    tx,
    context.epoch,
    sent.flatMap((one) => one.results.flatMap((result) => toSettlements(one, result, context))),
  );
  const lost = sent.flatMap(({ outgoing, results, mapped }) =>
    results.flatMap((result) => {
      const { change } = result;
      if (result.kind !== 'gone' || mapped.has(idOf(outgoing, result))) return [];
      return [{ here: outgoing.recordId, there: change.other, isLink: change.kind === 'link' }];
    }),
  );
  const wanted = lost.filter(({ isLink }) => isLink);
  await recordConflicts(
    tx,
    view.here.object,
    wanted.map(({ here, there }) => {
      return {
        recordId: here,
        field: view.here.field,
        base: null,
        local: there,
        ...LOST_TO_DELETE,
      };
    }),
  );
  await deleteLinks(tx, view, await lockLinks(tx, view, lost));
  await renameLinks(tx, [view.link], { all: false });
  const read = sent.flatMap(({ outgoing, set }) =>
    set === null ? [] : [asRecord(outgoing.recordId, view.here.field, set)],
  );
  await applyLinks(tx, table, read, { links: [view.link], readAt: context.readAt });
}

/** The id that was not found. */
export function idOf(
  { recordId }: OutgoingLinks,
  { end, change }: Extract<LinkSent, { kind: 'gone' }>,
): string {
  return end === 'here' ? recordId : change.other;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

function toSettlements(
  { outgoing, mapped }: SettledLinks,
  result: LinkSent,
  context: LinkSettleContext,
): Settlement[] {
  const { change } = result;
  switch (result.kind) {
    case 'delivered':
      return ending(change, { state: 'done' });
    case 'gone': {
      const again = { state: 'pending', reason: null, retryInMs: 0 } as const;
      if (mapped.has(idOf(outgoing, result))) return [putOff(change, again)];
      return ending(change, { state: change.kind === 'unlink' ? 'done' : 'cancelled' });
    }
    case 'refused':
      return [putOff(change, { state: 'parked', reason: reasonOf(result.error) })];
    case 'failed': {
      const growing = FIRST_RETRY_MS * 2 ** (outgoing.attempts - 1);
      const ceilingMs = Math.min(LONGEST_RETRY_MS, growing);
      const askedMs = Math.min(LONGEST_RETRY_MS, result.error.retryAfterMs ?? 0);
      const retryInMs = Math.max(askedMs, context.random() * ceilingMs);
      const reason = reasonOf(result.error);
      return [putOff(change, { state: 'pending', reason, retryInMs })];
    }
  }
}

function reasonOf(error: RemoteError): string {
  return `${error.code}: ${error.reason ?? error.message}`;
}

/** Nothing is known of it but its links. */
function asRecord(id: string, field: string, set: ReadonlySet<string>): RemoteRecord {
  const system = { createdAt: null, updatedAt: null, createdBy: null, updatedBy: null };
  const links = { [field]: { ids: [...set], total: set.size } };
  return { id, fields: {}, ...system, mergedIds: [], links };
}
