import { findActivityTable } from '../db/activities/table.ts';
import type { Database } from '../db/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { canReachBack, readCandidates } from '../db/past/candidates.ts';
import { writePasts } from '../db/past/write-past.ts';
import { recordPast } from '../domain/past/record-past.ts';

export interface ReachedBack {
  /** Records that were looked at. */
  readonly records: number;
  /** Versions that were written. */
  readonly versions: number;
  /** There may be others. */
  readonly waiting: boolean;
}

export const NOTHING_REACHED: ReachedBack = { records: 0, versions: 0, waiting: false };

/** With what happened to each, so that they and their versions are small. */
const RECORDS_A_BATCH = 100;
/** One that was seen so soon after its creation has been watched from the start. */
const SOON_MS = 300_000;

/**
 * Makes the history of a batch of records reach back to their creation, by what the CRM tells of
 * their past. Read and written in one transaction; killed at any time, it is done again.
 */
export async function reachBack(db: Database, mirror: MirrorTable): Promise<ReachedBack> {
  const activities = await findActivityTable(db, mirror.object);
  if (activities === null || !(await canReachBack(db, mirror))) return NOTHING_REACHED;
  return await db.transaction(async (tx) => {
    const candidates = await readCandidates(tx, mirror, activities, RECORDS_A_BATCH);
    const pasts = candidates.map((candidate) => {
      const { seen, fields, events } = candidate;
      const versions = candidate.seenFrom === null ? [] : recordPast(fields, seen, events);
      const [first] = versions;
      const isSoon = first?.isBirth === true && seen.sinceMs - first.fromMs < SOON_MS;
      return { candidate, versions: isSoon ? [] : versions };
    });
    const versions = await writePasts(tx, mirror, pasts);
    const records = candidates.length;
    return { records, versions, waiting: records === RECORDS_A_BATCH };
  });
}
