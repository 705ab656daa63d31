import type { SyncError } from '../../domain/errors.ts';
import { fitName, isStorableText, quoteIdent } from '../../domain/names.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { mirrorTriggers, triggerName } from './attachments.ts';
import { type Catalog, relationName, type StandingMirror } from './catalog.ts';
import { planComments } from './comments.ts';
import { commentSql, createTableSql } from './ddl.ts';
import { type NumberColumns, numberTypeOf } from './number-columns.ts';
import type { NumberType } from './number-type.ts';
import { planColumns, type Step } from './plan-columns.ts';
import { planIndexes } from './plan-indexes.ts';
import { isLinkTable } from './plan-link.ts';
import {
  damagedTable,
  inheritedTable,
  nameTaken,
  replacedTable,
  unstorableName,
} from './problem.ts';
import { type MirrorRecord, recordOf } from './record.ts';
import { type StandingRelation } from './standing-relations.ts';
import {
  type MirrorColumn,
  type MirrorNaming,
  type MirrorTable,
  mirrorTable,
  mirrorTableName,
  qualify,
  USERS_TABLE,
} from './table.ts';

/** One object: its statements belong together, all of them or none. */
export interface ObjectPlan {
  readonly object: string;
  readonly table: MirrorTable;
  readonly steps: readonly Step[];
  /** The table is new and empty. */
  readonly created: boolean;
  /** Nothing can be written unless the steps succeed. */
  readonly keyless: boolean;
  /** Which table it is has yet to be put on record. */
  readonly unidentified: boolean;
  /** Columns that are new, or back, on rows that stand: to be filled. */
  readonly added: readonly MirrorColumn[];
  /** Columns that hold more than they did: `_extra` may have values for them. */
  readonly widened: readonly MirrorColumn[];
  /** What to put on record; null where that is what the record says. */
  readonly record: MirrorRecord | null;
}

/** `claimed` are all names that stand or are planned; the plan adds its own. */
export function planObject(
  catalog: Catalog,
  schema: ObjectSchema,
  claimed: Set<string>,
): ObjectPlan | SyncError {
  const { object } = schema;
  const { title } = catalog.schemas;
  if (object === '' || !isStorableText(object)) return unstorableName(title);
  const mirror = catalog.mirrors.get(object) ?? null;
  const name = mirror?.table ?? freeTableName(catalog, object);
  const shown = `${catalog.schemas.mirror}.${name}`;
  const relation = catalog.relations.get(name) ?? null;
  const isOurs = relation === null ? !claimed.has(name) : mirror !== null && relation.kind === 'r';
  if (!isOurs) return nameTaken(object, shown);
  claimed.add(name);
  if (isReplaced(catalog, mirror, relation)) return replacedTable(object, shown);
  if (relation && relation.kin.length > 0) return inheritedTable(object, shown, relation.kin);

  const naming = namingOf(name, mirror, relation);
  const numberTypes = numberTypesOf(schema, { naming, mirror, relation, numbers: catalog.numbers });
  const table = mirrorTable(schema, { ...naming, numberTypes });
  const columns = relation && planColumns(table, { relation, mirror, title });
  if (columns && columns.damaged.length > 0) return damagedTable(object, shown, columns.damaged);
  const replaced = columns?.replaced ?? new Set<string>();
  const indexes = planIndexes(table, { catalog, claimed, replaced });
  const creation = () => ({
    object,
    description: `create table ${name}`,
    sql: createTableSql(table.drizzle),
  });
  // What kept the id a row was born with before there were keys.
  const former = triggerName(catalog.schemas, 'birth');
  const steps = [
    ...(columns === null ? [creation()] : [...indexes.before, ...columns.steps]),
    ...planComments(table, { relation, mirror, title }, replaced),
    ...indexes.after,
    ...mirrorTriggers(catalog.schemas, name, object)
      .filter((trigger) => !relation?.triggers.has(trigger.name))
      .map((trigger) => ({ object, description: `attach ${trigger.name}`, sql: trigger.sql })),
    ...(relation?.triggers.has(former) ? [dropTrigger(object, name, former)] : []),
  ];
  const added = relation === null ? [] : fillable(table, mirror, columns?.added ?? []);
  return {
    object,
    table,
    steps,
    created: !relation,
    keyless: columns?.keyless ?? false,
    unidentified: mirror?.relation !== (relation && relationName(catalog.home, relation.oid)),
    added,
    widened: columns?.widened ?? [],
    record: recordOf(table, mirror, added, undecidedIn(catalog, table, mirror)),
  };
}

