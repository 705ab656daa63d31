export type RelationKind = 'many-to-one' | 'one-to-many' | 'many-to-many' | 'one-to-one';

/** Value types under `core/`: `$ref` targets of fields, no objects themselves. */
export type CollectionType =
  | 'emailAddresses'
  | 'phoneNumbers'
  | 'domains'
  | 'collectionOfIds'
  | 'collectionOfStrings'
  /** Its items are objects, `{email, name, phone_number, status, organizer}`. */
  | 'participants';
export type ValueObjectType = 'personName' | 'address' | 'richText';

/** What a field holds, and so what its values look like on the wire. */
export type FieldForm =
  | { readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'datetime' }
  /** Declared by its format, or as `"type": ["date", "null"]`. */
  | { readonly kind: 'date'; readonly declaredBy?: 'format' | 'type' }
  /** A bare array of strings. */
  | { readonly kind: 'array' }
  /** Any JSON object. */
  | { readonly kind: 'object' }
  | { readonly kind: 'select'; readonly options: readonly string[] }
  /** `{items: […]}`, each one of the options. */
  | { readonly kind: 'multi-select'; readonly options: readonly string[] }
  /** `{items: […]}` */
  | { readonly kind: 'collection'; readonly of: CollectionType }
  | { readonly kind: 'value'; readonly of: ValueObjectType }
  /** `field` is the field at the other end. */
  | {
      readonly kind: 'link';
      readonly relation: RelationKind;
      readonly entity: string;
      readonly field: string | null;
    };

export interface FieldDefinition {
  readonly name: string;
  readonly form: FieldForm;
  readonly unique?: boolean;
  readonly primary?: boolean;
  readonly label?: string;
}

export interface ObjectDefinition {
  /** The slug, such as `person` or `c_project`. */
  readonly object: string;
  readonly singular: string;
  readonly plural: string;
  readonly fields: readonly FieldDefinition[];
}

export type LinkForm = Extract<FieldForm, { kind: 'link' }>;
export type LinkField = FieldDefinition & { readonly form: LinkForm };

export function isLink(field: FieldDefinition): field is LinkField {
  return field.form.kind === 'link';
}

/** To-many links are no attributes: they live in linkage and behind `/relationships/`. */
export function isToMany(field: FieldDefinition): field is LinkField {
  return field.form.kind === 'link' && linksToMany(field.form);
}

export function linksToMany({ relation }: LinkForm): boolean {
  return relation === 'one-to-many' || relation === 'many-to-many';
}

export function isToOne(field: FieldDefinition): field is LinkField {
  return isLink(field) && !isToMany(field);
}

export function findField(definition: ObjectDefinition, name: string): FieldDefinition | undefined {
  return definition.fields.find((field) => field.name === name);
}
