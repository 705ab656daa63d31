import { itemKey } from '../../domain/equal.ts';
import type { Json } from '../../domain/json.ts';
import type { Field, ObjectSchema } from '../../domain/schema.ts';
import type { Outgoing } from '../outgoing.ts';

/** Unique values that a change frees, and those that it needs: `field value`. */
export interface Moves {
  readonly frees: readonly string[];
  readonly needs: readonly string[];
}

export function movesOf(schema: ObjectSchema, change: Outgoing): Moves {
  const frees: string[] = [];
  const needs: string[] = [];
  const unique = new Set(uniqueFields(schema));
  for (const field of schema.fields) {
    const { name } = field;
    if (!unique.has(name)) continue;
    const isSent = Object.hasOwn(change.fields, name);
    if (!isSent && change.kind !== 'delete') continue;
    const base = Object.hasOwn(change.changes, name) ? change.changes[name]?.base : undefined;
    const before = change.kind === 'create' ? [] : keysOf(field, base ?? null);
    const after = isSent ? keysOf(field, change.fields[name] ?? null) : [];
    frees.push(...before.filter((key) => !after.includes(key)));
    needs.push(...after.filter((key) => !before.includes(key)));
  }
  return { frees, needs };
}

function keysOf(field: Field, value: Json): readonly string[] {
  if (value === null) return [];
  const items: readonly Json[] = Array.isArray(value) ? value : [value];
  return items.map((item) => `${field.name} ${itemKey(field, item)}`);
}

/** A change, and those that have to be done before it. */
export interface Step {
  readonly change: Outgoing;
  readonly after: readonly Outgoing[];
}

/**
 * Changes in lanes that have nothing to do with one another. Within a lane, what frees a unique
 * value comes before what needs it; where values go round in a circle, one of it has to begin.
 */
export function inLanes(
  schema: ObjectSchema,
  changes: readonly Outgoing[],
): readonly (readonly Step[])[] {
  const moves = new Map(changes.map((change) => [change, movesOf(schema, change)]));
  const freedBy = new Map<string, Outgoing>();
  for (const [change, { frees }] of moves) for (const key of frees) freedBy.set(key, change);
  const givers = (change: Outgoing) =>
    [...new Set((moves.get(change)?.needs ?? []).flatMap((key) => freedBy.get(key) ?? []))].filter(
      (giver) => giver !== change,
    );
  const lanes = new Map<Outgoing, Step[]>();
  const begun = new Set<Outgoing>();
  const place = (change: Outgoing): Step[] => {
    const known = lanes.get(change);
    if (known !== undefined) return known;
    begun.add(change);
    // One that has begun and has no lane yet waits for this very change: a circle.
    const before = givers(change).filter((giver) => lanes.has(giver) || !begun.has(giver));
    const lane = joined(lanes, before.map(place));
    lane.push({ change, after: before });
    lanes.set(change, lane);
    return lane;
  };
  for (const change of changes) place(change);
  return [...new Set(lanes.values())];
}

/** Who gives up a unique value that a change needs. */
export function givenBy(
  schema: ObjectSchema,
  changes: readonly Outgoing[],
): (change: Outgoing) => readonly Outgoing[] {
  let freedBy: Map<string, Outgoing[]> | null = null;
  const learn = () => {
    const found = new Map<string, Outgoing[]>();
    for (const change of changes) {
      for (const key of movesOf(schema, change).frees) {
        found.set(key, [...(found.get(key) ?? []), change]);
      }
    }
    return found;
  };
  return (change) => {
    freedBy ??= learn();
    const known = freedBy;
    return movesOf(schema, change).needs.flatMap((key) => known.get(key) ?? []);
  };
}

/** Lanes that turn out to be one, one after the other. */
function joined(lanes: Map<Outgoing, Step[]>, parts: readonly Step[][]): Step[] {
  const [lane = [], ...others] = [...new Set(parts)];
  for (const step of others.flat()) {
    lane.push(step);
    lanes.set(step.change, lane);
  }
  return lane;
}

/**
 * Which of the changes cannot go yet, and for which entry each waits: one of them, or one under way,
 * is to free a unique value that it needs, or takes the same one. For changes that are carried out in
 * no order that is known.
 *
 * @param out unique values that changes under way give up or take: `field value` → entry.
 */
export function whoWaits(
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  out: ReadonlyMap<string, bigint>,
): ReadonlyMap<Outgoing, bigint> {
  const waits = new Map<Outgoing, bigint>();
  const taken = new Map(out);
  for (const { change, after } of inLanes(schema, changes).flat()) {
    const entry = change.entries.at(-1);
    const { needs, frees } = movesOf(schema, change);
    const giver = after[0]?.entries.at(-1);
    const other = needs.flatMap((key) => taken.get(key) ?? []).find((one) => one !== entry);
    const waitsFor = giver ?? other;
    if (waitsFor !== undefined) waits.set(change, waitsFor);
    if (entry === undefined) continue;
    for (const key of [...needs, ...frees]) if (!taken.has(key)) taken.set(key, entry);
  }
  return waits;
}

/** Unique values that a change gives up or takes, from its outbox entry. */
export function uniqueKeys(
  schema: ObjectSchema,
  field: string,
  values: readonly Json[],
): readonly string[] {
  const found = schema.fields.find(({ name }) => name === field);
  return found === undefined ? [] : values.flatMap((value) => keysOf(found, value));
}

/** Fields of which no two records hold the same value. */
export function uniqueFields({ fields, identity }: ObjectSchema): readonly string[] {
  return fields.filter(({ unique, name }) => unique || name === identity).map(({ name }) => name);
}
