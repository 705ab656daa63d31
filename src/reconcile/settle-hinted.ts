import type { ReadDeps, ReadOptions } from '../conflicts/read-object.ts';
import { withinLockTimeout } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { readVersions } from '../db/rows/mirror-rows.ts';
import { confirmSuspects } from './confirm.ts';
import { type ReconcileCounts, startPass, suspect } from './pass.ts';
import { takeAway } from './take-away.ts';

/**
 * Finds out what became of records that the CRM has said to be gone, as far as they stand here. Each
 * goes once it answers twice that it is not there, while the list and a record known to live answer
 * (invariant 6). A person need not approve, however many: the CRM has named each of them.
 *
 * @throws RemoteError where a request fails.
 */
export async function settleHinted(
  deps: ReadDeps,
  table: MirrorTable,
  ids: readonly string[],
  options: ReadOptions,
): Promise<ReconcileCounts> {
  const unlimited = { rows: Number.POSITIVE_INFINITY, percent: 100 };
  const how = { ...options, massDelete: unlimited, key: '' };
  const pass = startPass(deps, table, how, ids.length);
  const standing = await readVersions(withinLockTimeout(deps.db), table, ids);
  for (const id of standing.keys()) suspect(pass, id);
  if (pass.suspects.size === 0) return pass.counts;
  const askedAt = await readDatabaseTime(deps.db);
  const found = await confirmSuspects(pass, () => false, { certain: true });
  const { removal } = deps.remote.capabilitiesOf(table.object);
  const reason = removal === 'delete' ? 'deleted' : 'archived';
  await takeAway(pass, found, { askedAt, reason, mayRemove: found.witnessed });
  return pass.counts;
}
