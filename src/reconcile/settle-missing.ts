import type { ReadDeps } from '../conflicts/read-object.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { forgetSettled, readMissing } from '../db/position/scan.ts';
import { markReconciled } from '../db/reconcile/state.ts';
import { type ReconcileOptions, startPass, suspect } from './pass.ts';
import { type ReconcileResult, SUSPECTS, SUSPECTS_APPROVED } from './reconcile-object.ts';
import { settleSuspects } from './settle-suspects.ts';

/**
 * Finds out what became of the records that a complete reading has not shown: by asking for each,
 * or, where that cannot be done, once a second complete reading has not shown them either. Removes
 * nothing without that, and nothing at all where more would go than may (invariant 6).
 *
 * @param options.startedAt when that reading began, database time.
 * @throws RemoteError where a request fails.
 */
export async function settleMissing(
  deps: ReadDeps,
  table: MirrorTable,
  options: ReconcileOptions & { readonly startedAt: string },
): Promise<ReconcileResult> {
  const { object } = table;
  const { deletions } = deps.remote.capabilitiesOf(object);
  const rounds = deletions.kind === 'scan' && deletions.proof === 'scan' ? 2 : 1;
  const limit = options.approve ? SUSPECTS_APPROVED : SUSPECTS;
  const pass = startPass(deps, table, options, limit);
  for (const id of await readMissing(deps.db, object, { rounds, limit })) suspect(pass, id);
  const askedAt = await readDatabaseTime(deps.db);
  const reason = await settleSuspects(pass);
  await forgetSettled(deps.db, table, askedAt);
  if (reason !== null) return { state: 'incomplete', reason, counts: pass.counts };
  await markReconciled(deps.db, object, { startedAt: options.startedAt, key: options.key });
  return { state: 'ok', reason: null, counts: pass.counts };
}
