import * as z from 'zod';
import { BadAnswer } from '../wire/call.ts';

/** An attribute of an object, as far as reading and writing its values needs it. */
export interface Attribute {
  readonly id: string;
  readonly slug: string;
  readonly title: string | null;
  readonly type: string;
  readonly isMulti: boolean;
  readonly isUnique: boolean;
  readonly isWritable: boolean;
  readonly isArchived: boolean;
  /** The attribute at the other end, where writing one changes the other. */
  readonly pair: { readonly objectId: string; readonly attributeId: string } | null;
  /** Objects that a reference may name; null for any. */
  readonly allowedIds: readonly string[] | null;
}

export interface AttioObject {
  readonly id: string;
  readonly slug: string;
  readonly singular: string;
  readonly plural: string;
  /** By slug, in the order of the app, archived ones too. */
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** What the workspace was like when it was last discovered. */
export interface Catalog {
  /** Undefined where there is no such object. */
  object(slug: string): AttioObject | undefined;
  readonly byId: { get(id: string): AttioObject | undefined };
  /** By id; null before anything was discovered. */
  readonly slugs: ReadonlyMap<string, string> | null;
  replace(objects: readonly AttioObject[]): void;
}

export function createCatalog(): Catalog {
  let bySlug: ReadonlyMap<string, AttioObject> = new Map();
  let byId: ReadonlyMap<string, AttioObject> = new Map();
  let slugs: ReadonlyMap<string, string> | null = null;
  return {
    get slugs() {
      return slugs;
    },
    object: (slug) => bySlug.get(slug),
    byId: { get: (id) => byId.get(id) },
    replace(objects) {
      bySlug = new Map(objects.map((object) => [object.slug, object]));
      byId = new Map(objects.map((object) => [object.id, object]));
      slugs = new Map(objects.map((object) => [object.id, object.slug]));
    },
  };
}

const flag = z.boolean().nullish().catch(undefined);
const label = z.string().nullish().catch(undefined);

const objectItem = z.looseObject({
  id: z.looseObject({ object_id: z.string() }),
  api_slug: z.string().nullish(),
  singular_noun: label,
  plural_noun: label,
});

/** Null where it has no slug: nothing could name it. */
export function readObject(item: unknown): Omit<AttioObject, 'attributes'> | null {
  const parsed = objectItem.safeParse(item);
  if (!parsed.success) throw new BadAnswer('an object of the list cannot be read');
  const { id, api_slug: slug, singular_noun, plural_noun } = parsed.data;
  if (typeof slug !== 'string' || slug === '') return null;
  return {
    id: id.object_id,
    slug,
    singular: singular_noun ?? slug,
    plural: plural_noun ?? singular_noun ?? slug,
  };
}

const attributeItem = z.looseObject({
  id: z.looseObject({ attribute_id: z.string() }),
  api_slug: z.string().nullish(),
  title: label,
  type: z.string(),
  is_multiselect: flag,
  is_unique: flag,
  is_writable: flag,
  is_archived: flag,
  relationship: z
    .looseObject({ id: z.looseObject({ object_id: z.string(), attribute_id: z.string() }) })
    .nullish()
    .catch(undefined),
  config: z
    .looseObject({
      record_reference: z
        .looseObject({ allowed_object_ids: z.array(z.string()).nullish().catch(undefined) })
        .nullish()
        .catch(undefined),
    })
    .nullish()
    .catch(undefined),
});

/** Null where it has no slug. */
export function readAttribute(item: unknown): Attribute | null {
  const parsed = attributeItem.safeParse(item);
  if (!parsed.success) throw new BadAnswer('an attribute of the list cannot be read');
  const { id, api_slug: slug, title, type, relationship, config, ...flags } = parsed.data;
  if (typeof slug !== 'string' || slug === '') return null;
  const pair = relationship?.id;
  return {
    id: id.attribute_id,
    slug,
    title: title ?? null,
    type,
    isMulti: flags.is_multiselect === true,
    isUnique: flags.is_unique === true,
    isWritable: flags.is_writable !== false,
    isArchived: flags.is_archived === true,
    pair: pair === undefined ? null : { objectId: pair.object_id, attributeId: pair.attribute_id },
    allowedIds: config?.record_reference?.allowed_object_ids ?? null,
  };
}
