import type { Json } from '../../domain/json.ts';
import { isList, isObject } from '../kernel/fields.ts';
import { shuffled } from '../kernel/random.ts';
import { textOf } from './attribute.ts';
import { filtered, MAIN, readSteps, wrongFilter } from './filter.ts';
import { type ObjectState, objectState, type StoredRecord, type Workspace } from './workspace.ts';

type Key = string | number | boolean | null;

interface Sort {
  readonly key: (record: StoredRecord) => Key;
  readonly descending: boolean;
}

/** @throws ApiError 400 */
export function readSorts(workspace: Workspace, state: ObjectState, sorts: Json): Sort[] {
  if (!isList(sorts)) throw wrongFilter('sorts is a list.');
  return sorts.map((sort) => {
    if (!isObject(sort)) throw wrongFilter('A sort is an object.');
    const { attribute, field, path, direction } = sort;
    if (direction !== 'asc' && direction !== 'desc') throw wrongFilter('direction is asc or desc.');
    const descending = direction === 'desc';
    if (typeof attribute === 'string') {
      const key = keyOf(state, attribute, typeof field === 'string' ? field : null);
      return { key, descending };
    }
    return { key: keyThrough(workspace, state, readSteps(path ?? null)), descending };
  });
}

function keyOf(state: ObjectState, name: string, field: string | null) {
  const attribute = filtered(state, name);
  const member = field ?? MAIN[attribute.type];
  return ({ values }: StoredRecord): Key => {
    const value = values.get(attribute.id)?.[0]?.data[member];
    if (typeof value === 'string')
      return attribute.options.find(({ id }) => id === value)?.title ?? value;
    return typeof value === 'number' || typeof value === 'boolean' ? value : null;
  };
}

function keyThrough(
  workspace: Workspace,
  state: ObjectState,
  [first, ...rest]: readonly { readonly object: string; readonly attribute: string }[],
): (record: StoredRecord) => Key {
  if (first === undefined) throw wrongFilter('A path has a step.');
  const [second] = rest;
  if (second === undefined) return keyOf(state, first.attribute, null);
  const attribute = filtered(state, first.attribute);
  const target = objectState(workspace, second.object);
  const key = keyThrough(workspace, target, rest);
  return ({ values }) => {
    const id = textOf(values.get(attribute.id)?.[0]?.data, 'target_record_id');
    const found = target.listed.get(id);
    return found === undefined ? null : key(found);
  };
}

/** Every record that is listed, in order; `told` names the order, for the next page to be found. */
export function inOrder(
  { switches, random }: Workspace,
  state: ObjectState,
  sorts: readonly Sort[],
  told: string,
): readonly StoredRecord[] {
  const { sorted, changes } = state;
  const known = sorted?.key === told && sorted.changes === changes ? sorted.list : null;
  const compare = (a: StoredRecord, b: StoredRecord): number => compareBy(sorts, a, b);
  const list =
    known ?? [...state.listed.values()].toSorted((a, b) => compare(a, b) || a.order - b.order);
  state.sorted = { key: told, changes, list };
  state.queries += 1;
  if (sorts.length === 0) return switches.unsorted === 'created' ? list : shuffled(random, list);
  const turn = switches.tieOrder;
  if (turn === 'stable' || (turn === 'reversed' && state.queries % 2 === 1)) return list;
  return tied(list, compare).flatMap((group) =>
    turn === 'reversed' ? group.toReversed() : shuffled(random, group),
  );
}

/** Runs of records that no sort tells apart. */
function tied(
  list: readonly StoredRecord[],
  compare: (a: StoredRecord, b: StoredRecord) => number,
): StoredRecord[][] {
  const groups: StoredRecord[][] = [];
  for (const record of list) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    if (group !== undefined && first !== undefined && compare(first, record) === 0)
      group.push(record);
    else groups.push([record]);
  }
  return groups;
}

/** What has no value comes last, as it does in Postgres. */
function compareBy(sorts: readonly Sort[], a: StoredRecord, b: StoredRecord): number {
  for (const { key, descending } of sorts) {
    const [left, right] = [key(a), key(b)];
    if (left === right) continue;
    if (left === null) return 1;
    if (right === null) return -1;
    return left < right === descending ? 1 : -1;
  }
  return 0;
}
