import type { Store } from '../../src/emulator/clarify/store.ts';
import { OBJECTS } from './arena.ts';

/** One field of one row, written by a user in a transaction that was committed. */
export interface LocalWrite {
  /** Position among all writes of the history, by when the statement ran. */
  readonly order: number;
  readonly op: 'insert' | 'update' | 'delete';
  readonly object: string;
  /** As it was when it was written. */
  readonly id: string;
  /** Null for a delete. */
  readonly field: string | null;
  readonly value: string | null;
}

/** One field of one record, written by somebody in the app. */
export interface RemoteWrite {
  readonly order: number;
  readonly op: 'create' | 'update' | 'delete' | 'merge';
  readonly object: string;
  readonly id: string;
  readonly field: string | null;
  readonly value: string | null;
  /** While a push was under way: it may be overwritten without anybody noticing. */
  readonly racing: boolean;
}

/** What both sides did, and what has been seen of it in Clarify. */
export interface Ledger {
  readonly local: LocalWrite[];
  readonly remote: RemoteWrite[];
  /** Fields in which a value came back that had been there before: `object id field`. */
  readonly repeated: Set<string>;
  /** Ids of records that took part in a merge: what becomes of their fields is hard to foretell. */
  readonly merged: Set<string>;
  /** Marker → ids of the records that ever had it. */
  readonly bearers: Map<string, Set<string>>;
  /** `object id field` → every value it ever had in Clarify, as text. */
  readonly values: Map<string, Set<string>>;
  nextOrder(): number;
  /** A value that nobody has written before. */
  fresh(): number;
  /** Looks at every record as it stands. */
  look(store: Store): void;
}

export function fieldKey(object: string, id: string, field: string): string {
  return `${object} ${id} ${field}`;
}

export function createLedger(): Ledger {
  const bearers = new Map<string, Set<string>>();
  const values = new Map<string, Set<string>>();
  let orders = 0;
  let numbers = 1_000;
  const note = (map: Map<string, Set<string>>, key: string, item: string): void => {
    const known = map.get(key);
    if (known) known.add(item);
    else map.set(key, new Set([item]));
  };
  return {
    local: [],
    remote: [],
    repeated: new Set(),
    merged: new Set(),
    bearers,
    values,
    nextOrder() {
      orders += 1;
      return orders;
    },
    fresh() {
      numbers += 1;
      return numbers;
    },
    look(store) {
      for (const object of OBJECTS) {
        for (const { id, attributes } of store.all(object)) {
          for (const [field, value] of Object.entries(attributes)) {
            if (typeof value !== 'string' && typeof value !== 'number') continue;
            note(values, fieldKey(object, id, field), String(value));
            if (field === 'marker') note(bearers, String(value), id);
          }
        }
      }
    },
  };
}
