import { equalValues, itemKey } from '../domain/equal.ts';
import type { Json } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Field, ObjectSchema } from '../domain/schema.ts';
import type { Outgoing } from './outgoing.ts';

/**
 * Which record of an answer belongs to which change: the answer's order is not promised. Updates
 * are matched by id; creates by identity where they have one, else by the values sent. Values may
 * come back normalised, so the pairs that agree in most fields are formed first, and among equals
 * in the order of both. No record is given to two changes, and none that says nothing of what was
 * sent and stood long before: that is a stranger's. `sentAtMs`: by the CRM's clock.
 */
export function matchAnswers(
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  records: readonly RemoteRecord[],
  sentAtMs = 0,
): ReadonlyMap<Outgoing, RemoteRecord> {
  const matched = new Map<Outgoing, RemoteRecord>();
  // An upsert may name one record twice, where two creates came to one.
  const byId = new Map(records.map((record) => [record.id, record]));
  for (const change of changes) {
    const record = change.kind === 'create' ? undefined : byId.get(change.recordId);
    if (record) matched.set(change, record);
  }
  const creates = changes.filter(({ kind }) => kind === 'create');
  for (const [change, record] of pairUp(schema, creates, [...byId.values()], sentAtMs)) {
    matched.set(change, record);
  }
  return matched;
}

function pairUp(
  schema: ObjectSchema,
  creates: readonly Outgoing[],
  answers: readonly RemoteRecord[],
  sentAtMs: number,
): readonly (readonly [Outgoing, RemoteRecord])[] {
  const fields = new Map(schema.fields.map((field) => [field.name, field]));
  const inOrder = creates.map((change, index) => [change, answers[index]] as const);
  const isComplete = answers.length === creates.length;
  if (isComplete && inOrder.every((pair) => agreesWholly(fields, pair))) {
    return inOrder.flatMap(([change, record]) => (record ? [[change, record] as const] : []));
  }
  const candidates = creates.flatMap((change) =>
    answers.flatMap((record) => {
      const { score, possible } = agreement(fields, change, record);
      // Where there is an answer for each create, every record is somebody's.
      const isTaken = possible || (isComplete && !isOlder(record, sentAtMs));
      return isTaken ? [{ change, record, score }] : [];
    }),
  );
  const pairs = new Map<Outgoing, RemoteRecord>();
  const given = new Set<RemoteRecord>();
  for (const { change, record } of candidates.toSorted((a, b) => b.score - a.score)) {
    if (pairs.has(change) || given.has(record)) continue;
    pairs.set(change, record);
    given.add(record);
  }
  return [...pairs];
}

/** Clocks may differ, and a request may be under way for a while. */
const SURELY_OLDER_MS = 600_000;

function isOlder({ createdAt }: RemoteRecord, sentAtMs: number): boolean {
  return createdAt !== null && Date.parse(createdAt) < sentAtMs - SURELY_OLDER_MS;
}

function agreesWholly(
  fields: ReadonlyMap<string, Field>,
  [change, record]: readonly [Outgoing, RemoteRecord | undefined],
): boolean {
  return record !== undefined && agreement(fields, change, record).all;
}

/** Outweighs any number of other fields. */
const IDENTITY_SCORE = 1_000_000;

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
    if (equalValues(field, value, valueOf(record, name))) score += 1;
  }
  const all = score === compared;
  const identity = change.matchOn === null ? undefined : fields.get(change.matchOn);
  if (!identity) return { score, all, possible: score > 0 || compared === 0 };
  const sent = change.fields[identity.name] ?? null;
  const same = sharesItem(identity, sent, valueOf(record, identity.name));
  return { score: score + (same ? IDENTITY_SCORE : 0), all: all && same, possible: same };
}

/** Own alone: a field may be called `constructor`. */
function valueOf(record: RemoteRecord, field: string): Json {
  return Object.hasOwn(record.fields, field) ? (record.fields[field] ?? null) : null;
}

export function sharesItem(field: Field, a: Json, b: Json): boolean {
  const right = new Set(itemsOf(b).map((item) => itemKey(field, item)));
  return itemsOf(a).some((item) => right.has(itemKey(field, item)));
}

function itemsOf(value: Json): readonly Json[] {
  if (value === null) return [];
  return isList(value) ? value : [value];
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
