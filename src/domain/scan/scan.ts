import { continuation, orderEvidence } from '../walk/tie-order.ts';
import { addPage, type Marks, NO_MARKS, ranksOf, type Shared, sharedWith } from './marks.ts';
import {
  boundsTheFront,
  COLUMNS,
  type Column,
  countSuffices,
  type Front,
  isBackAgain,
  isOneAnswer,
  isOneLook,
  isUnmoved,
  mayBeNewestFirst,
  mayHaveJoined,
  mayTurnRound,
  orderSuffices,
  overlapOf,
  standsBefore,
} from './rules.ts';
import type { ScanRecord } from './scan-record.ts';

export type { ScanRecord } from './scan-record.ts';

export interface ScanOptions {
  /** The server's clock when the scan begins, epoch milliseconds. */
  readonly startedAtMs: number;
  /** Records to ask for at once; the server may give fewer. */
  readonly limit: number;
  /** The list is of what was edited since an instant: edits put records into it. */
  readonly isFiltered: boolean;
}

export interface ScanPage {
  readonly records: readonly ScanRecord[];
  /** Where the page really begins: a server of numbered pages may begin before what was asked. */
  readonly offset: number;
  /** How many the whole list holds, where the server says so and can be believed. */
  readonly total: number | null;
  readonly more: boolean;
}

/**
 * Why a scan cannot vouch for what it read:
 *
 * - `moving` the list changed faster than it was read
 * - `ties` records of equal times came in one order and another, and no count told that all came
 * - `stalled` pages bring nothing new however the offset moves
 */
export type ScanProblem = 'moving' | 'ties' | 'stalled';

/** Where a scan stands. Plain data: it is stored with every page, and gone on with after a kill. */
export interface ScanState {
  readonly options: ScanOptions;
  /** The whole list, from its beginning to its end, or to where the pass before began. */
  readonly pass: number;
  readonly offset: number;
  readonly marks: Marks;
  /** Records from the beginning of this pass, and of the one before. */
  readonly head: readonly Front[];
  readonly headBefore: readonly Front[];
  /** A page has shown that the last edit does not come first: nobody moves to the front. */
  readonly isNotNewestFirst: boolean;
  /** The passes so far hold everybody who has not moved since; only the front is to be looked at. */
  readonly isCovered: boolean;
  /** So often the front has belied them, and all was read again. */
  readonly doubts: number;
  readonly pagesInPass: number;
  /** By what it may be sorted by: pages that are tied together by the order of equal times alone. */
  readonly runs: Readonly<Record<Column, Run | null>>;
  /** Some of that was too little; they came in another order. */
  readonly isWeak: boolean;
  readonly isDisordered: boolean;
  /** Reads most of each page twice, for pages as short as these show too little order. */
  readonly isDense: boolean;
  /** Records on the longest page. */
  readonly pageLength: number;
  /** Nothing came behind this position, and then nothing at all from this offset on. */
  readonly tailAt: number | null;
  readonly emptyAt: number | null;
  readonly backSteps: number;
  /** Requests in a row that brought nothing new, and returns to the beginning. */
  readonly idle: number;
  readonly returns: number;
  /** Of each pass, how many records there were when it began. */
  readonly totals: readonly (number | null)[];
  /** Some records do not tell since when they are there: no count proves anything. */
  readonly isUncountable: boolean;
  readonly verdict: 'ok' | 'incomplete' | null;
  readonly problem: ScanProblem | null;
}

/** Pages within records of one time, and how unlikely it is that they are in order by chance. */
interface Run {
  readonly atMs: number | null;
  readonly evidence: number;
}

export interface ScanStep {
  readonly state: ScanState;
  /** Positions on the page of records that may have joined the list since the scan began. */
  readonly joined: readonly number[];
  /**
   * To be answered with {@link answerCount} before anything else: for each pass, how many distinct
   * records came in it or a later one and were there when it began, for they had not joined or an
   * earlier pass had shown them.
   */
  readonly asksCount: boolean;
}

