import { fitName, quoteIdent, quoteLiteral } from '../../domain/names.ts';
import { renderSql, type Schemas } from '../control/schemas.ts';
import { type LinkTable, ownView } from './links.ts';
import { type MirrorColumn, type MirrorTable, qualify } from './table.ts';

/** An index of ours, by its purpose: names are given when it is planned. */
export interface WantedIndex {
  /** The name it gets unless that is taken. */
  readonly name: string;
  readonly description: string;
  /** What follows `CREATE INDEX name ON table`. */
  readonly definition: string;
}

/** The function that makes a list of identities indexable; see {@link identityIndex}. */
export const IDENTITY_FUNCTION = 'identity_keys';

/**
 * Hashes, for two reasons: an index entry has a size limit and a value of the CRM has none, and
 * lowering a list is not immutable in Postgres' eyes unless a function says so. Whoever writes the table
 * calls it, and some databases let nobody call a new function.
 */
export const IDENTITY_FUNCTION_SQL = `CREATE OR REPLACE FUNCTION {sync}.${IDENTITY_FUNCTION}(items text[]) RETURNS bigint[]
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  keys bigint[] := '{}';
  item text;
BEGIN
  FOREACH item IN ARRAY items LOOP
    keys := pg_catalog.array_append(keys, pg_catalog.hashtextextended(pg_catalog.lower(item), 0));
  END LOOP;
  RETURN keys;
END $$;
GRANT EXECUTE ON FUNCTION {sync}.${IDENTITY_FUNCTION}(text[]) TO PUBLIC`;

export function identityColumn(table: MirrorTable): MirrorColumn | null {
  const { identity } = table.schema;
  return identity === null ? null : (table.byField.get(identity) ?? null);
}

export function localReferenceIndexName(table: string, column: string): string {
  return fitName(`${table}__${column}__local`, () => false);
}

export function identityIndexName(table: string, column: string): string {
  return fitName(`${table}__${column}__identity`, () => false);
}

/**
 * Finds rows that refer to a record by the id it was born with; empty once those are rewritten. By
 * `id` and not by the reference, which has no size limit: an index entry has.
 */
export function localReferenceIndex(table: string, column: MirrorColumn): WantedIndex {
  const name = quoteIdent(column.column);
  return {
    name: localReferenceIndexName(table, column.column),
    description: `index rows of ${table} whose ${column.column} was born here`,
    definition: `(id) WHERE ${name} LIKE 'local:%'`,
  };
}

/**
 * Indexes that every new row pays for, so they wait until an object's first read is done: the
 * look-up before a create, the counts over ranges of `_created_at`, and where a vanished record
 * lives on (few rows have merged ids, so that costs nearly nothing).
 */
export function lookupIndexes(table: MirrorTable): WantedIndex[] {
  const created: WantedIndex = {
    name: fitName(`${table.name}__created_at`, () => false),
    description: `index ${table.name} by creation`,
    definition: '(_created_at)',
  };
  const merged: WantedIndex = {
    name: fitName(`${table.name}__merged_ids`, () => false),
    description: `index survivors of merges in ${table.name}`,
    definition: `USING gin (_merged_ids) WHERE _merged_ids <> '{}'`,
  };
  const identity = identityColumn(table);
  const always = [created, merged];
  return identity === null ? always : [...always, ...identityIndex(table, identity)];
}

/**
 * What two scalar identities are compared by. Only where the CRM ignores the case do we: two keys
 * that differ in it are two records.
 */
export function comparable(column: MirrorColumn, expression: string): string {
  return column.field.caseInsensitive ? `lower(${expression})` : expression;
}

/** {@link findByIdentity} uses these expressions to the letter. */
function identityIndex(table: MirrorTable, column: MirrorColumn): WantedIndex[] {
  const name = quoteIdent(column.column);
  const keys = {
    'text[]': `USING gin ({sync}.${IDENTITY_FUNCTION}(${name}))`,
    text: `USING hash (${comparable(column, name)})`,
  };
  if (column.sqlType !== 'text[]' && column.sqlType !== 'text') return [];
  return [
    {
      name: identityIndexName(table.name, column.column),
      description: `index ${table.name} by ${column.column}`,
      definition: keys[column.sqlType],
    },
  ];
}

export interface WantedTrigger {
  readonly name: string;
  readonly sql: string;
}

/** Triggers of ours, by their task; `refuse_truncate` marks a link table as ours. */
export type TriggerTask =
  | 'refuse_truncate'
  | 'birth'
  | 'key'
  | ReadOnlyTask
  | `comment_${'row' | 'insert' | 'delete'}`
  | `${Kind}_${Event}`;
