import { endLinks } from '../conflicts/link-end.ts';
import type { Database } from '../db/connection/database.ts';
import { holdsLease } from '../db/lease/lease.ts';
import type { LinkView } from '../db/mirror/links.ts';
import { lockForWriting } from '../db/mirror/lock.ts';
import { claimLinks } from '../db/outbox/links.ts';
import { type EntryOutcome, recordSent, settleEntries } from '../db/outbox/outbox.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { readLocalIds } from '../db/service/local-ids.ts';
import { coalesceLinks, type LinkChange } from '../domain/coalesce-links.ts';
import { CLAIM_LOCK_MS } from './claim.ts';
import { leaseLost } from './lease-lost.ts';
import { isLocalId, type Settlement } from './outgoing.ts';

/** Changes of one record's links, ready to be sent. */
export interface OutgoingLinks {
  readonly recordId: string;
  readonly changes: readonly SentLink[];
  readonly attempts: number;
}

export interface SentLink extends LinkChange {
  readonly kind: 'link' | 'unlink';
}

export interface LinkClaim {
  readonly outgoing: readonly OutgoingLinks[];
  /** Database time of the claim: older than any answer. */
  readonly readAt: string;
}

/** Each takes about three requests where it is written by itself. */
const CLAIM_RECORDS = 200;

/**
 * Claims what is due of one field's links and turns it into what can be sent, in one transaction:
 * what cancels out ends in it, and what links a row that the CRM does not know yet waits for it.
 *
 * @returns null where nothing was due.
 * @throws SyncError `lease-lost`
 */
export async function claimLinkChanges(
  db: Pick<Database, 'transaction'>,
  view: LinkView,
  { epoch, mostRecords = CLAIM_RECORDS }: { readonly epoch: bigint; readonly mostRecords?: number },
): Promise<LinkClaim | null> {
  return await db.transaction(
    async (tx) => {
      if (!(await holdsLease(tx, epoch))) throw leaseLost();
      await lockForWriting(tx, view.link);
      const claimed = await claimLinks(tx, view, { epoch, records: mostRecords });
      if (claimed.length === 0) return null;
      const records = claimed.map(({ recordId, entries, attempts }) => {
        return { recordId, attempts, changes: coalesceLinks(entries) };
      });
      const owners = records.map(({ recordId }) => recordId).filter(isLocalId);
      const others = records.flatMap(({ changes }) => changes.map(({ other }) => other));
      const bornHere = async (object: string, ids: readonly string[]) =>
        new Map(
          (await readLocalIds(tx, object, [...new Set(ids)])).map((one) => [one.localId, one]),
        );
      const born = {
        here: await bornHere(view.here.object, owners),
        there: await bornHere(view.there.object, others.filter(isLocalId)),
      };
      // Objects are sent side by side: the create may have been settled since the links were claimed.
      const idNow = (end: 'here' | 'there', id: string) =>
        isLocalId(id) ? (born[end].get(id)?.id ?? null) : id;
      const settled: Settlement[] = [];
      const dead = { here: new Set<string>(), there: new Set<string>() };
      const until = (end: 'here' | 'there', id: string, change: LinkChange) => {
        const create = born[end].get(id)?.entry ?? null;
        if (create === null) dead[end].add(id);
        settled.push(...waiting(change, create));
      };
      const outgoing = records.flatMap(({ recordId, attempts, changes }): OutgoingLinks[] => {
        const ready: SentLink[] = [];
        const owner = idNow('here', recordId);
        for (const change of changes) {
          const { kind } = change;
          const other = idNow('there', change.other);
          if (kind === 'nothing') {
            settled.push(...ending(change, { state: 'done' }));
          } else if (owner === null) {
            until('here', recordId, change);
          } else if (other === null) {
            until('there', change.other, change);
          } else ready.push({ ...change, kind, other });
        }
        return owner === null || ready.length === 0
          ? []
          : [{ recordId: owner, attempts, changes: ready }];
      });
      await settleEntries(tx, epoch, settled);
      for (const end of ['here', 'there'] as const) {
        const gone = { object: view[end].object, ids: [...dead[end]], by: 'local' } as const;
        await endLinks(tx, [view.link], gone);
      }
      await recordSent(
        tx,
        outgoing.flatMap(({ recordId, changes }) =>
          changes.map(({ entry, kind, other }) => {
            return {
              ids: [entry],
              sent: { [kind]: { id: recordId, field: view.here.field, other } },
            };
          }),
        ),
      );
      return { outgoing, readAt: await readDatabaseTime(tx) };
    },
    { asWriter: true, lockTimeoutMs: CLAIM_LOCK_MS },
  );
}

/** The last entry of a link ends as it says, and what it overtook is superseded. */
export function ending({ entry, earlier }: LinkChange, outcome: EntryOutcome): Settlement[] {
  const ended = { ids: [entry], outcome };
  if (earlier.length === 0) return [ended];
  return [ended, { ids: earlier, outcome: { state: 'superseded' } }];
}

/** What has to be tried again keeps all its entries: the first says how it was. */
export function putOff({ entry, earlier }: LinkChange, outcome: EntryOutcome): Settlement {
  return { ids: [...earlier, entry], outcome };
}

/** A row that the CRM does not know is waited for; one that was deleted before it did, is not. */
function waiting(change: LinkChange, create: bigint | null): Settlement[] {
  if (create === null) {
    return ending(change, { state: change.kind === 'unlink' ? 'done' : 'superseded' });
  }
  const blocked = { state: 'pending', reason: 'blocked', retryInMs: 0, blockedBy: create } as const;
  return [putOff(change, blocked)];
}
