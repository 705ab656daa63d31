/** A page of a list whose pages are numbered, from 1. */
export interface NumberedPage {
  readonly number: number;
  readonly size: number;
  /** Where in the list it begins. */
  readonly offset: number;
}

/** Pages shorter than this overlap too little to go on from. */
const SHORT = 16;

/**
 * The page of at most `limit` records that holds position `offset` and reaches farthest behind it. A
 * page begins at a multiple of its size: with the right size where it should, or shortly before.
 */
export function numberedPage(offset: number, limit: number): NumberedPage {
  if (offset <= 0 || offset < Math.min(SHORT, limit / 2)) {
    return { number: 1, size: limit, offset: 0 };
  }
  // All longer ones begin at the beginning.
  if (offset < limit) return pageOf(offset, offset);
  let best = pageOf(offset, limit);
  for (let size = limit - 1; size >= limit / 2; size -= 1) {
    const page = pageOf(offset, size);
    if (endOf(page) > endOf(best)) best = page;
  }
  return best;
}

/** The one of its size that holds the position. */
function pageOf(position: number, size: number): NumberedPage {
  const before = Math.floor(position / size);
  return { number: before + 1, size, offset: before * size };
}

function endOf({ offset, size }: NumberedPage): number {
  return offset + size;
}
