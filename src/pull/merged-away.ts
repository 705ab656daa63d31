import type { ReadDeps } from '../conflicts/read-object.ts';
import { withinLockTimeout } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readRows } from '../db/reconcile/rows.ts';
import { RemoteError } from '../domain/errors.ts';
import type { DeletedRecord } from '../domain/record.ts';
import type { CallOptions } from '../domain/remote.ts';

/** Asked about in one pass; what is beyond that is left to the comparison. */
const MOST_ASKED = 500;

/**
 * Records that stand here and went into one that was deleted in its turn, before anybody read it:
 * the feed may name the survivor alone. Each is asked for by its id, for only a 404 proves it
 * (invariant 6). No statement and no request where no deleted record tells of a merge.
 */
export async function readMergedAway(
  deps: Pick<ReadDeps, 'db' | 'remote'>,
  table: MirrorTable,
  deletions: ReadonlyMap<string, DeletedRecord>,
  options: CallOptions,
): Promise<{ readonly gone: readonly DeletedRecord[]; readonly requests: number }> {
  const survivors = new Map<string, DeletedRecord>();
  for (const survivor of deletions.values()) {
    for (const id of survivor.record.mergedIds ?? []) {
      if (!deletions.has(id)) survivors.set(id, survivor);
    }
  }
  if (survivors.size === 0) return { gone: [], requests: 0 };
  const rows = await readRows(
    withinLockTimeout(deps.db),
    table,
    [...survivors.keys()].slice(0, MOST_ASKED),
  );
  const gone: DeletedRecord[] = [];
  for (const { id, fields } of rows) {
    const survivor = survivors.get(id);
    if (survivor && (await isGone(deps, table, id, options))) {
      const record = { ...survivor.record, id, fields, mergedIds: [] };
      gone.push({ record, deletedAtMs: survivor.deletedAtMs });
    }
  }
  return { gone, requests: rows.length };
}

async function isGone(
  { remote }: Pick<ReadDeps, 'remote'>,
  table: MirrorTable,
  id: string,
  options: CallOptions,
): Promise<boolean> {
  try {
    return (await remote.readRecord({ object: table.schema, id, follow: true }, options)) === null;
  } catch (error) {
    // Refused to this key: that says nothing about the record.
    if (error instanceof RemoteError && error.status === 403) return false;
    throw error;
  }
}