/** Records from the beginning that tell whether anybody has moved before them. */
const HEAD = 16;
/** Requests in a row without progress: steps back double, so that 64 is far beyond any list. */
const MOST_IDLE = 64;
/** Of one pass: a list without an end. */
const MOST_PAGES = 100_000;
const MOST_RETURNS = 8;
const MOST_DOUBTS = 3;
const MOST_PASSES = 8;
/** Where answers come in any order, one pass sees two thirds of what the one before missed. */
const MOST_COUNTED_PASSES = 24;

/**
 * Starts reading a whole list that is known by positions alone, while records come, go and change
 * place in it: invariant 1 for what tells no times to read by. Every record that is in the list
 * from the first request to the last is on one of the pages, or the verdict is `incomplete`. Pure;
 * docs/decisions/024-full-scan.md has the proof, and what it takes for granted.
 */
export function startScan(options: ScanOptions): ScanState {
  return {
    options: { ...options, limit: Math.max(1, Math.floor(options.limit)) },
    pass: 0,
    offset: 0,
    marks: NO_MARKS,
    head: [],
    headBefore: [],
    isNotNewestFirst: false,
    isCovered: false,
    doubts: 0,
    pagesInPass: 0,
    runs: { createdMs: null, updatedMs: null },
    isWeak: false,
    isDisordered: false,
    isDense: false,
    pageLength: 0,
    tailAt: null,
    emptyAt: null,
    backSteps: 0,
    idle: 0,
    returns: 0,
    totals: [],
    isUncountable: false,
    verdict: null,
    problem: null,
  };
}

/** The page to ask for next; null where the scan is done. */
export function nextScanRequest(
  state: ScanState,
): { readonly offset: number; readonly limit: number } | null {
  if (state.verdict !== null) return null;
  return { offset: state.offset, limit: state.options.limit };
}

/** Takes in the answer to {@link nextScanRequest}. */
export function acceptScanPage(before: ScanState, page: ScanPage): ScanStep {
  const { records } = page;
  const joined = records.flatMap((record, index) =>
    mayHaveJoined(record, before.options) ? [index] : [],
  );
  const undated = records.some(({ createdMs, updatedMs }) => {
    return createdMs === null || (before.options.isFiltered && updatedMs === null);
  });
  const state = {
    ...before,
    isUncountable: before.isUncountable || undated,
    isNotNewestFirst: before.isNotNewestFirst || !mayBeNewestFirst(records),
  };
  const shared = sharedWith(state.marks, records);
  const step = (next: ScanState): ScanStep => ({ state: next, joined, asksCount: asksCount(next) });
  const isBehind = records.length === 0 && !page.more && page.offset === (state.tailAt ?? -1) + 1;
  // Without an order no record stays the last one: the count alone proves anything, so that will do.
  const isOver = page.offset > 0 && records.length === 0 && !page.more && state.isDisordered;
  if (isOver) return step(endPass({ ...state, backSteps: 0, idle: 0 }));
  if (page.offset > 0 && isBehind) return step(foundEmpty(state, page));
  if (page.offset > 0 && shared.length === 0) return step(stepBack(state, page));
  return step(follow(state, page, shared));
}

/** Behind the last record there is nothing: if it still stands where it stood, that was the end. */
function foundEmpty(state: ScanState, { offset }: ScanPage): ScanState {
  const idle = state.idle + 1;
  if (idle > MOST_IDLE) return finish(state, 'stalled');
  const back = offset - overlapOf(state.pageLength, true);
  return { ...state, offset: Math.max(0, back), emptyAt: offset, idle };
}

/** Nobody on the page was seen before: records slid past its beginning, more than it overlaps. */
function stepBack(state: ScanState, { records, offset }: ScanPage): ScanState {
  const idle = state.idle + 1;
  if (idle > MOST_IDLE) return finish(state, 'moving');
  const length = records.length || state.pageLength;
  const step = Math.max(1, length - overlapOf(length, true)) * 2 ** Math.min(state.backSteps, 20);
  const back = Math.max(0, Math.min(offset, state.offset) - step);
  const returns = state.returns + (back === 0 ? 1 : 0);
  if (returns > MOST_RETURNS) return finish(state, 'moving');
  return { ...state, offset: back, backSteps: state.backSteps + 1, idle, returns };
}

