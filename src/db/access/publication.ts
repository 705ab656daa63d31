import { quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { Database, Sql } from '../connection/database.ts';
import { renderSql, type Schemas, verbatim } from '../control/schemas.ts';
import { loadMirror } from '../mirror/load.ts';
import { type IdentityState, readIdentityState } from './replica-identity.ts';

/** What the publication of a workspace is called. */
export function publicationName(schemas: Schemas): string {
  return renderSql('{mirror}_mirror', schemas);
}

/** By this comment the publication is known as ours. */
const MARK = 'The mirror and link tables of clarify-sync, kept current as tables come';

export interface PublicationState {
  /** A publication of the name that somebody else made: it is left alone. */
  readonly isTaken: boolean;
  /** Statements that bring it to what it should be. */
  readonly due: readonly string[];
  /** By what its tables name their rows. */
  readonly identities: IdentityState;
}

/**
 * How the publication differs from what it should be: one of every table of ours that holds
 * records or links, and of nothing else. From the catalog alone, no lock.
 */
export async function readPublicationState(sql: Sql): Promise<PublicationState> {
  const [standing] = await sql.query<{ isOurs: boolean }>(
    `SELECT coalesce(obj_description(oid, 'pg_publication') = $2, false) AS "isOurs"
       FROM pg_publication WHERE pubname = $1`,
    [publicationName(sql.schemas), MARK],
  );
  if (standing?.isOurs === false) {
    return { isTaken: true, due: [], identities: { due: [], others: [] } };
  }
  const { tables, links } = await loadMirror(sql);
  const identities = await readIdentityState(
    sql,
    tables.map(({ name }) => name),
  );
  const names = [...tables, ...links].map(({ name }) => name);
  const { missing, strange } = await compareTables(sql, names);
  const list = (some: readonly string[]) => some.join(', ');
  const publication = quoteIdent(publicationName(sql.schemas));
  const due: string[] = [];
  if (standing === undefined) {
    due.push(`CREATE PUBLICATION ${publication}`);
    due.push(`COMMENT ON PUBLICATION ${publication} IS ${quoteLiteral(MARK)}`);
  }
  if (strange.length > 0) due.push(`ALTER PUBLICATION ${publication} DROP TABLE ${list(strange)}`);
  if (missing.length > 0) due.push(`ALTER PUBLICATION ${publication} ADD TABLE ${list(missing)}`);
  return { isTaken: false, due, identities };
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
    [publicationName(sql.schemas), quoteIdent(sql.schemas.mirror), wanted],
  );
  return {
    missing: rows.filter(({ isWanted }) => isWanted).map(({ name }) => name),
    strange: rows.filter(({ isWanted }) => !isWanted).map(({ name }) => name),
  };
}

/**
 * Makes the publication, or brings it up to the tables there are, whose rows it names by `_key`.
 * Repeatable; who comes second waits, and finds nothing to do. A new identity locks its table for a
 * moment, each in a transaction of its own; a table that somebody holds keeps no other waiting.
 *
 * @returns whether the name is somebody else's, so that nothing was done.
 * @throws SyncError `database-permission` where the user may not create publications,
 *   `database-lock-timeout` where a table was held.
 */
export async function keepPublication(db: Database): Promise<{ readonly isTaken: boolean }> {
  const { isTaken, due, identities } = await readPublicationState(db);
  if (isTaken) return { isTaken };
  const failures: unknown[] = [];
  for (const statement of identities.due) {
    const set = async (tx: Sql) => {
      const { identities: left } = await readPublicationState(tx);
      if (left.due.includes(statement)) await tx.query(verbatim(statement));
    };
    await inTurn(db, set).catch((error: unknown) => failures.push(error));
  }
  if (due.length > 0) {
    await inTurn(db, async (tx) => {
      const { due: left } = await readPublicationState(tx);
      for (const statement of left) await tx.query(verbatim(statement));
    });
  }
  if (failures.length > 0) throw failures[0];
  return { isTaken };
}

async function inTurn(db: Database, work: (tx: Sql) => Promise<unknown>): Promise<void> {
  await db.transaction(
    async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0))`);
      await work(tx);
    },
    { lockTimeoutMs: 2_000 },
  );
}
