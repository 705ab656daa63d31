import * as z from 'zod';
import { BadAnswer } from '../wire/call.ts';
import { readAccess } from './access.ts';

/** One of the values that a field of choices may have. */
export interface Option {
  readonly id: string;
  readonly label: string;
  readonly code: string | null;
}

export type Cardinality = 'one_to_one' | 'many_to_one' | 'one_to_many' | 'many_to_many';

/** A field of an object, as far as reading and writing its values needs it. */
export interface KizenField {
  /** A UUID, which stays; names may change. */
  readonly id: string;
  readonly name: string;
  readonly label: string | null;
  readonly type: string;
  readonly isReadOnly: boolean;
  /** False where it is deleted, or the key may not see it: it would look blank for ever. */
  readonly isLive: boolean;
  readonly isDefault: boolean;
  readonly allowsNull: boolean;
  readonly allowsEmpty: boolean;
  readonly options: readonly Option[];
  /** Digits after the point; null where it does not say. */
  readonly scale: number | null;
  readonly relation: {
    readonly objectId: string;
    readonly objectName: string | null;
    /** The field at the other end, changed by the same act. */
    readonly fieldId: string | null;
    readonly cardinality: Cardinality;
  } | null;
}

export interface KizenObject {
  readonly id: string;
  readonly name: string;
  readonly singular: string;
  readonly plural: string;
  readonly isPipeline: boolean;
  readonly canEdit: boolean;
  /** All of them, in the order of the app. */
  readonly fields: readonly KizenField[];
  /** Of a pipeline. */
  readonly stages: readonly Option[];
}

/** Contacts: the object that has no name, and e-mail addresses instead. */
export const CONTACTS = 'client_client';

/** What moves a record to another stage is a call of its own. */
export const STAGE = 'stage';

/** An object with what is looked up in it for every value. */
export interface KnownObject extends KizenObject {
  readonly byId: ReadonlyMap<string, KizenField>;
  /** Live ones. */
  readonly byName: ReadonlyMap<string, KizenField>;
}

/** What the workspace was like when it was last asked. */
export interface Catalog {
  /** Undefined where there is no such object. */
  object(name: string): KnownObject | undefined;
  /** The object at the other end; undefined where the key does not see it. */
  target(relation: NonNullable<KizenField['relation']>): KnownObject | undefined;
  replace(objects: readonly KizenObject[]): void;
}

export function createCatalog(): Catalog {
  let byName: ReadonlyMap<string, KnownObject> = new Map();
  let byId: ReadonlyMap<string, KnownObject> = new Map();
  return {
    object: (name) => byName.get(name),
    target: ({ objectId, objectName }) => byId.get(objectId) ?? byName.get(objectName ?? objectId),
    replace(objects) {
      const known = objects.map(toKnown);
      byName = new Map(known.map((object) => [object.name, object]));
      byId = new Map(known.map((object) => [object.id, object]));
    },
  };
}

function toKnown(object: KizenObject): KnownObject {
  const live = object.fields.filter(({ isLive }) => isLive);
  return {
    ...object,
    byId: new Map(object.fields.map((field) => [field.id, field])),
    byName: new Map(live.map((field) => [field.name, field])),
  };
}

const flag = z.boolean().nullish().catch(undefined);
const text = z.string().nullish().catch(undefined);

const objectItem = z.looseObject({
  id: z.string().min(1),
  name: text,
  object_name: text,
  entity_name: text,
  object_type: text,
  access: z.unknown().optional(),
});

/** Null where nothing could name it, or the key may not see it. */
export function readObject(item: unknown): Omit<KizenObject, 'fields' | 'stages'> | null {
  const parsed = objectItem.safeParse(item);
  if (!parsed.success) throw new BadAnswer('an object of the list cannot be read');
  const { id, name, object_name: plural, entity_name: singular, object_type: type } = parsed.data;
  const access = readAccess(parsed.data.access);
  if (typeof name !== 'string' || name === '' || !access.canView) return null;
  return {
    id,
    name,
    singular: singular ?? plural ?? name,
    plural: plural ?? singular ?? name,
    isPipeline: type === 'pipeline',
    canEdit: access.canEdit,
  };
}

const optionItem = z.looseObject({ id: z.string().min(1), name: z.string(), code: text });

/** Those of a list that can be read. */
export function readOptions(items: readonly unknown[]): readonly Option[] {
  return items.flatMap((item) => {
    const parsed = optionItem.safeParse(item);
    if (!parsed.success) return [];
    const { id, name: label, code } = parsed.data;
    return [{ id, label, code: code || null }];
  });
}

const CARDINALITIES = ['one_to_one', 'many_to_one', 'one_to_many', 'many_to_many'] as const;
const digits = z.int().min(0).max(20).nullish().catch(undefined);
const numbers = z.looseObject({ decimal_places: digits }).nullish().catch(undefined);

const fieldItem = z.looseObject({
  id: z.string().min(1),
  name: text,
  display_name: text,
  field_type: z.string(),
  is_read_only: flag,
  is_default: flag,
  allows_nulls: flag,
  allows_empty: flag,
  deleted: flag,
  options: z.array(z.unknown()).nullish().catch(undefined),
  relation: z
    .looseObject({
      related_object: z.string(),
      related_object_object_name: text,
      related_field: text,
      cardinality: z.enum(CARDINALITIES),
    })
    .nullish()
    .catch(undefined),
  decimal_places: digits,
  meta: numbers,
  money_options: numbers,
  access: z.unknown().optional(),
});

/** Null where it has no name. */
export function readField(item: unknown): KizenField | null {
  const parsed = fieldItem.safeParse(item);
  if (!parsed.success) throw new BadAnswer('a field of the list cannot be read');
  const { id, name, display_name: label, field_type: type, relation, ...told } = parsed.data;
  if (typeof name !== 'string' || name === '') return null;
  const access = readAccess(told.access);
  return {
    id,
    name,
    label: label ?? null,
    type,
    isReadOnly: told.is_read_only === true || !access.canEdit,
    isLive: told.deleted !== true && access.canView,
    isDefault: told.is_default === true,
    // Where it does not say, both may be tried.
    allowsNull: told.allows_nulls !== false,
    allowsEmpty: told.allows_empty === true,
    options: readOptions(told.options ?? []),
    scale:
      [told, told.meta, told.money_options]
        .map((part) => part?.decimal_places)
        .find((found) => typeof found === 'number') ?? null,
    relation:
      relation === null || relation === undefined
        ? null
        : {
            objectId: relation.related_object,
            objectName: relation.related_object_object_name ?? null,
            fieldId: relation.related_field ?? null,
            cardinality: relation.cardinality,
          },
  };
}
