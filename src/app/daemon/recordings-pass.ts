import { readDatabaseTime } from '../../db/position/cursor.ts';
import { recordRun } from '../../db/service/run-log.ts';
import type { CallOptions } from '../../domain/remote.ts';
import { pullRecordings } from '../../pull/pull-recordings.ts';
import { MEETING } from '../config/meeting.ts';
import { objectError } from '../object-error.ts';
import type { Session } from '../session.ts';

/** The records that recordings are. */
const RECORDING = 'meeting_recording';

/**
 * Passes over what meetings were recorded, where that is asked for: each looks at what
 * was written since the one before, the first at all of it.
 *
 * @throws, when it runs, what ends the service.
 */
export function createRecordingsPass(session: Session): (options: CallOptions) => Promise<void> {
  const { db, holder, log } = session;
  /** By the database's clock, as the times of rows are. */
  let lookedAt: string | null = null;
  let isMissed = false;
  return async (options) => {
    const { readTranscript } = session.remote;
    if (readTranscript === undefined || !session.settings(MEETING).recordings) return;
    const [meeting, recording] = [MEETING, RECORDING].map((object) =>
      session.tables.find((table) => table.object === object),
    );
    if (meeting === undefined || recording === undefined) {
      if (!isMissed) log.warn({ object: RECORDING }, 'no such object to find recordings by');
      isMissed = true;
      return;
    }
    const part = { object: MEETING, part: 'recordings' } as const;
    const startedMs = session.nowMs();
    try {
      const startedAt = await readDatabaseTime(db);
      const pass = { ...options, since: lookedAt };
      const deps = { db, readTranscript };
      const { waiting, ...counts } = await pullRecordings(deps, { meeting, recording }, pass);
      lookedAt = startedAt;
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
