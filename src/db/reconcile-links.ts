import { quoteIdent } from '../domain/names.ts';
import type { Sql } from './database.ts';
import type { LinkTable } from './mirror/links.ts';

/** An id that vanished, and the record it lives on in. */
export interface Merge {
  readonly oldId: string;
  readonly id: string;
}

/**
 * Moves the links of records that were merged away to their survivors, in every link table. Takes
 * no lock a user could hold: link tables are read-only to users. Repeatable.
 */
export async function moveLinks(
  tx: Sql,
  links: readonly LinkTable[],
  object: string,
  merges: readonly Merge[],
): Promise<void> {
  if (merges.length === 0) return;
  const parameters = [merges.map(({ oldId }) => oldId), merges.map(({ id }) => id)];
  for (const { qualified, sides } of links) {
    for (const [index, side] of sides.entries()) {
      const other = sides[1 - index];
      if (side.object !== object || other === undefined) continue;
      const here = quoteIdent(side.column);
      const there = quoteIdent(other.column);
      await tx.query(
        `WITH moved AS (
           DELETE FROM ${qualified} AS l USING unnest($1::text[], $2::text[]) AS m(old_id, id)
            WHERE l.${here} = m.old_id RETURNING m.id AS here, l.${there} AS there
         )
         INSERT INTO ${qualified} (${here}, ${there}) SELECT DISTINCT here, there FROM moved
             ON CONFLICT DO NOTHING`,
        parameters,
      );
    }
  }
}

/** Takes away the links of records that are gone. Repeatable. */
export async function dropLinks(
  tx: Sql,
  links: readonly LinkTable[],
  object: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  for (const { qualified, sides } of links) {
    for (const side of sides) {
      if (side.object !== object) continue;
      const here = quoteIdent(side.column);
      await tx.query(`DELETE FROM ${qualified} WHERE ${here} = ANY($1::text[])`, [ids]);
    }
  }
}
