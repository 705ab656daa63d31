import { quoteIdent } from '../../domain/names.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { guarded, guardedSet, type Refused } from '../connection/guarded.ts';
import type { LinkTable, LinkView } from '../mirror/links.ts';
import type { MirrorTable } from '../mirror/table.ts';
import { putAside } from './set-aside.ts';

/** One link, as a record and its field tell it. */
export interface LinkRow {
  readonly here: string;
  readonly there: string;
}

/** What the CRM says of a field's links: pairs, and of which records they are all there are. */
export interface ToldLinks {
  readonly pairs: readonly LinkRow[];
  readonly whole: readonly string[];
}

function columnsOf({ here, there }: LinkView) {
  return { here: quoteIdent(here.column), there: quoteIdent(there.column) };
}

function parametersOf(rows: readonly LinkRow[]) {
  return [rows.map(({ here }) => here), rows.map(({ there }) => there)];
}

/**
 * What differs between what was told and what stands: links that are missing, of records that have
 * a row, and those that are too many. What was born here is none of the CRM's business yet. By the
 * table's key or the index of its other end, or, of a small one, all of it at once; no lock. The list of ids
 * stands in a query of its own: otherwise planning looks up each of them in the statistics, for longer
 * than finding them takes. It is joined: a row held against each of a thousand takes longer than all else.
 */
export async function compareLinks(
  sql: Sql,
  view: LinkView,
  table: MirrorTable,
  { pairs, whole }: ToldLinks,
): Promise<{ readonly missing: readonly LinkRow[]; readonly extra: readonly LinkRow[] }> {
  const { qualified } = view.link;
  const { here, there } = columnsOf(view);
  const rows = await sql.query<LinkRow & { missing: boolean }>(
    `WITH told AS MATERIALIZED (
       SELECT DISTINCT here, there FROM unnest($1::text[], $2::text[]) AS t(here, there)
     )
     SELECT t.here, t.there, true AS missing FROM told AS t
      WHERE NOT EXISTS (SELECT 1 FROM ${qualified} AS l WHERE l.${here} = t.here AND l.${there} = t.there)
        AND EXISTS (SELECT 1 FROM ${table.qualified} AS m WHERE m.id = t.here)
     UNION ALL
     SELECT l.${here}, l.${there}, false FROM ${qualified} AS l
      WHERE l.${here} IN (SELECT unnest((SELECT $3::text[]))) AND l.${there} NOT LIKE 'local:%'
        AND NOT EXISTS (SELECT 1 FROM told AS t WHERE t.here = l.${here} AND t.there = l.${there})`,
    [...parametersOf(pairs), whole],
  );
  const plain = ({ here: from, there: to }: LinkRow) => ({ here: from, there: to });
  return {
    missing: rows.filter((row) => row.missing).map(plain),
    extra: rows.filter((row) => !row.missing).map(plain),
  };
}

/** Locks links, in key order, leaving out those that a user holds or has deleted meanwhile. */
export async function lockLinks(
  tx: Sql,
  view: LinkView,
  rows: readonly LinkRow[],
): Promise<readonly LinkRow[]> {
  if (rows.length === 0) return [];
  const { here, there } = columnsOf(view);
  return await tx.query<LinkRow & Record<string, unknown>>(
    `SELECT l.${here} AS here, l.${there} AS there FROM ${view.link.qualified} AS l
       JOIN unnest($1::text[], $2::text[]) AS r(here, there) ON l.${here} = r.here AND l.${there} = r.there
      ORDER BY 1, 2 FOR UPDATE OF l SKIP LOCKED`,
    parametersOf(rows),
  );
}

/** The caller has locked them. @returns those that a constraint or a trigger of others keeps. */
export async function deleteLinks(
  tx: Transaction,
  view: LinkView,
  rows: readonly LinkRow[],
): Promise<readonly Refused<LinkRow>[]> {
  const { here, there } = columnsOf(view);
  return await guarded(tx, view.link.qualified, rows, async (part) => {
    await tx.query(
      `DELETE FROM ${view.link.qualified} AS l USING unnest($1::text[], $2::text[]) AS r(here, there)
        WHERE l.${here} = r.here AND l.${there} = r.there`,
      parametersOf(part),
    );
  });
}

/**
 * Adds links; those that stand already count as added. Waits where a user has just inserted the
 * same link and not committed: the caller limits how long.
 */
export async function insertLinks(
  tx: Sql,
  view: LinkView,
  rows: readonly LinkRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const { here, there } = columnsOf(view);
  await tx.query(
    `INSERT INTO ${view.link.qualified} (${here}, ${there})
     SELECT r.here, r.there FROM unnest($1::text[], $2::text[]) AS r(here, there)
      ORDER BY 1, 2 ON CONFLICT DO NOTHING`,
    parametersOf(rows),
  );
}

/** How many links each of these records has here, as far as the CRM may know of them. */
export async function countLinks(
  sql: Sql,
  view: LinkView,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { here, there } = columnsOf(view);
  const rows = await sql.query<{ id: string; links: number }>(
    `SELECT ${here} AS id, count(*)::int4 AS links FROM ${view.link.qualified}
      WHERE ${here} = ANY($1::text[]) AND ${there} NOT LIKE 'local:%' GROUP BY 1`,
    [ids],
  );
  return new Map(rows.map(({ id, links }) => [id, links]));
}

