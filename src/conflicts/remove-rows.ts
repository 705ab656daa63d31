import type { Transaction } from '../db/connection/database.ts';
import type { Refusals } from '../db/connection/row-trouble.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { type Tombstone, writeTombstones } from '../db/rows/departures.ts';
import { deleteRows } from '../db/rows/mirror-rows.ts';
import { dropAside, putAside, readRefusals } from '../db/rows/set-aside.ts';

/** What became of rows whose records are gone. One in neither stands no more, or a user holds it. */
export interface Removed {
  readonly removed: ReadonlySet<string>;
  /** Something refers to it, or another reason keeps the row: it goes once that is gone. */
  readonly setAside: ReadonlySet<string>;
}

/**
 * Takes away rows whose records are gone, and leaves tombstones. A row that something keeps is put
 * aside with its tombstone: until it goes, it stands. Skips what a user holds.
 *
 * @param options.readAt database time from before it was known that they are gone.
 * @param options.retry tries again what is known to be kept, whenever that is due.
 */
export async function removeRows(
  tx: Transaction,
  table: MirrorTable,
  gone: readonly Tombstone[],
  options: { readonly readAt: string; readonly retry?: boolean },
): Promise<Removed> {
  const about = { object: table.object, kind: 'remove' } as const;
  const ids = gone.map(({ id }) => id);
  const isTried = options.retry === true || tx.isolatesUntilMs === null;
  const known: Refusals = isTried ? new Map() : await readRefusals(tx, about, ids);
  const { deleted, refused } = await deleteRows(
    tx,
    table,
    ids.filter((id) => !known.has(id)),
  );
  await writeTombstones(
    tx,
    table.object,
    gone.filter(({ id }) => deleted.has(id)),
  );
  const troubles = new Map([...known, ...refused]);
  const kept = gone.flatMap(({ id, ...record }) => {
    const trouble = troubles.get(id);
    return trouble === undefined || trouble.passing ? [] : [{ id, record, trouble }];
  });
  const setAside = new Set(kept.map(({ id }) => id));
  await putAside(tx, { ...about, readAt: options.readAt }, kept);
  await dropAside(tx, { object: table.object, kinds: ['apply'] }, [...setAside]);
  return { removed: deleted, setAside };
}
