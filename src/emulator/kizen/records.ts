import type { Json } from '../../domain/json.ts';
import {
  type Business,
  defaultField,
  findField,
  type ObjectState,
  type Stage,
  type StoredRecord,
  textIn,
} from './business.ts';
import { type Changes, commitValues, place } from './commit.ts';
import type { Field } from './field.ts';
import type { Instant } from './instants.ts';
import { keyText } from './normal-forms.ts';

/** In the first stage, where there are any. @returns its id */
export function createRecord(
  business: Business,
  state: ObjectState,
  changes: Changes,
  at: Instant,
): string {
  const id = business.newId();
  const values = new Map<string, Json>();
  const [stage] = state.stages;
  if (stage !== undefined) {
    values.set(defaultField(state.fields, 'stage').id, stage.id);
    const chance = findField(state, 'percentage_chance_to_close');
    if (chance !== null) values.set(chance.id, stage.percentage);
  }
  const order = state.nextOrder;
  state.nextOrder += 1;
  place(business, state, { id, order, createdAt: at, updatedAt: at, archived: false, values });
  commitValues(business, state, id, changes, at);
  return id;
}

/** @returns what it has set beside `updated` */
export function moveRecord(
  business: Business,
  state: ObjectState,
  record: StoredRecord,
  stage: Stage,
  at: Instant,
): readonly Field[] {
  const values = new Map(record.values);
  const current = defaultField(state.fields, 'stage');
  const touched = [current];
  values.set(current.id, stage.id);
  const chance = findField(state, 'percentage_chance_to_close');
  if (chance !== null) {
    values.set(chance.id, stage.percentage);
    touched.push(chance);
  }
  const closed = findField(state, 'actual_close_date');
  if (closed !== null && stage.status === 'won') {
    values.set(closed.id, business.clock.day(at));
    touched.push(closed);
  }
  const updatedAt = business.switches.moveBumps ? at : record.updatedAt;
  place(business, state, { ...record, values, updatedAt });
  return touched;
}

/** It leaves searches and reads by id; its relations and times stay, for whoever brings it back. */
export function archiveRecord(business: Business, state: ObjectState, record: StoredRecord): void {
  place(business, state, { ...record, archived: true });
}

export function unarchiveRecord(
  business: Business,
  state: ObjectState,
  record: StoredRecord,
  at: Instant,
): void {
  const updatedAt = business.switches.unarchiveBumps ? at : record.updatedAt;
  place(business, state, { ...record, archived: false, updatedAt });
}

/** Records whose key is this one in any case, in the order of creation. */
export function namesakes(state: ObjectState, key: string): StoredRecord[] {
  return [...(state.keys.get(keyText(key)) ?? [])]
    .flatMap((id) => state.records.get(id) ?? [])
    .toSorted((a, b) => a.order - b.order);
}

/** Live ones whose key is exactly this. */
export function exactNamesakes(state: ObjectState, key: string): StoredRecord[] {
  return namesakes(state, key).filter(
    (record) =>
      !record.archived && !state.hidden.has(record.id) && textIn(record, state.keyField) === key,
  );
}
