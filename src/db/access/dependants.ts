import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../connection/database.ts';

/** Something that users built onto our tables; names are quoted as SQL takes them. */
export interface Dependant {
  /** What it is, in words. */
  readonly what: string;
  /** What to do about it: a statement, or words. */
  readonly cure: string;
}

/**
 * Foreign keys that would refuse what the CRM decided: a row that gets its id from there, or goes
 * because its record is gone. Those that Postgres 18 does not enforce refuse nothing. Catalog only.
 */
export async function readBlockingKeys(sql: Sql): Promise<readonly Dependant[]> {
  return await sql.query<Dependant & Record<string, unknown>>(
    `SELECT format('%I on %s refuses %s of %s', k.conname, k.conrelid::regclass,
              CASE WHEN k.keeps_rows AND k.keeps_ids THEN 'removals and new ids'
                   WHEN k.keeps_rows THEN 'removals' ELSE 'new ids' END, k.confrelid::regclass) AS what,
            format('ALTER TABLE %1$s DROP CONSTRAINT %2$I, ADD CONSTRAINT %2$I FOREIGN KEY (%3$s) REFERENCES %4$s (%5$s) ON UPDATE CASCADE ON DELETE %6$s%7$s%8$s',
              k.conrelid::regclass, k.conname, k.columns, k.confrelid::regclass, k.referred,
              CASE WHEN k.is_required THEN 'CASCADE' ELSE 'SET NULL' END,
              CASE WHEN k.condeferrable THEN ' DEFERRABLE' END,
              CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' END) AS cure
       FROM (SELECT c.*, c.confdeltype IN ('a', 'r') AS keeps_rows,
                    c.confupdtype IN ('a', 'r') AND i.attnum = ANY(c.confkey) AS keeps_ids,
                    EXISTS (SELECT FROM pg_attribute AS a
                             WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) AND a.attnotnull) AS is_required,
                    (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY n.position)
                       FROM unnest(c.conkey) WITH ORDINALITY AS n(attnum, position)
                       JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = n.attnum) AS columns,
                    (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY n.position)
                       FROM unnest(c.confkey) WITH ORDINALITY AS n(attnum, position)
                       JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = n.attnum) AS referred
               FROM pg_constraint AS c
               JOIN pg_class AS t ON t.oid = c.confrelid
               LEFT JOIN pg_attribute AS i ON i.attrelid = t.oid AND i.attname = 'id'
              WHERE c.contype = 'f' AND c.conparentid = 0 AND t.relnamespace = to_regnamespace($1)
                AND coalesce(to_jsonb(c) ->> 'conenforced', 'true') = 'true') AS k
      WHERE k.keeps_rows OR k.keeps_ids
      ORDER BY what`,
    [quoteIdent(sql.schemas.mirror)],
  );
}

/** Publications that carry a secret: by which our own writes are known, or the CRM's calls. */
export async function readLeakingPublications(sql: Sql): Promise<readonly Dependant[]> {
  return await sql.query<Dependant & Record<string, unknown>>(
    `SELECT DISTINCT format('publication %I', p.pubname) AS what,
            CASE WHEN c.puballtables
              THEN format('DROP PUBLICATION %1$I; CREATE PUBLICATION %1$I FOR TABLE … naming the tables of {mirror} that are wanted', p.pubname)
              ELSE format('ALTER PUBLICATION %I DROP TABLE {sync}.%I, or its schema', p.pubname, p.tablename)
            END AS cure
       FROM pg_publication_tables AS p
       JOIN pg_publication AS c ON c.pubname = p.pubname
      WHERE p.schemaname = '{sync}' AND p.tablename IN ('installation', 'hook')
      ORDER BY what`,
  );
}

/**
 * Triggers of others that can drop a row before it is written, in silence: on versions, and on what
 * stands beside the mirror tables, which nothing compares with their records. By what their
 * functions say. Catalog only.
 */
export async function readOmittingTriggers(sql: Sql): Promise<readonly Dependant[]> {
  return await sql.query<Dependant & Record<string, unknown>>(
    `SELECT format('%I on %s', g.tgname, g.tgrelid::regclass) AS what,
            'let it return the row, or make it an AFTER trigger' AS cure
       FROM pg_trigger AS g
       JOIN pg_class AS t ON t.oid = g.tgrelid
       JOIN pg_proc AS p ON p.oid = g.tgfoid
      WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 3 = 3
        AND p.pronamespace <> '{sync}'::regnamespace AND p.prosrc ~* '\\mreturn\\s+null\\M'
        AND (t.relnamespace = to_regnamespace($2)
             OR t.relnamespace = to_regnamespace($1)
                AND EXISTS (SELECT FROM pg_trigger AS o JOIN pg_proc AS r ON r.oid = o.tgfoid
                             WHERE o.tgrelid = t.oid AND r.pronamespace = '{sync}'::regnamespace
                               AND o.tgname LIKE '%\\_read\\_only'))
      ORDER BY what`,
    [quoteIdent(sql.schemas.mirror), quoteIdent(sql.schemas.history)],
  );
}

/** What keeps a column of numbers from the type it is to have. Catalog and records only. */
export async function readKeptNumbers(sql: Sql): Promise<readonly Dependant[]> {
  return await sql.query<Dependant & Record<string, unknown>>(
    `SELECT DISTINCT format('%s.%I is used by %s', t.oid::regclass, c.column_name,
              pg_describe_object(d.classid, d.objid, d.objsubid)) AS what,
            'drop it, run \`clarify-sync sync\`, and make it again' AS cure
       FROM {sync}.mirror_column AS c
       JOIN {sync}.mirror AS m ON m.object = c.object AND m.removed_at IS NULL
       JOIN pg_class AS t ON t.relname = m.table_name AND t.relnamespace = to_regnamespace($1)
       JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = c.column_name AND NOT a.attisdropped
       JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
            AND d.refobjsubid = a.attnum AND d.deptype <> 'i'
            AND d.classid NOT IN ('pg_class'::regclass, 'pg_constraint'::regclass,
                                  'pg_statistic_ext'::regclass, 'pg_attrdef'::regclass)
      WHERE c.kind = 'number' AND c.removed_at IS NULL
        AND (NOT c.definition ? 'numberType'
             OR c.definition @> '{"overflown": true}' AND c.definition ->> 'numberType' <> 'numeric')
      ORDER BY what`,
    [quoteIdent(sql.schemas.mirror)],
  );
}

/** Views that still read a column which was put aside when its type changed: it stands still. */
export async function readStaleViews(sql: Sql): Promise<readonly Dependant[]> {
  return await sql.query<Dependant & Record<string, unknown>>(
    `SELECT format('%s reads %s', r.ev_class::regclass,
              string_agg(DISTINCT format('%s.%I', t.oid::regclass, a.attname), ', ')) AS what,
            'let it read the column of today' AS cure
       FROM pg_class AS t
       JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
            AND d.refobjsubid = a.attnum AND d.classid = 'pg_rewrite'::regclass
       JOIN pg_rewrite AS r ON r.oid = d.objid
      WHERE t.relnamespace = to_regnamespace($1) AND t.relkind = 'r'
        AND col_description(t.oid, a.attnum) LIKE '% as it was before its type changed %'
      GROUP BY r.ev_class ORDER BY what`,
    [quoteIdent(sql.schemas.mirror)],
  );
}
