/**
 * Items kept in order under single edits, a million of them: blocks of about a thousand, so that
 * an insert moves a block's worth of pointers and not the whole array.
 */
export interface SortedList<T> {
  size(): number;
  insert(item: T): void;
  /** @returns false where no item compares equal. */
  remove(item: T): boolean;
  /** How many items lie before the first for which `isBefore` is false. */
  rank(isBefore: (item: T) => boolean): number;
  at(index: number): T | undefined;
  /** Items from `start` up to, not including, `end`. */
  slice(start: number, end: number): T[];
}

const BLOCK = 1024;

/** `compare` must tell any two items in the list apart. */
export function sortedList<T>(compare: (a: T, b: T) => number, items: T[]): SortedList<T> {
  const blocks: T[][] = [];
  items.sort(compare);
  for (let i = 0; i < items.length; i += BLOCK) blocks.push(items.slice(i, i + BLOCK));
  let size = items.length;

  /** The block in which the first item for which `isBefore` is false lies; the last otherwise. */
  const findBlock = (isBefore: (item: T) => boolean): number => {
    const found = partition(blocks.length, (i) => {
      const last = blocks[i]?.at(-1);
      return last !== undefined && isBefore(last);
    });
    return Math.min(found, Math.max(0, blocks.length - 1));
  };
  const findIn = (block: readonly T[], isBefore: (item: T) => boolean): number =>
    partition(block.length, (i) => {
      const item = block[i];
      return item !== undefined && isBefore(item);
    });

  const slice = (start: number, end: number): T[] => {
    const taken: T[] = [];
    let first = 0;
    for (const block of blocks) {
      if (first >= end) break;
      const last = first + block.length;
      for (let i = Math.max(start, first); i < Math.min(end, last); i += 1) {
        const item = block[i - first];
        if (item !== undefined) taken.push(item);
      }
      first = last;
    }
    return taken;
  };

  return {
    size: () => size,
    insert(item) {
      const isBefore = (other: T): boolean => compare(other, item) < 0;
      const index = findBlock(isBefore);
      const block = blocks[index];
      size += 1;
      if (block === undefined) {
        blocks.push([item]);
        return;
      }
      block.splice(findIn(block, isBefore), 0, item);
      if (block.length >= 2 * BLOCK) blocks.splice(index + 1, 0, block.splice(BLOCK));
    },
    remove(item) {
      const isBefore = (other: T): boolean => compare(other, item) < 0;
      const index = findBlock(isBefore);
      const block = blocks[index];
      if (block === undefined) return false;
      const position = findIn(block, isBefore);
      const found = block[position];
      if (found === undefined || compare(found, item) !== 0) return false;
      block.splice(position, 1);
      if (block.length === 0) blocks.splice(index, 1);
      size -= 1;
      return true;
    },
    rank(isBefore) {
      const index = findBlock(isBefore);
      let before = 0;
      for (let i = 0; i < index; i += 1) before += blocks[i]?.length ?? 0;
      return before + findIn(blocks[index] ?? [], isBefore);
    },
    at: (index) => slice(index, index + 1)[0],
    slice,
  };
}

/** The first index below `length` for which `isBefore` is false, or `length`. */
function partition(length: number, isBefore: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
