import { applyRead } from '../conflicts/apply-read.ts';
import { serverNow } from '../conflicts/clocks.ts';
import { readLinkedPage } from '../conflicts/link-pages.ts';
import {
  contextOf,
  type ReadDeps,
  type ReadOptions,
  refuseAll,
  UNDATED,
} from '../conflicts/read-object.ts';
import { readDatabaseTime } from '../db/cursor.ts';
import { dropDeadLinks, renameLinks } from '../db/link-rows.ts';
import { ownViews } from '../db/mirror/links.ts';
import { loadMirror } from '../db/mirror/load.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import {
  beginSweep,
  loadSweep,
  moveSweep,
  readSyncedSince,
  type Sweep,
} from '../db/sweep-state.ts';
import { type SweepDue, sweepDue } from '../domain/sweep-plan.ts';
import {
  acceptPage,
  nextRequest,
  startWalk,
  type WalkRequest,
  type WalkState,
} from '../domain/walk/walk.ts';

export interface SweepOptions extends Omit<ReadOptions, 'onPage'> {
  /** Every page is read again within this time. */
  readonly intervalMs: number;
}

export interface SweepResult {
  readonly requests: number;
  readonly read: number;
  /** Rows that an incremental pull could not have found: nothing had moved their timestamp. */
  readonly changed: number;
  readonly linked: number;
  readonly unlinked: number;
  /** Why the round that ended was not complete; null where it was, or goes on. */
  readonly problem: string | null;
}

/** Links that could not be brought are asked for again at once, but not all the time. */
const URGENT_AGAIN_MS = 300_000;

/**
 * Reads the pages of one object that are due for the rolling sweep, in the order of creation: what
 * bumps no timestamp, such as links, is found this way (invariant 1). Each page is applied in one
 * transaction with the sweep's progress; it may be killed anywhere.
 *
 * @returns null where nothing was due.
 * @throws RemoteError, or SyncError `sweep-moved` where another process sweeps the same object.
 */
export async function sweepObject(
  deps: ReadDeps,
  table: MirrorTable,
  options: SweepOptions,
): Promise<SweepResult | null> {
  const standing = await loadSweep(deps.db, table.object);
  if (standing === null) return null;
  const links = ownViews(deps.links, table.object).map(({ link }) => link.name);
  const due = dueOf(standing, links, options);
  if (due.pages === 0) return null;
  let sweep = due.begin ? await beginSweep(deps.db, standing, links) : standing;
  const total = { requests: 0, read: 0, changed: 0, linked: 0, unlinked: 0 };
  const { watermark } = sweep;
  let state = startWalk({
    orderBy: 'created',
    from: watermark,
    limit: deps.remote.limits.pageSize,
    probe: false,
    startedAtMs: serverNow(deps),
  });
  // A group of one timestamp that is larger than what is due is read whole, or never gets done.
  for (let pages = 0; pages < due.pages || sweep.watermark === watermark; pages += 1) {
    const request = nextRequest(state);
    if (request === null || sweep.finishedAt !== null) break;
    options.signal.throwIfAborted();
    const step = await sweepPage(deps, table, { sweep, state, request }, options);
    ({ sweep, state } = step);
    total.requests += step.requests;
    total.read += step.read;
    total.changed += step.changed;
    total.linked += step.linked;
    total.unlinked += step.unlinked;
  }
  return { ...total, problem: sweep.finishedAt === null ? null : sweep.problem };
}

function dueOf(standing: Sweep, links: readonly string[], options: SweepOptions): SweepDue {
  const { intervalMs } = options;
  const { startedAt, finishedAt, pages, totalPages, nowMs } = standing;
  const startedAtMs = startedAt === null ? null : Date.parse(startedAt);
  const finishedAtMs = finishedAt === null ? null : Date.parse(finishedAt);
  const isNew = links.some((name) => !standing.linked.includes(name));
  // A link table that has appeared since the round began is not read from its beginning.
  const isLate = links.some((name) => !standing.roundLinks.includes(name));
  const isTriedLately = finishedAtMs !== null && nowMs - finishedAtMs < URGENT_AGAIN_MS;
  const urgent = isNew && (isLate || !isTriedLately);
  const isUnderWay = startedAtMs !== null && finishedAtMs === null;
  if (urgent && isUnderWay && isLate) return { begin: true, pages: Number.POSITIVE_INFINITY };
  return sweepDue({ startedAtMs, finishedAtMs, pages, totalPages }, { nowMs, intervalMs, urgent });
}

async function sweepPage(
  deps: ReadDeps,
  table: MirrorTable,
  at: { readonly sweep: Sweep; readonly state: WalkState; readonly request: WalkRequest },
  options: SweepOptions,
) {
  const readAt = await readDatabaseTime(deps.db);
  const page = await readLinkedPage(deps, table, at.request, { ...options, depth: 'all' });
  const step = acceptPage(at.state, {
    records: page.records.map(({ id, createdAt, updatedAt }) => {
      return { id, at: createdAt, version: updatedAt };
    }),
    total: page.total,
    more: page.more,
  });
  const records = step.accepted.flatMap((index) => page.records[index] ?? []);
  const left = page.total === null ? null : page.total - at.request.offset;
  const progress = {
    watermark: step.watermark,
    totalPages: left === null ? null : at.sweep.pages + Math.ceil(left / at.request.limit),
    requests: page.requests,
    records: records.length,
    finished: step.verdict !== null,
    problem: problemOf(deps, table, step.verdict === 'incomplete' ? step.problem : null),
  };
  const context = await contextOf(deps, table, { records, readAt }, options);
  const applied = await deps.db.transaction(
    async (tx) => {
      const ids = records.map(({ id }) => id);
      // What a pull or a push brought meanwhile is newer than what was read for the sweep.
      const newer = await readSyncedSince(tx, table, ids, readAt);
      const older = records.filter(({ id }) => !newer.has(id));
      const counts = await applyRead(tx, table, older, context);
      refuseAll(table, counts);
      const problem = progress.problem ?? (counts.undated > 0 ? UNDATED : null);
      const sweep = await moveSweep(tx, at.sweep, { ...progress, problem });
      if (progress.finished) await tidyLinks(deps, tx, table);
      return { ...counts, sweep };
    },
    { asWriter: true },
  );
  return {
    sweep: applied.sweep,
    state: step.state,
    requests: page.requests,
    read: records.length,
    changed: applied.inserted + applied.updated,
    linked: applied.linked,
    unlinked: applied.unlinked,
  };
}

/** What a round cannot vouch for; links that the CRM does not list are no reason to begin again. */
function problemOf(deps: ReadDeps, table: MirrorTable, problem: string | null): string | null {
  if (problem !== null) return `walk-${problem}`;
  const refused = deps.linkRefusals.of(table.object);
  return refused.length === 0 ? null : `links-not-listed: ${refused.toSorted().join(', ')}`;
}

/** What was skipped because a user held it, and what an interrupted transaction left. */
async function tidyLinks(
  deps: ReadDeps,
  tx: Parameters<typeof renameLinks>[0],
  table: MirrorTable,
): Promise<void> {
  const links = ownViews(deps.links, table.object).map(({ link }) => link);
  await renameLinks(tx, links, { all: true });
  const { tables } = await loadMirror(tx);
  await dropDeadLinks(tx, links, tables);
}
