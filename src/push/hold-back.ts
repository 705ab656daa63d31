import type { Sql } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { releaseEntry } from '../db/outbox/conflict-decision.ts';
import { type ClaimedRecord, type EntryOutcome, settleEntries } from '../db/outbox/outbox.ts';
import {
  addToHeld,
  closeSettledConflicts,
  type HeldField,
  readHeldFields,
  readUnsettled,
  rewriteClaimed,
  rewriteEntries,
} from '../db/outbox/unsettled.ts';
import type { ClaimedEntry } from '../domain/coalesce.ts';
import { equalValues, sameValue } from '../domain/equal.ts';
import type { Json } from '../domain/json.ts';
import type { EntryRewrite } from '../domain/merge-record.ts';
import { isLocalId, type Settlement } from './outgoing.ts';

/**
 * Takes out of a claim what must not go now: newer edits of fields that wait for a person join
 * the entry that waits (an open conflict blocks its own field, and nothing else), and end the
 * conflict where they come to what the CRM holds; where a create of the record may have arrived, a delete and a new identity wait until that is known.
 */
export async function holdBack(
  tx: Sql,
  about: { readonly table: MirrorTable; readonly matchOn: string | null },
  epoch: bigint,
  claimed: readonly ClaimedRecord[],
): Promise<readonly ClaimedRecord[]> {
  const { table, matchOn } = about;
  const { object } = table;
  const early = claimed.map((record) => withoutEarly(record, matchOn));
  await settleEntries(
    tx,
    epoch,
    early.flatMap(({ settled }) => settled),
  );
  const records = early.map(({ record }) => record);
  const held = await readHeldFields(
    tx,
    object,
    records.map(({ recordId }) => recordId),
  );
  if (held.length === 0) return records;
  const holders = new Map(held.map((one) => [`${one.recordId} ${one.field}`, one]));
  const rewritten: ClaimedEntry[] = [];
  const edits = new Map<string, Parameters<typeof addToHeld>[2][number]>();
  const free = records.map((record) => {
    const entries = record.entries.map((entry) => {
      const changes = new Map(Object.entries(entry.changes));
      for (const [field, { value }] of changes) {
        const key = `${record.recordId} ${field}`;
        const holder = entry.op === 'update' ? holders.get(key) : undefined;
        if (!holder) continue;
        edits.set(key, { ...holder, value });
        changes.delete(field);
      }
      if (changes.size === Object.keys(entry.changes).length) return entry;
      const left = { ...entry, changes: Object.fromEntries(changes) };
      rewritten.push(left);
      return left;
    });
    return { ...record, entries };
  });
  await addToHeld(tx, object, [...edits.values()]);
  await endAgreed(tx, table, [...edits.values()]);
  await rewriteClaimed(tx, epoch, rewritten);
  return free.flatMap((record) => {
    const entries = record.entries.filter(
      (entry) => Object.keys(entry.changes).length > 0 || entry.op !== 'update',
    );
    return entries.length > 0 ? [{ ...record, entries }] : [];
  });
}

/**
 * Where somebody wrote here what the CRM holds nobody has to decide any more. An address in another
 * case is the same one, so that ends a conflict too; it is still sent as it was written.
 */
async function endAgreed(
  tx: Sql,
  { object, byField }: MirrorTable,
  edits: readonly (HeldField & { readonly value: Json })[],
): Promise<void> {
  const agreed = edits.flatMap((edit) => {
    const field = byField.get(edit.field)?.field;
    if (!field || !equalValues(field, edit.base, edit.value)) return [];
    return [{ ...edit, isSent: !sameValue(field, edit.base, edit.value) }];
  });
  const recordIds = [...new Set(agreed.map(({ recordId }) => recordId))];
  const waiting = [...(await readUnsettled(tx, object, recordIds)).values()].flat();
  const rewrites = waiting.flatMap(({ id, changes }): EntryRewrite[] => {
    const settled = new Map(
      agreed.filter(({ entry }) => entry === id).map((one) => [one.field, one]),
    );
    if (settled.size === 0) return [];
    const pick = (wanted: (name: string) => boolean) =>
      Object.fromEntries(Object.entries(changes).filter(([name]) => wanted(name)));
    const left = pick((name) => !settled.has(name));
    const sent = pick((name) => settled.get(name)?.isSent === true);
    if (Object.keys(sent).length > 0)
      return [{ id, changes: sent, state: 'pending', parked: left }];
    if (Object.keys(left).length > 0) return [{ id, changes: left, state: 'parked', parked: {} }];
    return [{ id, changes: null, state: 'done', parked: {} }];
  });
  await rewriteEntries(tx, object, rewrites);
  for (const { id, state } of rewrites) if (state === 'pending') await releaseEntry(tx, id);
  await closeSettledConflicts(tx, object, recordIds);
}

/**
 * A record the CRM may have by now cannot be forgotten: its create comes first, then the delete.
 * And it has to be created as it was sent, or another address would make it a second time.
 */
function withoutEarly(
  record: ClaimedRecord,
  matchOn: string | null,
): { readonly record: ClaimedRecord; readonly settled: readonly Settlement[] } {
  const { entries, sentBefore, recordId } = record;
  const create = entries.find(({ op, id }) => op === 'insert' && sentBefore.has(id));
  if (!create || !isLocalId(recordId)) return { record, settled: [] };
  const lastDelete = entries.findLastIndex(({ op }) => op === 'delete');
  const identified = entries.findIndex(
    ({ id, op, changes }) =>
      op === 'update' && !sentBefore.has(id) && matchOn !== null && Object.hasOwn(changes, matchOn),
  );
  const ends = [lastDelete, identified].filter((index) => index > 0);
  if (ends.length === 0) return { record, settled: [] };
  const end = Math.min(...ends);
  const ids = entries.slice(end).map(({ id }) => id);
  // Not due before the create is: it may have to wait, and would be sent at once again otherwise.
  const outcome: EntryOutcome = {
    state: 'pending',
    reason: 'blocked',
    retryInMs: 0,
    blockedBy: create.id,
  };
  const rest = { ...record, entries: entries.slice(0, end) };
  return { record: rest, settled: [{ ids, outcome }] };
}
