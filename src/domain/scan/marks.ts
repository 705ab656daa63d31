import { isUnmoved } from './rules.ts';
import type { ScanRecord } from './scan-record.ts';

/**
 * What is remembered of the records that a scan has come by, in the order of the list: all of the
 * last ones, and fewer and fewer of those before. Bounded, and stored with the scan.
 */
export interface Marks {
  readonly records: readonly ScanRecord[];
  /** From this position on none has been left out. */
  readonly wholeFrom: number;
}

/** So many of the last are kept whole. */
const WHOLE = 128;
/** So many of what lies before, and so many of each page. */
const SAMPLES = 128;
const SAMPLES_PER_PAGE = 12;

export const NO_MARKS: Marks = { records: [], wholeFrom: 0 };

/** A record of a page that was come by before, and has not moved since. */
export interface Shared {
  /** On the page. */
  readonly index: number;
  /** Among the marks. */
  readonly rank: number;
  readonly mark: ScanRecord;
}

export function sharedWith(marks: Marks, page: readonly ScanRecord[]): readonly Shared[] {
  const ranks = ranksOf(marks);
  return page.flatMap((record, index) => {
    const rank = ranks.get(record.id);
    const mark = rank === undefined ? undefined : marks.records[rank];
    if (rank === undefined || mark === undefined || !isUnmoved(mark, record)) return [];
    return [{ index, rank, mark }];
  });
}

export function ranksOf(marks: Marks): ReadonlyMap<string, number> {
  return new Map(marks.records.map(({ id }, rank) => [id, rank]));
}

/** The marks once a page follows that begins at one of them, or at the list's beginning. */
export function addPage(marks: Marks, page: readonly ScanRecord[], firstRank: number): Marks {
  const onPage = new Set(page.map(({ id }) => id));
  const kept = marks.records.slice(0, firstRank).filter(({ id }) => !onPage.has(id));
  const whole = marks.records.slice(marks.wholeFrom, firstRank).filter(({ id }) => !onPage.has(id));
  const wholeBefore = Math.min(kept.length, kept.length - whole.length);
  const records = [...kept, ...page];
  const cut = Math.max(wholeBefore, records.length - WHOLE);
  const before = records.slice(wholeBefore, cut);
  const stride = Math.max(1, Math.ceil(before.length / SAMPLES_PER_PAGE));
  const samples = [
    ...records.slice(0, wholeBefore),
    ...before.filter((_, position) => position % stride === 0),
  ].slice(-SAMPLES);
  return { records: [...samples, ...records.slice(cut)], wholeFrom: samples.length };
}
