import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../connection/database.ts';
import type { MirrorTable } from '../mirror/table.ts';

/** Mirrors of both ends; the field of a recording that names its meeting is `meeting_id`. */
export interface RecordedMeetings {
  readonly meeting: MirrorTable;
  readonly recording: MirrorTable;
}

/** What a transaction may take between the time it writes in a row and its end. */
const OVERLAP = `interval '10 minutes'`;

/**
 * Notes recordings, known by the meeting they name, whatever that calls its side of the link: those
 * of which either end was written since `since` (database time; null: all). One that was given up
 * and has changed since, since it is over by now perhaps, is due again. Safe to run twice.
 *
 * @returns how many are new, or due again.
 */
export async function noteRecordings(
  sql: Sql,
  { meeting, recording }: RecordedMeetings,
  since: string | null,
): Promise<number> {
  const names = meetingOf(recording);
  if (names === null) return 0;
  const rows = await sql.query(
    `INSERT INTO {sync}.meeting_recording AS kept (meeting_id, recording_id)
     SELECT m.id, r.id FROM ${recording.qualified} AS r JOIN ${meeting.qualified} AS m ON m.id = ${names}
      WHERE $1::timestamptz IS NULL OR greatest(r._synced_at, m._synced_at) >= $1::timestamptz - ${OVERLAP}
         ON CONFLICT (meeting_id, recording_id) DO UPDATE SET attempts = 0, next_attempt_at = clock_timestamp()
      WHERE kept.transcript IS NULL AND kept.next_attempt_at IS NULL AND $1::timestamptz IS NOT NULL
     RETURNING 1`,
    [since],
  );
  return rows.length;
}

/** The column of recording `r` that names its meeting; null where there is none. */
function meetingOf(recording: MirrorTable): string | null {
  const column = recording.byField.get('meeting_id')?.column;
  return column === undefined ? null : `r.${quoteIdent(column)}`;
}

export interface DueRecording {
  readonly meetingId: string;
  readonly recordingId: string;
}

/** Those due, longest first. By `meeting_recording_due`. No lock: one process leads. */
export async function readDueRecordings(sql: Sql, limit: number): Promise<readonly DueRecording[]> {
  return await sql.query<DueRecording & Record<string, unknown>>(
    `SELECT meeting_id AS "meetingId", recording_id AS "recordingId"
       FROM {sync}.meeting_recording
      WHERE next_attempt_at <= clock_timestamp() ORDER BY next_attempt_at LIMIT $1`,
    [limit],
  );
}

/** Keeps what was fetched. Safe to run twice; of a recording that is gone nothing is kept. */
export async function keepTranscript(
  sql: Sql,
  { meetingId, recordingId }: DueRecording,
  { text, contentType }: { readonly text: string; readonly contentType: string | null },
): Promise<void> {
  await sql.query(
    `UPDATE {sync}.meeting_recording
        SET transcript = $3, content_type = $4, fetched_at = clock_timestamp(),
            error = NULL, next_attempt_at = NULL
      WHERE meeting_id = $1 AND recording_id = $2`,
    [meetingId, recordingId, text, contentType],
  );
}

/** Tries of a recording: the last of them comes five days after the first. */
const MOST_ATTEMPTS = 10;

/** Notes why it was not fetched; it is due again after a minute, four, sixteen, at most a day. */
export async function postponeRecording(
  sql: Sql,
  { meetingId, recordingId }: DueRecording,
  code: string,
): Promise<void> {
  await sql.query(
    `UPDATE {sync}.meeting_recording
        SET error = $3, attempts = attempts + 1,
            next_attempt_at = CASE WHEN attempts + 1 < ${MOST_ATTEMPTS}
              THEN clock_timestamp() + least(interval '1 day', interval '1 minute' * 4 ^ attempts) END
      WHERE meeting_id = $1 AND recording_id = $2`,
    [meetingId, recordingId, code],
  );
}

/** What was said goes with the meeting, and with the recording of it. @returns how many went. */
export async function dropRecordings(
  sql: Sql,
  { meeting, recording }: RecordedMeetings,
): Promise<number> {
  const names = meetingOf(recording);
  if (names === null) return 0;
  const rows = await sql.query(
    `DELETE FROM {sync}.meeting_recording AS kept
      WHERE NOT EXISTS (
        SELECT FROM ${recording.qualified} AS r JOIN ${meeting.qualified} AS m ON m.id = ${names}
         WHERE r.id = kept.recording_id AND m.id = kept.meeting_id) RETURNING 1`,
  );
  return rows.length;
}
