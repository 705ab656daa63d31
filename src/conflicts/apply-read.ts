import type { Transaction } from '../db/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { type ApplyContext, type ApplyCounts, applyRecords } from './apply-records.ts';
import { followMerges } from './follow-merges.ts';
import { applyLinks } from './link-apply.ts';

/** What came of records that were read. */
export interface AppliedRead extends ApplyCounts {
  /** Rows that went to the survivor of a merge. */
  readonly merged: number;
  readonly linked: number;
  readonly unlinked: number;
}

/** {@link applyRecords}, and then the merges and the links that the records tell of. */
export async function applyRead(
  tx: Transaction,
  table: MirrorTable,
  records: readonly RemoteRecord[],
  context: ApplyContext,
): Promise<AppliedRead> {
  const applied = await applyRecords(tx, table, records, context);
  const merges = await followMerges(tx, table, records, context);
  const { links = [], readAt, lateMs } = context;
  const linking = await applyLinks(tx, table, records, { links, readAt, lateMs });
  return {
    ...applied,
    merged: merges.merged,
    setAside: applied.setAside + linking.setAside + merges.setAside,
    linked: linking.linked,
    unlinked: linking.unlinked,
    deferred: applied.deferred + merges.deferred + linking.deferred,
    conflicts: applied.conflicts + merges.conflicts,
  };
}
