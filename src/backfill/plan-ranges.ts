import type { RangeBounds } from '../db/backfill/ranges.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { CallOptions, Page, Remote } from '../domain/remote.ts';
import { EARLIEST_MS, formatInstant, parseInstant, startOfUtcDay } from '../domain/walk/instant.ts';

export interface Plan {
  readonly ranges: readonly RangeBounds[];
  /** Records to read; not all of them where the server does not say, and null where they are few. */
  readonly total: number | null;
  readonly requests: number;
}

/** Ranges for each of the readers, so that none of them is left alone with a long one. */
const RANGES_PER_READER = 4;
/** A range shorter than this is not worth the request that finds its beginning. */
const PAGES_PER_RANGE = 8;

/**
 * Splits an object's records by `_created_at` into ranges of about as many records each: asks for
 * the records at even distances of the list. Where the cuts fall decides about speed alone, so a
 * server may lie about its total or shift records meanwhile.
 */
export async function planRanges(
  remote: Remote,
  table: MirrorTable,
  options: CallOptions & { readonly since: string | null; readonly readers: number },
): Promise<Plan> {
  const { since, readers } = options;
  let requests = 0;
  // Bounded below, so that records without `_created_at` take no places.
  const readOne = async (from: string, offset: number): Promise<Page> => {
    requests += 1;
    const place = { orderBy: 'created', direction: 'asc', from, offset, limit: 1 } as const;
    return await remote.readPage({ object: table.schema, ...place }, options);
  };
  const start = since ?? formatInstant(EARLIEST_MS);
  const { total: told } = await readOne(start, 0);
  const size =
    told ??
    (await boundTotal(PAGES_PER_RANGE * remote.limits.pageSize, async (offset) => {
      return (await readOne(start, offset)).records.length > 0;
    }));
  const worthwhile = Math.floor(size / (PAGES_PER_RANGE * remote.limits.pageSize));
  const count = readers < 2 ? 1 : Math.min(RANGES_PER_READER * readers, worthwhile);
  if (count < 2) return { ranges: [{ from: since, before: null }], total: told, requests };
  const offsets = Array.from({ length: count - 1 }, (_, cut) =>
    Math.floor(((cut + 1) * size) / count),
  );
  const pages = await Promise.all(offsets.map((offset) => readOne(start, offset)));
  const known = offsets.findLast((_, index) => pages[index]?.records.length) ?? null;
  const total = told ?? known;
  const cuts = pages.flatMap(({ records }) => parseInstant(records[0]?.createdAt ?? null) ?? []);
  const probe = cuts[Math.floor(cuts.length / 2)] ?? 0;
  const [first] = (await readOne(formatInstant(probe), 0)).records;
  const byDay = (parseInstant(first?.createdAt ?? null) ?? probe) < probe;
  return { ranges: cutRanges(since, cuts, byDay), total, requests };
}

/** More records than any workspace has: a list that goes on behind it has no end to be found. */
const MOST = 2 ** 40;

/** More records than a list holds that does not say, and less than twice as many, if not this few. */
async function boundTotal(
  few: number,
  hasAt: (offset: number) => Promise<boolean>,
): Promise<number> {
  let bound = few;
  while (bound < MOST && (await hasAt(bound))) bound *= 2;
  return bound;
}

/**
 * Ranges that begin at the cuts (epoch milliseconds) and leave nothing out. Where the server
 * compares whole days they begin with one: a range within a day would have to find its place.
 */
export function cutRanges(
  since: string | null,
  cuts: readonly number[],
  byDay: boolean,
): RangeBounds[] {
  const sinceMs = parseInstant(since) ?? Number.NEGATIVE_INFINITY;
  const starts = new Set(cuts.map((cutMs) => (byDay ? startOfUtcDay(cutMs) : cutMs)));
  const inOrder = [...starts].filter((startMs) => startMs > sinceMs).toSorted((a, b) => a - b);
  const bounds = [since, ...inOrder.map(formatInstant)];
  return bounds.map((from, index) => ({ from, before: bounds[index + 1] ?? null }));
}
