import type { ScanRecord } from './scan-record.ts';

/*
 * The rules that the proof in docs/decisions/024-full-scan.md stands on, one function each. The
 * property tests take every one of them away in turn and must then find a lost record.
 */

/** A list may show a write so much later than its stamp: twice what is taken for granted. */
const LATE_MS = 60_000;

/** Whoever is as it was stands where it stood, among those that are as they were. */
export function isUnmoved(before: ScanRecord, now: ScanRecord): boolean {
  return before.version === now.version;
}

/** Records of the page before that the next one begins with. */
export function overlapOf(pageLength: number, isDense: boolean): number {
  if (isDense) return Math.max(1, Math.floor((pageLength * 3) / 4));
  return Math.max(1, Math.min(32, Math.floor(pageLength / 4)));
}

/** What a list may be sorted by. */
export const COLUMNS = ['createdMs', 'updatedMs'] as const;
export type Column = (typeof COLUMNS)[number];

/**
 * A page that holds a record which stands before the last one seen, if this is what the list is
 * sorted by, leaves no gap, however equal times are ordered.
 */
export function standsBefore(anchor: ScanRecord, frontier: ScanRecord, column: Column): boolean {
  return (
    anchor[column] !== null && frontier[column] !== null && anchor[column] !== frontier[column]
  );
}

/** Odds against an order kept by chance, as a natural logarithm: e^25 is about 10^11 to one. */
const ORDER_EVIDENCE = 25;

/** Whether a run of pages that only their order ties together is one order, and not chance. */
export function orderSuffices(evidence: number): boolean {
  return evidence >= ORDER_EVIDENCE;
}

/**
 * May have joined the list since the scan began, and so tells nothing of how many there were then.
 */
export function mayHaveJoined(
  record: ScanRecord,
  scan: { readonly startedAtMs: number; readonly isFiltered: boolean },
): boolean {
  const { createdMs, updatedMs } = record;
  const sinceMs = scan.startedAtMs - LATE_MS;
  const joinedMs = scan.isFiltered ? updatedMs : createdMs;
  return joinedMs === null || joinedMs >= sinceMs || (createdMs ?? 0) >= sinceMs;
}

/** As many seen since a moment as there were then, and none that joined later: all of them. */
export function countSuffices(seenSince: number, thereThen: number | null): boolean {
  return thereThen !== null && seenSince === thereThen;
}

/**
 * Whether whoever moved to the front since the scan began stands before this record, if that is
 * where they move: not where its own stamp is so late that theirs may lie behind it.
 */
export function boundsTheFront(record: ScanRecord, startedAtMs: number): boolean {
  return record.updatedMs === null || record.updatedMs < startedAtMs - LATE_MS;
}

/**
 * Whether a page may be one of a list that has the last edit first: nobody stands there before one
 * that was edited later. In any other list nobody moves to the front.
 */
export function mayBeNewestFirst(page: readonly ScanRecord[]): boolean {
  return page.every(({ updatedMs }, index) => {
    const next = page[index + 1]?.updatedMs ?? null;
    return updatedMs === null || next === null || next <= updatedMs;
  });
}

/** A record of the beginning of a list, where it was seen last. */
export interface Front extends ScanRecord {
  readonly position: number;
  /** How much nearer to the beginning it was seen first. */
  readonly pushedBy: number;
}

/**
 * Pages had a record pushed back, or far back, and the front shows it nearer to the beginning: they
 * may not have been the pages that were asked for. A server that ignores offsets is like that.
 */
export function isBackAgain(before: Front, position: number, pageLength: number): boolean {
  const nearerBy = before.position - position;
  return nearerBy > 0 && (before.pushedBy > 0 || nearerBy >= Math.floor(pageLength / 4));
}

/** A look at the front that took one page is one snapshot: nobody moved there behind its back. */
export function isOneLook(pages: number): boolean {
  return pages === 1;
}

/** One answer holds the whole list. */
export function isOneAnswer(page: { readonly offset: number; readonly more: boolean }): boolean {
  return page.offset === 0 && !page.more;
}

/**
 * Whether two that stand as they stood may come the other way round: where both of their times are
 * told, and differ, no list that is sorted by one of them does that. One that does has no order at all.
 */
export function mayTurnRound(a: ScanRecord, b: ScanRecord): boolean {
  return !COLUMNS.every((column) => standsBefore(a, b, column));
}
