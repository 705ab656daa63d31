import { readDueObjects } from '../db/outbox.ts';
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
  for (;;) {
    const due = new Set((await readDueObjects(deps.db)).map(({ object }) => object));
    let claimedAny = false;
    for (const table of deps.tables) {
      if (signal.aborted) return { ...total, waitMs };
      if (!due.has(table.object) || (objects && !objects.has(table.object))) continue;
      await deps.refresh(table, signal);
      for (;;) {
        const counts = await pushObject(deps, table, signal);
        if (counts === null) break;
        claimedAny = true;
        add(total, counts);
        // What failed is due again later; going on at once would only fail again.
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

function add(total: Record<keyof PushCounts, number>, counts: PushCounts): void {
  total.delivered += counts.delivered;
  total.refused += counts.refused;
  total.gone += counts.gone;
  total.failed += counts.failed;
  total.unclear += counts.unclear;
}
