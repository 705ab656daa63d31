import type { Field, FieldKind, ObjectSchema, Relationship } from '../../domain/schema.ts';
import { type Catalog, CONTACTS, type KizenField, type KnownObject, STAGE } from './catalog.ts';

/** Where every mirror table has a column for them. */
export const CREATED = 'created';
export const UPDATED = 'updated';

/** What Kizen makes of other fields, whether it says so or not. */
const COMPUTED: ReadonlySet<string> = new Set(['display_name', 'full_name']);

/** Spaces at the ends go. */
const TRIMMED: ReadonlySet<string> = new Set(['text', 'longtext', 'email']);

const KINDS: Readonly<Record<string, FieldKind>> = {
  text: 'text',
  longtext: 'text',
  email: 'text',
  phonenumber: 'text',
  integer: 'number',
  rating: 'number',
  decimal: 'number',
  money: 'number',
  date: 'date',
  datetime: 'timestamp',
  checkbox: 'boolean',
  checkboxes: 'texts',
  choices: 'texts',
  dynamictags: 'texts',
  dropdown: 'text',
  radio: 'text',
  status: 'text',
  selector: 'text',
  yesnomaybe: 'text',
  stage: 'text',
  timezone: 'text',
  team_selector: 'text',
};

/** The objects as the engine knows them. */
export function schemasOf(catalog: Catalog, names: readonly string[]): readonly ObjectSchema[] {
  return names.flatMap((name) => {
    const object = catalog.object(name);
    if (object === undefined) return [];
    const { singular, plural, canEdit } = object;
    const isContacts = name === CONTACTS;
    const fields = columnFields(object).map((field) => fieldOf(object, field, catalog));
    return {
      object: name,
      label: { singular, plural },
      fields,
      identity: isContacts && fields.some((field) => field.name === 'email') ? 'email' : null,
      readOnly: canEdit ? null : 'the user of the key may not edit it in Kizen',
    };
  });
}

/** Live fields but those that every table has a column for. */
export function columnFields({ byName }: KnownObject): readonly KizenField[] {
  return [...byName.values()].filter((field) => !isSystem(field));
}

export function isSystem({ name, type }: KizenField): boolean {
  return (name === CREATED || name === UPDATED) && type === 'datetime';
}

/** Whether it is the stage of a pipeline, whatever type it is said to have. */
export function isStage(object: KnownObject, { name }: KizenField): boolean {
  return object.isPipeline && name === STAGE;
}

/** `references` where it may name several records; links to what the key does not see stay as they are. */
export function kindOf(object: KnownObject, field: KizenField, catalog: Catalog): FieldKind {
  if (isStage(object, field)) return 'text';
  if (field.type !== 'relationship') return KINDS[field.type] ?? 'json';
  const { relation } = field;
  if (relation === null) return 'json';
  const isKnown = catalog.target(relation) !== undefined;
  if (isMany(field)) return isKnown ? 'references' : 'json';
  return isKnown ? 'reference' : 'text';
}

export function isMany({ relation }: KizenField): boolean {
  return relation?.cardinality.endsWith('_to_many') ?? false;
}

function fieldOf(object: KnownObject, field: KizenField, catalog: Catalog): Field {
  const { name, label, type, scale } = field;
  const kind = kindOf(object, field, catalog);
  const isEmail = type === 'email';
  const isWhole = type === 'integer' || type === 'rating';
  return {
    name,
    kind,
    label,
    unique: name === (object.name === CONTACTS ? 'email' : 'name'),
    caseInsensitive: isEmail,
    ...(TRIMMED.has(type) && { normal: 'trimmed' as const }),
    ...(type === 'phonenumber' && { normal: 'phone' as const }),
    ...(isWhole && { integerBits: 32 as const }),
    ...(kind === 'number' && !isWhole && scale !== null && { scale }),
    parts: [],
    relationship: relationshipOf(field, catalog),
    ...(isWrittenByKizen(object, field, kind) && { readOnly: true }),
    ...(isStage(object, field) && { setAfterwards: true }),
  };
}

/** Whether nobody else may write it: files have no form that a column could hold. */
export function isWrittenByKizen(object: KnownObject, field: KizenField, kind: FieldKind): boolean {
  if (isStage(object, field)) return false;
  const isLinkToUnseen = field.type === 'relationship' && (kind === 'json' || kind === 'text');
  return field.isReadOnly || COMPUTED.has(field.name) || field.type === 'files' || isLinkToUnseen;
}

const RELATIONSHIPS = {
  one_to_one: 'one-to-one',
  many_to_one: 'many-to-one',
  one_to_many: 'one-to-many',
  many_to_many: 'many-to-many',
} as const;

function relationshipOf({ relation }: KizenField, catalog: Catalog): Relationship | null {
  const target = relation === null ? undefined : catalog.target(relation);
  if (relation === null || target === undefined) return null;
  const mirror = relation.fieldId === null ? undefined : target.byId.get(relation.fieldId);
  const isSeen = mirror?.isLive ?? false;
  const kind = RELATIONSHIPS[relation.cardinality];
  return {
    // Without a column at the other end the links are found nowhere but here.
    kind: kind === 'one-to-many' && !isSeen ? 'many-to-many' : kind,
    object: target.name,
    field: isSeen && mirror !== undefined ? mirror.name : null,
  };
}
