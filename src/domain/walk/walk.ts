import { SyncError } from '../errors.ts';
import { type Climb, type ClimbOutcome, climbFrom, climbPage, startClimb } from './climb.ts';
import { formatInstant, parseInstant, startOfNextUtcDay } from './instant.ts';
import {
  firstIndexFrom,
  type PageView,
  viewPage,
  type WalkPage,
  type WalkRecord,
} from './page-view.ts';
import { overlapOf } from './rules.ts';
import { type SweepOutcome, startSweep, sweepPage, type TieSweep } from './tie-sweep.ts';

export type { WalkPage } from './page-view.ts';

export interface WalkOptions {
  readonly orderBy: 'updated' | 'created';
  /** From `walkStart`; null walks from the beginning. */
  readonly from: string | null;
  /** Records to ask for at once, at least 1; the server may give fewer. */
  readonly limit: number;
  /** Ask for the newest page first: it is the whole answer where little has changed. */
  readonly probe: boolean;
  /**
   * The server's clock when the walk starts, epoch milliseconds: our clock plus the skew that the
   * `Date` header told. No watermark goes beyond it: what is written while the walk runs may show
   * up behind it, and belongs to the next one. Too low costs requests, too high costs safety.
   */
  readonly startedAtMs: number;
}

/** A page to ask for: the rest of a `PageRequest`. */
export interface WalkRequest {
  readonly orderBy: 'updated' | 'created';
  readonly direction: 'asc' | 'desc';
  readonly from: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

/**
 * Why a walk cannot vouch for what it read:
 *
 * - `unsorted` the server does not keep the order that was asked for
 * - `stalled` pages bring nothing new however the offset moves
 * - `ties` a group of equal timestamps larger than a page kept changing, or kept changing order
 */
export type WalkProblem = 'unsorted' | 'stalled' | 'ties';

type Phase =
  | { readonly kind: 'probe' }
  | { readonly kind: 'climb'; readonly climb: Climb }
  | { readonly kind: 'sweep'; readonly climb: Climb; readonly sweep: TieSweep }
  | { readonly kind: 'finished' };

/** Opaque. A state is spent once it was handed to {@link acceptPage}: go on with the new one. */
export interface WalkState {
  readonly options: WalkOptions;
  readonly fromMs: number | null;
  readonly phase: Phase;
  readonly completeBelowMs: number;
  /** The timestamp of the first group that could not be proven: no watermark goes beyond it. */
  readonly unprovenMs: number;
  readonly problem: WalkProblem | null;
  /** What the next page repeats is not handed over twice. */
  readonly repeated: Repeated;
}

/** Records that may come again. */
interface Repeated {
  readonly byId: ReadonlyMap<string, WalkRecord>;
  /** None of them has a later timestamp. */
  readonly toMs: number;
}

export interface WalkStep {
  readonly state: WalkState;
  /** Positions on the page of the records to apply; a version may come twice, never not at all. */
  readonly accepted: readonly number[];
  /** How many of them were handed over before: no progress, as far as is remembered. */
  readonly again: number;
  /**
   * May be stored now, in the transaction that applies `accepted`, unless the one stored is later:
   * every record visible when the walk started, with a timestamp before this one, was handed over
   * (or has been edited or deleted since). Null: nothing to store yet.
   */
  readonly watermark: string | null;
  readonly done: boolean;
  /** Once done. After `incomplete`, the records are good and the watermark is still true. */
  readonly verdict: 'ok' | 'incomplete' | null;
  readonly problem: WalkProblem | null;
  /** Records on this page whose timestamp is no instant: handed over, but beyond any proof. */
  readonly unreadable: number;
}

/**
 * Starts a walk over an object's records in the order of one timestamp, which loses nothing while
 * records are edited, created and deleted between requests: invariant 1. Pure; docs/decisions/
 * 002-cursor.md has the proof. Records that lack the timestamp are handed over where they show,
 * and not looked for: walk by the other timestamp.
 *
 * @throws SyncError `bad-instant` where `from` is no instant.
 */
export function startWalk(options: WalkOptions): WalkState {
  const fromMs = parseInstant(options.from);
  if (options.from !== null && fromMs === null) {
    throw new SyncError('a walk cannot start at a time that is not an ISO-8601 instant', {
      code: 'bad-instant',
      disposition: 'halt',
    });
  }
  const climb = startClimb(fromMs);
  return {
    options: { ...options, limit: Math.max(1, Math.floor(options.limit)) },
    fromMs,
    phase: options.probe && fromMs !== null ? { kind: 'probe' } : { kind: 'climb', climb },
    completeBelowMs: climb.completeBelowMs,
    unprovenMs: Infinity,
    problem: null,
    repeated: { byId: new Map(), toMs: -Infinity },
  };
}

/** The page to ask for next; null where the walk is done. */
export function nextRequest(state: WalkState): WalkRequest | null {
  const { orderBy, limit } = state.options;
  const { phase } = state;
  switch (phase.kind) {
    case 'probe':
      return { orderBy, direction: 'desc', from: bound(state.fromMs), offset: 0, limit };
    case 'climb': {
      const { anchorMs, offset } = phase.climb;
      return { orderBy, direction: 'asc', from: bound(anchorMs), offset, limit };
    }
    case 'sweep': {
      const { anchorMs } = phase.climb;
      return {
        orderBy,
        direction: 'asc',
        from: bound(anchorMs),
        offset: phase.sweep.offset,
        limit,
      };
    }
    case 'finished':
      return null;
  }
}

function bound(instantMs: number | null): string | undefined {
  return instantMs === null ? undefined : formatInstant(instantMs);
}

/** Takes in the answer to {@link nextRequest}. */
export function acceptPage(state: WalkState, page: WalkPage): WalkStep {
  const view = viewPage(page);
  const { accepted: unseen, again } = fresh(state, view);
  const next = takeIn(state, view);
  const inconclusiveProbe = state.phase.kind === 'probe' && next.phase.kind !== 'finished';
  const accepted = inconclusiveProbe ? [] : unseen;
  const repeated = inconclusiveProbe ? state.repeated : toRepeat(state, next, view);
  const done = next.phase.kind === 'finished';
  return {
    state: { ...next, repeated },
    accepted,
    again: inconclusiveProbe ? 0 : again,
    watermark: watermarkOf(next),
    done,
    verdict: done ? (next.problem === null ? 'ok' : 'incomplete') : null,
    problem: next.problem,
    unreadable: view.unreadable,
  };
}

function takeIn(state: WalkState, view: PageView): WalkState {
  const { phase } = state;
  const { limit } = state.options;
  switch (phase.kind) {
    case 'probe':
      return takeInProbe(state, view);
    case 'climb':
      if (!view.ascending) return finish(state, state.completeBelowMs, 'unsorted');
      return afterClimb(state, climbPage(phase.climb, view, limit), view);
    case 'sweep':
      if (!view.ascending) return finish(state, state.completeBelowMs, 'unsorted');
      return afterSweep(state, phase.climb, phase.sweep, view);
    case 'finished':
      throw new Error('the walk is done: there is no page to accept');
  }
}

/**
 * The newest records down to `from`, or below it: one snapshot of everything the walk is for. The
 * second way out is what a server that compares whole days takes on a quiet tick.
 */
function takeInProbe(state: WalkState, view: PageView): WalkState {
  const fromMs = state.fromMs ?? -Infinity;
  const reachesFrom = !view.more || (view.lastMs !== null && view.lastMs < fromMs);
  if (view.descending && reachesFrom) {
    return finish(state, Math.max(fromMs, view.firstMs ?? fromMs), null);
  }
  return { ...state, phase: { kind: 'climb', climb: startClimb(state.fromMs) } };
}

function afterClimb(state: WalkState, outcome: ClimbOutcome, view: PageView): WalkState {
  switch (outcome.kind) {
    case 'climb':
      return withClimb(state, outcome.climb);
    case 'ties': {
      const sweep = startSweep(outcome.atMs, outcome.climb.offset);
      return afterSweep(withClimb(state, outcome.climb), outcome.climb, sweep, view);
    }
    case 'end':
      return finish(state, outcome.completeBelowMs, null);
    case 'stalled':
      return finish(state, outcome.completeBelowMs, 'stalled');
  }
}

function afterSweep(state: WalkState, climb: Climb, sweep: TieSweep, view: PageView): WalkState {
  const outcome: SweepOutcome = sweepPage(sweep, view, state.options.limit);
  if (outcome.kind === 'sweep') {
    return { ...state, phase: { kind: 'sweep', climb, sweep: outcome.sweep } };
  }
  const passed = outcome.proven
    ? state
    : {
        ...state,
        problem: state.problem ?? ('ties' as const),
        unprovenMs: Math.min(state.unprovenMs, sweep.atMs),
      };
  const { anchorMs, coarse } = climb;
  if (!outcome.endSeen) {
    const beyondMs = coarse ? startOfNextUtcDay(sweep.atMs) : sweep.atMs + 1;
    return withClimb(passed, climbFrom(beyondMs, 0, { completeBelowMs: beyondMs, coarse }));
  }
  const behind = {
    ...climbFrom(anchorMs, sweep.offset, { completeBelowMs: sweep.atMs + 1, coarse }),
    lowOffset: Math.min(sweep.begin, sweep.offset),
  };
  return afterClimb(passed, climbPage(behind, view, state.options.limit), view);
}

function withClimb(state: WalkState, climb: Climb): WalkState {
  return { ...state, phase: { kind: 'climb', climb }, completeBelowMs: climb.completeBelowMs };
}

function finish(state: WalkState, completeBelowMs: number, problem: WalkProblem | null): WalkState {
  const phase = { kind: 'finished' } as const;
  return { ...state, phase, completeBelowMs, problem: state.problem ?? problem };
}

/**
 * What of the pages so far the next one repeats: the end of the page that the walk goes on from,
 * or any of it where a group is swept or the place to go on from is sought. More is not kept: it
 * would wait with thousands of others, and each costs the collector.
 */
function toRepeat(
  { repeated, completeBelowMs }: WalkState,
  next: WalkState,
  view: PageView,
): Repeated {
  const { records, firstMs, lastMs } = view;
  if (lastMs !== null && lastMs < completeBelowMs) return repeated;
  const goesOn = next.phase.kind !== 'sweep' && next.completeBelowMs > completeBelowMs;
  const end = lastMs === null ? records.length : firstIndexFrom(view, lastMs);
  const first = goesOn ? Math.max(0, end - overlapOf(records.length)) : 0;
  const byId = new Map(records.slice(first).map((record) => [record.id, record]));
  return { byId, toMs: Math.max(firstMs ?? -Infinity, lastMs ?? -Infinity) };
}

/** What the walk is for, less what the page before already brought in the same version. */
function fresh(state: WalkState, view: PageView): { accepted: number[]; again: number } {
  const { fromMs, completeBelowMs, repeated, phase, options } = state;
  const accepted: number[] = [];
  let again = 0;
  for (const [index, record] of view.records.entries()) {
    const atMs = view.times[index] ?? null;
    if (atMs !== null && fromMs !== null && atMs < fromMs) continue;
    const previous = (atMs ?? -Infinity) > repeated.toMs ? undefined : repeated.byId.get(record.id);
    if (previous?.at === record.at && previous.version === record.version) continue;
    const seenInGroup =
      phase.kind === 'sweep' &&
      atMs === phase.sweep.atMs &&
      phase.sweep.sightings.lastSeen.has(record.id);
    if (seenInGroup && options.orderBy === 'updated') continue;
    accepted.push(index);
    const isBelow = atMs !== null && atMs < completeBelowMs;
    if (isBelow || seenInGroup || previous !== undefined) again += 1;
  }
  return { accepted, again };
}

/**
 * Only what records themselves have shown moves the watermark. The `Date` header may come from
 * another clock than the records' timestamps, so a quiet list proves nothing about its own time.
 */
function watermarkOf(state: WalkState): string | null {
  const { options, fromMs, completeBelowMs, unprovenMs } = state;
  const provenMs = Math.min(completeBelowMs, unprovenMs, options.startedAtMs);
  return provenMs > (fromMs ?? -Infinity) ? formatInstant(provenMs) : null;
}
