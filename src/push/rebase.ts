import type { Transaction } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readUnsettled, rebaseUnsettled } from '../db/outbox/unsettled.ts';
import { equalValues } from '../domain/equal.ts';
import type { Json } from '../domain/json.ts';
import type { FieldChange, FieldChanges } from '../domain/merge-record.ts';
import type { RemoteRecord } from '../domain/record.ts';

/** What was sent, and what the CRM made of it. */
export interface Answered {
  readonly fields: Readonly<Record<string, Json>>;
  readonly record: RemoteRecord;
}

/**
 * Where the CRM normalised a value we sent, an edit made meanwhile has our value for its base and
 * would meet the normalised one as a stranger's: its base becomes what the CRM holds (invariant 3:
 * our own pushes conflict with nothing).
 */
export async function rebase(
  tx: Transaction,
  table: MirrorTable,
  answered: readonly Answered[],
): Promise<void> {
  const byId = new Map(answered.map((one) => [one.record.id, one]));
  const unsettled = await readUnsettled(tx, table.object, [...byId.keys()]);
  const rebased: { id: bigint; changes: FieldChanges }[] = [];
  for (const [id, entries] of unsettled) {
    const answer = byId.get(id);
    for (const entry of answer ? entries : []) {
      if (!answer || entry.op !== 'update' || entry.state === 'sending') continue;
      let moved = false;
      const changes = Object.entries(entry.changes).map(([name, change]): [string, FieldChange] => {
        const column = table.byField.get(name);
        const sent = answer.fields[name];
        const made = answer.record.fields[name];
        if (!column || sent === undefined || made === undefined) return [name, change];
        const { field } = column;
        if (!equalValues(field, change.base, sent) || equalValues(field, sent, made))
          return [name, change];
        moved = true;
        return [name, { ...change, base: made }];
      });
      if (moved) rebased.push({ id: entry.id, changes: Object.fromEntries(changes) });
    }
  }
  await rebaseUnsettled(tx, rebased);
}
