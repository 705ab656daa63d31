/*
 * Where two sides hold different records, found from counts alone: a pure function of the counts.
 */

/** A stretch of `_created_at`, epoch milliseconds, both ends included. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How many records each side has in a span. */
export interface Tally {
  readonly remote: number;
  readonly local: number;
}

/** What to do next; the answer goes to the `take…` function of the same name. */
export type Task =
  /** Count both sides. */
  | { readonly kind: 'count'; readonly span: Span }
  /** Cut the span in two, at {@link cutOf}, and count what lies before the cut. */
  | { readonly kind: 'split'; readonly span: Span; readonly tally: Tally }
  /** Find out whether the server can count less than a day; the span is one. */
  | { readonly kind: 'grain'; readonly span: Span; readonly tally: Tally }
  /** Compare record by record. */
  | { readonly kind: 'read'; readonly span: Span; readonly tally: Tally };

export interface Part {
  readonly span: Span;
  /** Null: not counted yet. */
  readonly tally: Tally | null;
}

export interface Halving {
  /** Records on a page, which are compared one by one. */
  readonly leaf: number;
  /** The smallest span the server can count, where that is known. */
  readonly grain: 'unknown' | 'instants' | 'days';
  /** The next one last. */
  readonly parts: readonly Part[];
  /** Counts that contradict each other, and spans that differed in nothing but their counts. */
  readonly doubts: number;
}

const DAY_MS = 86_400_000;
/** Changes meanwhile explain a contradiction or two, a server that miscounts makes many. */
const MOST_DOUBTS = 4;

export function startHalving(parts: readonly Part[], leaf: number): Halving {
  return { leaf, grain: 'unknown', parts: parts.toReversed(), doubts: 0 };
}

/** Whether the counts cannot be relied on: everything has to be read instead. */
export function isUnreliable(halving: Halving): boolean {
  return halving.doubts >= MOST_DOUBTS;
}

/** Null where no span differs any more. Spans that agree are passed over. */
export function nextTask(halving: Halving): Task | null {
  const part = halving.parts.findLast(({ tally }) => tally === null || differs(tally));
  if (part === undefined) return null;
  const { span, tally } = part;
  if (tally === null) return { kind: 'count', span };
  if (isWorthReading(tally, halving.leaf)) return { kind: 'read', span, tally };
  if (isDivisible(span, DAY_MS)) return { kind: 'split', span, tally };
  if (halving.grain === 'unknown') return { kind: 'grain', span, tally };
  const divisible = halving.grain === 'instants' && isDivisible(span, 1);
  return { kind: divisible ? 'split' : 'read', span, tally };
}

function differs({ remote, local }: Tally): boolean {
  return remote !== local;
}

/**
 * Where a page holds it all, one side is empty, or differences stand so dense that reading takes
 * fewer requests: counting takes one each to part it from the others, some to corner it, and one
 * to read it.
 */
function isWorthReading({ remote, local }: Tally, leaf: number): boolean {
  const records = Math.max(remote, local);
  if (records <= leaf || Math.min(remote, local) === 0) return true;
  const differences = Math.abs(remote - local);
  const halvings = Math.log2(Math.max(1, records / (differences * leaf)));
  return Math.ceil(records / leaf) < differences * (halvings + 2) - 1;
}

function isDivisible({ fromMs, toMs }: Span, grainMs: number): boolean {
  return Math.floor(toMs / grainMs) > Math.floor(fromMs / grainMs);
}

/**
 * Where the second half of a span begins: at the middle one of the local rows, for that halves
 * their number; where the other side has far more, in the middle of the time. On a day's beginning
 * as long as there is one: a server may compare whole days.
 */
export function cutOf({ span, tally }: Task & { kind: 'split' }, medianMs: number | null): number {
  const { fromMs, toMs } = span;
  const grainMs = isDivisible(span, DAY_MS) ? DAY_MS : 1;
  const usesMedian = medianMs !== null && 2 * tally.local >= tally.remote;
  const middleMs = usesMedian ? medianMs : fromMs + (toMs - fromMs) / 2;
  const cutMs = Math.floor(Math.min(middleMs, toMs) / grainMs) * grainMs;
  // Most of them stand in the first grain: it becomes a half of its own.
  return cutMs > fromMs ? cutMs : (Math.floor(fromMs / grainMs) + 1) * grainMs;
}

/** The answer to `count`. */
export function takeCount(halving: Halving, tally: Tally): Halving {
  const { rest, part } = pop(halving);
  return { ...halving, parts: [...rest, { span: part.span, tally }] };
}

/** The answer to `split`: what lies before the cut. The rest is known by subtraction. */
export function takeSplit(halving: Halving, cutMs: number, before: Tally): Halving {
  const { rest, part } = pop(halving);
  const { span, tally } = part;
  const left = { span: { fromMs: span.fromMs, toMs: cutMs - 1 }, tally: before };
  const behind = { fromMs: cutMs, toMs: span.toMs };
  if (tally === null) return { ...halving, parts: [...rest, { span: behind, tally }, left] };
  const remote = tally.remote - before.remote;
  const local = tally.local - before.local;
  const contradicts = remote < 0 || local < 0;
  const right = { span: behind, tally: contradicts ? null : { remote, local } };
  const doubts = halving.doubts + (contradicts ? 1 : 0);
  return { ...halving, doubts, parts: [...rest, right, left] };
}

/** The answer to `grain`. */
export function takeGrain(halving: Halving, grain: 'instants' | 'days'): Halving {
  return { ...halving, grain };
}

/** The answer to `read`: how many records stood on one side alone. */
export function takeRead(halving: Halving, differences: number): Halving {
  const { rest } = pop(halving);
  return { ...halving, parts: rest, doubts: halving.doubts + (differences === 0 ? 1 : 0) };
}

function pop({ parts }: Halving): { readonly rest: readonly Part[]; readonly part: Part } {
  const at = parts.findLastIndex(({ tally }) => tally === null || differs(tally));
  const part = parts[at];
  if (part === undefined) throw new Error('no span differs: there is nothing to answer');
  return { rest: parts.slice(0, at), part };
}