export type ReadOnlyTask = `${string}_read_only`;
type Kind = 'capture' | 'link' | 'notify' | 'history';
type Event = 'insert' | 'update' | 'delete';

/** What it is called in the catalog of the database. */
export function triggerName(schemas: Schemas, task: TriggerTask): string {
  return renderSql(`{mirror}_${task}`, schemas);
}

function statementTriggers(
  schemas: Schemas,
  table: string,
  kind: Kind,
  capture: string,
): WantedTrigger[] {
  const images = {
    insert: 'NEW TABLE AS new_rows',
    update: 'OLD TABLE AS old_rows NEW TABLE AS new_rows',
    delete: 'OLD TABLE AS old_rows',
  };
  return (['insert', 'update', 'delete'] as const).map((event) => ({
    name: triggerName(schemas, `${kind}_${event}`),
    sql: `CREATE TRIGGER {mirror}_${kind}_${event} AFTER ${event.toUpperCase()} ON ${qualify(table)} REFERENCING ${images[event]} FOR EACH STATEMENT EXECUTE FUNCTION {sync}.${capture}`,
  }));
}

/** What refuses whatever others write into a table beside the mirror tables. */
export function readOnlyTriggers(
  schemas: Schemas,
  table: string,
  [task, refusal]: readonly [task: ReadOnlyTask, refusal: string],
): WantedTrigger[] {
  return [
    {
      name: triggerName(schemas, task),
      sql: `${REPLACE} TRIGGER {mirror}_${task} BEFORE INSERT OR UPDATE OR DELETE ON ${qualify(table)} FOR EACH STATEMENT EXECUTE FUNCTION {sync}.${refusal}()`,
    },
    refuseTruncate(schemas, table, REPLACE),
  ];
}

const REPLACE = 'CREATE OR REPLACE';

/** Every table of ours has it, and nobody else's does. */
function refuseTruncate(schemas: Schemas, table: string, create = 'CREATE'): WantedTrigger {
  return {
    name: triggerName(schemas, 'refuse_truncate'),
    sql: `${create} TRIGGER {mirror}_refuse_truncate BEFORE TRUNCATE ON ${qualify(table)} FOR EACH STATEMENT EXECUTE FUNCTION {sync}.refuse_truncate()`,
  };
}

/** Writes a version of every row that changes: after capture, which may refuse the change. */
export function historyTriggers(schemas: Schemas, table: string): WantedTrigger[] {
  return statementTriggers(schemas, table, 'history', 'keep_history()');
}

/** Captures local writes, keeps the key a row is born with, and tells listeners of changes. */
export function mirrorTriggers(schemas: Schemas, table: string, object: string): WantedTrigger[] {
  return [
    ...statementTriggers(schemas, table, 'capture', 'capture()'),
    ...statementTriggers(schemas, table, 'notify', notifyCall(object, 'id')),
    {
      name: triggerName(schemas, 'key'),
      sql: `CREATE TRIGGER {mirror}_key BEFORE INSERT ON ${qualify(table)} FOR EACH ROW WHEN (NEW._key IS NULL OR NEW._key = 'local:' OR NEW.id LIKE 'local:%') EXECUTE FUNCTION {sync}.keep_key()`,
    },
    refuseTruncate(schemas, table),
  ];
}

/** Captures local writes to links, as changes of the field that lists the other end. */
export function linkTriggers(schemas: Schemas, link: LinkTable): WantedTrigger[] {
  const { name } = link;
  const view = ownView(link);
  if (view === null) return [refuseTruncate(schemas, name)];
  const { here, there } = view;
  const given = [here.object, here.field, here.column, there.object, there.column];
  const call = `capture_link(${given.map(quoteLiteral).join(', ')})`;
  return [
    ...statementTriggers(schemas, name, 'link', call),
    ...statementTriggers(schemas, name, 'notify', notifyCall(here.object, here.column, 'link')),
    refuseTruncate(schemas, name),
  ];
}

function notifyCall(...given: readonly string[]): string {
  return `notify_change(${given.map(quoteLiteral).join(', ')})`;
}

/** Finds links to what was born here; empty once those are pushed. */
export function localLinkIndex({ name, sides }: LinkTable): WantedIndex {
  const columns = sides.map(({ column }) => quoteIdent(column));
  const isLocal = columns.map((column) => `${column} LIKE 'local:%'`).join(' OR ');
  return {
    name: fitName(`${name}__local`, () => false),
    description: `index links of ${name} to rows born here`,
    definition: `(${columns.join(', ')}) WHERE ${isLocal}`,
  };
}
