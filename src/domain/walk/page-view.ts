import { parseInstant } from './instant.ts';

export interface WalkRecord {
  readonly id: string;
  /** The timestamp the list is ordered by; null where the record has none. */
  readonly at: string | null;
  /** Tells two versions of one record apart, usually its `_updated_at`. */
  readonly version: string | null;
}

export interface WalkPage {
  readonly records: readonly WalkRecord[];
  /** How many records match, where the server says. A hint for leaps, never a proof. */
  readonly total: number | null;
  /** Whether there is anything behind this page. */
  readonly more: boolean;
}

/** A page with its timestamps read once. */
export interface PageView {
  readonly records: readonly WalkRecord[];
  /** Epoch milliseconds by position; null where missing or unreadable. */
  readonly times: readonly (number | null)[];
  /** Of the first and the last record that has a timestamp. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  readonly ascending: boolean;
  readonly descending: boolean;
  /** Timestamps that are there but are no instants. */
  readonly unreadable: number;
  readonly total: number | null;
  readonly more: boolean;
}

export function viewPage(page: WalkPage): PageView {
  const times: (number | null)[] = [];
  let firstMs: number | null = null;
  let lastMs: number | null = null;
  let ascending = true;
  let descending = true;
  let unreadable = 0;
  for (const record of page.records) {
    const atMs = parseInstant(record.at);
    times.push(atMs);
    if (atMs === null) {
      if (record.at !== null) unreadable += 1;
      continue;
    }
    if (lastMs !== null && atMs < lastMs) ascending = false;
    if (lastMs !== null && atMs > lastMs) descending = false;
    firstMs ??= atMs;
    lastMs = atMs;
  }
  const { records, total, more } = page;
  return { records, times, firstMs, lastMs, ascending, descending, unreadable, total, more };
}

/** Position of the first record at or after an instant; the page's length where there is none. */
export function firstIndexFrom(view: PageView, instantMs: number): number {
  const index = view.times.findIndex((atMs) => atMs !== null && atMs >= instantMs);
  return index === -1 ? view.times.length : index;
}
