import type { Fields } from '../kernel/fields.ts';
import { type Actor, type Attribute, type StoredValue, textOf, valueKey } from './attribute.ts';
import type { Instant } from './instants.ts';
import type { ObjectState, StoredRecord, Workspace } from './workspace.ts';

/** Who writes, and when. */
export interface Author {
  readonly actor: Actor;
  readonly at: Instant;
  /** Webhooks hear nothing of it. */
  readonly quiet?: boolean;
}

/** What attributes are to hold: all of their values, in order. */
export type Changes = ReadonlyMap<Attribute, readonly Fields[]>;

/** Puts a new version in place of the old one; queries follow in their time. */
export function place(
  workspace: Workspace,
  state: ObjectState,
  id: string,
  after: StoredRecord | null,
): void {
  const before = state.records.get(id);
  for (const { id: attribute, unique, type } of state.attributes) {
    if (!unique) continue;
    const owners = state.unique.get(attribute) ?? new Map<string, Set<string>>();
    state.unique.set(attribute, owners);
    for (const { data } of before?.values.get(attribute) ?? []) {
      owners.get(valueKey(type, data))?.delete(id);
    }
    for (const { data } of after?.values.get(attribute) ?? []) {
      const key = valueKey(type, data);
      owners.set(key, (owners.get(key) ?? new Set()).add(id));
    }
  }
  if (after === null) state.records.delete(id);
  else state.records.set(id, after);
  show(workspace, state, id);
}

/** Lets queries see what stands, at once or when it is due. */
function show(workspace: Workspace, state: ObjectState, id: string): void {
  const { visibilityDelayMs, lateShare } = workspace.switches;
  const isLate = visibilityDelayMs > 0 && workspace.random.next() < lateShare;
  const shown = state.records.get(id) ?? null;
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
  const showAtMs = Math.max(isLate ? workspace.now() + visibilityDelayMs : 0, waiting ?? 0);
  const entry = { showAtMs, id };
  state.waiting.push(entry);
  workspace.later(showAtMs, () => {
    state.waiting.splice(state.waiting.indexOf(entry), 1);
    list();
  });
}

/** Writes attributes of one record, and the other ends of its relationships. */
export function commitValues(
  workspace: Workspace,
  state: ObjectState,
  id: string,
  changes: Changes,
  author: Author,
): void {
  const changed: Attribute[] = [];
  for (const [attribute, wanted] of changes) {
    const { added, removed, renewed } = replaceValues(
      workspace,
      state,
      id,
      attribute,
      wanted,
      author,
    );
    if (added.length + removed.length + renewed > 0) changed.push(attribute);
    if (attribute.pair === null) continue;
    for (const data of removed) unlinkBack(workspace, id, attribute, data, author);
    for (const data of added) linkBack(workspace, state, id, attribute, data, author);
  }
  tell(workspace, state, id, changed, author);
}

function tell(
  workspace: Workspace,
  state: ObjectState,
  id: string,
  changed: readonly Attribute[],
  { actor, quiet = false }: Author,
): void {
  if (quiet) return;
  for (const attribute of changed) {
    workspace.webhooks.emit({
      event_type: 'record.updated',
      id: { ...eventId(workspace, state, id), attribute_id: attribute.id },
      actor,
    });
  }
}

export function eventId(workspace: Workspace, state: ObjectState, id: string) {
  return { workspace_id: workspace.id, object_id: state.id, record_id: id };
}

interface Replaced {
  readonly added: readonly Fields[];
  readonly removed: readonly Fields[];
  /** Values that stood and have begun anew. */
  readonly renewed: number;
}

/** The values of one attribute at this end alone. */
function replaceValues(
  workspace: Workspace,
  state: ObjectState,
  id: string,
  attribute: Attribute,
  wanted: readonly Fields[],
  { actor, at }: Author,
): Replaced {
  const record = state.records.get(id);
  if (record === undefined) return { added: [], removed: [], renewed: 0 };
  const key = (data: Fields): string => valueKey(attribute.type, data);
  const before = new Map(
    (record.values.get(attribute.id) ?? []).map((each) => [key(each.data), each]),
  );
  const after = new Map<string, StoredValue>();
  const ended: StoredValue[] = [];
  const added: Fields[] = [];
  let renewed = 0;
  for (const data of wanted) {
    const known = before.get(key(data));
    if (known !== undefined && workspace.switches.equalValues === 'keep') {
      after.set(key(data), known);
      continue;
    }
    if (known === undefined) added.push(data);
    else renewed += 1;
    after.set(key(data), { data, from: at, until: null, actor });
  }
  for (const [each, value] of before) {
    if (after.get(each) !== value) ended.push({ ...value, until: at });
  }
  const removed = [...before].flatMap(([each, { data }]) => (after.has(each) ? [] : [data]));
  remember(state, id, attribute, ended);
  const values = new Map(record.values);
  if (after.size === 0) values.delete(attribute.id);
  else values.set(attribute.id, [...after.values()]);
  place(workspace, state, id, { ...record, values });
  return { added, removed, renewed };
}

function remember(
  { past }: ObjectState,
  id: string,
  attribute: Attribute,
  ended: readonly StoredValue[],
): void {
  if (ended.length === 0) return;
  const byAttribute = past.get(id) ?? new Map<string, StoredValue[]>();
  past.set(id, byAttribute);
  byAttribute.set(attribute.id, [...(byAttribute.get(attribute.id) ?? []), ...ended]);
}

/** The record and attribute that a reference has at its other end; null where there is none. */
function otherEnd({ objects }: Workspace, { pair }: Attribute, data: Fields) {
  const state = objects.find(({ id }) => id === pair?.object);
  const attribute = state?.attributes.find(({ id }) => id === pair?.attribute);
  const record = state?.records.get(textOf(data, 'target_record_id'));
  return state === undefined || attribute === undefined || record === undefined
    ? null
    : { state, attribute, record };
}

function linkBack(
  workspace: Workspace,
  state: ObjectState,
  id: string,
  attribute: Attribute,
  data: Fields,
  author: Author,
): void {
  const other = otherEnd(workspace, attribute, data);
  if (other === null) return;
  const mine: Fields = { target_object: state.id, target_record_id: id };
  const held = (other.record.values.get(other.attribute.id) ?? []).map((each) => each.data);
  const wanted = other.attribute.multi ? [...held, mine] : [mine];
  const { removed } = replaceValues(
    workspace,
    other.state,
    other.record.id,
    other.attribute,
    wanted,
    author,
  );
  // Whoever had it before has it no longer.
  for (const lost of removed) {
    unlinkBack(workspace, other.record.id, other.attribute, lost, author);
  }
  tell(workspace, other.state, other.record.id, [other.attribute], author);
}

function unlinkBack(
  workspace: Workspace,
  id: string,
  attribute: Attribute,
  data: Fields,
  author: Author,
): void {
  const other = otherEnd(workspace, attribute, data);
  if (other === null) return;
  const held = (other.record.values.get(other.attribute.id) ?? []).map((each) => each.data);
  const wanted = held.filter((each) => each['target_record_id'] !== id);
  if (wanted.length === held.length) return;
  replaceValues(workspace, other.state, other.record.id, other.attribute, wanted, author);
  tell(workspace, other.state, other.record.id, [other.attribute], author);
}
