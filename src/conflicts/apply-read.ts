import type { Transaction } from '../db/connection/database.ts';
import { type LinkTable, linkViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { type ApplyContext, type ApplyCounts, applyRecords } from './apply-records.ts';
import { followMerges } from './follow-merges.ts';
import { applyLinks, tellsOf } from './link-apply.ts';

/** What came of records that were read. */
export interface AppliedRead extends ApplyCounts {
  /** Rows that went to the survivor of a merge. */
  readonly merged: number;
  readonly linked: number;
  readonly unlinked: number;
}

const NOTHING: ApplyCounts = {
  inserted: 0,
  updated: 0,
  unchanged: 0,
  deferred: 0,
  setAside: 0,
  trouble: null,
  conflicts: 0,
  extra: 0,
  undated: 0,
};

/** Whether there is anything that {@link applyRead} might do, or find out. */
export function appliesAny(
  table: MirrorTable,
  records: readonly RemoteRecord[],
  links: readonly LinkTable[],
): boolean {
  const views = linkViews(links, table.object);
  return records.some(
    (record) => !record.isUnchanged || views.some(({ here }) => tellsOf(record, here.field)),
  );
}

/**
 * {@link applyRecords}, and then the merges and the links that the records tell of. Of records that
 * were recognised nothing is left to be done but the links, of which their rows say nothing.
 */
export async function applyRead(
  tx: Transaction,
  table: MirrorTable,
  records: readonly RemoteRecord[],
  context: ApplyContext,
): Promise<AppliedRead> {
  const unread = records.filter(({ isUnchanged }) => !isUnchanged);
  const applied = unread.length === 0 ? NOTHING : await applyRecords(tx, table, unread, context);
  const merges = await followMerges(tx, table, records, context);
  const { links = [] } = context;
  const linking = await applyLinks(tx, table, records, { ...context, links });
  return {
    ...applied,
    unchanged: applied.unchanged + records.length - unread.length,
    merged: merges.merged,
    setAside: applied.setAside + linking.setAside + merges.setAside,
    linked: linking.linked,
    unlinked: linking.unlinked,
    deferred: applied.deferred + merges.deferred + linking.deferred,
    conflicts: applied.conflicts + merges.conflicts,
  };
}
