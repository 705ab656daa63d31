import type { Database } from '../db/database.ts';
import { ensureUsersTable, writeUsers } from '../db/users.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';

/**
 * Brings over the users of the workspace, all of them in one transaction; null where the CRM has no
 * way to ask for them.
 *
 * @throws RemoteError where it does not tell.
 */
export async function pullUsers(
  deps: { readonly db: Database; readonly remote: Remote },
  options: CallOptions,
): Promise<{ readonly read: number; readonly changed: number } | null> {
  const users = await deps.remote.readUsers?.(options);
  if (users === undefined) return null;
  const table = await ensureUsersTable(deps.db);
  const changed = await deps.db.transaction((tx) => writeUsers(tx, table, users), {
    asWriter: true,
  });
  return { read: users.length, changed };
}
