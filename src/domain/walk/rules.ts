import type { PageView } from './page-view.ts';

/*
 * The rules the proof in docs/decisions/002-cursor.md stands on, one function each. The property
 * tests take every one of them away in turn and must then find a lost record.
 */

/** Where the next page starts once a page ending at `lastMs` is read; null keeps the anchor. */
export function anchorAfter(anchorMs: number | null, lastMs: number): number | null {
  return anchorMs === null || lastMs > anchorMs ? lastMs : null;
}

/** Records read again from the page before, so that the next page can prove it follows. */
export function overlapOf(pageLength: number): number {
  return Math.max(1, Math.min(32, Math.floor(pageLength / 4)));
}

/**
 * A page is one snapshot in order, so one that begins strictly before the frontier holds
 * everything from the frontier up to its own last timestamp. So does one at offset 0.
 */
export function reachesBack(view: PageView, offset: number, completeBelowMs: number): boolean {
  return offset === 0 || (view.firstMs !== null && view.firstMs < completeBelowMs);
}

/**
 * A group of equal timestamps only shrinks (whoever is edited leaves it), so everything seen in
 * it from some moment on was in it at that moment: as many as there were then means all of them.
 */
export function countProves(distinctSeen: number, membersThen: number): boolean {
  return distinctSeen === membersThen;
}

/** Odds against an order kept by chance, as a natural logarithm: e^25 is about 10^11 to one. */
const ORDER_EVIDENCE = 25;

/**
 * Pages that each repeat the end of the one before in the same order, from the group's first
 * record to its last, left nobody out, provided the order is one order: `evidence` says how
 * unlikely it is that shuffled pages look like this.
 */
export function orderProves(evidence: number, distinctSeen: number, membersNow: number): boolean {
  return evidence >= ORDER_EVIDENCE && distinctSeen >= membersNow;
}
