import { type ReadDeps, type ReadOptions, serverNow } from '../conflicts/read-object.ts';
import type { BackfillRange } from '../db/backfill-ranges.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { formatInstant, parseInstant } from '../domain/walk/instant.ts';
import { acceptPage, nextRequest, startWalk, type WalkProblem } from '../domain/walk/walk.ts';

/** What one request brought of a range. */
export interface RangePage {
  /** A version may come twice. */
  readonly records: readonly RemoteRecord[];
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
  for (let request = nextRequest(state); request; request = nextRequest(state)) {
    options.signal.throwIfAborted();
    const page = await deps.remote.readPage({ object: table.schema, ...request, to }, options);
    const step = acceptPage(state, {
      records: page.records.map(({ id, createdAt, updatedAt }) => {
        return { id, at: createdAt, version: updatedAt };
      }),
      total: page.total,
      more: page.more,
    });
    state = step.state;
    // A server that compares whole days goes on to the end of the day.
    const records = step.accepted.flatMap((index) => {
      const record = page.records[index];
      const isBeyond = (parseInstant(record?.createdAt ?? null) ?? 0) >= beforeMs;
      return record === undefined || isBeyond ? [] : [record];
    });
    const isThrough = (parseInstant(step.watermark) ?? Number.NEGATIVE_INFINITY) >= beforeMs;
    const verdict = isThrough && step.problem === null ? 'ok' : step.verdict;
    yield { records, watermark: step.watermark, verdict, problem: step.problem };
    if (verdict !== null) return;
  }
}
