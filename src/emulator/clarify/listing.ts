import { type SortedList, sortedList } from '../kernel/sorted-list.ts';
import type { StoredRecord } from './stored-record.ts';

export type TimeColumn = '_created_at' | '_updated_at';

/** What lists show of one object: usually the newest versions, or older ones for a while. */
export interface Listing {
  /** `showAtMs` null shows the change at once. */
  replace(before: StoredRecord | null, after: StoredRecord | null, showAtMs: number | null): void;
  /** Shows what is due. Call before reading. */
  settle(nowMs: number): void;
  ordered(column: TimeColumn): SortedList<StoredRecord>;
  /** The sort key `ordered` uses; records without a timestamp sort last, as in Postgres. */
  key(column: TimeColumn, record: StoredRecord): number;
}

interface Waiting {
  readonly showAtMs: number;
  readonly id: string;
  readonly after: StoredRecord | null;
}

export interface ListingDeps {
  readonly records: ReadonlyMap<string, StoredRecord>;
  /** Whether `_updated_at` has no value before the first edit. */
  readonly nullUntilEdit: () => boolean;
}

/** Orders are built when first asked for and kept up to date after that. */
export function createListing({ records, nullUntilEdit }: ListingDeps): Listing {
  const orders = new Map<TimeColumn, SortedList<StoredRecord>>();
  const waiting: Waiting[] = [];
  const late = new Map<string, { listed: StoredRecord | null; changes: number }>();
  let builtNullUntilEdit = nullUntilEdit();

  const key = (column: TimeColumn, record: StoredRecord): number => {
    if (column === '_created_at') return record.createdMs;
    return builtNullUntilEdit && !record.edited ? Number.POSITIVE_INFINITY : record.updatedMs;
  };
  const comparing =
    (column: TimeColumn) =>
    (a: StoredRecord, b: StoredRecord): number => {
      const [left, right] = [key(column, a), key(column, b)];
      return left === right ? a.order - b.order : left < right ? -1 : 1;
    };
  const listedNow = (): StoredRecord[] => {
    const shown: StoredRecord[] = [];
    for (const record of records.values()) if (!late.has(record.id)) shown.push(record);
    for (const { listed } of late.values()) if (listed !== null) shown.push(listed);
    return shown;
  };
  const swap = (before: StoredRecord | null, after: StoredRecord | null): void => {
    for (const order of orders.values()) {
      if (before !== null) order.remove(before);
      if (after !== null) order.insert(after);
    }
  };

  return {
    key,
    replace(before, after, showAtMs) {
      const id = after?.id ?? before?.id;
      if (id === undefined) return;
      const earlier = late.get(id);
      if (showAtMs === null && earlier === undefined) {
        swap(before, after);
        return;
      }
      const entry = earlier ?? { listed: before, changes: 0 };
      entry.changes += 1;
      late.set(id, entry);
      const last = waiting.findLast((each) => each.id === id)?.showAtMs ?? 0;
      const change = { showAtMs: Math.max(showAtMs ?? 0, last), id, after };
      const position = waiting.findLastIndex((each) => each.showAtMs <= change.showAtMs);
      waiting.splice(position + 1, 0, change);
    },
    settle(nowMs) {
      if (builtNullUntilEdit !== nullUntilEdit()) {
        builtNullUntilEdit = nullUntilEdit();
        orders.delete('_updated_at');
      }
      const firstLater = waiting.findIndex((each) => each.showAtMs > nowMs);
      const due = waiting.splice(0, firstLater === -1 ? waiting.length : firstLater);
      for (const { id, after } of due) {
        const entry = late.get(id);
        if (entry === undefined) continue;
        swap(entry.listed, after);
        entry.listed = after;
        entry.changes -= 1;
        if (entry.changes === 0) late.delete(id);
      }
    },
    ordered(column) {
      const known = orders.get(column);
      if (known !== undefined) return known;
      const built = sortedList(comparing(column), listedNow());
      orders.set(column, built);
      return built;
    },
  };
}
