import { quoteIdent, quoteLiteral } from '../domain/names.ts';
import type { Sql } from './database.ts';
import { type LinkTable, linkViews } from './mirror/links.ts';
import type { MirrorTable } from './mirror/table.ts';

/** A field that names recordings of its meeting. */
const FIELD = /^recordings?(_ids?)?$/;
/** Such a field where the schema does not tell of it. */
const UNTOLD = ['recording', 'recording_id', 'recording_ids', 'recordings'];

/**
 * Notes the recordings that meetings written since `sinceMs` (null: all) name. How the API lists
 * them is not documented: an id, a list of ids, objects with an id, or links to records of their
 * own are all taken. Safe to run twice; reads the meetings once. @returns how many are new.
 */
export async function noteRecordings(
  sql: Sql,
  meeting: MirrorTable,
  from: {
    readonly tables: readonly MirrorTable[];
    readonly links: readonly LinkTable[];
    readonly sinceMs: number | null;
  },
): Promise<number> {
  const fields = meeting.columns.filter(({ field }) => FIELD.test(field.name));
  const values = [
    ...fields.map(({ column }) => `to_jsonb(m.${quoteIdent(column)})`),
    ...UNTOLD.map((name) => `m._extra -> ${quoteLiteral(name)}`),
  ];
  const rows = await sql.query(
    `INSERT INTO clarify_sync.meeting_recording (meeting_id, recording_id)
     SELECT meeting_id, recording_id FROM (
       SELECT m.id AS meeting_id,
              CASE jsonb_typeof(e) WHEN 'string' THEN e #>> '{}'
                   WHEN 'object' THEN coalesce(e ->> 'recording_id', e ->> 'id', e ->> '_id') END AS recording_id
         FROM ${meeting.qualified} AS m
        CROSS JOIN LATERAL (SELECT jsonb_build_array(${values.join(', ')}) AS named) AS v
        CROSS JOIN LATERAL (
          SELECT e FROM jsonb_path_query(v.named, 'lax $[*][*]') AS e
           UNION ALL SELECT e FROM jsonb_path_query(v.named, 'lax $[*][*].items[*]') AS e) AS each
        WHERE $1::float8 IS NULL OR m._synced_at >= to_timestamp(floor($1) / 1000)
       ${linked(meeting, from).join('\n       ')}
     ) AS found
     WHERE recording_id <> ''
     ON CONFLICT DO NOTHING RETURNING 1`,
    [from.sinceMs],
  );
  return rows.length;
}

/** Recordings that are records themselves: they name their meeting, or a table of links does. */
function linked(
  meeting: MirrorTable,
  {
    tables,
    links,
  }: { readonly tables: readonly MirrorTable[]; readonly links: readonly LinkTable[] },
): readonly string[] {
  const ofRecords = meeting.schema.fields.flatMap(({ name, relationship }) => {
    if (!FIELD.test(name) || relationship?.kind !== 'one-to-many') return [];
    const table = tables.find(({ object }) => object === relationship.object);
    const column = table?.byField.get(relationship.field ?? '')?.column;
    if (table === undefined || column === undefined) return [];
    const back = quoteIdent(column);
    return [`UNION SELECT ${back}, id FROM ${table.qualified} WHERE ${back} IS NOT NULL`];
  });
  const ofLinks = linkViews(links, meeting.object).flatMap(({ link, here, there }) => {
    if (!FIELD.test(here.field)) return [];
    return [
      `UNION SELECT ${quoteIdent(here.column)}, ${quoteIdent(there.column)} FROM ${link.qualified}`,
    ];
  });
  return [...ofRecords, ...ofLinks];
}

export interface DueRecording {
  readonly meetingId: string;
  readonly recordingId: string;
}

/** Those due, longest first. By `meeting_recording_due`. No lock: one process leads. */
export async function readDueRecordings(sql: Sql, limit: number): Promise<readonly DueRecording[]> {
  return await sql.query<DueRecording & Record<string, unknown>>(
    `SELECT meeting_id AS "meetingId", recording_id AS "recordingId"
       FROM clarify_sync.meeting_recording
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
    `UPDATE clarify_sync.meeting_recording
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
    `UPDATE clarify_sync.meeting_recording
        SET error = $3, attempts = attempts + 1,
            next_attempt_at = CASE WHEN attempts + 1 < ${MOST_ATTEMPTS}
              THEN clock_timestamp() + least(interval '1 day', interval '1 minute' * 4 ^ attempts) END
      WHERE meeting_id = $1 AND recording_id = $2`,
    [meetingId, recordingId, code],
  );
}

/** What was said in a meeting goes with it. @returns how many went. */
export async function dropRecordings(sql: Sql, meeting: MirrorTable): Promise<number> {
  const rows = await sql.query(
    `DELETE FROM clarify_sync.meeting_recording AS r
      WHERE NOT EXISTS (SELECT FROM ${meeting.qualified} AS m WHERE m.id = r.meeting_id) RETURNING 1`,
  );
  return rows.length;
}
