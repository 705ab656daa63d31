import type { NormalForm } from '../../domain/normal-form.ts';
import type {
  Field,
  FieldKind,
  FieldPart,
  ObjectSchema,
  Relationship,
} from '../../domain/schema.ts';
import type { AttioObject, Attribute } from './attribute.ts';

/** What every record has, and every mirror table has columns for. */
export const SYSTEM_ATTRIBUTES: ReadonlySet<string> = new Set([
  'record_id',
  'created_at',
  'created_by',
]);

/** Beside an amount: the currency it is in, which is its attribute's. */
export const CURRENCY_SUFFIX = '__currency';
/** Beside a reference to records of several objects: which object it is. */
export const OBJECT_SUFFIX = '__object';

const NAME_PARTS: readonly FieldPart[] = ['full_name', 'first_name', 'last_name'].map((name) => ({
  name,
  kind: 'text',
}));

const SCALARS: Readonly<Record<string, FieldKind>> = {
  text: 'text',
  number: 'number',
  checkbox: 'boolean',
  rating: 'number',
  date: 'date',
  timestamp: 'timestamp',
  currency: 'number',
  select: 'text',
  status: 'text',
  'email-address': 'text',
  domain: 'text',
  'phone-number': 'text',
  'actor-reference': 'text',
};

/** Of what Attio takes in several ways, and keeps in one. */
const NORMAL: Readonly<Record<string, NormalForm>> = {
  domain: 'host',
  'phone-number': 'phone',
  'personal-name': 'person',
  location: 'place',
};

/** The field by which people and companies are known to be one, whatever else is unique. */
const IDENTITIES: Readonly<Record<string, string>> = {
  people: 'email_addresses',
  companies: 'domains',
};

/** The objects as the engine knows them. */
export function schemasOf(objects: readonly AttioObject[]): readonly ObjectSchema[] {
  const byId = new Map(objects.map((object) => [object.id, object]));
  return objects.map((object) => {
    const { slug, singular, plural } = object;
    const attributes = liveAttributes(object);
    return {
      object: slug,
      label: { singular, plural },
      fields: attributes.flatMap((attribute) => fieldsOf(attribute, byId)),
      identity: identityOf(slug, attributes),
      readOnly: null,
    };
  });
}

/** Those that are columns, in the order of the app. */
function liveAttributes({ attributes }: AttioObject): readonly Attribute[] {
  return [...attributes.values()].filter(
    ({ slug, isArchived }) => !isArchived && !SYSTEM_ATTRIBUTES.has(slug),
  );
}

function identityOf(object: string, attributes: readonly Attribute[]): string | null {
  const unique = attributes.filter((attribute) => attribute.isUnique && attribute.isWritable);
  const usual = unique.find(({ slug }) => slug === IDENTITIES[object]);
  return (usual ?? unique[0])?.slug ?? null;
}

type ById = ReadonlyMap<string, AttioObject>;

function fieldsOf(attribute: Attribute, byId: ById): readonly Field[] {
  const { slug, type, title } = attribute;
  if (type === 'record-reference') return referenceFields(attribute, byId);
  const field = plainField(attribute, kindOf(attribute));
  if (type !== 'currency' || attribute.isMulti) return [field];
  const label = title === null ? null : `${title}: currency`;
  return [field, { ...besides(field, `${slug}${CURRENCY_SUFFIX}`), label, readOnly: true }];
}

/** Collections are of texts; several of anything else are kept as they are. */
export function kindOf({ type, isMulti }: Attribute): FieldKind {
  const kind = SCALARS[type] ?? 'json';
  if (!isMulti) return kind;
  return kind === 'text' ? 'texts' : 'json';
}

function plainField(attribute: Attribute, kind: FieldKind): Field {
  const { slug, type, title, isMulti, isUnique, isWritable } = attribute;
  return {
    name: slug,
    kind,
    label: title,
    unique: isUnique,
    caseInsensitive: type === 'email-address' || type === 'domain',
    ...(NORMAL[type] !== undefined && { normal: NORMAL[type] }),
    ...(type === 'currency' && !isMulti && { scale: 4 }),
    ...(type === 'rating' && !isMulti && { integerBits: 16 }),
    parts: type === 'personal-name' && !isMulti ? NAME_PARTS : [],
    relationship: null,
    ...(!isWritable && { readOnly: true }),
  };
}

function besides(field: Field, name: string): Field {
  const { scale: _scale, normal: _normal, ...rest } = field;
  return { ...rest, name, kind: 'text', unique: false, parts: [] };
}

function referenceFields(attribute: Attribute, byId: ById): readonly Field[] {
  const { slug, isMulti, title } = attribute;
  const target = targetOf(attribute, byId);
  if (target === null) {
    // Links to records of several objects fit no link table; one such reference says which object.
    const field = plainField(attribute, isMulti ? 'json' : 'text');
    if (isMulti) return [field];
    const label = title === null ? null : `${title}: object`;
    const objectIn = `${slug}${OBJECT_SUFFIX}`;
    return [
      { ...field, objectIn },
      { ...besides(field, objectIn), label },
    ];
  }
  const relationship = relationshipOf(attribute, target, byId);
  return [{ ...plainField(attribute, isMulti ? 'references' : 'reference'), relationship }];
}

/** The object whose records a reference names; null where it may be several. */
export function targetOf(
  { allowedIds, pair }: Attribute,
  byId: { get(id: string): AttioObject | undefined },
): AttioObject | null {
  const [only, ...others] = allowedIds ?? (pair === null ? [] : [pair.objectId]);
  if (only === undefined || others.length > 0) return null;
  return byId.get(only) ?? null;
}

function relationshipOf(
  { isMulti, pair }: Attribute,
  target: AttioObject,
  byId: ById,
): Relationship {
  const ends = pair === null ? undefined : byId.get(pair.objectId)?.attributes.values();
  const other =
    ends === undefined ? undefined : [...ends].find(({ id }) => id === pair?.attributeId);
  const isLive = other !== undefined && !other.isArchived;
  return {
    kind: kindOfLink(isMulti, isLive ? other.isMulti : null),
    object: target.slug,
    field: isLive ? other.slug : null,
  };
}

/** Where nothing is at the other end, as many records as like may name one. */
function kindOfLink(isMulti: boolean, isOtherMulti: boolean | null): Relationship['kind'] {
  if (isMulti) return isOtherMulti === false ? 'one-to-many' : 'many-to-many';
  return isOtherMulti === false ? 'one-to-one' : 'many-to-one';
}