/**
 * Tools replace whole tables: what stands under our name then is theirs, and its rows are nothing
 * that both sides ever agreed on. In a copy of the database every table has another id.
 */
function isReplaced(
  { home }: Catalog,
  mirror: StandingMirror | null,
  relation: StandingRelation | null,
): boolean {
  const made = mirror?.relation ?? null;
  if (made === null || relation === null) return false;
  return made.startsWith(relationName(home, '')) && made !== relationName(home, relation.oid);
}

function dropTrigger(object: string, table: string, trigger: string): Step {
  const sql = `DROP TRIGGER ${quoteIdent(trigger)} ON ${qualify(table)}`;
  return { object, description: `detach ${trigger}`, sql };
}

/** A field that is back has a column, but what it missed is in `_extra` or still in the CRM. */
function fillable(
  table: MirrorTable,
  mirror: StandingMirror | null,
  added: readonly MirrorColumn[],
): MirrorColumn[] {
  return table.columns.filter(
    (column) => added.includes(column) || mirror?.fields.get(column.field.name)?.removed,
  );
}

/** A link table of ours, or one of what stands beside the records, has the name: the object then takes the hashed one. */
function freeTableName(catalog: Catalog, object: string): string {
  const isTaken = (name: string) => name === USERS_TABLE || isLinkTable(catalog, name);
  return isTaken(object) ? fitName(object, isTaken) : mirrorTableName(object);
}

/** Names that were given stay; columns that stand and are not on record are the users'. */
function namingOf(
  table: string,
  mirror: StandingMirror | null,
  relation: StandingRelation | null,
): MirrorNaming {
  const given = new Map(
    [...(mirror?.fields ?? [])].map(([field, { column, partColumns }]) => [
      field,
      { column, parts: partColumns },
    ]),
  );
  const ours = new Set(
    [...given.values()].flatMap(({ column, parts }) => [column, ...parts.values()]),
  );
  const foreign = [...(relation?.columns.keys() ?? [])].filter((column) => !ours.has(column));
  return { table, given, foreign: new Set(foreign) };
}

/** Fields from before numbers had a scale, whose column something of a user's keeps as it is. */
function undecidedIn(
  { numbers }: Catalog,
  table: MirrorTable,
  mirror: StandingMirror | null,
): ReadonlySet<string> {
  const isKept = ({ field, column }: MirrorColumn) =>
    mirror?.fields.get(field.name)?.numberType === undefined &&
    numbers.get(table.name)?.get(column)?.depended === true;
  return new Set(table.columns.filter(isKept).map(({ field }) => field.name));
}

function numberTypesOf(
  { fields }: ObjectSchema,
  standing: {
    readonly naming: MirrorNaming;
    readonly mirror: StandingMirror | null;
    readonly relation: StandingRelation | null;
    readonly numbers: NumberColumns;
  },
): ReadonlyMap<string, NumberType> {
  const { naming, mirror, relation, numbers } = standing;
  return new Map(
    fields
      .filter(({ kind }) => kind === 'number')
      .map((field) => {
        const column = naming.given.get(field.name)?.column ?? field.name;
        const type = relation?.columns.get(column)?.type;
        const recorded = mirror?.fields.get(field.name);
        const facts = numbers.get(naming.table)?.get(column);
        return [field.name, numberTypeOf(field, { type, recorded, facts })];
      }),
  );
}

/** An object on record that is wanted no more: its table stays, and says so. */
export function planRemoval(catalog: Catalog, mirror: StandingMirror): Step[] {
  const { object, table } = mirror;
  const relation = catalog.relations.get(table);
  const comment = `${mirror.labelPlural || object}: no longer mirrored from ${catalog.schemas.title}; kept with its data`;
  if (relation?.kind !== 'r' || relation.comment === comment) return [];
  return [
    { object, description: `note that ${object} is gone`, sql: commentSql(table, null, comment) },
  ];
}
