import { isObject, parseJson } from '../../domain/json.ts';
import { isStorableText } from '../../domain/names.ts';
import type { Linkage, RemoteRecord } from '../../domain/record.ts';
import type { Database, Sql } from '../connection/database.ts';
import type { LinkView } from '../mirror/links.ts';
import { type MirrorTable, regclassSql } from '../mirror/table.ts';
import { type StandingText, standingLinksSql, standingReader } from './standing-links.ts';

/**
 * What the table is made of, as one number: a column that is dropped and made anew holds something
 * else, and no row shows it.
 */
function shapeSql(table: MirrorTable): string {
  return `(SELECT hashtextextended(string_agg(concat_ws(' ', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod),
                                              ',' ORDER BY a.attnum), 0)
             FROM pg_attribute AS a
            WHERE a.attrelid = ${regclassSql(table.name)} AND a.attnum > 0 AND NOT a.attisdropped)`;
}

/** What separates what is read as one text; whoever holds one of them is not remembered. */
const FIELD_END = '\x1f';
const ROW_END = '\x1e';
const isSeparable = (text: string): boolean => !text.includes(FIELD_END) && !text.includes(ROW_END);
/** Far more than stand between the ends of a page. */
const MOST_ROWS = 2_000;

/** What was known of records at a moment, by the database's clock; null where it was not asked. */
export interface Unchanged {
  readonly records: ReadonlyMap<string, RemoteRecord>;
  readonly at: string | null;
}

/**
 * Records by their digests that were created between two others, as far as they are known, their
 * rows are the ones that were found to say the same, and nothing waits for these. Takes no lock. Index
 * `record_digest_created`; rows by their places, which costs a tenth of looking for their ids. As one
 * text, for reading so many rows takes longer than finding them; and in one message, for of what a
 * page costs messages are the most. So their links come with it.
 *
 * @param page.ends its first and its last record.
 * @param page.views by which fields links are looked at.
 */
export async function readUnchanged(
  db: Pick<Database, 'repeatedSingle'>,
  table: MirrorTable,
  { ends, views }: { readonly ends: readonly RemoteRecord[]; readonly views: readonly LinkView[] },
): Promise<Unchanged> {
  const records = new Map<string, RemoteRecord>();
  const bounds = boundsOf(ends);
  if (bounds === null || !bounds.every(isStorableText)) return { records, at: null };
  const beside =
    views.length === 0 ? '' : `, (${standingLinksSql(views, 'SELECT id FROM k')}) AS l`;
  const [row] = await db.repeatedSingle<
    { found: string | null; at: string } & Partial<StandingText>
  >(
    ([object, from, fromId, to, toId]) => `WITH k AS (
       SELECT * FROM {sync}.record_digest
        WHERE object = ${object} AND (created_at, id) BETWEEN (${from}, ${fromId}) AND (${to}, ${toId})
        ORDER BY created_at, id LIMIT ${MOST_ROWS})
     SELECT clock_timestamp()::text AS at, *
       FROM (SELECT string_agg(k.digest || E'\\x1f' || k.id || E'\\x1f' || k.created_at || E'\\x1f' || coalesce(k.updated_at, '')
                       || E'\\x1f' || coalesce(k.content, '') || E'\\x1f' || k.links, E'\\x1e') AS found
               FROM k
              CROSS JOIN LATERAL (SELECT FROM ${table.qualified} AS t
                                   WHERE t.ctid = k.row_place AND t.xmin = k.row_version AND t.id = k.id OFFSET 0) AS t
              WHERE k.shape = ${shapeSql(table)}
                AND k.id <> ALL (ARRAY(SELECT d.id FROM {sync}.deferred AS d WHERE d.object = ${object}))) AS f${beside}`,
    [table.object, ...bounds],
  );
  const standingOf = standingReader(views, { linkCount: 0, linkRows: null, ...row });
  const readLinks = linksReader();
  for (const text of row?.found?.split(ROW_END) ?? []) {
    const [digest = '', id = '', createdAt = '', updatedAt = '', content = '', links = ''] =
      text.split(FIELD_END);
    const told = readLinks(links);
    records.set(digest, {
      id,
      fields: NO_FIELDS,
      createdAt,
      updatedAt: updatedAt === '' ? null : updatedAt,
      createdBy: null,
      updatedBy: null,
      mergedIds: null,
      links: told,
      trace: { digest, links: told, ...(content !== '' && { content }) },
      isUnchanged: true,
      standing: standingOf(id, told),
    });
  }
  return { records, at: row?.at ?? null };
}

