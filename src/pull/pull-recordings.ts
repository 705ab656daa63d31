import type { Database } from '../db/connection/database.ts';
import {
  dropRecordings,
  keepTranscript,
  noteRecordings,
  postponeRecording,
  type RecordedMeetings,
  readDueRecordings,
} from '../db/rows/recordings.ts';
import { RemoteError } from '../domain/errors.ts';
import type { CallOptions, ReadTranscript } from '../domain/remote.ts';

export interface RecordingDeps {
  readonly db: Database;
  readonly readTranscript: ReadTranscript;
}

export interface RecordingCounts {
  readonly noticed: number;
  readonly fetched: number;
  readonly failed: number;
  readonly dropped: number;
  /** Due, and left to the next time: the pass was full, or the CRM did not answer. */
  readonly waiting: boolean;
}

/** Fetched one after the other, so that a pass is short and everything else goes before the next. */
const AT_MOST = 50;

/**
 * Notes the recordings of meetings, and fetches transcripts that are due. One that cannot be
 * had harms only itself; where the CRM does not answer at all, the rest waits unblamed.
 *
 * @throws an error of disposition `halt`, or what is no RemoteError.
 */
export async function pullRecordings(
  deps: RecordingDeps,
  tables: RecordedMeetings,
  { since, ...options }: CallOptions & { readonly since: string | null },
): Promise<RecordingCounts> {
  const { db } = deps;
  const noticed = await noteRecordings(db, tables, since);
  const dropped = await dropRecordings(db, tables);
  const due = await readDueRecordings(db, AT_MOST + 1);
  let fetched = 0;
  let failed = 0;
  for (const one of due.slice(0, AT_MOST)) {
    if (options.signal.aborted) break;
    try {
      const id = { meeting: one.meetingId, recording: one.recordingId };
      await keepTranscript(db, one, await deps.readTranscript(id, options));
      fetched += 1;
    } catch (error) {
      if (!(error instanceof RemoteError) || options.signal.aborted) throw error;
      if (!isItsOwn(error)) {
        if (error.disposition === 'retry') break;
        throw error;
      }
      await postponeRecording(db, one, error.code);
      failed += 1;
    }
  }
  return { noticed, dropped, fetched, failed, waiting: due.length > fetched + failed };
}

/** Whether it is about this recording, and not about the CRM, the key or the network. */
function isItsOwn({ code, disposition, status }: RemoteError): boolean {
  if (code.startsWith('recording-')) return true;
  return disposition === 'park' || (status === 403 && code === 'remote-forbidden');
}
