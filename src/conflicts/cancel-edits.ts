import type { Transaction } from '../db/connection/database.ts';
import { loadMirror } from '../db/mirror/load.ts';
import {
  type ConflictOfRecord,
  closeSettledConflicts,
  readUnsettled,
  recordConflicts,
  rewriteEntries,
} from '../db/outbox/unsettled.ts';
import { type EntryRewrite, LOST_TO_DELETE } from '../domain/merge-record.ts';
import { endLinks } from './link-end.ts';

/**
 * Ends what waits for records that are gone in the CRM: an edit is cancelled and logged as a
 * conflict that the deletion won, a delete is done (invariant 6), what was open is decided, and
 * their links go. What is in flight is left to its answer. Runs in the transaction that takes the rows away.
 */
export async function cancelEdits(
  tx: Transaction,
  object: string,
  ids: readonly string[],
): Promise<{ readonly conflicts: number }> {
  const conflicts: ConflictOfRecord[] = [];
  const rewrites: EntryRewrite[] = [];
  for (const [recordId, entries] of await readUnsettled(tx, object, ids)) {
    for (const { id, op, state, changes } of entries) {
      if (state === 'sending') continue;
      if (op === 'link' || op === 'unlink') continue;
      rewrites.push({
        id,
        changes: null,
        state: op === 'delete' ? 'done' : 'cancelled',
        parked: {},
      });
      if (op === 'delete') continue;
      for (const [field, { base, value }] of Object.entries(changes)) {
        conflicts.push({ recordId, field, base, local: value, ...LOST_TO_DELETE });
      }
    }
  }
  await rewriteEntries(tx, object, rewrites);
  await recordConflicts(tx, object, conflicts);
  await closeSettledConflicts(tx, object, ids);
  if (ids.length === 0) return { conflicts: 0 };
  const { links } = await loadMirror(tx);
  const ended = await endLinks(tx, links, { object, ids, by: 'remote' });
  return { conflicts: conflicts.length + ended.conflicts };
}
