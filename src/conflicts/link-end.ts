import type { Transaction } from '../db/connection/database.ts';
import { type LinkTable, viewsOf } from '../db/mirror/links.ts';
import { endLinksOf } from '../db/outbox/links.ts';
import { recordConflicts } from '../db/outbox/unsettled.ts';
import { dropLinks } from '../db/reconcile/links.ts';
import { LOST_TO_DELETE } from '../domain/merge-record.ts';

/**
 * Takes away the links of records that are gone, and ends what waits for such links. Where the
 * records were deleted in the CRM, a link that was wanted is logged as a conflict that the deletion
 * won (invariant 6); where they were deleted here, the delete overtakes it. Runs in the transaction
 * that takes the rows away.
 */
export async function endLinks(
  tx: Transaction,
  links: readonly LinkTable[],
  gone: {
    readonly object: string;
    readonly ids: readonly string[];
    readonly by: 'remote' | 'local';
  },
): Promise<{ readonly conflicts: number }> {
  const { object, ids, by } = gone;
  if (ids.length === 0) return { conflicts: 0 };
  await dropLinks(tx, links, object, ids);
  let conflicts = 0;
  for (const view of links.flatMap(viewsOf)) {
    for (const end of ['here', 'there'] as const) {
      if (view[end].object !== object) continue;
      const state = by === 'remote' ? 'cancelled' : 'superseded';
      const wanted = await endLinksOf(tx, view, { end, gone: ids, state });
      if (by === 'local') continue;
      conflicts += wanted.length;
      await recordConflicts(
        tx,
        view.here.object,
        wanted.map(({ recordId, other }) => {
          return { recordId, field: view.here.field, base: null, local: other, ...LOST_TO_DELETE };
        }),
      );
    }
  }
  return { conflicts };
}
