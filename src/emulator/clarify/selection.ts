import type { Json } from '../../domain/json.ts';
import { fieldOf } from '../kernel/fields.ts';
import { type Random, shuffled } from '../kernel/random.ts';
import type { ListQuery } from './list-query.ts';
import type { TimeColumn } from './listing.ts';
import type { ObjectState } from './object-state.ts';
import { recordFields, type StoredRecord } from './stored-record.ts';
import type { Switches } from './switches.ts';

export interface Selection {
  readonly records: readonly StoredRecord[];
  readonly total: number;
}

export interface TieDeps {
  readonly tieOrder: Switches['tieOrder'];
  readonly random: Random;
  /** How many pages were served before; every second one is turned round. */
  readonly served: number;
}

type SortKey = number | string;

/**
 * The records of one page. A range of the timestamp that is sorted by costs two binary searches;
 * any other filter looks at every record.
 */
export function selectPage(state: ObjectState, query: ListQuery, ties: TieDeps): Selection {
  const { column } = query.sort;
  const { spans, tests } = query.filters;
  const byTime = column === '_created_at' || column === '_updated_at';
  if (byTime && tests.length === 0 && [...spans.keys()].every((each) => each === column)) {
    return selectByTime(state, column, query, ties);
  }
  const matching = scan(state, query);
  const key = sortKey(state, column);
  const keyed = matching.map((record) => ({ record, key: key(record) }));
  keyed.sort((a, b) => compareKeys(a.key, b.key) || a.record.order - b.record.order);
  if (query.sort.descending) keyed.reverse();
  const keyOf = new Map(keyed.map((each) => [each.record, each.key]));
  const mixed = mixTies(
    keyed.map((each) => each.record),
    (record) => keyOf.get(record) ?? 0,
    ties,
  );
  return {
    records: mixed.slice(query.offset, query.offset + query.limit),
    total: mixed.length,
  };
}

function selectByTime(
  state: ObjectState,
  column: TimeColumn,
  { filters, sort, offset, limit }: ListQuery,
  ties: TieDeps,
): Selection {
  const list = state.listing.ordered(column);
  const key = (record: StoredRecord): number => state.listing.key(column, record);
  const { first, end } = bounds(state, column, filters.spans.get(column));
  const start = sort.descending ? Math.max(first, end - offset - limit) : first + offset;
  const stop = sort.descending ? Math.max(first, end - offset) : Math.min(end, start + limit);
  const total = end - first;
  const [head, tail] = [list.at(start), list.at(stop - 1)];
  if (start >= stop || head === undefined || tail === undefined) return { records: [], total };
  if (ties.tieOrder === 'stable') {
    const records = list.slice(start, stop);
    return { records: sort.descending ? records.toReversed() : records, total };
  }
  const from = list.rank((record) => key(record) < key(head));
  const to = list.rank((record) => key(record) <= key(tail));
  const records = mixTies(list.slice(from, to), key, ties).slice(start - from, stop - from);
  return { records: sort.descending ? records.toReversed() : records, total };
}

/** Positions of a span in a timestamp's order; a record without the timestamp is in no span. */
function bounds(
  state: ObjectState,
  column: TimeColumn,
  span: { readonly from: number; readonly to: number } | undefined,
): { first: number; end: number } {
  const list = state.listing.ordered(column);
  if (span === undefined) return { first: 0, end: list.size() };
  const key = (record: StoredRecord): number => state.listing.key(column, record);
  const first = list.rank((record) => key(record) < span.from);
  return {
    first,
    end: Math.max(
      first,
      list.rank((record) => key(record) < span.to),
    ),
  };
}

function scan(state: ObjectState, { filters }: ListQuery): StoredRecord[] {
  const [column = '_created_at', ...others] = filters.spans.keys();
  const { first, end } = bounds(state, column, filters.spans.get(column));
  return state.listing
    .ordered(column)
    .slice(first, end)
    .filter((record) =>
      others.every((other) => {
        const span = filters.spans.get(other);
        const ms = state.listing.key(other, record);
        return span === undefined || (ms >= span.from && ms < span.to);
      }),
    )
    .filter((record) => filters.tests.every((test) => test(record)));
}

/** Puts runs of equal keys into the order the switch asks for. */
function mixTies(
  records: readonly StoredRecord[],
  key: (record: StoredRecord) => SortKey,
  { tieOrder, random, served }: TieDeps,
): StoredRecord[] {
  if (tieOrder === 'stable' || (tieOrder === 'reversed' && served % 2 === 0)) return [...records];
  const mixed: StoredRecord[] = [];
  let run: StoredRecord[] = [];
  const flush = (): void => {
    for (const each of tieOrder === 'shuffled' ? shuffled(random, run) : run.toReversed()) {
      mixed.push(each);
    }
    run = [];
  };
  for (const record of records) {
    const [first] = run;
    if (first !== undefined && key(first) !== key(record)) flush();
    run.push(record);
  }
  flush();
  return mixed;
}

function sortKey(state: ObjectState, column: string): (record: StoredRecord) => SortKey {
  if (column === '_created_at' || column === '_updated_at') {
    return (record) => state.listing.key(column, record);
  }
  if (column === '_id') return (record) => record.id;
  return (record) => comparable(fieldOf(recordFields(record), column));
}

/** Values without an order of their own, and null, come last. */
function comparable(value: Json): SortKey {
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (value === null) return '\uffff';
  return JSON.stringify(value);
}

function compareKeys(a: SortKey, b: SortKey): number {
  if (a === b) return 0;
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : 1;
  if (typeof a === 'number') return -1;
  if (typeof b === 'number') return 1;
  return a < b ? -1 : 1;
}