/** The page goes on from what was seen, or begins at the beginning. */
function follow(before: ScanState, page: ScanPage, shared: readonly Shared[]): ScanState {
  const { records, offset, more, total } = page;
  const last = before.marks.records.at(-1);
  const lastIndex = records.findIndex(({ id }) => id === last?.id);
  const known = ranksOf(before.marks);
  const hasNews = lastIndex !== records.length - 1 && records.some(({ id }) => !known.has(id));
  const end = offset + records.length;
  // A server that never says where its list ends: nothing behind it, and the last one still there.
  const isEnd = !more || (!hasNews && before.tailAt === end - 1 && before.emptyAt === end);
  const isTie = offset > 0 && (hasNews || isEnd);
  const joinedTo = offset === 0 ? freed(before) : isTie ? tie(before, page, shared) : before;
  const tied = hasOrder(shared) ? joinedTo : { ...joinedTo, isDisordered: true };
  const firstRank = offset === 0 ? 0 : Math.min(...shared.map(({ rank }) => rank));
  const isFirst = before.pagesInPass === 0;
  const met = before.isCovered ? headOn(page, before.headBefore) : [];
  const isDoubtful = met.some(([front, position]) =>
    isBackAgain(front, position, before.pageLength),
  );
  const state: ScanState = {
    ...tied,
    isCovered: before.isCovered && !isDoubtful,
    doubts: before.doubts + (isDoubtful ? 1 : 0),
    head: headOf(before, page),
    marks: addPage(before.marks, records, firstRank),
    totals: isFirst ? [...before.totals, total] : before.totals,
    pagesInPass: before.pagesInPass + 1,
    pageLength: Math.max(records.length, before.pageLength),
    tailAt: hasNews ? null : end - 1,
    emptyAt: hasNews ? null : before.emptyAt,
    backSteps: 0,
    idle: hasNews ? 0 : before.idle + 1,
  };
  if (isOneAnswer(page)) return finish(state, null);
  if (state.doubts > MOST_DOUBTS) return finish(state, 'stalled');
  if (state.isCovered && met.length > 0) {
    return isOneLook(state.pagesInPass) ? finish(state, null) : endPass(state);
  }
  if (isEnd) return endPass(state);
  if (state.idle > MOST_IDLE || state.pagesInPass > MOST_PAGES) return finish(state, 'stalled');
  if (!hasNews && offset > 0) return { ...state, offset: end };
  const overlap = overlapOf(records.length, state.isDense);
  const next = offset + Math.max(1, records.length - overlap);
  // Pages that are numbered begin where they can: asked for again, it would be the same one.
  const isSame = next <= before.offset && !hasNews;
  return { ...state, offset: isSame ? Math.ceil((before.offset + end) / 2) : next };
}

/** Whether those of a page that stand as they stood come in the order in which they came. */
function hasOrder(shared: readonly Shared[]): boolean {
  return shared.every(({ rank, mark }, index) => {
    const next = shared[index + 1];
    return next === undefined || next.rank > rank || mayTurnRound(mark, next.mark);
  });
}

/**
 * What ties the page to those before it, whichever time the list is sorted by: a record that stands
 * before all that have the last one's time, or else the order of those that have it as well.
 */
function tie(state: ScanState, page: ScanPage, shared: readonly Shared[]): ScanState {
  const frontier = state.marks.records.at(-1);
  if (frontier === undefined) return state;
  const isTied = (column: Column) =>
    !shared.some(({ mark }) => standsBefore(mark, frontier, column));
  if (!COLUMNS.some(isTied)) return freed(state);
  const evidence = evidenceOf(state, page, shared);
  const isDisordered = state.isDisordered || evidence === null;
  return COLUMNS.reduce(
    (next, column) => {
      const atMs = frontier[column];
      if (!isTied(column)) return freed(next, column);
      // Times that are not shown may change from record to record: each page is by itself.
      const run = next.runs[column];
      const goesOn = run !== null && atMs !== null && run.atMs === atMs;
      const before = goesOn ? next : freed(next, column);
      const sum = (goesOn ? run.evidence : 0) + (evidence ?? 0);
      return { ...before, runs: { ...before.runs, [column]: { atMs, evidence: sum } } };
    },
    { ...state, isDisordered },
  );
}

