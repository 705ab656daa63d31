import { holdsLease } from '../db/lease/lease.ts';
import { type LinkTable, type LinkView, linkViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { SyncError } from '../domain/errors.ts';
import { leaseLost } from './lease-lost.ts';
import { type SettledLinks, settleLinks } from './link-settle.ts';
import type { PushDeps } from './push-deps.ts';
import { MOST_SETTLE_ATTEMPTS } from './report.ts';

/** The end of a link table that the outbox knows by this field; null where it is gone. */
export function viewOfField(
  links: readonly LinkTable[],
  { object, field }: { readonly object: string; readonly field: string },
): LinkView | null {
  return linkViews(links, object).find(({ here }) => here.field === field) ?? null;
}

/** Links of one field, as they were claimed. */
export interface LinkRound {
  readonly view: LinkView;
  readonly table: MirrorTable;
  readonly epoch: bigint;
  readonly readAt: string;
}

/** Ends what was sent of links: the database gets several chances while we lead. */
export async function settleLinksAgain(
  deps: PushDeps,
  round: LinkRound,
  sent: readonly SettledLinks[],
): Promise<void> {
  const { epoch, readAt } = round;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await deps.db.transaction(
        async (tx) => {
          if (!(await holdsLease(tx, epoch))) throw leaseLost();
          await settleLinks(tx, round, sent, { epoch, readAt, random: deps.random });
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
