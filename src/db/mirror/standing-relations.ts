import type { Sql } from '../connection/database.ts';
import { type Queries, readLists } from '../connection/lists.ts';

export interface StandingColumn {
  /** As `format_type` prints it, and with its collation where texts that differ are equal by that. */
  readonly type: string;
  readonly generated: boolean;
  readonly hasDefault: boolean;
  readonly notNull: boolean;
  readonly comment: string | null;
}

/** Anything in the mirror schema that has a name of its own: table, view, index, sequence. */
export interface StandingRelation {
  /** `pg_class.oid`: another table under the same name has another one. */
  readonly oid: string;
  /** `pg_class.relkind`: `r` is an ordinary table. */
  readonly kind: string;
  readonly comment: string | null;
  readonly columns: ReadonlyMap<string, StandingColumn>;
  readonly triggers: ReadonlySet<string>;
  /** Columns of each unique key that `ON CONFLICT` can name; the primary key is among them. */
  readonly keys: readonly (readonly string[])[];
  readonly hasPrimaryKey: boolean;
  readonly foreignKeys: readonly StandingForeignKey[];
  /** Of an index, the table it is on. */
  readonly indexOf: string | null;
  /** Of a table, those that it inherits from or is a partition of, and those that inherit from it. */
  readonly kin: readonly string[];
}

/** A foreign key of a table, enforced or not. */
export interface StandingForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** The table it refers to; null where that is in another schema. */
  readonly target: string | null;
  readonly comment: string | null;
}

/**
 * SQL of a schema's tables, views and sequences, `$1` its name: found by what depends on the schema.
 * Of `pg_class` no index leads with the schema, and where many workspaces share a database it is long.
 */
export const RELATIONS = `(SELECT d.objid AS oid FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.refclassid = 'pg_namespace'::regclass
      AND d.refobjid = (SELECT oid FROM pg_namespace WHERE nspname = $1))`;

/** Which of the two schemas a table is in. */
type Place = 'mirror' | 'history';

/** SQL of `own`, the tables that {@link SHAPES} are read of. */
function tablesIn(place: Place): string {
  return `SELECT '${place}' AS place, c.oid, c.relname::text AS relation, c.relkind, c.relnamespace
            FROM ${RELATIONS.replace('$1', `'{${place}}'`)} AS d JOIN pg_class AS c ON c.oid = d.oid`;
}

interface OfRelation {
  readonly place: Place;
  readonly relation: string;
}

type ColumnRow = OfRelation & StandingColumn & { readonly name: string };

interface KeyRow extends OfRelation {
  readonly columns: readonly string[];
  readonly primary: boolean;
  /** Whole, over plain columns and never deferred: `ON CONFLICT` can name it. */
  readonly usable: boolean;
}

interface TriggerRow extends OfRelation {
  readonly name: string;
}

interface Shapes {
  readonly columns: readonly ColumnRow[];
  readonly keys: readonly KeyRow[];
  readonly triggers: readonly TriggerRow[];
}

const SHAPES: Queries<Shapes> = {
  columns: `
    SELECT own.place, own.relation, a.attname::text AS name, a.attgenerated <> '' AS generated,
           a.attnotnull AS "notNull", a.atthasdef AND a.attgenerated = '' AS "hasDefault",
           format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || l.collname, '') AS type,
           col_description(own.oid, a.attnum) AS comment
      FROM own
      JOIN pg_attribute AS a ON a.attrelid = own.oid
      LEFT JOIN pg_collation AS l ON l.oid = a.attcollation AND NOT l.collisdeterministic
     WHERE own.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY own.oid, a.attnum`,
  triggers: `
    SELECT own.place, own.relation, t.tgname::text AS name
      FROM own
      JOIN pg_trigger AS t ON t.tgrelid = own.oid
     WHERE NOT t.tgisinternal
     ORDER BY own.oid, t.tgname`,
  keys: `
    SELECT own.place, own.relation, i.indisprimary AS primary,
           i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AS usable,
           ARRAY(SELECT coalesce(a.attname::text, '')
                   FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, position)
                   LEFT JOIN pg_attribute AS a ON a.attrelid = own.oid AND a.attnum = k.attnum
                  ORDER BY k.position) AS columns
      FROM own
      JOIN pg_index AS i ON i.indrelid = own.oid
     WHERE i.indisunique
     ORDER BY i.indexrelid`,
};

