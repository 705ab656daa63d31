import type { Json } from '../../domain/json.ts';
import { shuffled } from '../kernel/random.ts';
import { type Business, findField, type ObjectState, type StoredRecord } from './business.ts';
import { plainText } from './field.ts';
import { displayName } from './render.ts';

type Compare = (a: StoredRecord, b: StoredRecord) => number;

/** Every record that searches know of, in the order asked for as far as the server honours it. */
export function inOrder(
  { switches, random }: Business,
  state: ObjectState,
  ordering: string,
): readonly StoredRecord[] {
  const asked = switches.ordering === 'honoured' ? comparison(state, ordering) : null;
  const compare = asked ?? defaultOrder;
  const { sorted, changes } = state;
  const key = asked === null ? '' : ordering;
  const known = sorted?.key === key && sorted.changes === changes ? sorted.list : null;
  const list =
    known ?? [...state.listed.values()].toSorted((a, b) => compare(a, b) || a.order - b.order);
  state.sorted = { key, changes, list };
  state.searches += 1;
  if (asked === null) {
    if (switches.unordered === 'shuffled') return shuffled(random, list);
    return switches.unordered === 'newest' ? list.toReversed() : list;
  }
  const turn = switches.tieOrder;
  if (turn === 'stable' || (turn === 'reversed' && state.searches % 2 === 1)) return list;
  return tied(list, asked).flatMap((group) =>
    turn === 'reversed' ? group.toReversed() : shuffled(random, group),
  );
}

const defaultOrder: Compare = (a, b) => a.order - b.order;

/** Null where nothing in it is known. */
function comparison(state: ObjectState, ordering: string): Compare | null {
  const parts = ordering.split(',').flatMap((part): Compare[] => {
    const key = keyOf(state, part.replace(/^-/, ''));
    if (key === null) return [];
    const sign = part.startsWith('-') ? -1 : 1;
    return [(a, b) => sign * compareKeys(key(a), key(b))];
  });
  if (parts.length === 0) return null;
  return (a, b) => parts.reduce((sign, compare) => sign || compare(a, b), 0);
}

function keyOf(state: ObjectState, name: string): ((record: StoredRecord) => Json) | null {
  if (name === 'created') return ({ createdAt }) => createdAt;
  if (name === 'updated') return ({ updatedAt }) => updatedAt;
  if (name === 'display_name' || name === 'full_name')
    return (record) => displayName(state, record);
  const field = findField(state, name);
  return field?.name === name ? ({ values }) => values.get(field.id) ?? null : null;
}

/** What is blank comes last, as it does in Postgres. */
function compareKeys(a: Json, b: Json): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [plainText(a), plainText(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Runs of records that the order does not tell apart. */
function tied(list: readonly StoredRecord[], compare: Compare): StoredRecord[][] {
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