/** How unlikely it is that the page's order is chance; null where it is no order. */
function evidenceOf(
  { marks, options }: ScanState,
  { records }: ScanPage,
  shared: readonly Shared[],
): number | null {
  const ranks = ranksOf(marks);
  const unmoved = new Set(shared.map(({ index }) => index));
  const whole = shared.find(({ rank }) => rank >= marks.wholeFrom);
  if (whole === undefined) return 0;
  const ids = records.flatMap((record, index) => {
    const isMoved = ranks.has(record.id) && !unmoved.has(index);
    const isLate = !ranks.has(record.id) && mayHaveJoined(record, options);
    return index < whole.index || isMoved || isLate ? [] : [record.id];
  });
  const follows = continuation(ranks, ids);
  if (follows.kind === 'contradicts') return null;
  return follows.kind === 'follows' ? orderEvidence(follows.shared) : 0;
}

/** Ends a run of pages that were tied together by their order, or all of them. */
function freed(state: ScanState, only?: Column): ScanState {
  const ended = only === undefined ? COLUMNS : [only];
  const isWeak = ended.some((column) => {
    const run = state.runs[column];
    return run !== null && !orderSuffices(run.evidence);
  });
  const runs = { ...state.runs, ...Object.fromEntries(ended.map((column) => [column, null])) };
  return { ...state, runs, isWeak: state.isWeak || isWeak };
}

/** The first records of the pass, where they stand by now. */
function headOf(state: ScanState, page: ScanPage): readonly Front[] {
  const { head, options, isNotNewestFirst } = state;
  const stands = new Map(headOn(page, head));
  const moved = head.map((front) => {
    const position = stands.get(front) ?? front.position;
    const pushedBy = Math.max(0, front.pushedBy + position - front.position);
    return { ...front, position, pushedBy };
  });
  const known = new Set(head.map(({ id }) => id));
  const fronts = [...moved];
  for (const [index, record] of page.records.entries()) {
    if (fronts.length >= HEAD) break;
    const isBound = isNotNewestFirst || boundsTheFront(record, options.startedAtMs);
    if (!isBound || known.has(record.id)) continue;
    fronts.push({ ...record, position: page.offset + index, pushedBy: 0 });
  }
  return fronts;
}

/** Whom of the beginning a page shows unmoved, and at which position of the list. */
function headOn({ records, offset }: ScanPage, head: readonly Front[]): readonly [Front, number][] {
  const fronts = new Map(head.map((front) => [front.id, front]));
  return records.flatMap((record, index): [Front, number][] => {
    const front = fronts.get(record.id);
    return front !== undefined && isUnmoved(front, record) ? [[front, offset + index]] : [];
  });
}

function endPass(before: ScanState): ScanState {
  const state = freed(before);
  const isProven = !state.isWeak && !state.isDisordered;
  const counts = canCount(state) && !isProven;
  const most = counts ? MOST_COUNTED_PASSES : MOST_PASSES;
  if (state.pass + 1 >= most) {
    return finish(state, isProven ? 'moving' : 'ties');
  }
  return {
    ...state,
    pass: state.pass + 1,
    offset: 0,
    head: [],
    headBefore: state.head,
    isCovered: isProven,
    pagesInPass: 0,
    runs: { createdMs: null, updatedMs: null },
    isWeak: false,
    isDisordered: false,
    isDense: state.isWeak && !state.isDisordered,
  };
}

function canCount({ isUncountable, totals }: ScanState): boolean {
  return !isUncountable && totals.some((total) => total !== null);
}

/** At the end of a pass: one that its order proves needs no look at the front where the count does too. */
function asksCount(state: ScanState): boolean {
  const isEnd = state.pagesInPass === 0 && state.pass > 0;
  const isUnproven = state.verdict === 'incomplete' && state.problem === 'ties';
  return canCount(state) && ((isEnd && state.backSteps === 0) || isUnproven);
}

/** @param seen by pass: how many distinct records came then or later that were there when it began. */
export function answerCount(state: ScanState, seen: readonly number[]): ScanState {
  const isWhole = state.totals.some((total, pass) => countSuffices(seen[pass] ?? -1, total));
  return isWhole ? { ...state, verdict: 'ok', problem: null } : state;
}

function finish(state: ScanState, problem: ScanProblem | null): ScanState {
  return { ...state, verdict: problem === null ? 'ok' : 'incomplete', problem };
}
