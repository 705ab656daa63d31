import { serverNow } from '../conflicts/clocks.ts';
import { type ReadDeps, UNDATED } from '../conflicts/read-object.ts';
import { loadMirror } from '../db/mirror/load.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { moveReferences, readMerges } from '../db/reconcile/merges.ts';
import { markReconciled } from '../db/reconcile/state.ts';
import { compare, compareAgain } from './compare.ts';
import { type ReconcileCounts, type ReconcileOptions, startPass } from './pass.ts';
import { settleSuspects } from './settle-suspects.ts';

export interface ReconcileResult {
  readonly state: 'ok' | 'incomplete';
  /** Why it is incomplete: a code of `settle-suspects.ts`, or of a walk. */
  readonly reason: string | null;
  readonly counts: ReconcileCounts;
}

/** Both sides went on changing. */
const UNSETTLED = 'reconcile-unsettled';
const MOST_ROUNDS = 3;

/** Suspects asked about in one pass; with approval, as many as memory holds with ease. */
export const SUSPECTS = 10_000;
export const SUSPECTS_APPROVED = 1_000_000;

/**
 * Proves that both sides hold the same records, and repairs what does not: rows whose record is
 * gone, records without a row, references to records that were merged away. The object has been
 * pulled. Where the totals agree, a quick pass is one request.
 *
 * Removes nothing without positive evidence for each row, and nothing at all where more would go
 * than may, or the key has changed, unless a person approves (invariant 6).
 *
 * @throws RemoteError where a request fails.
 */
export async function reconcileObject(
  deps: ReadDeps,
  table: MirrorTable,
  options: ReconcileOptions,
): Promise<ReconcileResult> {
  const startedAt = await readDatabaseTime(deps.db);
  const startedAtMs = serverNow(deps);
  const pass = startPass(deps, table, options, options.approve ? SUSPECTS_APPROVED : SUSPECTS);
  const { counts } = pass;
  if (!options.quick) counts.relinked = await relink(deps, table);
  for (let round = 1; ; round += 1) {
    const before = changesOf(counts);
    const compared = round === 1 ? await compare(pass) : await compareAgain(pass, startedAtMs);
    const reason = compared.problem ?? (await settleSuspects(pass));
    if (reason !== null) return { state: 'incomplete', reason, counts };
    if (compared.isProof) break;
    // Counts that differ although no record does: a list lags behind. To be proven another time.
    if (changesOf(counts) === before) return proven(counts);
    // Counts that were taken while both sides changed may have hidden something: look again.
    if (round === MOST_ROUNDS) return { state: 'incomplete', reason: UNSETTLED, counts };
  }
  await markReconciled(deps.db, table.object, { startedAt, key: options.key });
  return proven(counts);
}

/** Both sides hold the same records; that they hold the newest of each is proven by their dates. */
function proven(counts: ReconcileCounts): ReconcileResult {
  const isDated = counts.undated === 0;
  return { state: isDated ? 'ok' : 'incomplete', reason: isDated ? null : UNDATED, counts };
}

function changesOf({ missing, differed, deleted, merged }: ReconcileCounts): number {
  return missing + differed + deleted + merged;
}

/** References that were held when their record was merged away, or came in after it. */
async function relink(deps: ReadDeps, table: MirrorTable): Promise<number> {
  const { object } = table;
  const merges = await readMerges(deps.db, object);
  if (merges.length === 0) return 0;
  return await deps.db.transaction(
    async (tx) => moveReferences(tx, (await loadMirror(tx)).tables, object, merges),
    { asWriter: true },
  );
}
