import { EARLIEST_MS, startOfUtcDay } from './instant.ts';
import { firstIndexFrom, type PageView } from './page-view.ts';
import { anchorAfter, overlapOf, reachesBack } from './rules.ts';

/** Requests in a row that may bring no progress: seeking halves, so 64 is far beyond any list. */
const IDLE_LIMIT = 64;

/** Reading upwards in time. Positions are those of the list that starts at the anchor. */
export interface Climb {
  /** Lower bound of the next request; null asks for everything. */
  readonly anchorMs: number | null;
  readonly offset: number;
  /** The frontier: everything before it has been seen. */
  readonly completeBelowMs: number;
  /** The filter was seen to let earlier records of the anchor's day through. */
  readonly coarse: boolean;
  /** Between these positions the frontier is sought. */
  readonly lowOffset: number;
  /** The page read at `lowOffset`, where one was. */
  readonly lowPage: PageView | null;
  readonly highOffset: number | null;
  /** Pages of the next jump, back or forth, while seeking; it doubles. */
  readonly stride: number;
  readonly idleRequests: number;
}

export type ClimbOutcome =
  | { readonly kind: 'climb'; readonly climb: Climb }
  /** More records share one timestamp than a page can get past. */
  | { readonly kind: 'ties'; readonly climb: Climb; readonly atMs: number }
  | { readonly kind: 'end'; readonly completeBelowMs: number }
  | { readonly kind: 'stalled'; readonly completeBelowMs: number };

/** `completeBelowMs` is -Infinity where the walk begins at the beginning. */
export function startClimb(fromMs: number | null): Climb {
  return climbFrom(fromMs, 0, { completeBelowMs: fromMs ?? -Infinity, coarse: false });
}

export function climbFrom(
  anchorMs: number | null,
  offset: number,
  known: Pick<Climb, 'completeBelowMs' | 'coarse'>,
): Climb {
  return {
    anchorMs,
    offset,
    completeBelowMs: known.completeBelowMs,
    coarse: known.coarse,
    lowOffset: 0,
    lowPage: null,
    highOffset: null,
    stride: 1,
    idleRequests: 0,
  };
}

export function climbPage(climb: Climb, view: PageView, limit: number): ClimbOutcome {
  const here = { ...climb, coarse: climb.coarse || isCoarse(view, climb.anchorMs) };
  const follows =
    reachesBack(view, climb.offset, climb.completeBelowMs) && !isMisplaced(climb, view);
  if (follows) return advance(here, view);
  return seekBack(here, view.records.length || limit);
}

function isCoarse(view: PageView, anchorMs: number | null): boolean {
  return anchorMs !== null && view.firstMs !== null && view.firstMs < anchorMs;
}

/**
 * Below the frontier the list only shrinks, so nothing moves to a higher position. A page that
 * shows it did has late writes on it, or comes from a server that ignores the offset.
 */
function isMisplaced(climb: Climb, view: PageView): boolean {
  const { offset, lowOffset, lowPage } = climb;
  if (offset <= lowOffset || lowPage?.lastMs == null) return false;
  const atMost = lowOffset + firstIndexFrom(lowPage, lowPage.lastMs);
  const older = firstIndexFrom(view, lowPage.lastMs);
  return older > 0 && offset + older > atMost;
}

function advance(climb: Climb, view: PageView): ClimbOutcome {
  const { anchorMs, offset, completeBelowMs, coarse } = climb;
  const { lastMs } = view;
  if (!view.more) {
    return { kind: 'end', completeBelowMs: Math.max(completeBelowMs, lastMs ?? -Infinity) };
  }
  if (lastMs === null) {
    // Only records without the timestamp, sorted first: a filter leaves them out.
    if (anchorMs === null) return reanchor(climb, EARLIEST_MS, 0);
    return seekForward(climb, view);
  }
  if (lastMs < completeBelowMs) {
    return coarse ? seekForward(climb, view) : reanchor(climb, completeBelowMs, 0);
  }

  const reached = { ...climb, completeBelowMs: lastMs };
  const anchorNextMs = coarse ? null : anchorAfter(anchorMs, lastMs);
  if (anchorNextMs !== null) return reanchor(reached, anchorNextMs, 0);

  // The next page must begin before the records that share the last timestamp.
  const tiesIndex = firstIndexFrom(view, lastMs);
  const overlap = overlapOf(view.records.length);
  const dayMs = startOfUtcDay(lastMs);
  if (coarse && anchorMs !== null && dayMs > startOfUtcDay(anchorMs)) {
    const dayIndex = firstIndexFrom(view, dayMs);
    return reanchor(reached, dayMs, Math.max(0, tiesIndex - dayIndex - overlap));
  }
  if (tiesIndex - overlap <= 0) return { kind: 'ties', climb: reached, atMs: lastMs };
  const idleRequests = lastMs > completeBelowMs ? 0 : climb.idleRequests + 1;
  return onward({
    ...reached,
    offset: offset + tiesIndex - overlap,
    lowOffset: offset,
    lowPage: view,
    highOffset: null,
    stride: 1,
    idleRequests,
  });
}

/** The page follows, but ends before the frontier: an earlier part of the anchor's day. */
function seekForward(climb: Climb, view: PageView): ClimbOutcome {
  const { offset, stride } = climb;
  const length = Math.max(1, view.records.length);
  const highOffset =
    climb.highOffset !== null && climb.highOffset > offset ? climb.highOffset : null;
  const seeking = {
    ...climb,
    lowOffset: offset,
    lowPage: view,
    highOffset,
    idleRequests: climb.idleRequests + 1,
  };
  if (highOffset !== null) {
    const next = highOffset - offset > 2 * length ? middle(offset, highOffset) : null;
    return onward({
      ...seeking,
      offset: next ?? offset + Math.max(1, length - overlapOf(length)),
    });
  }
  const leap = stride === 1 && view.total !== null ? view.total - length : 0;
  return onward({
    ...seeking,
    offset: Math.max(leap, offset + Math.max(1, stride * length - overlapOf(length))),
    stride: stride * 2,
  });
}

/** Records slid past the page's beginning, or a leap went too far. */
function seekBack(climb: Climb, length: number): ClimbOutcome {
  const { anchorMs, offset, completeBelowMs, coarse } = climb;
  if (!coarse && anchorMs !== null && completeBelowMs > anchorMs) {
    return reanchor(climb, completeBelowMs, 0);
  }
  const idleRequests = climb.idleRequests + 1;
  const seeking = { ...climb, highOffset: offset, idleRequests };
  if (climb.lowOffset < offset) {
    const far = offset - climb.lowOffset > 2 * length;
    return onward({ ...seeking, offset: far ? middle(climb.lowOffset, offset) : climb.lowOffset });
  }
  const lowOffset = Math.max(0, offset - climb.stride * length);
  return onward({
    ...seeking,
    offset: lowOffset,
    lowOffset,
    lowPage: null,
    stride: climb.stride * 2,
  });
}

function reanchor(climb: Climb, anchorMs: number, offset: number): ClimbOutcome {
  return { kind: 'climb', climb: climbFrom(anchorMs, offset, climb) };
}

function onward(climb: Climb): ClimbOutcome {
  if (climb.idleRequests <= IDLE_LIMIT) return { kind: 'climb', climb };
  return { kind: 'stalled', completeBelowMs: climb.completeBelowMs };
}

function middle(lowOffset: number, highOffset: number): number {
  return Math.floor((lowOffset + highOffset) / 2);
}
