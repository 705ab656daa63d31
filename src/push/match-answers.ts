import { equalValues, itemKey } from '../domain/equal.ts';
import type { Json } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Field, ObjectSchema } from '../domain/schema.ts';
import type { Outgoing } from './outgoing.ts';

/**
 * Which record of an answer belongs to which change: the answer's order is not promised. Updates
 * are matched by id; creates by identity where they have one, else by the values sent. Values may
 * come back normalised, so the record that agrees in most fields is taken, the position in the
 * answer deciding between equals. No record is given to two changes.
 */
export function matchAnswers(
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  records: readonly RemoteRecord[],
): ReadonlyMap<Outgoing, RemoteRecord> {
  const matched = new Map<Outgoing, RemoteRecord>();
  const byId = new Map(records.map((record) => [record.id, record]));
  const fields = new Map(schema.fields.map((field) => [field.name, field]));
  const free = new Set(records);
  const open: { change: Outgoing; index: number }[] = [];
  changes.forEach((change, index) => {
    if (change.kind !== 'create') {
      const record = byId.get(change.recordId);
      if (record) matched.set(change, record);
      return;
    }
    const record = records[index];
    if (record && free.has(record) && agreement(fields, change, record).all) {
      matched.set(change, record);
      free.delete(record);
    } else open.push({ change, index });
  });
  for (const { change, index } of open) {
    let best: { record: RemoteRecord; score: number } | null = null;
    for (const record of free) {
      const { score, possible } = agreement(fields, change, record);
      const positioned = score + (records[index] === record ? 0.5 : 0);
      if (possible && (best === null || positioned > best.score))
        best = { record, score: positioned };
    }
    if (!best) continue;
    matched.set(change, best.record);
    free.delete(best.record);
  }
  return matched;
}

function agreement(
  fields: ReadonlyMap<string, Field>,
  change: Outgoing,
  record: RemoteRecord,
): { readonly score: number; readonly all: boolean; readonly possible: boolean } {
  let score = 0;
  let compared = 0;
  for (const [name, value] of Object.entries(change.fields)) {
    const field = fields.get(name);
    if (!field) continue;
    compared += 1;
    if (equalValues(field, value, record.fields[name] ?? null)) score += 1;
  }
  const identity = change.matchOn === null ? undefined : fields.get(change.matchOn);
  if (!identity) return { score, all: score === compared, possible: score > 0 || compared === 0 };
  const same = sharesItem(identity, change.fields[identity.name], record.fields[identity.name]);
  return { score, all: same && score === compared, possible: same };
}

function sharesItem(field: Field, a: Json | undefined, b: Json | undefined): boolean {
  const keys = (value: Json | undefined) =>
    new Set([value ?? []].flat().map((item) => itemKey(field, item as Json)));
  const right = keys(b);
  return [...keys(a)].some((key) => right.has(key));
}