/** Which of these links stand. */
export async function readStandingLinks(
  sql: Sql,
  view: LinkView,
  rows: readonly LinkRow[],
): Promise<readonly LinkRow[]> {
  if (rows.length === 0) return [];
  const { here, there } = columnsOf(view);
  return await sql.query<LinkRow & Record<string, unknown>>(
    `SELECT l.${here} AS here, l.${there} AS there FROM ${view.link.qualified} AS l
       JOIN unnest($1::text[], $2::text[]) AS r(here, there) ON l.${here} = r.here AND l.${there} = r.there`,
    parametersOf(rows),
  );
}

/**
 * Brings links to what they have to be by a statement that finds them itself. Those that refuse it
 * are put aside under the record of the link table's first end.
 *
 * @param how.due what follows `FROM` in the link table `l`; `how.write` has it once more, each with
 *   the condition `only`, over the parameters after `how.parameters`.
 * @returns how many rows `how.write` gave back.
 */
export async function guardedLinks(
  tx: Transaction,
  link: Pick<LinkTable, 'qualified' | 'sides'>,
  how: {
    readonly due: string;
    readonly write: (only: string) => string;
    readonly parameters: readonly unknown[];
  },
): Promise<number> {
  const [first, second] = link.sides;
  const [a, b] = [`l.${quoteIdent(first.column)}`, `l.${quoteIdent(second.column)}`];
  const [n, m] = [how.parameters.length + 1, how.parameters.length + 2];
  const only = `($${n}::text[] IS NULL OR (${a}, ${b}) IN (SELECT * FROM unnest($${n}, $${m}::text[])))`;
  let written = 0;
  const find = async () =>
    await tx.query<LinkRow & Record<string, unknown>>(
      `SELECT DISTINCT ${a} AS here, ${b} AS there FROM ${how.due} AND ${only} ORDER BY 1, 2`,
      [...how.parameters, null, null],
    );
  const refused = await guardedSet(tx, link.qualified, find, async (part) => {
    const pairs = part === null ? [null, null] : parametersOf(part);
    written += (await tx.query(how.write(only), [...how.parameters, ...pairs])).length;
  });
  const lasting = refused.filter(({ trouble }) => !trouble.passing);
  const byRecord = new Map(lasting.map(({ item, trouble }) => [item.here, trouble]));
  await putAside(
    tx,
    { object: first.object, kind: 'link', readAt: tx.startedAt },
    [...byRecord].map(([id, trouble]) => ({ id, record: null, trouble })),
  );
  return written;
}

/**
 * Gives links the ids their records have now: those to rows born here that exist in the CRM by
 * now, or, with `all`, also those to records that were merged since. What a user holds is skipped
 * and done next time. Index `<table>__local`; with `all` one scan of the table. Repeatable.
 */
export async function renameLinks(
  tx: Transaction,
  links: readonly LinkTable[],
  { all }: { readonly all: boolean },
): Promise<number> {
  let renamed = 0;
  for (const link of links) {
    const { qualified, sides } = link;
    const [first, second] = sides;
    const [a, b] = [quoteIdent(first.column), quoteIdent(second.column)];
    const isBornHere = `(l.${a} LIKE 'local:%' OR l.${b} LIKE 'local:%')`;
    const due = `${qualified} AS l
           LEFT JOIN {sync}.id_map AS ma ON ma.object = $1 AND ma.old_id = l.${a}
           LEFT JOIN {sync}.id_map AS mb ON mb.object = $2 AND mb.old_id = l.${b}
          WHERE ${all ? 'true' : isBornHere} AND (ma.id IS NOT NULL OR mb.id IS NOT NULL)`;
    renamed += await guardedLinks(tx, link, {
      due,
      write: (only) => `WITH due AS MATERIALIZED (
         SELECT l.${a} AS a, l.${b} AS b,
                CASE WHEN ma.id IS NULL THEN l.${a} ELSE {sync}.current_id($1, l.${a}) END AS new_a,
                CASE WHEN mb.id IS NULL THEN l.${b} ELSE {sync}.current_id($2, l.${b}) END AS new_b
           FROM ${due} AND ${only}
          ORDER BY 1, 2 FOR UPDATE OF l SKIP LOCKED
       ), gone AS (
         DELETE FROM ${qualified} AS l USING due AS d WHERE l.${a} = d.a AND l.${b} = d.b
          RETURNING d.new_a, d.new_b
       )
       INSERT INTO ${qualified} (${a}, ${b}) SELECT DISTINCT new_a, new_b FROM gone
           ON CONFLICT DO NOTHING RETURNING 1`,
      parameters: [first.object, second.object],
    });
  }
  return renamed;
}

/**
 * Takes away links of records that are known to be gone, wherever nobody holds the row. One scan
 * of the table. Repeatable.
 */
export async function dropDeadLinks(
  tx: Transaction,
  links: readonly LinkTable[],
  tables: readonly MirrorTable[],
): Promise<void> {
  for (const link of links) {
    const { qualified, sides } = link;
    const [first, second] = sides;
    const [a, b] = [quoteIdent(first.column), quoteIdent(second.column)];
    for (const { object, column } of sides) {
      const table = tables.find((one) => one.object === object);
      if (table === undefined) continue;
      const id = `l.${quoteIdent(column)}`;
      const due = `${qualified} AS l
             JOIN {sync}.tombstone AS t ON t.object = $1 AND t.id = ${id}
            WHERE NOT EXISTS (SELECT 1 FROM ${table.qualified} AS m WHERE m.id = ${id})`;
      await guardedLinks(tx, link, {
        due,
        write: (only) => `DELETE FROM ${qualified} AS g USING (
           SELECT l.${a} AS a, l.${b} AS b FROM ${due} AND ${only}
            ORDER BY 1, 2 FOR UPDATE OF l SKIP LOCKED) AS d
          WHERE g.${a} = d.a AND g.${b} = d.b`,
        parameters: [object],
      });
    }
  }
}
