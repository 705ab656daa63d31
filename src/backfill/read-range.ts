import { serverNow } from '../conflicts/clocks.ts';
import { type LinkedPage, readLinkedPage } from '../conflicts/link-pages.ts';
import { type ReadDeps, type ReadOptions } from '../conflicts/read-object.ts';
import type { BackfillRange } from '../db/backfill/ranges.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { formatInstant, parseInstant } from '../domain/walk/instant.ts';
import {
  acceptPage,
  nextRequest,
  startWalk,
  type WalkProblem,
  type WalkState,
} from '../domain/walk/walk.ts';

/** What one page came to, once its records were handed over. */
export interface RangePage {
  readonly requests: number;
  /** How many of its records are known to have come before. */
  readonly again: number;
  /** Everything of the range created before this has been handed over; null where unchanged. */
  readonly watermark: string | null;
  /** `ok` and `incomplete` come last. */
  readonly verdict: 'ok' | 'incomplete' | null;
  readonly problem: WalkProblem | null;
}

export interface RangeOptions extends ReadOptions {
  /** Takes a page's records at once, and keeps as little of them as it can. A version may come twice. */
  readonly onRecords: (records: readonly RemoteRecord[]) => void;
}

/**
 * Reads a range from where it stopped, by the walk that loses nothing while records are edited
 * and deleted. It begins right at the watermark: what was written late is behind the handover,
 * and so for incremental pull to find.
 *
 * @throws RemoteError, or the signal's reason.
 */
export async function* readRange(
  deps: ReadDeps,
  table: MirrorTable,
  range: BackfillRange,
  options: RangeOptions,
): AsyncGenerator<RangePage, void, void> {
  const beforeMs = parseInstant(range.before) ?? Number.POSITIVE_INFINITY;
  const to = range.before === null ? undefined : formatInstant(beforeMs - 1);
  let state = startWalk({
    orderBy: 'created',
    from: range.watermark ?? range.from,
    limit: deps.remote.limits.pageSize,
    probe: false,
    startedAtMs: serverNow(deps),
  });
  for (let next = nextRequest(state); next; next = nextRequest(state)) {
    options.signal.throwIfAborted();
    const taken = await takePage(deps, table, { ...next, to }, { ...options, state, beforeMs });
    state = taken.state;
    yield taken.page;
    if (taken.page.verdict !== null) return;
  }
}

/** How far the walk of a range has come. */
interface Position {
  readonly state: WalkState;
  readonly beforeMs: number;
}

async function takePage(
  deps: ReadDeps,
  table: MirrorTable,
  request: Parameters<typeof readLinkedPage>[2],
  options: RangeOptions & Position,
): Promise<{ readonly state: WalkState; readonly page: RangePage }> {
  const { state, beforeMs, onRecords, ...call } = options;
  const page = await readLinkedPage(deps, table, request, { ...call, depth: 'all' });
  return handOver(page, { state, beforeMs, onRecords });
}

/**
 * Hands a page's records over, and leaves none of them with the page: promises and frames that it
 * came through have outlived a collection while they waited, and would carry it through the next.
 */
function handOver(
  { records, total, more, requests }: LinkedPage,
  { state, beforeMs, onRecords }: Pick<RangeOptions, 'onRecords'> & Position,
): { readonly state: WalkState; readonly page: RangePage } {
  const step = acceptPage(state, {
    records: records.map(({ id, createdAt, updatedAt }) => {
      return { id, at: createdAt, version: updatedAt };
    }),
    total,
    more,
  });
  const accepted = step.accepted.flatMap((index) => records[index] ?? []);
  // A server that compares whole days goes on to the end of the day.
  const isBeyond = (record: RemoteRecord | undefined) =>
    (parseInstant(record?.createdAt ?? null) ?? 0) >= beforeMs;
  onRecords(isBeyond(accepted.at(-1)) ? accepted.filter((record) => !isBeyond(record)) : accepted);
  records.length = 0;
  const isThrough = (parseInstant(step.watermark) ?? Number.NEGATIVE_INFINITY) >= beforeMs;
  const verdict = isThrough && step.problem === null ? 'ok' : step.verdict;
  const { watermark, problem, again } = step;
  return { state: step.state, page: { requests, again, watermark, verdict, problem } };
}
