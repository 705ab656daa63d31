import type { Json } from '../../domain/json.ts';
import {
  type FieldDefinition,
  type FieldForm,
  isToMany,
  type ObjectDefinition,
} from './object-definition.ts';

import type { Switches } from './switches.ts';

type JsonSchema = Readonly<Record<string, Json>>;

const ROOT = 'https://getclarify.ai/schemas';
const TEXT = { type: ['string', 'null'] };

/** One item of `/schemas`. */
export interface SchemaItem {
  readonly type: 'schema';
  readonly id: string;
  readonly attributes: JsonSchema;
}

function schemaItem(path: string, title: string, more: JsonSchema): SchemaItem {
  const id = `${ROOT}/${path}`;
  return { type: 'schema', id, attributes: { $id: id, title, type: 'object', ...more } };
}

const items = (more: JsonSchema): JsonSchema => ({
  properties: { items: { type: 'array', items: { type: 'string', ...more } } },
});
const texts = (...names: string[]): JsonSchema => ({
  properties: Object.fromEntries(names.map((name) => [name, TEXT])),
});

/** Value types: `$ref` targets, no objects. */
const VALUE_TYPES: readonly SchemaItem[] = [
  schemaItem('core/personName', 'personName', texts('first_name', 'last_name', 'full_name')),
  schemaItem('core/address', 'address', texts('street', 'city', 'postal_code', 'country')),
  schemaItem('core/richText', 'richText', {
    properties: { text: { type: 'array', items: { type: 'object' } } },
  }),
  schemaItem('core/emailAddresses', 'emailAddresses', items({ format: 'email' })),
  schemaItem('core/phoneNumbers', 'phoneNumbers', items({})),
  schemaItem('core/domains', 'domains', items({ format: 'hostname' })),
  schemaItem('core/collectionOfIds', 'collectionOfIds', items({})),
  schemaItem('core/collectionOfStrings', 'collectionOfStrings', items({})),
  schemaItem('core/participants', 'participants', {
    properties: {
      items: {
        type: 'array',
        items: {
          type: 'object',
          ...texts('email', 'name', 'phone_number', 'status'),
        },
      },
    },
  }),
];

/** Listed like an object, but its records answer 404. */
const LISTED_ONLY: ObjectDefinition = {
  object: 'playbook',
  singular: 'Playbook',
  plural: 'Playbooks',
  fields: [{ name: 'title', form: { kind: 'text' }, primary: true }],
};

/** Listed like an object too; its records are at `/users`. */
const USER: ObjectDefinition = {
  object: 'user',
  singular: 'User',
  plural: 'Users',
  fields: [
    { name: 'name', form: { kind: 'value', of: 'personName' }, primary: true },
    { name: 'roles', form: { kind: 'collection', of: 'collectionOfStrings' } },
    { name: 'email', form: { kind: 'text' } },
    { name: 'profile_picture', form: { kind: 'text' } },
    { name: 'last_active_at', form: { kind: 'datetime' } },
  ],
};

/**
 * All of `/schemas`: value types, `core/person` beside `entities/person`, and the objects, with
 * `user` unless there is an object of this name.
 */
export function schemaItems(
  definitions: Iterable<ObjectDefinition>,
  { userObject }: Pick<Switches, 'userObject'>,
): SchemaItem[] {
  const objects = [...definitions];
  const withUser = userObject === 'listed' && !objects.some(({ object }) => object === 'user');
  const person = objects.find(({ object }) => object === 'person');
  return [
    ...(person === undefined ? [] : [objectItem('core', person)]),
    ...VALUE_TYPES,
    ...objects.map((definition) => objectItem('entities', definition)),
    ...(withUser ? [objectItem('entities', USER)] : []),
    objectItem('entities', LISTED_ONLY),
  ];
}

function objectItem(family: 'core' | 'entities', definition: ObjectDefinition): SchemaItem {
  const { object, singular, plural } = definition;
  return schemaItem(`${family}/${object}`, object, {
    xClarifyNamespace: 'objects',
    xClarifyLabel: { singular, plural },
    properties: schemaProperties(definition),
  });
}

export function schemaProperties({ fields }: ObjectDefinition): JsonSchema {
  return Object.fromEntries([
    ...Object.entries(SYSTEM_PROPERTIES),
    ...fields.map((field): [string, JsonSchema] => [field.name, property(field)]),
  ]);
}

const SYSTEM_PROPERTIES: JsonSchema = {
  _id: { type: 'string' },
  _created_at: { type: 'object', format: 'date-time' },
  _updated_at: { type: 'object', format: 'date-time' },
  _created_by: TEXT,
  _updated_by: TEXT,
  _merged_ids: { $ref: `${ROOT}/core/collectionOfIds` },
};

function property(field: FieldDefinition): JsonSchema {
  return {
    ...(field.label === undefined ? {} : { title: field.label }),
    ...formProperty(field.form, isToMany(field)),
    ...(field.unique === true ? { xClarifyUnique: true } : {}),
    ...(field.primary === true ? { xClarifyPrimary: true } : {}),
  };
}

function formProperty(form: FieldForm, toMany: boolean): JsonSchema {
  switch (form.kind) {
    case 'text':
      return TEXT;
    case 'number':
    case 'integer':
    case 'boolean':
    case 'object':
      return { type: [form.kind, 'null'] };
    case 'date':
      if (form.declaredBy === 'type') return { type: ['date', 'null'] };
      return { type: ['string', 'null'], format: 'date' };
    case 'datetime':
      return { type: ['string', 'null'], format: 'date-time' };
    case 'array':
      return { type: ['array', 'null'], items: { type: 'string' } };
    case 'select':
      return { type: ['string', 'null'], enum: [...form.options, null] };
    case 'multi-select':
      return { type: ['object', 'null'], ...items({ enum: form.options }) };
    case 'collection':
      return { $ref: `${ROOT}/core/${form.of}` };
    case 'value':
      return { oneOf: [{ $ref: `${ROOT}/core/${form.of}` }, { type: 'null' }] };
    case 'link': {
      const { relation, entity, field } = form;
      return {
        type: [toMany ? 'array' : 'string', 'null'],
        xClarifyRelationship: { kind: relation, entity, ...(field === null ? {} : { field }) },
      };
    }
  }
}
