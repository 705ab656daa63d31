/** Records written at once, at most: few enough to hold, enough to be worth a transaction. */
const CHUNK_RECORDS = 3_500;
/**
 * What was read and is not yet written is lost with the process: at most this share of everything
 * there is, where that is twenty pages or more.
 */
const UNWRITTEN_SHARE = 0.15;
/**
 * Reading ahead halves the chunks, and each costs some 5 ms of processor time: worth it where they still
 * hold three pages. With fewer the next page alone is read meanwhile.
 */
const AHEAD_PAGES = 3;

/** How a backfill divides up what may be read and not yet written. */
export interface Pace {
  readonly readers: number;
  /** Records that a reader writes at once, at most; but a page is never split. */
  readonly chunkRecords: number;
  /** A reader reads the next chunk while one is written; else the next page alone. */
  readonly ahead: boolean;
}

/**
 * Each reader holds a page on its way, a chunk it gathers, and, where there is room for that, one
 * that is being written.
 *
 * @param total records to read; null where the server does not say.
 * @param pageSize records a page may hold; a server may give fewer.
 */
export function paceOf(
  total: number | null,
  { pageSize, readers: most }: { readonly pageSize: number; readonly readers: number },
): Pace {
  const unwritten = (total ?? 0) * UNWRITTEN_SHARE;
  const readers = Math.max(1, Math.min(most, Math.floor(unwritten / (2 * pageSize))));
  const each = unwritten / readers;
  const ahead = each >= (2 * AHEAD_PAGES + 1) * pageSize;
  const chunk = ahead ? (each - pageSize) / 2 : Math.max(each - pageSize, each / 2);
  return { readers, chunkRecords: Math.min(CHUNK_RECORDS, Math.floor(chunk)), ahead };
}
