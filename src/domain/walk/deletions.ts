import { OVERLAP_MS } from './instant.ts';

/** The feed's stamps are whole seconds: this much more is read again. */
const STAMP_MS = 1_000;
/** Times over the feed before its order is taken to hide something. */
const PASS_LIMIT = 24;

export interface DeletionsOptions {
  /** From {@link deletionsSince}. */
  readonly sinceMs: number;
  readonly limit: number;
  /** The server's clock when the reading starts, as for `startWalk`. */
  readonly startedAtMs: number;
}

/** Opaque, and spent once it was handed to {@link acceptDeletions}. */
export interface DeletionsState {
  readonly options: DeletionsOptions;
  readonly offset: number;
  readonly passes: number;
  readonly pagesInPass: number;
  readonly newestMs: number;
  /** Grows with the deletions since the last reading. */
  readonly seen: Set<string>;
  readonly done: boolean;
}

export interface DeletionsStep {
  readonly state: DeletionsState;
  /** Positions on the page of deletions not handed over before. */
  readonly accepted: readonly number[];
  /** Epoch milliseconds to store with the last page; null unless the verdict is `ok`. */
  readonly watermarkMs: number | null;
  readonly done: boolean;
  readonly verdict: 'ok' | 'incomplete' | null;
}

/**
 * Where to read the feed from, overlap included. Whether the feed reaches back that far is for
 * the caller to tell, from the time since it was last read.
 */
export function deletionsSince(watermarkMs: number, serverNowMs: number): number {
  return Math.max(0, Math.min(watermarkMs, serverNowMs) - OVERLAP_MS - STAMP_MS);
}

/**
 * Starts reading a feed that has no order and grows while it is read. Nothing leaves it, so
 * everything ever seen in it is still there when its end is reached: as many distinct deletions as
 * the end's position tells means all of them. Otherwise it is read again.
 */
export function startDeletions(options: DeletionsOptions): DeletionsState {
  return {
    options: { ...options, limit: Math.max(1, Math.floor(options.limit)) },
    offset: 0,
    passes: 0,
    pagesInPass: 0,
    newestMs: options.sinceMs,
    seen: new Set(),
    done: false,
  };
}

export function nextDeletionsRequest(
  state: DeletionsState,
): { readonly sinceMs: number; readonly offset: number; readonly limit: number } | null {
  if (state.done) return null;
  const { sinceMs, limit } = state.options;
  return { sinceMs, offset: state.offset, limit };
}

/** Takes in the answer to {@link nextDeletionsRequest}. */
export function acceptDeletions(
  state: DeletionsState,
  page: {
    readonly deletions: readonly { readonly id: string; readonly deletedAtMs: number }[];
    readonly more: boolean;
  },
): DeletionsStep {
  const { seen } = state;
  const accepted: number[] = [];
  let { newestMs } = state;
  for (const [index, { id, deletedAtMs }] of page.deletions.entries()) {
    const deletion = `${deletedAtMs} ${id}`;
    if (seen.has(deletion)) continue;
    seen.add(deletion);
    accepted.push(index);
    newestMs = Math.max(newestMs, deletedAtMs);
  }
  const end = state.offset + page.deletions.length;
  const pagesInPass = state.pagesInPass + 1;
  const read = { ...state, newestMs, pagesInPass };
  if (page.more) {
    const pageLength = Math.max(1, page.deletions.length);
    const isEndless = pagesInPass > 16 + (4 * seen.size) / pageLength;
    if (isEndless) return finish(read, accepted, 'incomplete');
    return goOn({ ...read, offset: end }, accepted);
  }
  if (seen.size === end) return finish(read, accepted, 'ok');
  const passes = state.passes + 1;
  if (passes >= PASS_LIMIT) return finish(read, accepted, 'incomplete');
  return goOn({ ...read, passes, pagesInPass: 0, offset: 0 }, accepted);
}

function goOn(state: DeletionsState, accepted: readonly number[]): DeletionsStep {
  return { state, accepted, watermarkMs: null, done: false, verdict: null };
}

function finish(
  state: DeletionsState,
  accepted: readonly number[],
  verdict: 'ok' | 'incomplete',
): DeletionsStep {
  const { newestMs, options } = state;
  const { startedAtMs } = options;
  const watermarkMs = verdict === 'ok' ? Math.min(newestMs, startedAtMs) : null;
  return { state: { ...state, done: true }, accepted, watermarkMs, done: true, verdict };
}
