import { readDatabaseTime } from '../../db/cursor.ts';
import { recordRun } from '../../db/run-log.ts';
import type { CallOptions } from '../../domain/remote.ts';
import { pullRecordings } from '../../pull/pull-recordings.ts';
import { MEETING } from '../config/file.ts';
import { objectError } from '../object-error.ts';
import type { Session } from '../session.ts';

/** What a transaction may take between the time it writes in a row and its end. */
const OVERLAP_MS = 600_000;

/**
 * Passes over what meetings were recorded, where that is asked for: each looks at the meetings
 * that were written since the one before, the first at all of them.
 *
 * @throws, when it runs, what ends the service.
 */
export function createRecordingsPass(session: Session): (options: CallOptions) => Promise<void> {
  const { db, holder, log } = session;
  /** By the database's clock, as the times of rows are. */
  let lookedAtMs: number | null = null;
  return async (options) => {
    const meeting = session.tables.find(({ object }) => object === MEETING);
    if (meeting === undefined || !session.settings(MEETING).recordings) return;
    const sinceMs = lookedAtMs === null ? null : lookedAtMs - OVERLAP_MS;
    const part = { object: MEETING, part: 'recordings' } as const;
    const startedMs = session.nowMs();
    try {
      const lookingAtMs = Date.parse(await readDatabaseTime(db));
      const { waiting, ...counts } = await pullRecordings(session, meeting, {
        ...options,
        sinceMs,
      });
      lookedAtMs = lookingAtMs;
      await session.troubles.worked(part);
      if (Object.values(counts).every((count) => count === 0)) return;
      log.info({ object: MEETING, ...counts, waiting }, 'recordings');
      const tookMs = session.nowMs() - startedMs;
      await recordRun(db, { kind: 'recordings', object: null, holder, counts, tookMs });
    } catch (error) {
      await objectError(session, part, error, options.signal);
    }
  };
}
