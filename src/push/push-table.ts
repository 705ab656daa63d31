import { linkViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { type DueWork, readDueWork } from '../db/outbox/due.ts';
import { readDueLinks } from '../db/outbox/links.ts';
import { renameLinks } from '../db/rows/link-rows.ts';
import { createEchoes } from './echoes.ts';
import { settleJobs } from './out-jobs.ts';
import { createPace, type Pace } from './pace.ts';
import type { PushCounts, PushDeps, Refreshed } from './push-deps.ts';
import { pushLinks } from './push-links.ts';
import { pushObject } from './push-object.ts';
import { recoverStranded } from './recover.ts';

/** What came of one object's turn. */
export interface TableResult {
  readonly counts: PushCounts;
  /** A create may have arrived; it can be judged in this many milliseconds. */
  readonly waitMs: number | null;
  /** Whether anything was claimed: there may be more. */
  readonly claimedAny: boolean;
}

/**
 * Sends what is due of one object, until nothing is: its records, then its links, for what was created
 * just now can be linked. Nobody else sends of this object meanwhile.
 *
 * @throws what keeps the object from being sent: an error of its list, its table, or the lease. What
 *   was claimed by then is in flight, and is taken over next time.
 */
export async function pushTable(
  deps: PushDeps,
  table: MirrorTable,
  due: DueWork,
  signal: AbortSignal,
): Promise<TableResult> {
  const { object } = table;
  const total = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };
  let waitMs = due.inFlight ? await recoverStranded(deps, table, signal) : null;
  if (due.inFlight) await settleOut(deps, table, { total, signal });
  // What was taken over is due by now.
  const records =
    due.records || due.inFlight
      ? await pushRecords(deps, table, { total, signal })
      : { read: false, claimedAny: false };
  let { claimedAny } = records;
  if (total.delivered > 0) await renameLinksHere(deps, object);
  if (await pushLinksOf(deps, table, { total, signal })) claimedAny = true;
  // What has just become unclear begins to settle now, and is waited for like the rest.
  if (total.unclear > 0) waitMs = await recoverStranded(deps, table, signal);
  // What has just been handed over in jobs is asked about later.
  const jobsMs = await settleOut(deps, table, { total, signal });
  if (jobsMs !== null) waitMs = Math.max(waitMs ?? 0, jobsMs);
  // Where all that was due was in flight nothing was tried.
  const wasTried = records.read || !due.inFlight;
  if (wasTried && (await deps.trouble.worked(object))) claimedAny = true;
  return { counts: total, waitMs, claimedAny };
}

type Total = Record<keyof PushCounts, number>;

/** @returns until the next job is to be looked at; null where nothing is out with one. */
async function settleOut(
  deps: PushDeps,
  table: MirrorTable,
  { total, signal }: { readonly total: Total; readonly signal: AbortSignal },
): Promise<number | null> {
  const { counts, waitMs } = await settleJobs(deps, table, signal);
  for (const each of counts) add(total, each);
  return waitMs;
}

async function pushRecords(
  deps: PushDeps,
  table: MirrorTable,
  { total, signal }: { readonly total: Total; readonly signal: AbortSignal },
): Promise<{ readonly read: boolean; readonly claimedAny: boolean }> {
  const { object } = table;
  const isDue = async () => (await readDueWork(deps.db, [object])).some(({ records }) => records);
  let claimedAny = false;
  let read = false;
  const pace = paceOf(deps, table);
  const paced = { ...deps, claimSizeOf: () => pace.size };
  let refreshed: Refreshed | null = null;
  let echoes = createEchoes();
  while (!signal.aborted && (await isDue())) {
    // Before every claim: sending takes its time, and people go on editing (invariant 5).
    const lookedMs = deps.nowMs();
    const since = { before: refreshed, echoes };
    refreshed = await deps.refresh(table, since, signal);
    read = true;
    echoes = createEchoes();
    const pushed = await pushObject(paced, table, { looked: refreshed.looked, echoes, signal });
    if (pushed === null) break;
    const { counts, sentAtMs } = pushed;
    pace.went(sum(counts), sentAtMs - lookedMs);
    claimedAny = true;
    add(total, counts);
    // What failed is due again later; going on at once would only fail again.
    if (counts.failed > 0) break;
  }
  return { read, claimedAny };
}

/** One by one, and in jobs, nothing is gained by more at once. */
function paceOf(
  { remote, claimSizeOf }: PushDeps,
  { object }: MirrorTable,
): Pick<Pace, 'size' | 'went'> {
  const size = claimSizeOf(object);
  const { writing } = remote.capabilitiesOf(object);
  return writing.kind === 'bulk' ? createPace(size) : { size, went: () => undefined };
}

function sum({ delivered, refused, gone, failed, unclear }: PushCounts): number {
  return delivered + refused + gone + failed + unclear;
}

async function pushLinksOf(
  deps: PushDeps,
  table: MirrorTable,
  { total, signal }: { readonly total: Total; readonly signal: AbortSignal },
): Promise<boolean> {
  const { object } = table;
  let claimedAny = false;
  const fields = (await readDueLinks(deps.db, object)).map(({ field }) => field);
  for (const view of linkViews(deps.links, object)) {
    if (!fields.includes(view.here.field)) continue;
    while (!signal.aborted) {
      const counts = await pushLinks(deps, view, signal);
      if (counts === null) break;
      claimedAny = true;
      add(total, counts);
      if (counts.failed > 0) break;
    }
  }
  return claimedAny;
}

/** Links to rows born here get the ids that their records have now. */
async function renameLinksHere(deps: PushDeps, object: string): Promise<void> {
  const links = deps.links.filter(({ sides }) => sides.some((side) => side.object === object));
  if (links.length === 0) return;
  await deps.db.transaction((tx) => renameLinks(tx, links, { all: false }), { asWriter: true });
}

export function add(total: Total, counts: PushCounts): void {
  total.delivered += counts.delivered;
  total.refused += counts.refused;
  total.gone += counts.gone;
  total.failed += counts.failed;
  total.unclear += counts.unclear;
}
