import type { Sql } from '../connection/database.ts';
import type { SideTrouble } from '../service/trouble.ts';

/** How far a table of what the workspace has beside its records is read. */
export interface SideStanding {
  /** The table, as it is called unless somebody has the name. */
  readonly part: string;
  /** Of attachments and comments: of which object's records. */
  readonly object: string | null;
  /** Settings, lists, records: what is read as one. */
  readonly units: number;
  /** Read whole, at least once. */
  readonly read: number;
  /** Due now. */
  readonly due: number;
  /** Not read the last time: tried again by themselves. */
  readonly failed: number;
  /** When the one that was read longest ago was; null before the first. */
  readonly oldestReadAt: string | null;
  /** The code of one of those that failed, or of what stops all of them. */
  readonly error: string | null;
  /** Stopped, and tried again then. */
  readonly nextAttemptAt: string | null;
}

/** Whose trouble stops a table. */
const STOPPED_BY: Readonly<Record<string, SideTrouble>> = {
  setting: 'settings',
  list: 'lists',
  list_member: 'lists',
  campaign_recipient: 'campaigns',
  attachment: 'attachments',
  comment: 'comments',
};

/** Of every table that was ever read into. One scan of `side_reading`. */
export async function readSideStanding(sql: Sql): Promise<readonly SideStanding[]> {
  return await sql.query<SideStanding & Record<string, unknown>>(
    `WITH reading AS (
       SELECT part, CASE WHEN part IN ('attachment', 'comment') THEN object END AS object, count(*)::int4 AS units,
              count(read_at)::int4 AS read, count(*) FILTER (WHERE due_at <= clock_timestamp())::int4 AS due,
              count(error)::int4 AS failed, min(read_at) AS oldest, max(error) AS error
         FROM {sync}.side_reading GROUP BY 1, 2
     )
     SELECT r.part, r.object, r.units, r.read, r.due, r.failed, r.oldest AS "oldestReadAt",
            coalesce(t.code, r.error) AS error, t.next_attempt_at AS "nextAttemptAt"
       FROM reading AS r
       LEFT JOIN unnest($1::text[], $2::text[]) AS s(part, trouble) USING (part)
       LEFT JOIN {sync}.trouble AS t ON t.part = s.trouble AND (r.object IS NULL OR t.object = r.object)
      ORDER BY r.part, r.object`,
    [Object.keys(STOPPED_BY), Object.values(STOPPED_BY)],
  );
}
