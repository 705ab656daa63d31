import type { Database } from '../db/connection/database.ts';
import { clockBetween, skewMs } from '../domain/clock-bounds.ts';
import type { Remote } from '../domain/remote.ts';

export interface Clocks {
  readonly db: Pick<Database, 'clock'>;
  readonly remote: Pick<Remote, 'clock'>;
}

/**
 * The CRM's clock minus the database's, in milliseconds: local edits are stamped by the one, remote
 * ones by the other, and this machine's clock has no part in it (invariant 5).
 */
export function crmMinusDatabaseMs({ db, remote }: Clocks): number {
  return skewMs(clockBetween(remote.clock, db.clock));
}

/** The CRM's clock as far as its answers told; `nowMs` is the clock they were measured by, one that is never set. */
export function serverNow({ remote, nowMs }: Pick<Clocks, 'remote'> & { nowMs: () => number }) {
  return nowMs() + skewMs(remote.clock);
}
