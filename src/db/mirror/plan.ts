import { SyncError } from '../../domain/errors.ts';
import type { Undescribed } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { renderSql, type Schemas } from '../control/schemas.ts';
import { IDENTITY_FUNCTION, IDENTITY_FUNCTION_SQL } from './attachments.ts';
import type { Catalog } from './catalog.ts';
import { canonicalSchema } from './definition.ts';
import { linkTables } from './links.ts';
import type { Step } from './plan-columns.ts';
import { type HistoryPlan, planHistory } from './plan-history.ts';
import { type LinkPlan, planLink } from './plan-link.ts';
import { type ObjectPlan, planObject, planRemoval } from './plan-object.ts';
import { planRelations, type RelationPlan } from './plan-relations.ts';
import { type MirrorProblem, problemOf, undescribedObject } from './problem.ts';

/** An object on record that is wanted no more. */
export interface RemovalPlan {
  readonly object: string;
  readonly steps: readonly Step[];
}

export interface MirrorPlan {
  /** Run before everything else. */
  readonly preparations: readonly Step[];
  readonly objects: readonly ObjectPlan[];
  readonly links: readonly LinkPlan[];
  readonly relations: readonly RelationPlan[];
  readonly histories: readonly HistoryPlan[];
  readonly removals: readonly RemovalPlan[];
  readonly problems: readonly MirrorProblem[];
  /** The schemas as they are recorded; also of objects with a problem. */
  readonly schemas: readonly ObjectSchema[];
}

export interface PlanOptions {
  /** Objects whose versions are kept. */
  readonly history?: ReadonlySet<string> | undefined;
  /** Objects that are wanted, and that the CRM does not describe. */
  readonly undescribed?: Undescribed | undefined;
}

/**
 * What leads from what stands to what the workspace's schema wants, and to a history of the objects
 * named. Pure, and empty once it was carried out. No statement drops data, or touches what users
 * added. What is not described is not gone: it stays as it is on record, and that is a problem.
 */
export function planMirror(
  catalog: Catalog,
  described: readonly ObjectSchema[],
  { history = new Set(), undescribed = new Map() }: PlanOptions = {},
): MirrorPlan {
  const claimed = new Set(catalog.relations.keys());
  const told = new Set(described.map(({ object }) => object));
  const problems = [...undescribed].map(([object, error]) =>
    undescribedObject(object, error, told.has(object)),
  );
  const onRecord = new Map(catalog.objects.map((schema) => [schema.object, schema]));
  const wanted = [
    ...described.map((schema) => relatedAsBefore(schema, onRecord.get(schema.object), undescribed)),
    ...catalog.objects.filter(({ object }) => undescribed.has(object) && !told.has(object)),
  ];
  const keep = <T>(object: string, outcome: T | SyncError): T[] => {
    if (!(outcome instanceof SyncError)) return [outcome];
    problems.push(problemOf(object, outcome));
    return [];
  };
  const schemas = wanted.map(canonicalSchema);
  const objects = schemas.flatMap((schema) =>
    keep(schema.object, planObject(catalog, schema, claimed)),
  );
  const tableNames = new Set([
    ...[...catalog.mirrors.values()].map(({ table }) => table),
    ...objects.map(({ table }) => table.name),
  ]);
  const links = linkTables(
    objects.map(({ table }) => table.schema),
    (name) => tableNames.has(name),
  ).flatMap((link) => keep(link.name, planLink(catalog, link, claimed)));
  const relations = planRelations(catalog, {
    tables: objects.map(({ table }) => table),
    links: links.map(({ link }) => link),
  });
  const histories = objects.flatMap(
    ({ object, table }) => planHistory(catalog, table, history.has(object)) ?? [],
  );
  const wantedObjects = new Set(schemas.map(({ object }) => object));
  const removals = [...catalog.mirrors.values()]
    .filter(({ object, removed }) => !removed && !wantedObjects.has(object))
    .map((mirror) => ({ object: mirror.object, steps: planRemoval(catalog, mirror) }));
  const named = stepsNamed(catalog.schemas);
  return {
    preparations: named({ steps: preparationsFor(catalog, objects) }).steps,
    objects: objects.map(named),
    links: links.map(named),
    relations: relations.map(named),
    histories: histories.map(named),
    removals: removals.map(named),
    problems,
    schemas,
  };
}