/** Rows of what stands in the two schemas, as {@link standingRelations} puts them together. */
export interface RelationRows extends Shapes {
  readonly foreignKeys: readonly (OfRelation & StandingForeignKey)[];
  readonly relations: readonly {
    readonly place: Place;
    readonly name: string;
    readonly oid: string;
    readonly kind: string;
    readonly comment: string | null;
    readonly indexOf: string | null;
    readonly kin: readonly string[];
  }[];
}

/** Goes before {@link RELATION_ROWS}. */
export const OWN_TABLES = `WITH own AS MATERIALIZED (${tablesIn('mirror')} UNION ALL ${tablesIn('history')})`;

export const RELATION_ROWS: Queries<RelationRows> = {
  ...SHAPES,
  foreignKeys: `
    SELECT own.place, own.relation, k.conname::text AS name,
           CASE WHEN t.relnamespace = own.relnamespace THEN t.relname::text END AS target,
           obj_description(k.oid, 'pg_constraint') AS comment,
           ARRAY(SELECT a.attname::text
                   FROM unnest(k.conkey) WITH ORDINALITY AS n(attnum, position)
                   JOIN pg_attribute AS a ON a.attrelid = own.oid AND a.attnum = n.attnum
                  ORDER BY n.position) AS columns
      FROM own
      JOIN pg_constraint AS k ON k.conrelid = own.oid
      JOIN pg_class AS t ON t.oid = k.confrelid
     WHERE k.contype = 'f'
     ORDER BY k.oid`,
  relations: `
    SELECT CASE n.nspname WHEN '{mirror}' THEN 'mirror' ELSE 'history' END AS place,
           c.relname::text AS name, c.oid::text AS oid, c.relkind::text AS kind,
           o.relname::text AS "indexOf", obj_description(c.oid, 'pg_class') AS comment,
           CASE WHEN c.relkind = 'r' THEN ARRAY(
             SELECT (CASE WHEN h.inhparent = c.oid THEN h.inhrelid ELSE h.inhparent END)::regclass::text
               FROM pg_inherits AS h WHERE h.inhparent = c.oid OR h.inhrelid = c.oid ORDER BY 1)
           ELSE '{}' END AS kin
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
      LEFT JOIN pg_class AS o ON o.oid = i.indrelid
     WHERE c.relnamespace = ANY(ARRAY(SELECT oid FROM pg_namespace WHERE nspname IN ('{mirror}', '{history}')))
     ORDER BY c.oid`,
};

/** What stands in one of the two schemas, by name. */
export function standingRelations(rows: RelationRows, place: Place): Map<string, StandingRelation> {
  const of = <Row extends OfRelation>(all: readonly Row[]) => byRelation(all, place);
  const [columns, triggers, keys] = [of(rows.columns), of(rows.triggers), of(rows.keys)];
  const foreignKeys = of(rows.foreignKeys);
  return new Map(
    rows.relations
      .filter((one) => one.place === place)
      .map(({ name, oid, kind, comment, indexOf, kin }) => [
        name,
        {
          oid,
          kind,
          comment,
          indexOf,
          kin,
          ...shapeOf({
            columns: columns.get(name) ?? [],
            triggers: triggers.get(name) ?? [],
            keys: keys.get(name) ?? [],
          }),
          foreignKeys: foreignKeys.get(name) ?? [],
        },
      ]),
  );
}

function byRelation<Row extends OfRelation>(
  rows: readonly Row[],
  place: Place,
): ReadonlyMap<string, readonly Row[]> {
  const all = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.place !== place) continue;
    const known = all.get(row.relation);
    if (known === undefined) all.set(row.relation, [row]);
    else known.push(row);
  }
  return all;
}

type Shape = Pick<StandingRelation, 'columns' | 'keys' | 'hasPrimaryKey' | 'triggers'>;

function shapeOf({ columns, keys, triggers }: Shapes): Shape {
  return {
    columns: new Map(columns.map((column) => [column.name, column])),
    keys: keys.filter(({ usable }) => usable).map((key) => key.columns),
    hasPrimaryKey: keys.some(({ primary }) => primary),
    triggers: new Set(triggers.map(({ name }) => name)),
  };
}

/** Columns, keys and triggers of one table of the mirror schema. By its name. */
export async function readShape(sql: Sql, table: string): Promise<Shape> {
  const within = `WITH own AS MATERIALIZED (${tablesIn('mirror')} WHERE c.relname = $1)`;
  return shapeOf(await readLists(sql, SHAPES, { within, values: [table] }));
}
