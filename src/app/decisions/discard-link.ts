import { readLinkList } from '../../conflicts/link-pages.ts';
import { readGuardedLinks } from '../../db/outbox/links.ts';
import { cancelEntries, type OutboxEntry, readEntry } from '../../db/outbox/review.ts';
import { deleteLinks, insertLinks, lockLinks, readStandingLinks } from '../../db/rows/link-rows.ts';
import { UsageError } from '../../domain/errors.ts';
import { viewOfField } from '../../push/link-report.ts';
import type { Session } from '../session.ts';
import { rowHeld } from './row-held.ts';

/** What the row shows once a change is discarded. */
export type Discarded =
  | 'row removed'
  | 'remote value restored'
  /** Its row cannot take it now: it gets it once that is mended. */
  | 'remote value put aside'
  | 'record is gone';

/** No instant is later: only what is not settled counts. */
const NEVER = 'infinity';

/**
 * Gives up a change of a link that was not sent: it is cancelled, and in the same transaction the
 * link stands as it does in the CRM, unless another change of it still waits.
 *
 * @param given.recheck throws where the entry, locked by now, is not waiting any more.
 * @throws UsageError where the link table is gone; SyncError `row-held`.
 */
export async function discardLink(
  session: Session,
  given: {
    readonly entry: OutboxEntry;
    readonly recheck: (entry: OutboxEntry | null) => OutboxEntry;
  },
  signal: AbortSignal,
): Promise<Discarded> {
  const { object, recordId, changes, id } = given.entry;
  const [field = ''] = Object.keys(changes);
  const view = viewOfField(session.links, { object, field });
  const table = session.tables.find((one) => one.object === object);
  const there = changes[field]?.value ?? changes[field]?.base;
  if (view === null || table === undefined || typeof there !== 'string') {
    throw new UsageError([`the links of ${object} by this field are no longer mirrored`]);
  }
  const isBornHere = recordId.startsWith('local:') || there.startsWith('local:');
  const request = { object: table.schema, id: recordId, field };
  const list = isBornHere
    ? null
    : await readLinkList(session.remote, request, { priority: 'push', signal });
  const link = { here: recordId, there };
  return await session.db.transaction<Discarded>(
    async (tx) => {
      given.recheck(await readEntry(tx, id, true));
      await cancelEntries(tx, [id]);
      const waiting = await readGuardedLinks(tx, view, [link], { readAt: NEVER });
      const another = waiting.some((one) => one.here === link.here && one.there === link.there);
      if (another) return 'remote value restored';
      if (list?.kind === 'whole' && list.ids.has(there)) {
        await insertLinks(tx, view, [link]);
        return 'remote value restored';
      }
      // While the list moves nobody knows: the next read of the record says how it is.
      if (list?.kind === 'moving') return 'remote value restored';
      const standing = await readStandingLinks(tx, view, [link]);
      const locked = await lockLinks(tx, view, standing);
      if (locked.length < standing.length) throw rowHeld(object, recordId);
      await deleteLinks(tx, view, locked);
      return list?.kind === 'gone' ? 'record is gone' : 'row removed';
    },
    { asWriter: true },
  );
}
