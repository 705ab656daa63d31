import type { Database } from '../db/connection/database.ts';
import { ensureSideTable } from '../db/side/ensure.ts';
import { USERS } from '../db/side/tables.ts';
import { writeSide } from '../db/side/write.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';

/**
 * Brings over the users of the workspace, all of them in one transaction; null where the CRM has no
 * way to ask for them. Where it tells of none, it does not tell: there is always the key's own.
 *
 * @throws RemoteError where it does not tell.
 */
export async function pullUsers(
  deps: { readonly db: Database; readonly remote: Remote },
  options: CallOptions,
): Promise<{ readonly read: number; readonly changed: number } | null> {
  const users = await deps.remote.readUsers?.(options);
  if (users === undefined) return null;
  const table = await ensureSideTable(deps.db, USERS);
  if (users.length === 0) return { read: 0, changed: 0 };
  const all = [{ object: '', key: '', items: users }];
  const { added, changed, removed } = await deps.db.transaction(
    (tx) => writeSide(tx, { table, side: USERS }, all),
    { asWriter: true },
  );
  return { read: users.length, changed: added + changed + removed };
}
