import { withinLockTimeout } from '../db/connection/database.ts';
import { countKnown, createdAtEvery, readUnplaced } from '../db/reconcile/rows.ts';
import { startOfUtcDay } from '../domain/walk/instant.ts';
import { ALL_TIME } from './all-time.ts';
import { compareCounts, countBoth, countRemote, UNCOUNTED } from './compare-counts.ts';
import { comparePages } from './compare-pages.ts';
import type { Part, Span } from './halving.ts';
import { type Pass, suspect } from './pass.ts';

export interface Compared {
  /** Why nothing is proven; null where something is. */
  readonly problem: string | null;
  /** Every record was read, or every count agreed: there is no need to look again. */
  readonly isProof: boolean;
}

/** Parts counted from the start, so that what hides another difference has to stand close to it. */
const PARTS = 16;

/**
 * Compares an object by its counts; record by record where it is small, where that is asked for,
 * and where the counts are missing or contradict themselves.
 */
export async function compare(pass: Pass): Promise<Compared> {
  if (pass.options.deep) return await compareAll(pass);
  const { deps, table, options } = pass;
  const remoteAll = await countRemote(pass, null);
  const known = await countKnown(withinLockTimeout(deps.db), table, ALL_TIME);
  if (remoteAll === null) return await compareAll(pass);
  if (options.quick && remoteAll === known.all) return AGREED;
  if (Math.max(remoteAll, known.all) <= deps.remote.limits.pageSize) return await compareAll(pass);

  const placed = await countRemote(pass, ALL_TIME);
  const undated = placed === null ? null : remoteAll - placed;
  const undatedHere = known.all - known.placed;
  // No range holds records without a creation: what is missing of them, only reading everything finds.
  if (placed === null || undated === null || undated > undatedHere) return await compareAll(pass);
  if (undated < undatedHere) await suspectUndated(pass);
  const tally = { remote: placed, local: known.placed };
  const parts = options.quick ? [{ span: ALL_TIME, tally }] : await cutInParts(pass, known.placed);
  return await compareParts(pass, parts);
}

/**
 * Looks again at what can no longer grow: days before the one the comparison began on. Agreement
 * there means that nothing was hidden by changes meanwhile.
 */
export async function compareAgain(pass: Pass, startedAtMs: number): Promise<Compared> {
  const span = { fromMs: ALL_TIME.fromMs, toMs: startOfUtcDay(startedAtMs) - 1 };
  const tally = await countBoth(pass, span);
  if (tally === null) return await compareAll(pass);
  return tally.remote === tally.local ? AGREED : await compareParts(pass, [{ span, tally }]);
}

const AGREED: Compared = { problem: null, isProof: true };

async function compareAll(pass: Pass): Promise<Compared> {
  const { problem } = await comparePages(pass, null);
  return { problem, isProof: !pass.isFull };
}

async function compareParts(pass: Pass, parts: readonly Part[]): Promise<Compared> {
  const { agreed, problem } = await compareCounts(pass, parts);
  return problem === UNCOUNTED ? await compareAll(pass) : { problem, isProof: agreed };
}

async function suspectUndated(pass: Pass): Promise<void> {
  const limit = pass.suspectLimit;
  const ids = await readUnplaced(pass.deps.db, pass.table, ALL_TIME, { seen: [], limit });
  for (const id of ids) suspect(pass, id);
}

/** Cuts of about as many rows each, at days' beginnings. */
async function cutInParts({ deps, table }: Pass, rows: number): Promise<Part[]> {
  const times = await createdAtEvery(
    withinLockTimeout(deps.db),
    table,
    ALL_TIME,
    Math.ceil(rows / PARTS),
  );
  const cuts = new Set(times.map(startOfUtcDay).filter((ms) => ms > ALL_TIME.fromMs));
  const begins = [ALL_TIME.fromMs, ...cuts];
  return begins.map((fromMs, index) => {
    const span: Span = { fromMs, toMs: (begins[index + 1] ?? ALL_TIME.toMs + 1) - 1 };
    return { span, tally: null };
  });
}
