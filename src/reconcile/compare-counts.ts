import { countSpan, createdAtRank } from '../db/reconcile/rows.ts';
import { formatInstant, parseInstant } from '../domain/walk/instant.ts';
import { comparePages } from './compare-pages.ts';
import {
  cutOf,
  type Halving,
  isUnreliable,
  nextTask,
  type Part,
  type Span,
  startHalving,
  type Tally,
  takeCount,
  takeGrain,
  takeRead,
  takeSplit,
} from './halving.ts';
import type { Pass } from './pass.ts';

/** A list that does not say how much it holds, or says what it does not hold. */
export const UNCOUNTED = 'uncounted';

/**
 * Finds where both sides differ in number and compares there record by record: a few requests per
 * difference. One record missing here and another gone there hide each other where they were
 * created in the same span, for then the counts agree.
 *
 * @returns `agreed` where no count differed; `problem` where it could not be done.
 */
export async function compareCounts(
  pass: Pass,
  parts: readonly Part[],
): Promise<{ readonly agreed: boolean; readonly problem: string | null }> {
  let agreed = true;
  const failed = (problem: string) => ({ agreed: false, problem });
  let halving = startHalving(parts, pass.deps.remote.limits.pageSize);
  for (let task = nextTask(halving); task !== null; task = nextTask(halving)) {
    pass.options.signal.throwIfAborted();
    switch (task.kind) {
      case 'count': {
        const tally = await countBoth(pass, task.span);
        if (tally === null) return failed(UNCOUNTED);
        halving = takeCount(halving, tally);
        break;
      }
      case 'split': {
        const { span, tally } = task;
        const rank = Math.floor(tally.local / 2);
        const medianMs = await createdAtRank(pass.deps.db, pass.table, span, rank);
        const cutMs = cutOf(task, medianMs);
        const before = await countBoth(pass, { fromMs: span.fromMs, toMs: cutMs - 1 });
        if (before === null) return failed(UNCOUNTED);
        halving = takeSplit(halving, cutMs, before);
        break;
      }
      case 'grain':
        halving = takeGrain(halving, await grainOf(pass, task));
        break;
      case 'read': {
        const { differences, problem } = await comparePages(pass, task.span);
        if (problem !== null) return failed(problem);
        agreed = false;
        halving = takeRead(halving, differences);
        break;
      }
    }
    if (isUnreliable(halving)) return failed(UNCOUNTED);
    if (pass.isFull) break;
  }
  return { agreed, problem: null };
}

/** Null where the list does not say how many there are, or contradicts itself. */
export async function countRemote(pass: Pass, span: Span | null): Promise<number | null> {
  const page = await readFirst(pass, span);
  if (page.total === null || page.total < page.records.length) return null;
  return page.total;
}

/** Null as for {@link countRemote}. */
export async function countBoth(pass: Pass, span: Span): Promise<Tally | null> {
  const remote = await countRemote(pass, span);
  if (remote === null) return null;
  return { remote, local: await countSpan(pass.deps.db, pass.table, span) };
}

/** The first record of a span, and how many there are, one request. */
async function readFirst(pass: Pass, span: Span | null) {
  const { deps, table, options, counts } = pass;
  const page = await deps.remote.readPage(
    {
      object: table.schema,
      orderBy: 'created',
      direction: 'asc',
      ...(span && { from: formatInstant(span.fromMs), to: formatInstant(span.toMs) }),
      offset: 0,
      limit: 1,
    },
    options,
  );
  counts.requests += 1;
  counts.read += page.records.length;
  pass.witness ??= page.records[0]?.id ?? null;
  return page;
}

/** Asked for its first millisecond, a server that compares days shows the day. */
async function grainOf(
  pass: Pass,
  { span, tally }: { readonly span: Span; readonly tally: Tally },
): Promise<NonNullable<Exclude<Halving['grain'], 'unknown'>>> {
  const { fromMs } = span;
  const page = await readFirst(pass, { fromMs, toMs: fromMs });
  const firstMs = parseInstant(page.records[0]?.createdAt ?? null);
  const isDay = (firstMs !== null && firstMs !== fromMs) || (page.total ?? 0) >= tally.remote;
  return isDay ? 'days' : 'instants';
}
