import { quoteIdent, quoteLiteral } from '../domain/names.ts';
import type { Database, Sql } from './database.ts';
import { loadMirror } from './mirror/load.ts';
import { MIRROR_SCHEMA } from './mirror/table.ts';

export const PUBLICATION = `${MIRROR_SCHEMA}_mirror`;

/** By this comment the publication is known as ours. */
const MARK = 'The mirror and link tables of clarify-sync, kept current as tables come';

export interface PublicationState {
  /** A publication of the name that somebody else made: it is left alone. */
  readonly isTaken: boolean;
  /** Statements that bring it to what it should be. */
  readonly due: readonly string[];
}

/**
 * How the publication differs from what it should be: one of every table of ours that holds
 * records or links, and of nothing else. From the catalog alone, no lock.
 */
export async function readPublicationState(sql: Sql): Promise<PublicationState> {
  const [standing] = await sql.query<{ isOurs: boolean }>(
    `SELECT coalesce(obj_description(oid, 'pg_publication') = $2, false) AS "isOurs"
       FROM pg_publication WHERE pubname = $1`,
    [PUBLICATION, MARK],
  );
  if (standing?.isOurs === false) return { isTaken: true, due: [] };
  const { tables, links } = await loadMirror(sql);
  const names = [...tables, ...links].map(({ name }) => name);
  const { missing, strange } = await compareTables(sql, names);
  const list = (some: readonly string[]) => some.join(', ');
  const publication = quoteIdent(PUBLICATION);
  const due: string[] = [];
  if (standing === undefined) {
    due.push(`CREATE PUBLICATION ${publication}`);
    due.push(`COMMENT ON PUBLICATION ${publication} IS ${quoteLiteral(MARK)}`);
  }
  if (strange.length > 0) due.push(`ALTER PUBLICATION ${publication} DROP TABLE ${list(strange)}`);
  if (missing.length > 0) due.push(`ALTER PUBLICATION ${publication} ADD TABLE ${list(missing)}`);
  return { isTaken: false, due };
}

/** Quoted with their schema. What a user chose of a table's columns or rows stays chosen. */
async function compareTables(
  sql: Sql,
  wanted: readonly string[],
): Promise<{ readonly missing: readonly string[]; readonly strange: readonly string[] }> {
  const rows = await sql.query<{ name: string; isWanted: boolean }>(
    `WITH published AS (
       SELECT r.prrelid AS oid FROM pg_publication_rel AS r
         JOIN pg_publication AS p ON p.oid = r.prpubid WHERE p.pubname = $1
     ), wanted AS (
       SELECT c.oid FROM pg_class AS c
        WHERE c.relnamespace = to_regnamespace($2) AND c.relkind = 'r'
          AND c.relpersistence = 'p' AND c.relname = ANY($3::text[])
     )
     SELECT format('%I.%I', n.nspname, c.relname) AS name, w.oid IS NOT NULL AS "isWanted"
       FROM published AS p
       FULL JOIN wanted AS w USING (oid)
       JOIN pg_class AS c ON c.oid = coalesce(p.oid, w.oid)
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE p.oid IS NULL OR w.oid IS NULL
      ORDER BY name`,
    [PUBLICATION, quoteIdent(MIRROR_SCHEMA), wanted],
  );
  return {
    missing: rows.filter(({ isWanted }) => isWanted).map(({ name }) => name),
    strange: rows.filter(({ isWanted }) => !isWanted).map(({ name }) => name),
  };
}

/**
 * Makes the publication, or brings it up to the tables there are. Repeatable; who comes second
 * waits, and finds nothing to do. Its tables stay readable and writable throughout.
 *
 * @returns whether the name is somebody else's, so that nothing was done.
 * @throws SyncError `database-permission` where the user may not create publications.
 */
export async function keepPublication(db: Database): Promise<{ readonly isTaken: boolean }> {
  const glance = await readPublicationState(db);
  if (glance.isTaken || glance.due.length === 0) return glance;
  return await db.transaction(
    async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('clarify_sync.mirror', 0))`);
      const { isTaken, due } = await readPublicationState(tx);
      for (const statement of due) await tx.query(statement);
      return { isTaken };
    },
    { lockTimeoutMs: 2_000 },
  );
}
