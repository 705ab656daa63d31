import { type Json, stringifyJson } from '../../domain/json.ts';
import { type Business, type ObjectState, type StoredRecord, textIn } from './business.ts';
import { type Field, idsIn, isToOne } from './field.ts';
import type { Instant } from './instants.ts';
import { keyText } from './normal-forms.ts';

/** What fields are to hold, in the form in which it is kept; null for nothing. */
export type Changes = ReadonlyMap<Field, Json>;

/** Puts a new version in place of the old one; searches follow in their time. */
export function place(business: Business, state: ObjectState, record: StoredRecord): void {
  const before = state.records.get(record.id);
  const [old, key] = [before && keyOf(state, before), keyOf(state, record)];
  if (old !== key) {
    if (old !== undefined) state.keys.get(old)?.delete(record.id);
    if (key !== undefined) state.keys.set(key, (state.keys.get(key) ?? new Set()).add(record.id));
  }
  state.records.set(record.id, record);
  show(business, state, record.id);
}

function keyOf({ keyField }: ObjectState, record: StoredRecord): string | undefined {
  const text = textIn(record, keyField);
  return text === null ? undefined : keyText(text);
}

/** For good, as nothing does but what overwrites an archived record. */
export function forget(business: Business, state: ObjectState, record: StoredRecord): void {
  place(business, state, { ...record, archived: true, values: new Map() });
  state.records.delete(record.id);
}

/** Lets searches see what stands, at once or when it is due. */
export function show(business: Business, state: ObjectState, id: string): void {
  const { visibilityDelayMs, archiveDelayMs, lateShare } = business.switches;
  const record = state.records.get(id);
  const shown = record === undefined || record.archived ? null : record;
  const delayMs = visibilityDelayMs + (record?.archived === true ? archiveDelayMs : 0);
  const isLate = delayMs > 0 && business.random.next() < lateShare;
  const list = (): void => {
    state.changes += 1;
    if (shown === null) state.listed.delete(id);
    else state.listed.set(id, shown);
  };
  const waiting = state.waiting.findLast((each) => each.id === id)?.showAtMs;
  if (!isLate && waiting === undefined) {
    list();
    return;
  }
  // Never before what was written earlier.
  const showAtMs = Math.max(isLate ? business.now() + delayMs : 0, waiting ?? 0);
  const entry = { showAtMs, id };
  state.waiting.push(entry);
  business.later(showAtMs, () => {
    state.waiting.splice(state.waiting.indexOf(entry), 1);
    list();
  });
}

/** Writes fields of one record, and the other ends of its relations in the same act. */
export function commitValues(
  business: Business,
  state: ObjectState,
  id: string,
  changes: Changes,
  at: Instant,
): void {
  const record = state.records.get(id);
  if (record === undefined) return;
  const { equalBumps, relationBumps } = business.switches;
  const values = new Map(record.values);
  let bumps = false;
  for (const [field, value] of changes) {
    if (field.relation !== null) continue;
    const isEqual = stringifyJson(values.get(field.id) ?? null) === stringifyJson(value);
    bumps ||= equalBumps || !isEqual;
    if (value === null) values.delete(field.id);
    else values.set(field.id, value);
  }
  place(business, state, { ...record, values, updatedAt: bumps ? at : record.updatedAt });
  for (const [field, value] of changes) {
    if (field.relation === null) continue;
    const before = idsIn(values.get(field.id));
    const wanted = idsIn(value);
    const added = wanted.filter((each) => !before.includes(each));
    const removed = before.filter((each) => !wanted.includes(each));
    const isChange = added.length + removed.length > 0;
    setEnd(business, state, id, field, wanted, {
      at,
      bumps: relationBumps !== 'none' && (isChange || equalBumps),
    });
    for (const each of removed) removeMirror(business, field, each, id, at);
    for (const each of added) addMirror(business, state, field, each, id, at);
  }
}

interface Mark {
  readonly at: Instant;
  /** `updated` moves. */
  readonly bumps: boolean;
}

/** One end of a relation alone. */
function setEnd(
  business: Business,
  state: ObjectState,
  id: string,
  { id: field }: Field,
  ids: readonly string[],
  { at, bumps }: Mark,
): void {
  const record = state.records.get(id);
  if (record === undefined) return;
  const values = new Map(record.values);
  if (ids.length === 0) values.delete(field);
  else values.set(field, ids);
  place(business, state, { ...record, values, updatedAt: bumps ? at : record.updatedAt });
}

/** The mirror of a relation: object and field; null while a mirror is missing. */
export function mirrorOf({ objects }: Business, { relation }: Field) {
  const state = objects.find(({ id }) => id === relation?.object);
  const field = state?.fields.find(({ id }) => id === relation?.field);
  return state === undefined || field === undefined ? null : { state, field };
}

function addMirror(
  business: Business,
  state: ObjectState,
  field: Field,
  targetId: string,
  id: string,
  at: Instant,
): void {
  const mirror = mirrorOf(business, field);
  const target = mirror?.state.records.get(targetId);
  if (mirror === null || target === undefined) return;
  const held = idsIn(target.values.get(mirror.field.id)).filter((each) => each !== id);
  const isOne = mirror.field.relation !== null && isToOne(mirror.field.relation);
  const mark = { at, bumps: business.switches.relationBumps === 'both' };
  setEnd(business, mirror.state, targetId, mirror.field, isOne ? [id] : [...held, id], mark);
  // Whoever had it before has it no longer.
  for (const other of isOne ? held : []) {
    const loser = state.records.get(other);
    const left = idsIn(loser?.values.get(field.id)).filter((each) => each !== targetId);
    setEnd(business, state, other, field, left, mark);
  }
}

function removeMirror(
  business: Business,
  field: Field,
  targetId: string,
  id: string,
  at: Instant,
): void {
  const mirror = mirrorOf(business, field);
  const target = mirror?.state.records.get(targetId);
  if (mirror === null || target === undefined) return;
  const held = idsIn(target.values.get(mirror.field.id));
  const left = held.filter((each) => each !== id);
  const mark = { at, bumps: business.switches.relationBumps === 'both' };
  if (left.length < held.length) {
    setEnd(business, mirror.state, targetId, mirror.field, left, mark);
  }
}
