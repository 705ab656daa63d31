import { isObject } from '../../domain/json.ts';
import type { Field, ObjectSchema, Relationship, RelationshipKind } from '../../domain/schema.ts';
import { BadAnswer } from '../wire/call.ts';
import {
  type JsonSchema,
  lastSegment,
  type PropertyKind,
  propertyKind,
  type ResolveRef,
} from './property-kind.ts';
import { SYSTEM_FIELDS } from './system-fields.ts';
import type { WireForms } from './wire-forms.ts';

interface SchemaItem {
  readonly id: string;
  readonly slug: string;
  readonly schema: JsonSchema;
}

/** Unique fields by which two records are known to be one. A deal's name is unique, but none. */
const IDENTITIES: ReadonlyMap<string, string> = new Map([
  ['person', 'email_addresses'],
  ['company', 'domains'],
]);

/**
 * Turns what `/schemas` lists, in either dialect, into objects and fields; tells `forms` how their
 * lists travel.
 *
 * @throws BadAnswer where an item is no schema.
 */
export function readSchemas(items: readonly unknown[], forms: WireForms): readonly ObjectSchema[] {
  const all = items.map(readItem);
  const resolve = createResolve(all);
  const valueTypes = refTargets(all);
  const objects = new Map<string, SchemaItem>();
  for (const item of all) {
    if (!isTable(item, valueTypes)) continue;
    const known = objects.get(item.slug);
    // The same slug can come twice: what the workspace itself defines is the fuller one.
    if (known === undefined || (isEntity(item) && !isEntity(known))) objects.set(item.slug, item);
  }
  return [...objects.values()].map((item) => toObject(item, resolve, forms));
}

/** @throws BadAnswer where an item is no schema. */
export function checkSchemas(items: readonly unknown[]): void {
  items.forEach(readItem);
}

function readItem(item: unknown): SchemaItem {
  if (!isObject(item)) throw new BadAnswer('an item of /schemas is no schema');
  const schema = isObject(item.attributes) ? item.attributes : item;
  const id = [item.id, schema.$id].find((name) => typeof name === 'string' && name !== '');
  if (typeof id !== 'string') throw new BadAnswer('a schema has no id');
  return { id, slug: lastSegment(id), schema };
}

function isEntity({ id }: SchemaItem): boolean {
  return /(?:^|\/)entities\//.test(id);
}

function isTable(item: SchemaItem, valueTypes: ReadonlySet<string>): boolean {
  const { schema, id, slug } = item;
  const namespace = schema.xClarifyNamespace;
  if (slug === '' || !isObject(schema.properties)) return false;
  if (isEntity(item)) return namespace === undefined || namespace === 'objects';
  if (valueTypes.has(id) || valueTypes.has(slug)) return false;
  // Elsewhere only what is marked as an object, or has what every record has and no value type.
  const isRecord = Object.hasOwn(schema.properties, '_created_at');
  return namespace === 'objects' || (namespace === undefined && isRecord);
}

/** What properties refer to as their value, as against a record at the other end of a link. */
function refTargets(items: readonly SchemaItem[]): ReadonlySet<string> {
  const targets = new Set<string>();
  for (const { schema } of items) {
    if (!isObject(schema.properties)) continue;
    for (const property of Object.values(schema.properties)) {
      if (!isObject(property) || property.xClarifyRelationship !== undefined) continue;
      for (const option of [property, ...optionsOf(property)]) {
        if (!isObject(option) || typeof option.$ref !== 'string') continue;
        targets.add(option.$ref);
        targets.add(lastSegment(option.$ref));
      }
    }
  }
  return targets;
}

function optionsOf({ oneOf, anyOf }: JsonSchema): readonly unknown[] {
  const lists: readonly unknown[][] = [oneOf, anyOf].filter((options) => Array.isArray(options));
  return lists.flat();
}

function createResolve(items: readonly SchemaItem[]): ResolveRef {
  const byId = new Map(items.map(({ id, schema }) => [id, schema]));
  const bySlug = new Map(
    items.filter((item) => !isEntity(item)).map(({ slug, schema }) => [slug, schema]),
  );
  return (ref) => byId.get(ref) ?? bySlug.get(lastSegment(ref));
}

function toObject({ slug, schema }: SchemaItem, resolve: ResolveRef, forms: WireForms) {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const fields = Object.entries(properties)
    .filter(([name]) => name !== '' && !SYSTEM_FIELDS.has(name))
    .map(([name, property]) => toField(slug, { name, property }, { resolve, forms }));
  const identity = IDENTITIES.get(slug);
  return {
    object: slug,
    label: readLabel(slug, schema),
    fields,
    identity:
      identity !== undefined && fields.some(({ name }) => name === identity) ? identity : null,
    readOnly: schema.readOnly === true ? 'Clarify declares this object read-only' : null,
  } satisfies ObjectSchema;
}

function toField(
  object: string,
  { name, property }: { name: string; property: unknown },
  { resolve, forms }: { resolve: ResolveRef; forms: WireForms },
): Field {
  const schema = isObject(property) ? property : {};
  const relationship = readRelationship(schema);
  const found = propertyKind(property, resolve);
  const kind = relationship === null ? found.kind : linkKind(relationship);
  if (kind === 'texts') {
    if (found.formIsCertain) forms.learn(object, name, found.form);
    else forms.guess(object, name, found.form);
  }
  return {
    name,
    kind,
    label: firstText(labelOf(schema), schema.title),
    unique: schema.xClarifyUnique === true,
    caseInsensitive: kind === found.kind && found.caseInsensitive,
    ...(kind === 'number' && digitsOf(found)),
    parts: kind === 'json' ? found.parts : [],
    relationship,
  };
}

/** Both, or neither. */
function digitsOf({ scale, wholeDigits }: PropertyKind): Pick<Field, 'scale' | 'wholeDigits'> {
  return scale === undefined || wholeDigits === undefined ? {} : { scale, wholeDigits };
}

const LINK_KINDS: Readonly<Record<RelationshipKind, 'reference' | 'references'>> = {
  'many-to-one': 'reference',
  'one-to-one': 'reference',
  'one-to-many': 'references',
  'many-to-many': 'references',
};

function linkKind({ kind }: Relationship) {
  return LINK_KINDS[kind];
}

function isLinkKind(kind: unknown): kind is RelationshipKind {
  return typeof kind === 'string' && Object.hasOwn(LINK_KINDS, kind);
}

function readRelationship({ xClarifyRelationship: told }: JsonSchema): Relationship | null {
  if (!isObject(told) || !isLinkKind(told.kind) || typeof told.entity !== 'string') return null;
  return {
    kind: told.kind,
    object: lastSegment(told.entity),
    field: typeof told.field === 'string' ? told.field : null,
  };
}

function readLabel(slug: string, schema: JsonSchema): ObjectSchema['label'] {
  const { xClarifyLabel: told, title } = schema;
  const label = isObject(told) ? told : {};
  const singular = firstText(label.singular, labelOf(schema), title) ?? slug;
  return { singular, plural: firstText(label.plural) ?? singular };
}

function labelOf({ xClarifyLabel: told }: JsonSchema): unknown {
  return isObject(told) ? told.singular : told;
}

function firstText(...candidates: readonly unknown[]): string | null {
  const found = candidates.find((text) => typeof text === 'string' && text !== '');
  return typeof found === 'string' ? found : null;
}
