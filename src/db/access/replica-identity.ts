import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../connection/database.ts';
import type { Dependant } from './dependants.ts';

export interface IdentityState {
  /** Statements by which tables whose identity nobody chose name their rows by `_key`. */
  readonly due: readonly string[];
  /** Tables that name their rows by something else, and why. */
  readonly others: readonly string[];
}

/**
 * Published tables (`t`), one row for each publication, with the columns that name a row in the
 * stream (`named`), those that are sent (`sent`; null before 15, all of them) and those that a row
 * filter looks at (`judged`). Lists and filters came with 15.
 */
const PUBLISHED = `
  SELECT t.oid, t.relname, t.relreplident, c.pubname, to_jsonb(c) ->> 'pubgencols' AS pubgencols,
         nullif(to_jsonb(r) -> 'prattrs', 'null') IS NOT NULL AS has_list,
         to_jsonb(p) -> 'attnames' AS sent,
         (SELECT jsonb_agg(a.attname) FROM pg_index AS i
            JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey)
           WHERE i.indrelid = t.oid
             AND CASE t.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END) AS named,
         (SELECT coalesce(jsonb_agg(a.attname), '[]')
            FROM regexp_matches(to_jsonb(r) ->> 'prqual', ':varattno (\\d+)', 'g') AS f
            JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = f[1]::int2) AS judged
    FROM pg_publication_tables AS p
    JOIN pg_publication AS c ON c.pubname = p.pubname AND (c.pubupdate OR c.pubdelete)
    JOIN pg_class AS t ON t.relname = p.tablename AND t.relnamespace = to_regnamespace($1)
    LEFT JOIN pg_publication_rel AS r ON r.prpubid = c.oid AND r.prrelid = t.oid
   WHERE p.schemaname = $2`;

/**
 * How tables differ from naming their rows by `_key`, which stays when a row gets the id that the
 * CRM gave it. What a user chose stays chosen, and so does what the column list or row filter of a
 * publication allows no other than. An identity whose index is gone was no choice: Postgres refuses
 * updates and removals then. From the catalog alone, no lock.
 */
export async function readIdentityState(
  sql: Sql,
  tables: readonly string[],
): Promise<IdentityState> {
  const rows = await sql.query<{
    table: string;
    index: string | null;
    now: 'default' | 'key' | 'lost' | 'whole' | 'chosen';
    fits: boolean;
  }>(
    `WITH published AS (${PUBLISHED})
     SELECT t.oid::regclass::text AS table, k.name AS index,
            CASE WHEN t.relreplident = 'd' THEN 'default'
                 WHEN t.relreplident = 'f' THEN 'whole'
                 WHEN t.relreplident = 'n' THEN 'chosen'
                 WHEN s.is_key IS NULL THEN 'lost'
                 WHEN s.is_key THEN 'key' ELSE 'chosen' END AS now,
            NOT EXISTS (SELECT FROM published AS p
                         WHERE p.oid = t.oid AND (NOT p.sent ? '_key' OR NOT p.judged <@ '["_key"]')) AS fits
       FROM pg_class AS t
       JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = '_key' AND a.attnotnull
       LEFT JOIN LATERAL (
         SELECT min(n.relname) AS name FROM pg_index AS i JOIN pg_class AS n ON n.oid = i.indexrelid
          WHERE i.indrelid = t.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
            AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS k ON true
       LEFT JOIN LATERAL (
         SELECT i.indnkeyatts = 1 AND i.indkey[0] = a.attnum AS is_key FROM pg_index AS i
          WHERE i.indrelid = t.oid AND i.indisreplident) AS s ON true
      WHERE t.relnamespace = to_regnamespace($1) AND t.relkind = 'r' AND t.relpersistence = 'p'
        AND t.relname = ANY($3::text[])
      ORDER BY 1`,
    [quoteIdent(sql.schemas.mirror), sql.schemas.mirror, tables],
  );
  const due: string[] = [];
  const others: string[] = [];
  for (const { table, index, now, fits } of rows) {
    // Whole rows have their key.
    if (now === 'whole') continue;
    if (now === 'chosen') {
      others.push(`${table} by a replica identity that was chosen for it`);
    } else if (fits && index !== null) {
      const identity = `USING INDEX ${quoteIdent(index)}`;
      if (now !== 'key') due.push(`ALTER TABLE ${table} REPLICA IDENTITY ${identity}`);
    } else {
      if (now !== 'default') due.push(`ALTER TABLE ${table} REPLICA IDENTITY DEFAULT`);
      const why =
        index === null
          ? 'it has only unique indexes'
          : 'a publication has a column list or row filter';
      others.push(`${table} by id, since ${why} without _key`);
    }
  }
  return { due, others };
}

/**
 * Published tables whose rows Postgres refuses to change or remove: nothing in what would be
 * published names them, or a row filter looks at more than what does.
 */
export async function readUnpublishable(sql: Sql): Promise<readonly Dependant[]> {
  return await sql.query<Dependant & Record<string, unknown>>(
    `WITH judged AS (
       SELECT *, CASE WHEN relreplident = 'f'
                        -- Since 18: whole rows name themselves by generated columns as well.
                        THEN has_list OR pubgencols = 'n' AND EXISTS (
                          SELECT FROM pg_attribute AS a
                           WHERE a.attrelid = oid AND a.attgenerated <> '' AND NOT a.attisdropped)
                      ELSE named IS NULL END AS is_nameless,
              NOT named <@ sent OR NOT judged <@ named AS is_partial
         FROM (${PUBLISHED}) AS published
     )
     SELECT format('%s, published by %s', oid::regclass, string_agg(format('%I', pubname), ', ')) AS what,
            CASE WHEN bool_or(is_nameless) THEN format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', oid::regclass)
                 ELSE format('let column lists have, and row filters name no other than, %s of %s',
                   (SELECT string_agg(quote_ident(name), ', ') FROM jsonb_array_elements_text(named) AS name), oid::regclass)
            END AS cure
       FROM judged WHERE is_nameless OR is_partial
      GROUP BY oid, named ORDER BY what`,
    [quoteIdent(sql.schemas.mirror), sql.schemas.mirror],
  );
}
