import { quoteLiteral } from '../../domain/names.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Sql } from '../connection/database.ts';
import { type Queries, readLists } from '../connection/lists.ts';
import type { Schemas } from '../control/schemas.ts';
import { IDENTITY_FUNCTION } from './attachments.ts';
import { parseDefinition, parseObjects, type StandingField } from './definition.ts';
import {
  type FitRow,
  NUMBER_CANDIDATES,
  type NumberCandidate,
  type NumberColumns,
  numberColumns,
  readFits,
} from './number-columns.ts';
import {
  OWN_TABLES,
  RELATION_ROWS,
  type RelationRows,
  type StandingRelation,
  standingRelations,
} from './standing-relations.ts';

/** What is on record about a mirror table. */
export interface StandingMirror {
  readonly object: string;
  readonly table: string;
  readonly labelSingular: string;
  readonly labelPlural: string;
  readonly identity: string | null;
  readonly refusal: string | null;
  readonly readOnlyLinks: readonly string[];
  readonly deletePolicy: string;
  readonly removed: boolean;
  /** The table it was made as, as {@link relationName} writes it; null before that was recorded. */
  readonly relation: string | null;
  readonly fields: ReadonlyMap<string, StandingField>;
}

/** What stands in the database, as far as planning needs to know. */
export interface Catalog {
  /** Which schemas these are. */
  readonly schemas: Schemas;
  /** Names the database itself: tables have other ids in a copy. */
  readonly home: string;
  /** Whether the schema of the mirror tables stands. */
  readonly schemaStands: boolean;
  /** Whether that of the versions does. */
  readonly historyStands: boolean;
  readonly relations: ReadonlyMap<string, StandingRelation>;
  /** Tables of versions, under the names of their mirror tables. */
  readonly histories: ReadonlyMap<string, StandingRelation>;
  readonly mirrors: ReadonlyMap<string, StandingMirror>;
  /** The objects of the last recorded version. */
  readonly objects: readonly ObjectSchema[];
  /** Of the functions that the planner may have to make, those that everybody may call. */
  readonly functions: ReadonlySet<string>;
  /** Whether foreign keys can stand without being enforced: since Postgres 18. */
  readonly unenforced: boolean;
  /** Objects whose first read is done: only they get the indexes that would slow it down. */
  readonly filled: ReadonlySet<string>;
  readonly numbers: NumberColumns;
  /** Objects and link tables that the last schema check could not bring up to the workspace. */
  readonly troubled: ReadonlySet<string>;
}

/** What is on record, as {@link mirrorsOf} and {@link objectsOf} read it. */
export interface RecordRows {
  readonly mirrors: readonly Omit<StandingMirror, 'fields'>[];
  readonly fields: readonly {
    readonly object: string;
    readonly field: string;
    readonly column: string;
    readonly kind: string;
    readonly definition: unknown;
    readonly position: number;
    readonly removed: boolean;
  }[];
  readonly versions: readonly { readonly objects: unknown }[];
}

export const RECORD_ROWS: Queries<RecordRows> = {
  mirrors: `
    SELECT object, table_name AS "table", label_singular AS "labelSingular",
           label_plural AS "labelPlural", identity, refusal,
           read_only_links AS "readOnlyLinks", delete_policy AS "deletePolicy",
           removed_at IS NOT NULL AS removed, relation
      FROM {sync}.mirror ORDER BY object`,
  fields: `
    SELECT object, field, column_name AS "column", kind, definition, position,
           removed_at IS NOT NULL AS removed
      FROM {sync}.mirror_column
     ORDER BY object, position`,
  versions: 'SELECT objects FROM {sync}.schema_version ORDER BY id DESC LIMIT 1',
};

/** What a {@link Catalog} is made of: two that read the same are the same. */
export interface CatalogRows extends RelationRows, RecordRows {
  readonly server: readonly Pick<
    Catalog,
    'home' | 'unenforced' | 'schemaStands' | 'historyStands'
  >[];
  readonly functions: readonly { readonly name: string }[];
  readonly filled: readonly { readonly object: string }[];
  readonly troubled: readonly { readonly object: string }[];
  readonly numbers: readonly NumberCandidate[];
  readonly fits: readonly FitRow[];
}

