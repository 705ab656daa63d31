import { isObject } from '../../domain/json.ts';
import type { FieldKind, FieldPart } from '../../domain/schema.ts';
import type { WireForm } from './wire-forms.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Finds the value type a `$ref` names; undefined where `/schemas` does not list it. */
export type ResolveRef = (ref: string) => JsonSchema | undefined;

/** What a property's form says about its values. */
export interface PropertyKind {
  readonly kind: FieldKind;
  readonly caseInsensitive: boolean;
  readonly parts: readonly FieldPart[];
  /** For `number`. */
  readonly scale?: number | undefined;
  readonly wholeDigits?: number | undefined;
  /** For `texts`: how the schema suggests the list travels. */
  readonly form: WireForm;
  /** For `texts`: that form is settled, not just suggested. */
  readonly formIsCertain: boolean;
}

const PLAIN: Omit<PropertyKind, 'kind'> = {
  caseInsensitive: false,
  parts: [],
  form: 'items',
  formIsCertain: false,
};

/** Every number is kept as DECIMAL(16,4). */
const DECIMAL = { scale: 4, wholeDigits: 12 };

/** Value types refer to value types at most a few times over; a loop ends here. */
const DEEPEST_REF = 4;

/** Maps a property's form to a kind. Whatever is not understood is `json`, which holds anything. */
export function propertyKind(property: unknown, resolve: ResolveRef, depth = 0): PropertyKind {
  const schema = withoutNull(property);
  if (typeof schema.$ref === 'string') return refKind(schema.$ref, resolve, depth);
  const types = listOf(schema.type).filter((type) => type !== 'null');
  // `_created_at` is declared an object with a format: the format wins.
  const named = [schema.format, ...(types.length === 1 ? types : [])].find(isTemporal);
  if (named !== undefined) return { ...PLAIN, kind: TEMPORAL[named] };
  const items = schema.items ?? propertyOf(schema, 'items');
  if (items !== undefined) return listKind(schema, items, resolve);
  if (types.length > 1) return { ...PLAIN, kind: 'json' };
  return scalarKind(schema, types[0]) ?? objectKind(schema);
}

const TEMPORAL = {
  'date-time': 'timestamp',
  datetime: 'timestamp',
  timestamp: 'timestamp',
  date: 'date',
} as const;

function isTemporal(name: unknown): name is keyof typeof TEMPORAL {
  return typeof name === 'string' && Object.hasOwn(TEMPORAL, name);
}

/** `oneOf: [X, {type: 'null'}]` and its like mean X; what stands beside it is kept. */
function withoutNull(property: unknown): JsonSchema {
  if (!isObject(property)) return {};
  for (const choice of ['oneOf', 'anyOf', 'allOf']) {
    if (!Array.isArray(property[choice])) continue;
    const real = listOf(property[choice]).filter(
      (option) => !(isObject(option) && option.type === 'null'),
    );
    const [only] = real;
    if (real.length === 1 && isObject(only)) return { ...property, ...withoutNull(only) };
  }
  return property;
}

function scalarKind(schema: JsonSchema, type: unknown): PropertyKind | null {
  switch (type) {
    case 'string':
      return { ...PLAIN, kind: 'text', caseInsensitive: isCaseless(schema.format) };
    case 'number':
    case 'integer':
      return { ...PLAIN, kind: 'number', ...DECIMAL };
    case 'boolean':
      return { ...PLAIN, kind: 'boolean' };
    case undefined: {
      const choices = listOf(schema.enum ?? schema.const).filter((choice) => choice !== null);
      const texts = choices.length > 0 && choices.every((choice) => typeof choice === 'string');
      return texts ? { ...PLAIN, kind: 'text' } : null;
    }
    default:
      return null;
  }
}

