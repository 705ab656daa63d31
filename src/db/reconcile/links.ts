import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../database.ts';
import type { LinkTable } from '../mirror/links.ts';

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
  tx: Sql,
  links: readonly LinkTable[],
  object: string,
  merges: readonly Merge[],
): Promise<void> {
  if (merges.length === 0) return;
  const parameters = [merges.map(({ oldId }) => oldId), merges.map(({ id }) => id)];
  for (const { qualified, here, there } of endsOf(links, object)) {
    await tx.query(
      `WITH due AS MATERIALIZED (
         SELECT l.${here} AS old_id, m.id, l.${there} AS other
           FROM ${qualified} AS l JOIN unnest($1::text[], $2::text[]) AS m(old_id, id) ON m.old_id = l.${here}
          ORDER BY 1, 3 FOR UPDATE OF l SKIP LOCKED
       ), gone AS (
         DELETE FROM ${qualified} AS l USING due AS d WHERE l.${here} = d.old_id AND l.${there} = d.other
         RETURNING d.id, d.other
       )
       INSERT INTO ${qualified} (${here}, ${there}) SELECT DISTINCT id, other FROM gone
           ON CONFLICT DO NOTHING`,
      parameters,
    );
  }
}

/** Takes away the links of records that are gone, wherever nobody holds the link. Repeatable. */
export async function dropLinks(
  tx: Sql,
  links: readonly LinkTable[],
  object: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  for (const { qualified, here, there } of endsOf(links, object)) {
    await tx.query(
      `DELETE FROM ${qualified} AS l USING (
         SELECT ${here} AS here, ${there} AS there FROM ${qualified}
          WHERE ${here} = ANY($1::text[]) ORDER BY 1, 2 FOR UPDATE SKIP LOCKED) AS d
        WHERE l.${here} = d.here AND l.${there} = d.there`,
      [ids],
    );
  }
}

/** Every end at which an object's records stand, its columns quoted. */
function endsOf(links: readonly LinkTable[], object: string) {
  return links.flatMap(({ qualified, sides }) => {
    const [first, second] = sides.map(({ column }) => quoteIdent(column));
    if (first === undefined || second === undefined) return [];
    const ends = [
      { qualified, here: first, there: second },
      { qualified, here: second, there: first },
    ];
    return ends.filter((_, index) => sides[index]?.object === object);
  });
}
