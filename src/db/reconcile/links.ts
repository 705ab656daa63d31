import { quoteIdent } from '../../domain/names.ts';
import type { Transaction } from '../connection/database.ts';
import type { LinkTable } from '../mirror/links.ts';
import { guardedLinks } from '../rows/link-rows.ts';

/** An id that vanished, and the record it lives on in. */
export interface Merge {
  readonly oldId: string;
  readonly id: string;
}

/**
 * Moves the links of records that were merged away to their survivors, in every link table,
 * wherever nobody holds the link: the sweep has the rest. By the table's key or the index of its
 * other end. Repeatable.
 */
export async function moveLinks(
  tx: Transaction,
  links: readonly LinkTable[],
  object: string,
  merges: readonly Merge[],
): Promise<void> {
  if (merges.length === 0) return;
  const parameters = [merges.map(({ oldId }) => oldId), merges.map(({ id }) => id)];
  for (const { link, here, there } of endsOf(links, object)) {
    const { qualified } = link;
    const due = `${qualified} AS l JOIN unnest($1::text[], $2::text[]) AS m(old_id, id) ON m.old_id = l.${here}
          WHERE true`;
    await guardedLinks(tx, link, {
      due,
      write: (only) => `WITH due AS MATERIALIZED (
         SELECT l.${here} AS old_id, m.id, l.${there} AS other FROM ${due} AND ${only}
          ORDER BY 1, 3 FOR UPDATE OF l SKIP LOCKED
       ), gone AS (
         DELETE FROM ${qualified} AS l USING due AS d WHERE l.${here} = d.old_id AND l.${there} = d.other
         RETURNING d.id, d.other
       )
       INSERT INTO ${qualified} (${here}, ${there}) SELECT DISTINCT id, other FROM gone
           ON CONFLICT DO NOTHING`,
      parameters,
    });
  }
}

/** Takes away the links of records that are gone, wherever nobody holds the link. Repeatable. */
export async function dropLinks(
  tx: Transaction,
  links: readonly LinkTable[],
  object: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  for (const { link, here, there } of endsOf(links, object)) {
    const { qualified } = link;
    const due = `${qualified} AS l WHERE l.${here} = ANY($1::text[])`;
    await guardedLinks(tx, link, {
      due,
      write: (only) => `DELETE FROM ${qualified} AS g USING (
         SELECT l.${here} AS here, l.${there} AS there FROM ${due} AND ${only}
          ORDER BY 1, 2 FOR UPDATE OF l SKIP LOCKED) AS d
        WHERE g.${here} = d.here AND g.${there} = d.there`,
      parameters: [ids],
    });
  }
}

/** Every end at which an object's records stand, its columns quoted. */
function endsOf(links: readonly LinkTable[], object: string) {
  return links.flatMap((link) => {
    const [first, second] = link.sides.map(({ column }) => quoteIdent(column));
    if (first === undefined || second === undefined) return [];
    const ends = [
      { link, here: first, there: second },
      { link, here: second, there: first },
    ];
    return ends.filter((_, index) => link.sides[index]?.object === object);
  });
}
