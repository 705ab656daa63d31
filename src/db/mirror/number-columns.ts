import { quoteIdent } from '../../domain/names.ts';
import type { Field } from '../../domain/schema.ts';
import type { Sql } from '../connection/database.ts';
import type { StandingField } from './definition.ts';
import {
  fitsSql,
  isNumberType,
  NUMBER_TYPES,
  type NumberType,
  wantedNumberType,
} from './number-type.ts';
import { qualify } from './table.ts';

/** What decides whether a column of numbers may get another type. */
export interface NumberFacts {
  /** Somebody's view, policy, trigger, generated column or publication uses it. */
  readonly depended: boolean;
  /** Types that hold every value it has. */
  readonly fits: ReadonlySet<NumberType>;
}

/** By table and column. */
export type NumberColumns = ReadonlyMap<string, ReadonlyMap<string, NumberFacts>>;

export interface NumberCandidate {
  readonly table: string;
  readonly column: string;
  readonly depended: boolean;
  /** Of a time when no column of numbers had a scale. */
  readonly untold: boolean;
}

/**
 * SQL of the columns of numbers that may be due for another type: those of a time when none had a scale,
 * and those a number came for that they cannot hold.
 */
export const NUMBER_CANDIDATES = `
    SELECT m.table_name AS "table", c.column_name AS "column",
           NOT c.definition ? 'numberType' AS untold,
           EXISTS (SELECT FROM pg_depend AS d
                    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
                      AND d.refobjsubid = a.attnum
                      AND d.classid NOT IN ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_statistic_ext'::regclass)
                      AND NOT EXISTS (SELECT FROM pg_attrdef AS f
                                       WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
                                         AND f.adrelid = a.attrelid AND f.adnum = a.attnum)) AS depended
      FROM {sync}.mirror_column AS c
      JOIN {sync}.mirror AS m ON m.object = c.object AND m.removed_at IS NULL
      JOIN pg_attribute AS a
        ON a.attrelid = to_regclass(format('%I.%I', '{mirror}', m.table_name)) AND a.attname = c.column_name
       AND NOT a.attisdropped
     WHERE c.kind = 'number' AND c.removed_at IS NULL
       AND CASE WHEN c.definition ? 'numberType' THEN c.definition @> '{"overflown": true}'
                ELSE a.atttypid = 'numeric'::regtype AND a.atttypmod = -1 END`;

/** Types that hold every value of a column. */
export interface FitRow {
  readonly table: string;
  readonly column: string;
  readonly types: readonly NumberType[];
}

/** Reads those whole that were made before columns of numbers had a scale: once. No lock. */
export async function readFits(
  sql: Sql,
  candidates: readonly NumberCandidate[],
): Promise<readonly FitRow[]> {
  const fits: FitRow[] = [];
  for (const { table, column, depended, untold } of candidates) {
    if (!untold || depended) continue;
    fits.push({ table, column, types: await readFitting(sql, table, column) });
  }
  return fits;
}

async function readFitting(sql: Sql, table: string, column: string): Promise<NumberType[]> {
  const types = NUMBER_TYPES.filter((type) => type !== 'numeric');
  const value = quoteIdent(column);
  const all = types.map(
    (type, at) => `coalesce(bool_and(${fitsSql(type, value)}), true) AS t${at}`,
  );
  const [row] = await sql.query<Record<string, boolean>>(
    `SELECT ${all.join(', ')} FROM ${qualify(table)} WHERE ${value} IS NOT NULL`,
  );
  return types.filter((_, at) => row?.[`t${at}`] === true);
}

export function numberColumns(
  candidates: readonly NumberCandidate[],
  fits: readonly FitRow[],
): NumberColumns {
  const columns = new Map<string, Map<string, NumberFacts>>();
  for (const { table, column, depended } of candidates) {
    const known = columns.get(table) ?? new Map<string, NumberFacts>();
    const fitting = fits.find((one) => one.table === table && one.column === column);
    columns.set(table, known.set(column, { depended, fits: new Set(fitting?.types) }));
  }
  return columns;
}

/**
 * The type a column of numbers is to have. It loses its limit for a number that came, and gets one
 * where it never had a choice; but not where somebody's own things depend on it.
 */
export function numberTypeOf(
  field: Field,
  standing: {
    /** Undefined where there is no column. */
    readonly type: string | undefined;
    readonly recorded: StandingField | undefined;
    readonly facts: NumberFacts | undefined;
  },
): NumberType {
  const { type, recorded, facts } = standing;
  const wanted = wantedNumberType(field);
  if (type === undefined || !isNumberType(type) || recorded === undefined) return wanted;
  if (recorded.numberType === undefined) {
    if (type === wanted) return wanted;
    return facts?.depended === false && facts.fits.has(wanted) ? wanted : 'numeric';
  }
  if (isPromisedAnew(field, recorded)) return wanted;
  return recorded.overflown && facts?.depended === false ? 'numeric' : recorded.numberType;
}

/** The CRM promises other numbers than before: their field has changed its type. */
export function isPromisedAnew(field: Field, recorded: StandingField | undefined): boolean {
  if (recorded?.numberType === undefined) return false;
  return wantedNumberType(field) !== wantedNumberType(recorded.field);
}

/** Puts down that numbers came for which their columns have too few digits. Repeatable. */
export async function noteOverflown(
  tx: Sql,
  object: string,
  fields: ReadonlySet<string>,
): Promise<void> {
  if (fields.size === 0) return;
  await tx.query(
    `UPDATE {sync}.mirror_column SET definition = definition || '{"overflown": true}'
      WHERE object = $1 AND field = ANY($2::text[]) AND kind = 'number'
        AND NOT definition @> '{"overflown": true}'`,
    [object, [...fields]],
  );
}