/** A multi-select or a collection: texts where every item is one, else whatever it is. */
function listKind(schema: JsonSchema, items: unknown, resolve: ResolveRef): PropertyKind {
  const wrapped = schema.items === undefined;
  // `{items: {type: 'array', items: {…}}}` inside an object is the collection's own list.
  const inner = wrapped && isObject(items) ? (withoutNull(items).items ?? {}) : items;
  const options = Array.isArray(inner) ? inner : [inner];
  const kinds = options.map((option) =>
    typeof option === 'string' ? { ...PLAIN, kind: 'text' } : itemKind(option, resolve),
  );
  if (!kinds.every(({ kind }) => kind === 'text')) return { ...PLAIN, kind: 'json' };
  return {
    ...PLAIN,
    kind: 'texts',
    caseInsensitive: kinds.length > 0 && kinds.every(({ caseInsensitive }) => caseInsensitive),
    form: wrapped || !listOf(schema.type).includes('array') ? 'items' : 'array',
  };
}

function itemKind(item: unknown, resolve: ResolveRef): PropertyKind {
  // `{}` and `{const: 'a'}` or `{value: 'a', label: 'A'}` are options of a select.
  if (isObject(item) && item.type === undefined && item.$ref === undefined) {
    const isOption = item.properties === undefined && item.oneOf === undefined;
    if (isOption) return { ...PLAIN, kind: 'text', caseInsensitive: isCaseless(item.format) };
  }
  const found = propertyKind(item, resolve, DEEPEST_REF);
  // Dates in a list travel as strings, and a list of them is a list of texts.
  return found.kind === 'date' || found.kind === 'timestamp' ? { ...PLAIN, kind: 'text' } : found;
}

/** Known to be collections of strings, also where `/schemas` does not say what they look like. */
const COLLECTION = /^(?:emailAddresses|phoneNumbers|domains|urls|collectionOf\w+)$/;
const CASELESS_COLLECTION = /^(?:emailAddresses|domains|collectionOf(?:Emails?|Domains?)\w*)$/;
const NAME_PARTS: readonly FieldPart[] = ['first_name', 'last_name', 'full_name'].map((name) => ({
  name,
  kind: 'text',
}));

function refKind(ref: string, resolve: ResolveRef, depth: number): PropertyKind {
  const name = lastSegment(ref);
  const target = depth < DEEPEST_REF ? resolve(ref) : undefined;
  const isCollection = COLLECTION.test(name);
  const found =
    target === undefined
      ? { ...PLAIN, kind: isCollection ? ('texts' as const) : ('json' as const) }
      : propertyKind(target, resolve, depth + 1);
  if (isCollection && (found.kind === 'texts' || saysNothing(target))) {
    return {
      ...PLAIN,
      kind: 'texts',
      caseInsensitive: CASELESS_COLLECTION.test(name) || found.caseInsensitive,
      formIsCertain: true,
    };
  }
  if (name === 'personName' && found.parts.length === 0 && found.kind === 'json') {
    return { ...found, parts: NAME_PARTS };
  }
  return found;
}

function saysNothing(target: JsonSchema | undefined): boolean {
  return target === undefined || (target.properties === undefined && target.items === undefined);
}

function objectKind(schema: JsonSchema): PropertyKind {
  const properties = isObject(schema.properties) ? schema.properties : {};
  // Rich text is a tree: the scalar at its root says nothing.
  if (properties.content !== undefined) return { ...PLAIN, kind: 'json' };
  const parts = Object.entries(properties).flatMap(([name, property]): FieldPart[] => {
    const part = withoutNull(property);
    const types = listOf(part.type).filter((type) => type !== 'null');
    const kind = types.length > 1 ? undefined : scalarKind(part, types[0])?.kind;
    return kind === 'text' || kind === 'number' || kind === 'boolean' ? [{ name, kind }] : [];
  });
  return { ...PLAIN, kind: 'json', parts };
}

function propertyOf(schema: JsonSchema, name: string): unknown {
  const { properties } = schema;
  return isObject(properties) &&
    Object.hasOwn(properties, name) &&
    Object.keys(properties).length === 1
    ? properties[name]
    : undefined;
}

function isCaseless(format: unknown): boolean {
  return ['email', 'idn-email', 'hostname', 'idn-hostname', 'domain'].includes(String(format));
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list;
}

/** The name at the end of a schema's id, such as `person` or `personName`. */
export function lastSegment(id: string): string {
  return (
    id
      .replace(/[#?/]+$/, '')
      .split(/[/#]/)
      .at(-1) ?? ''
  );
}
