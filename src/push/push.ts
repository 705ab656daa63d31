import { renameLinks } from '../db/link-rows.ts';
import { readDueLinks } from '../db/outbox/links.ts';
import { readDueObjects } from '../db/outbox/outbox.ts';
import { pushLinks, viewOfField } from './push-links.ts';
import { type PushCounts, type PushDeps, pushObject } from './push-object.ts';
import { recoverStranded } from './recover.ts';

export interface PushResult extends PushCounts {
  /** A create may have arrived; it can be judged in this many milliseconds. */
  readonly waitMs: number | null;
}

/**
 * Sends everything that is due, in dependency order, until nothing is. To be run by the leader
 * alone, one at a time.
 *
 * @throws SyncError `lease-lost`, or an error of the CRM with disposition `halt`.
 */
export async function runPush(
  deps: PushDeps,
  signal: AbortSignal,
  objects?: ReadonlySet<string>,
): Promise<PushResult> {
  const total = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };
  let waitMs = await recoverStranded(deps, signal);
  /** How far each object's remote changes have been taken in. */
  const reached = new Map<string, string | null>();
  for (;;) {
    const dueObjects = new Set((await readDueObjects(deps.db)).map(({ object }) => object));
    let claimedAny = false;
    for (const table of deps.tables) {
      if (signal.aborted) return { ...total, waitMs };
      if (!dueObjects.has(table.object) || (objects && !objects.has(table.object))) continue;
      let isDue = true;
      while (isDue) {
        // Before every claim: sending takes its time, and people go on editing (invariant 5).
        const after = reached.get(table.object) ?? null;
        reached.set(table.object, await deps.refresh(table, after, signal));
        const counts = await pushObject(deps, table, signal);
        if (counts === null) break;
        claimedAny = true;
        add(total, counts);
        // What failed is due again later; going on at once would only fail again.
        if (signal.aborted || counts.failed > 0) break;
        isDue = (await readDueObjects(deps.db)).some(({ object }) => object === table.object);
      }
    }
    if (claimedAny) await renameLinksHere(deps);
    // After the records: what was created just now can be linked.
    for (const due of await readDueLinks(deps.db)) {
      const view = viewOfField(deps.links, due);
      if (signal.aborted) return { ...total, waitMs };
      if (view === null || (objects && !objects.has(due.object))) continue;
      for (;;) {
        const counts = await pushLinks(deps, view, signal);
        if (counts === null) break;
        claimedAny = true;
        add(total, counts);
        if (signal.aborted || counts.failed > 0) break;
      }
    }
    if (!claimedAny) {
      // What has just become unclear begins to settle now, and is waited for like the rest.
      if (total.unclear > 0) waitMs = await recoverStranded(deps, signal);
      return { ...total, waitMs };
    }
  }
}

/** Links to rows born here get the ids that their records have now. */
async function renameLinksHere(deps: PushDeps): Promise<void> {
  await deps.db.transaction((tx) => renameLinks(tx, deps.links, { all: false }), {
    asWriter: true,
  });
}

function add(total: Record<keyof PushCounts, number>, counts: PushCounts): void {
  total.delivered += counts.delivered;
  total.refused += counts.refused;
  total.gone += counts.gone;
  total.failed += counts.failed;
  total.unclear += counts.unclear;
}
