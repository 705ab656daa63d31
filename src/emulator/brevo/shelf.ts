import type { Random } from '../kernel/random.ts';
import { type SortedList, sortedList } from '../kernel/sorted-list.ts';
import type { Switches } from './switches.ts';

/** One version of something that is listed; a write makes a new one. */
export interface Shelved {
  /** Position in the order of creation. */
  readonly order: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** What stands, by id, and what lists show of it: the same, or what it was a while ago. */
export interface Shelf<Id, T extends Shelved> {
  readonly items: ReadonlyMap<Id, T>;
  put(id: Id, item: T): void;
  remove(id: Id): void;
  /** As lists show them, oldest first. */
  listed(): SortedList<T>;
  /** As lists show it. */
  shown(id: Id): T | undefined;
}

export interface ShelfDeps {
  readonly switches: Pick<Switches, 'visibilityDelayMs' | 'lateShare'>;
  readonly random: Random;
  readonly now: () => number;
}

interface Waiting<Id, T> {
  readonly showAtMs: number;
  readonly id: Id;
  readonly item: T | null;
}

export function createShelf<Id, T extends Shelved>(deps: ShelfDeps): Shelf<Id, T> {
  const { switches, random, now } = deps;
  const items = new Map<Id, T>();
  const shown = new Map<Id, T>();
  const list = sortedList<T>((a, b) => a.order - b.order, []);
  const waiting: Waiting<Id, T>[] = [];
  /** When the last version that waits of an item is shown: no version overtakes another. */
  const lastShown = new Map<Id, number>();

  const show = (id: Id, item: T | null): void => {
    const before = shown.get(id);
    if (before !== undefined) list.remove(before);
    if (item === null) shown.delete(id);
    else {
      shown.set(id, item);
      list.insert(item);
    }
  };

  const showLater = (id: Id, item: T | null): void => {
    const { visibilityDelayMs, lateShare } = switches;
    const isLate = visibilityDelayMs > 0 && random.next() < lateShare;
    const before = lastShown.get(id);
    if (!isLate && before === undefined) {
      show(id, item);
      return;
    }
    const showAtMs = Math.max(before ?? 0, isLate ? now() + visibilityDelayMs : now());
    const position = waiting.findLastIndex((each) => each.showAtMs <= showAtMs);
    waiting.splice(position + 1, 0, { showAtMs, id, item });
    lastShown.set(id, showAtMs);
  };

  const settle = (): void => {
    const nowMs = now();
    const due = waiting.findIndex(({ showAtMs }) => showAtMs > nowMs);
    for (const { id, item, showAtMs } of waiting.splice(0, due === -1 ? waiting.length : due)) {
      show(id, item);
      if (lastShown.get(id) === showAtMs) lastShown.delete(id);
    }
  };

  return {
    items,
    put(id, item) {
      settle();
      items.set(id, item);
      showLater(id, item);
    },
    remove(id) {
      settle();
      items.delete(id);
      showLater(id, null);
    },
    listed() {
      settle();
      return list;
    },
    shown(id) {
      settle();
      return shown.get(id);
    },
  };
}
