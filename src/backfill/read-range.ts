import { readLinkedPage } from '../conflicts/link-pages.ts';
import { type ReadDeps, type ReadOptions, serverNow } from '../conflicts/read-object.ts';
import type { BackfillRange } from '../db/backfill-ranges.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { formatInstant, parseInstant } from '../domain/walk/instant.ts';
import { acceptPage, nextRequest, startWalk, type WalkProblem } from '../domain/walk/walk.ts';

/** What one page brought of a range. */
export interface RangePage {
  readonly requests: number;
  /** A version may come twice. */
  readonly records: readonly RemoteRecord[];
  /** How many of them are known to have come before. */
  readonly again: number;
  /** Everything of the range created before this has been handed over; null where unchanged. */
  readonly watermark: string | null;
  /** `ok` and `incomplete` come last. */
  readonly verdict: 'ok' | 'incomplete' | null;
  readonly problem: WalkProblem | null;
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
  options: ReadOptions,
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
    const request = { ...next, to };
    const page = await readLinkedPage(deps, table, request, { ...options, depth: 'all' });
    const step = acceptPage(state, {
      records: page.records.map(({ id, createdAt, updatedAt }) => {
        return { id, at: createdAt, version: updatedAt };
      }),
      total: page.total,
      more: page.more,
    });
    state = step.state;
    const accepted = step.accepted.flatMap((index) => page.records[index] ?? []);
    // A server that compares whole days goes on to the end of the day.
    const isBeyond = (record: RemoteRecord | undefined) =>
      (parseInstant(record?.createdAt ?? null) ?? 0) >= beforeMs;
    const records = isBeyond(accepted.at(-1))
      ? accepted.filter((record) => !isBeyond(record))
      : accepted;
    const isThrough = (parseInstant(step.watermark) ?? Number.NEGATIVE_INFINITY) >= beforeMs;
    const verdict = isThrough && step.problem === null ? 'ok' : step.verdict;
    const { requests } = page;
    const { watermark, problem, again } = step;
    yield { requests, records, again, watermark, verdict, problem };
    if (verdict !== null) return;
  }
}
