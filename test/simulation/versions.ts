import { escapeIdentifier } from 'pg';
import { renderSql, TEMPLATE } from '../../src/db/control/schemas.ts';
import { columnDdl } from '../../src/db/mirror/ddl.ts';
import type { World } from './world.ts';

/** What is wrong with the history of rows: it has to end in what stands, in lines without overlap. */
export async function brokenVersions({ arena }: World): Promise<string[]> {
  const problems: string[] = [];
  for (const table of arena.tables) {
    const names = columnDdl(table.drizzle)
      .map(({ name }) => name)
      .filter((name) => name !== '_synced_at')
      .map(escapeIdentifier)
      .join(', ');
    const versions = `clarify_history.${escapeIdentifier(table.name)}`;
    const current = renderSql(table.qualified, TEMPLATE);
    const { rows } = await arena.client.query<{ what: string; id: string }>(
      `(SELECT 'has a row that no open version says' AS what, id FROM (
          SELECT ${names} FROM ${current}
          EXCEPT SELECT ${names} FROM ${versions} WHERE _valid_to IS NULL) AS unsaid)
        UNION ALL
       (SELECT 'has an open version that no row says', id FROM (
          SELECT ${names} FROM ${versions} WHERE _valid_to IS NULL
          EXCEPT SELECT ${names} FROM ${current}) AS unfounded)
        UNION ALL
       SELECT 'has versions that overlap', a.id FROM ${versions} AS a JOIN ${versions} AS b USING (id)
        WHERE a._valid_from < b._valid_from AND (a._valid_to IS NULL OR a._valid_to > b._valid_from)
        UNION ALL
       SELECT 'has a version of a row born here under its old id', h.id FROM ${versions} AS h
         JOIN clarify_sync.id_map AS m ON m.object = $1 AND m.old_id = h.id AND m.reason = 'pushed'
        WHERE h._ended_by IS DISTINCT FROM 'merge' AND NOT EXISTS (
              SELECT FROM ${versions} AS e WHERE e.id = h.id AND e._ended_by = 'merge')`,
      [table.object],
    );
    problems.push(...rows.map(({ what, id }) => `history: ${table.object} ${id} ${what}`));
  }
  return problems;
}
