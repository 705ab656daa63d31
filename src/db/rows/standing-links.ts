import { quoteIdent } from '../../domain/names.ts';
import type { Linkage, RemoteRecord } from '../../domain/record.ts';
import type { LinkView } from '../mirror/links.ts';

/** More are not worth reading only to find that nothing has changed. */
const MOST_LINKS = 20_000;
const FIELD_END = '\x1f';
const ROW_END = '\x1e';

/** What {@link standingLinksSql} answers. */
export interface StandingText {
  readonly linkCount: number;
  readonly linkRows: string | null;
}

/**
 * Every link of these records that the CRM may know of, as one text: as `linkRows`, and how many as
 * `linkCount`. By the key of a link table or the index of its other end, or, where one is small, all of
 * it at once: planned for a few records, so that no large table is read as a whole. No lock.
 *
 * @param records a query of their ids.
 */
export function standingLinksSql(views: readonly LinkView[], records: string): string {
  const parts = views.map(({ link, ...view }, index) => {
    const [here, there] = [view.here, view.there].map(({ column }) => `l.${quoteIdent(column)}`);
    return `(SELECT ${index} AS view, ${here} AS here, ${there} AS there FROM ${link.qualified} AS l
              WHERE ${here} IN (SELECT unnest(ARRAY(${records}))) AND ${there} NOT LIKE 'local:%')`;
  });
  return `SELECT count(*)::int4 AS "linkCount",
                 string_agg(l.view || E'\\x1f' || l.here || E'\\x1f' || l.there, E'\\x1e') AS "linkRows"
            FROM (${parts.join(' UNION ALL ')} LIMIT ${MOST_LINKS + 1}) AS l`;
}

/**
 * @returns of a record the fields whose links stand as it tells; none of it where they are too many,
 * or hold what separates them: whatever was inserted, no text reads as other rows than these.
 */
export function standingReader(
  views: readonly LinkView[],
  { linkCount, linkRows }: StandingText,
): (id: string, told: RemoteRecord['links']) => ReadonlySet<string> {
  const standing = toStanding(views.length, { linkCount, linkRows });
  if (standing === null) return () => NO_FIELDS;
  const all = new Set(views.map(({ here }) => here.field));
  const stands = (index: number, id: string, told: Linkage | undefined) =>
    told === undefined || isSame(told, standing[index]?.get(id) ?? NO_LINKS);
  return (id, told) => {
    const toldOf = (field: string) => (Object.hasOwn(told, field) ? told[field] : undefined);
    const agree = views.filter(({ here }, index) => stands(index, id, toldOf(here.field)));
    return agree.length === views.length ? all : new Set(agree.map(({ here }) => here.field));
  };
}

const NO_FIELDS: ReadonlySet<string> = new Set();
const NO_LINKS: readonly string[] = [];

type OfRecords = Map<string, string[]>;

function toStanding(
  views: number,
  { linkCount, linkRows }: StandingText,
): readonly OfRecords[] | null {
  const rows = linkRows === null ? [] : linkRows.split(ROW_END);
  if (linkCount > MOST_LINKS || rows.length !== linkCount) return null;
  const standing = Array.from({ length: views }, (): OfRecords => new Map());
  for (const row of rows) {
    const [view, here, there, ...rest] = row.split(FIELD_END);
    if (here === undefined || there === undefined || rest.length > 0) return null;
    const ofView = standing[Number(view)];
    const ofRecord = ofView?.get(here);
    if (ofRecord === undefined) ofView?.set(here, [there]);
    else ofRecord.push(there);
  }
  return standing;
}

/** A complete list is all there are; a capped one is to stand, whatever else does. */
function isSame({ ids, total }: Linkage, standing: readonly string[]): boolean {
  if (standing.length === 0) return ids.length === 0;
  const there = new Set(standing);
  if (!ids.every((id) => there.has(id))) return false;
  return ids.length < total || new Set(ids).size === there.size;
}
