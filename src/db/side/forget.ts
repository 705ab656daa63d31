import type { Sql } from '../connection/database.ts';
import { findSideTable } from './ensure.ts';
import { SIDE_TABLES } from './tables.ts';

/** The one object whose records are recipients. */
const PERSON = 'person';

/** Rows of a record in the tables beside the mirror. @returns how many went. */
export async function eraseSides(tx: Sql, object: string, ids: readonly string[]): Promise<number> {
  await tx.query(
    `DELETE FROM {sync}.side_reading WHERE part IN ('attachment', 'comment') AND object = $1 AND key = ANY($2)`,
    [object, ids],
  );
  await erasePages(tx, object, ids);
  const texts = await tx.query(
    'DELETE FROM {sync}.comment_outbox WHERE object = $1 AND record_id = ANY($2) RETURNING 1',
    [object, ids],
  );
  let erased = texts.length;
  for (const side of [SIDE_TABLES.attachment, SIDE_TABLES.comment, SIDE_TABLES.list_member]) {
    const table = await findSideTable(tx, side);
    if (table === null) continue;
    const text = `DELETE FROM ${table} WHERE object = $1 AND record_id = ANY($2) RETURNING 1`;
    erased += (await tx.query(text, [object, ids])).length;
  }
  const recipients = await findSideTable(tx, SIDE_TABLES.campaign_recipient);
  if (object !== PERSON || recipients === null) return erased;
  const text = `DELETE FROM ${recipients} WHERE person_id = ANY($1) RETURNING 1`;
  return erased + (await tx.query(text, [ids])).length;
}

/**
 * What was put down of readings that are not over, or never will be. A page of others only loses these:
 * who reads them on counts too few, and reads again.
 */
async function erasePages(tx: Sql, object: string, ids: readonly string[]): Promise<void> {
  await tx.query(
    `DELETE FROM {sync}.side_page WHERE part IN ('attachment', 'comment') AND object = $1 AND key = ANY($2)`,
    [object, ids],
  );
  await tx.query(
    `UPDATE {sync}.side_page AS p
        SET items = (SELECT coalesce(jsonb_agg(i.item ORDER BY i.n), '[]')
                       FROM jsonb_array_elements(p.items) WITH ORDINALITY AS i(item, n)
                      WHERE i.item ->> 'id' <> ALL($2)
                        AND coalesce(i.item #>> '{fields,person_id}' <> ALL($2), true))
      WHERE (p.part = 'list_member' AND p.object = $1 OR p.part = 'campaign_recipient' AND $1 = '${PERSON}')
        AND EXISTS (SELECT FROM jsonb_array_elements(p.items) AS i(item)
                     WHERE i.item ->> 'id' = ANY($2) OR i.item #>> '{fields,person_id}' = ANY($2))`,
    [object, ids],
  );
}
