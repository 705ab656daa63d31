import { findActivityTable } from '../db/activities/table.ts';
import type { Database, Transaction } from '../db/connection/database.ts';
import { guarded } from '../db/connection/guarded.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { canReachBack, historyOf, readCandidates } from '../db/past/candidates.ts';
import { postponePasts, type ReachedPast, writePasts } from '../db/past/write-past.ts';
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
 * their past. Read and written in one transaction; killed at any time, it is done again. Whose versions
 * a constraint or trigger of somebody else's refuses waits, and nobody else.
 */
export async function reachBack(db: Database, mirror: MirrorTable): Promise<ReachedBack> {
  const activities = await findActivityTable(db, mirror.object);
  if (activities === null || !(await canReachBack(db, mirror))) return NOTHING_REACHED;
  const work = async (tx: Transaction) => {
    const candidates = await readCandidates(tx, mirror, activities, RECORDS_A_BATCH);
    const pasts = candidates.map((candidate): ReachedPast => {
      const { seen, fields, events } = candidate;
      const versions = candidate.seenFrom === null ? [] : recordPast(fields, seen, events);
      const [first] = versions;
      const isSoon = first?.isBirth === true && seen.sinceMs - first.fromMs < SOON_MS;
      return { candidate, versions: isSoon ? [] : versions };
    });
    let versions = 0;
    const refused = await guarded(tx, historyOf(mirror), pasts, async (part) => {
      versions += await writePasts(tx, mirror, part);
    });
    await postponePasts(
      tx,
      mirror.object,
      refused.map(({ item, trouble }) => ({ id: item.candidate.id, code: trouble.code })),
    );
    const records = candidates.length;
    return { records, versions, waiting: records === RECORDS_A_BATCH };
  };
  return await db.transaction(work, { asWriter: true });
}