/** What relates to an object that is not described cannot be told from what relates to nothing. */
function relatedAsBefore(
  schema: ObjectSchema,
  before: ObjectSchema | undefined,
  undescribed: Undescribed,
): ObjectSchema {
  if (undescribed.size === 0 || before === undefined) return schema;
  const related = new Map(
    before.fields.flatMap((field) =>
      undescribed.has(field.relationship?.object ?? '') ? [[field.name, field] as const] : [],
    ),
  );
  return { ...schema, fields: schema.fields.map((field) => related.get(field.name) ?? field) };
}

/** Statements that are shown and recorded say the names that they run under. */
function stepsNamed(schemas: Schemas) {
  return <Unit extends { readonly steps: readonly Step[] }>(unit: Unit): Unit => ({
    ...unit,
    steps: unit.steps.map((step) => ({ ...step, sql: renderSql(step.sql, schemas) })),
  });
}

function preparationsFor(catalog: Catalog, objects: readonly ObjectPlan[]): Step[] {
  if (objects.length === 0) return [];
  const steps: Step[] = [];
  // Somebody dropped or renamed it: as with a table, it is made anew and everything read into it.
  if (!catalog.schemaStands) {
    const sql = 'CREATE SCHEMA "{mirror}"';
    steps.push({ object: catalog.schemas.mirror, description: 'create schema', sql });
  }
  // The look-up by identity needs its function long before an index on it is worth its price.
  if (!catalog.functions.has(IDENTITY_FUNCTION)) {
    const description = 'make identities indexable';
    steps.push({ object: IDENTITY_FUNCTION, description, sql: IDENTITY_FUNCTION_SQL });
  }
  return steps;
}

/** Every statement, in the order in which they run. */
export function planSteps(plan: MirrorPlan): Step[] {
  const { preparations, objects, removals, links, relations, histories } = plan;
  const units = [...objects, ...removals, ...links, ...relations, ...histories];
  return [...preparations, ...units.flatMap(({ steps }) => steps)];
}

/**
 * What the next version records: the planned schemas, and of objects that failed what the last
 * one said.
 */
export function schemasOnRecord(
  catalog: Catalog,
  plan: MirrorPlan,
  failed: ReadonlySet<string>,
): ObjectSchema[] {
  const before = new Map(catalog.objects.map((schema) => [schema.object, schema]));
  return plan.schemas.flatMap((schema) => {
    if (!failed.has(schema.object)) return [schema];
    const standing = before.get(schema.object);
    return standing === undefined ? [] : [standing];
  });
}

/** Whether there is anything to run for an object, or to put on record. */
export function isDue({ steps, record, unidentified }: ObjectPlan): boolean {
  return steps.length > 0 || record !== null || unidentified;
}

/** Whether there is nothing to run and nothing to put on record. */
export function isEmptyPlan(catalog: Catalog, plan: MirrorPlan): boolean {
  const failed = new Set(plan.problems.map(({ object }) => object));
  return (
    planSteps(plan).length === 0 &&
    plan.removals.length === 0 &&
    !plan.objects.some(isDue) &&
    !isNewVersion(catalog, [], schemasOnRecord(catalog, plan, failed))
  );
}

/** Whether there is anything to record that the last version does not say. */
export function isNewVersion(
  catalog: Catalog,
  steps: readonly Step[],
  schemas: readonly ObjectSchema[],
): boolean {
  return steps.length > 0 || JSON.stringify(schemas) !== JSON.stringify(catalog.objects);
}
