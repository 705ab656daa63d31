import { firstIndexFrom, type PageView } from './page-view.ts';
import { countProves, orderProves, overlapOf, reachesBack } from './rules.ts';
import { noSightings, type Sightings, see, seenSince } from './sightings.ts';
import { continuation, orderEvidence } from './tie-order.ts';

/** A random order leaves e^-24 of a group unseen after so many sweeps. */
const SWEEP_LIMIT = 24;
/** Sweeps after which the order is no longer hoped to be one order. */
const DISORDER_LIMIT = 3;
/** Steps back in one sweep, each twice as far, before the order is taken to have changed. */
const BACK_LIMIT = 4;

/** At `request` the group had at most `end` minus `begin` members. */
interface Bound {
  readonly request: number;
  readonly end: number;
  /** Measured at a later request, so never too high; null until then. */
  readonly begin: number | null;
}

/**
 * Reading a group of records that share one timestamp and do not fit a page: offsets are all there
 * is. The group is swept from its first record to its last, again and again, until either the
 * count or the order proves that nobody was left out.
 */
export interface TieSweep {
  readonly atMs: number;
  readonly offset: number;
  readonly request: number;
  /** Shared along the walk, and with its spent states: see `WalkState`. */
  readonly sightings: Sightings;
  readonly bounds: readonly Bound[];
  /** Position of the group's first record when this sweep began. */
  readonly begin: number;
  /** Ids in the order read, of this sweep. */
  readonly ranks: Map<string, number>;
  readonly ordered: boolean;
  /** Of the unbroken run of ordered sweeps up to now. */
  readonly evidence: number;
  readonly sweeps: number;
  readonly disorderedSweeps: number;
  readonly pagesInSweep: number;
  readonly backSteps: number;
}

export type SweepOutcome =
  | { readonly kind: 'sweep'; readonly sweep: TieSweep }
  /** Done with the group. `endSeen`: some page showed where it ends. */
  | { readonly kind: 'passed'; readonly proven: boolean; readonly endSeen: boolean };

/** The page at `offset`, which shows the group's first record, goes to {@link sweepPage} next. */
export function startSweep(atMs: number, offset: number): TieSweep {
  return {
    atMs,
    offset,
    request: 0,
    sightings: noSightings(),
    bounds: [],
    begin: offset,
    ranks: new Map(),
    ordered: true,
    evidence: 0,
    sweeps: 0,
    disorderedSweeps: 0,
    pagesInSweep: 0,
    backSteps: 0,
  };
}

export function sweepPage(before: TieSweep, view: PageView, limit: number): SweepOutcome {
  const { atMs, offset } = before;
  const ids = view.records.filter((_, i) => view.times[i] === atMs).map((record) => record.id);
  const length = view.records.length || limit;
  const firstIndex = firstIndexFrom(view, atMs);
  const pastIndex = firstIndexFrom(view, atMs + 1);
  // An empty page that claims more behind it says nothing about where the group ends.
  const endSeen = pastIndex < view.records.length || !view.more;
  see(before.sightings, ids, before.request);

  let sweep: TieSweep = { ...before, pagesInSweep: before.pagesInSweep + 1 };
  // From the group's beginning on no page shows what is before it, unless offsets are ignored.
  const misplaced = sweep.ranks.size > 0 && offset > 0 && offset >= sweep.begin;
  if (reachesBack(view, offset, atMs) && !misplaced) {
    if (endSeen) return { kind: 'passed', proven: true, endSeen };
    sweep = beginSweep(sweep, ids, offset + firstIndex);
  } else if (sweep.ranks.size === 0) {
    // The group's beginning slid to lower positions since it was last seen.
    return stepBack(sweep, length);
  } else if (sweep.ordered) {
    const link = continuation(sweep.ranks, ids);
    const backLimit = sweep.disorderedSweeps === 0 ? BACK_LIMIT : 1;
    if (link.kind === 'apart' && sweep.backSteps < backLimit) return stepBack(sweep, length);
    sweep =
      link.kind === 'follows'
        ? { ...sweep, evidence: sweep.evidence + orderEvidence(link.shared), backSteps: 0 }
        : { ...sweep, ordered: false };
  }
  for (const id of ids) if (!sweep.ranks.has(id)) sweep.ranks.set(id, sweep.ranks.size);

  if (endSeen) return closeSweep(sweep, offset + pastIndex, length);
  if (sweep.pagesInSweep > 16 + (4 * sweep.sightings.lastSeen.size) / length) {
    return { kind: 'passed', proven: false, endSeen: sweep.bounds.length > 0 };
  }
  return next(sweep, offset + stepOf(sweep, length));
}

function beginSweep(sweep: TieSweep, ids: readonly string[], begin: number): TieSweep {
  return {
    ...sweep,
    begin,
    bounds: sweep.bounds.map((bound) => (bound.begin === null ? { ...bound, begin } : bound)),
    ranks: new Map(ids.map((id, rank) => [id, rank])),
  };
}

/** The group's end is at `end`: is everybody accounted for, or does it take another sweep? */
function closeSweep(sweep: TieSweep, end: number, length: number): SweepOutcome {
  const { sightings, begin, ranks, ordered, evidence } = sweep;
  const passed = { kind: 'passed', endSeen: true } as const;
  if (ordered && orderProves(evidence, ranks.size, end - begin)) return { ...passed, proven: true };
  const bounds = [...sweep.bounds, { request: sweep.request, end, begin: null }];
  const counted = bounds.some(
    (bound) =>
      bound.begin !== null &&
      countProves(seenSince(sightings, bound.request), bound.end - bound.begin),
  );
  if (counted) return { ...passed, proven: true };
  const sweeps = sweep.sweeps + 1;
  if (sweeps >= SWEEP_LIMIT) return { ...passed, proven: false };
  const disorderedSweeps = sweep.disorderedSweeps + (ordered ? 0 : 1);
  return next(
    {
      ...sweep,
      bounds,
      sweeps,
      disorderedSweeps,
      ranks: new Map(),
      ordered: disorderedSweeps < DISORDER_LIMIT,
      evidence: ordered ? evidence : 0,
      pagesInSweep: 0,
      backSteps: 0,
    },
    sweepStart(begin, length),
  );
}

/** A few records before the group, where there are any, show that the group begins behind them. */
function sweepStart(begin: number, length: number): number {
  return Math.max(0, begin - overlapOf(length));
}

function stepBack(sweep: TieSweep, length: number): SweepOutcome {
  const back = Math.ceil(length / 2) * 2 ** sweep.backSteps;
  const lowest = sweep.ranks.size === 0 ? 0 : sweepStart(sweep.begin, length);
  const stepped = { ...sweep, backSteps: sweep.backSteps + 1 };
  return next(stepped, Math.max(lowest, sweep.offset - back));
}

function next(sweep: TieSweep, offset: number): SweepOutcome {
  return { kind: 'sweep', sweep: { ...sweep, offset, request: sweep.request + 1 } };
}

/**
 * Ordered pages overlap by up to 32 records. Where there is no one order the steps vary, and now
 * and then a page is read twice, so that no pattern of the server's, such as every other answer
 * reversed, hides the same records again.
 */
function stepOf(sweep: TieSweep, length: number): number {
  const half = Math.floor(length / 2);
  if (sweep.ordered) return Math.max(1, length - Math.min(32, half));
  const scattered = Math.imul(sweep.request + 1, 0x9e3779b1) >>> 16;
  return scattered % 8 === 0 ? 0 : Math.max(1, length - (scattered % (half + 1)));
}
