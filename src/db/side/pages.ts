import { stringifyJson } from '../../domain/json.ts';
import { isStorableText } from '../../domain/names.ts';
import type { SidePage, SidePart, SideUnit } from '../../domain/side.ts';
import type { Sql } from '../connection/database.ts';
import { encodeExtra } from '../mirror/extra.ts';

/** How far the pages of a unit have been put down. */
export interface PagesStanding {
  readonly pages: number;
  /** What is on them, what is on two counted twice. */
  readonly items: number;
  /** Ids on the last of them. */
  readonly lastIds: readonly string[];
}

/** Longer ago, a list is another one: it is read from its beginning. */
const GOOD_FOR = `interval '10 minutes'`;

/** What is there of a reading that was broken off a moment ago; what is older goes. */
export async function resumePages(
  sql: Sql,
  part: SidePart,
  { object, key }: SideUnit,
): Promise<PagesStanding> {
  const unit = [part, object, key];
  await sql.query(
    `DELETE FROM {sync}.side_page WHERE part = $1 AND object = $2 AND key = $3
        AND (SELECT min(read_at) FROM {sync}.side_page WHERE part = $1 AND object = $2 AND key = $3)
              < clock_timestamp() - ${GOOD_FOR}`,
    unit,
  );
  const [row] = await sql.query<PagesStanding & Record<string, unknown>>(
    `SELECT count(*)::int4 AS pages, coalesce(sum(jsonb_array_length(items)), 0)::int4 AS items,
            ARRAY(SELECT i ->> 'id' FROM jsonb_array_elements((array_agg(items ORDER BY page DESC))[1]) AS i) AS "lastIds"
       FROM {sync}.side_page WHERE part = $1 AND object = $2 AND key = $3`,
    unit,
  );
  return row ?? { pages: 0, items: 0, lastIds: [] };
}

/** Puts one page down. Safe to run twice. */
export async function putPage(
  sql: Sql,
  part: SidePart,
  { object, key, page, ...read }: SideUnit & Omit<SidePage, 'more'> & { readonly page: number },
): Promise<void> {
  const items = read.items
    .filter(({ id }) => isStorableText(id))
    .map(({ id, fields }) => ({ id, fields: encodeExtra(fields) }));
  await sql.query(
    `INSERT INTO {sync}.side_page (part, object, key, page, items, total) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (part, object, key, page) DO UPDATE
        SET items = excluded.items, total = excluded.total, read_at = excluded.read_at`,
    [part, object, key, page, stringifyJson(items), read.total],
  );
}

/**
 * Whether the pages hold all there is: as many as the server counts, the same with every page. A list
 * that somebody takes from while it is read slides, and hides what slid past.
 */
export async function pagesAreWhole(
  sql: Sql,
  part: SidePart,
  { object, key }: SideUnit,
): Promise<boolean> {
  const [row] = await sql.query<{ whole: boolean }>(
    `SELECT coalesce(count(DISTINCT i ->> 'id') >= max(p.total) AND max(p.total) = min(p.total), true) AS whole
       FROM {sync}.side_page AS p LEFT JOIN LATERAL jsonb_array_elements(p.items) AS i ON true
      WHERE p.part = $1 AND p.object = $2 AND p.key = $3`,
    [part, object, key],
  );
  return row?.whole ?? false;
}

export async function dropPages(
  sql: Sql,
  part: SidePart,
  { object, key }: SideUnit,
): Promise<void> {
  await sql.query('DELETE FROM {sync}.side_page WHERE part = $1 AND object = $2 AND key = $3', [
    part,
    object,
    key,
  ]);
}

/** Pages of units that are read no more. */
export async function dropStrayPages(sql: Sql, part: SidePart): Promise<void> {
  await sql.query(
    `DELETE FROM {sync}.side_page AS p
      WHERE part = $1 AND NOT EXISTS (SELECT FROM {sync}.side_reading AS k
                                       WHERE k.part = p.part AND k.object = p.object AND k.key = p.key)`,
    [part],
  );
}