const NO_FIELDS: RemoteRecord['fields'] = {};

/**
 * From the first to the last in the order of creation, with all of their moments: within one, records
 * come in any order. Where a whole page is of one moment there may be far more of them, so that ids bound
 * it as well.
 */
function boundsOf(ends: readonly RemoteRecord[]): readonly string[] | null {
  const ats = ends.flatMap(({ createdAt }) => createdAt ?? []).toSorted();
  const ids = ends.map(({ id }) => id).toSorted();
  const [from, to] = [ats[0], ats.at(-1)];
  const [firstId, lastId] = [ids[0], ids.at(-1)];
  if (from === undefined || to === undefined) return null;
  if (firstId === undefined || lastId === undefined) return null;
  // Whatever is longer comes later.
  return from === to ? [from, firstId, to, lastId] : [from, '', `${to}0`, ''];
}

/** Most records tell of the same links: of none. */
function linksReader(): (text: string) => RemoteRecord['links'] {
  let last = '{}';
  let links: Readonly<Record<string, Linkage>> = {};
  return (text) => {
    if (text === last) return links;
    const parsed = parseJson(text);
    [last, links] = [text, isLinks(parsed) ? parsed : {}];
    return links;
  };
}

/** Our own writing. */
function isLinks(parsed: unknown): parsed is RemoteRecord['links'] {
  return isObject(parsed);
}

/** A record with a digest, and the row that was found to say the same. */
export interface FoundEqual {
  readonly record: RemoteRecord;
  /** Read no later than it was compared. */
  readonly version: RowVersion;
}

/** Which version of a row it is: any write gives it another place, and another transaction. */
export interface RowVersion {
  /** `ctid` */
  readonly place: string;
  /** `xmin` */
  readonly by: string;
}

/**
 * Remembers how records came whose rows say the same. In one order, so that two that read the same wait
 * for each other: the one they are looked up in, so that those of a page lie side by side. Safe to repeat.
 */
export async function noteUnchanged(
  tx: Sql,
  table: MirrorTable,
  found: readonly FoundEqual[],
): Promise<void> {
  const noted = found.flatMap(({ record, version }) => {
    const { id, trace, createdAt, updatedAt, mergedIds } = record;
    if (trace === undefined || createdAt === null) return [];
    // What others becoming one with it asks for is done whenever one of them is there.
    if (mergedIds !== null && mergedIds.length > 0) return [];
    const { digest, content = '' } = trace;
    const links = JSON.stringify(trace.links);
    const texts = [id, createdAt, updatedAt ?? '', links];
    return texts.every(isSeparable) ? [{ ...record, digest, content, links, version }] : [];
  });
  if (noted.length === 0) return;
  await tx.query(
    `INSERT INTO {sync}.record_digest
            (object, id, digest, row_place, row_version, shape, created_at, updated_at, links, content)
     SELECT $1, i.id, i.digest, i.row_place::tid, i.row_version::xid, ${shapeSql(table)}, i.created_at, i.updated_at, i.links, i.content
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
              AS i(id, digest, row_place, row_version, created_at, updated_at, links, content)
      ORDER BY i.created_at, i.id
         ON CONFLICT (object, id) DO UPDATE
        SET digest = excluded.digest, row_place = excluded.row_place, row_version = excluded.row_version,
            shape = excluded.shape, created_at = excluded.created_at, updated_at = excluded.updated_at,
            links = excluded.links, content = excluded.content`,
    [
      table.object,
      noted.map(({ id }) => id),
      noted.map(({ digest }) => digest),
      noted.map(({ version }) => version.place),
      noted.map(({ version }) => version.by),
      noted.map(({ createdAt }) => createdAt),
      noted.map(({ updatedAt }) => updatedAt),
      noted.map(({ links }) => links),
      noted.map(({ content }) => content),
    ],
  );
}

/** Once everything was read: of records whose row stands no more nothing is kept. Two counts, mostly. */
export async function dropLostDigests(tx: Sql, { object, qualified }: MirrorTable): Promise<void> {
  await tx.query(
    `DELETE FROM {sync}.record_digest AS k
      WHERE k.object = $1
        AND (SELECT count(*) FROM {sync}.record_digest WHERE object = $1) > (SELECT count(*) FROM ${qualified})
        AND NOT EXISTS (SELECT FROM ${qualified} AS t WHERE t.id = k.id)`,
    [object],
  );
}