const CATALOG: Queries<Omit<CatalogRows, 'fits'>> = {
  ...RELATION_ROWS,
  server: `
    SELECT current_setting('server_version_num')::int >= 180000 AS unenforced,
           EXISTS (SELECT FROM pg_namespace WHERE nspname = '{mirror}') AS "schemaStands",
           EXISTS (SELECT FROM pg_namespace WHERE nspname = '{history}') AS "historyStands",
           (SELECT concat(d.oid, '/', '{sync}.installation'::regclass::oid)
              FROM pg_database AS d WHERE d.datname = current_database()) AS home`,
  // By its name: of all functions that there are, Postgres would ask who may call them.
  functions: `
    SELECT p.proname::text AS name FROM pg_proc AS p
     WHERE p.proname = ${quoteLiteral(IDENTITY_FUNCTION)} AND p.pronamespace = '{sync}'::regnamespace
       AND has_function_privilege('public', p.oid, 'EXECUTE')`,
  filled: `SELECT object FROM {sync}.cursor WHERE phase = 'incremental' ORDER BY object`,
  troubled: 'SELECT object FROM {sync}.mirror_problem ORDER BY object',
  numbers: NUMBER_CANDIDATES,
  ...RECORD_ROWS,
};

export async function readCatalog(sql: Sql): Promise<Catalog> {
  return catalogOf(sql.schemas, await readCatalogRows(sql));
}

/** Of `pg_catalog`, each by its own index; a few milliseconds in all. Takes no lock that matters. */
export async function readCatalogRows(sql: Sql): Promise<CatalogRows> {
  const rows = await readLists(sql, CATALOG, { within: OWN_TABLES });
  return { ...rows, fits: await readFits(sql, rows.numbers) };
}

export function catalogOf(schemas: Schemas, rows: CatalogRows): Catalog {
  const [server] = rows.server;
  return {
    schemas,
    home: server?.home ?? '',
    unenforced: server?.unenforced ?? false,
    schemaStands: server?.schemaStands ?? false,
    historyStands: server?.historyStands ?? false,
    relations: standingRelations(rows, 'mirror'),
    histories: standingRelations(rows, 'history'),
    mirrors: mirrorsOf(rows),
    objects: objectsOf(rows),
    functions: new Set(rows.functions.map(({ name }) => name)),
    filled: new Set(rows.filled.map(({ object }) => object)),
    troubled: new Set(rows.troubled.map(({ object }) => object)),
    numbers: numberColumns(rows.numbers, rows.fits),
  };
}

/** A table for good: `<home>/<oid>`. */
export function relationName(home: string, oid: string): string {
  return `${home}/${oid}`;
}

/** What is on record about every mirror table, also of objects that are gone. */
export async function readMirrors(sql: Sql): Promise<Map<string, StandingMirror>> {
  const { mirrors, fields } = RECORD_ROWS;
  return mirrorsOf(await readLists<Omit<RecordRows, 'versions'>>(sql, { mirrors, fields }));
}

/** The objects of the last recorded version, as they were then. */
export async function readObjects(sql: Sql): Promise<ObjectSchema[]> {
  const { versions } = RECORD_ROWS;
  return objectsOf(await readLists<Pick<RecordRows, 'versions'>>(sql, { versions }));
}

export function mirrorsOf(rows: Omit<RecordRows, 'versions'>): Map<string, StandingMirror> {
  const fields = new Map<string, Map<string, StandingField>>();
  for (const { object, field, definition, ...rest } of rows.fields) {
    const known = fields.get(object) ?? new Map<string, StandingField>();
    fields.set(object, known.set(field, { ...rest, ...parseDefinition(definition) }));
  }
  return new Map(
    rows.mirrors.map((mirror) => [
      mirror.object,
      { ...mirror, fields: fields.get(mirror.object) ?? new Map() },
    ]),
  );
}

export function objectsOf({ versions: [latest] }: Pick<RecordRows, 'versions'>): ObjectSchema[] {
  return latest === undefined ? [] : parseObjects(latest.objects);
}
