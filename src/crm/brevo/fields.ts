import type { Field, FieldKind, ObjectSchema } from '../../domain/schema.ts';
import type { Attribute, WireType } from './attribute.ts';
import { type Declared, type DeclaredType, EXTERNAL_ID } from './declared.ts';
import { COMPANIES, CONTACTS, type CrmObject, DEALS } from './standard.ts';

const KINDS: Readonly<Record<WireType, FieldKind>> = {
  text: 'text',
  number: 'number',
  boolean: 'boolean',
  day: 'date',
  instant: 'timestamp',
  option: 'text',
  options: 'texts',
  choices: 'texts',
  user: 'text',
  unknown: 'json',
};

/** What a declared column is on the wire: its dates have a time of day there. */
export const DECLARED_WIRE: Readonly<Record<DeclaredType, WireType>> = {
  text: 'text',
  number: 'number',
  boolean: 'boolean',
  date: 'day',
  timestamp: 'instant',
  texts: 'choices',
  json: 'unknown',
};

/** Attributes of contacts that stand in columns under other names. */
export const IDENTIFIERS: Readonly<Record<string, string>> = {
  EMAIL: 'email',
  EXT_ID: 'ext_id',
  SMS: 'sms',
};

function plain(name: string, kind: FieldKind, more: Partial<Field> = {}): Field {
  return {
    name,
    kind,
    label: null,
    unique: false,
    caseInsensitive: false,
    parts: [],
    relationship: null,
    ...more,
  };
}

const CONTACT_FIELDS: readonly Field[] = [
  plain('email', 'text', { label: 'E-mail', unique: true, caseInsensitive: true }),
  plain('ext_id', 'text', { label: 'External id', unique: true }),
  plain('sms', 'text', { label: 'SMS', unique: true, normal: 'msisdn' }),
  plain('email_blacklisted', 'boolean', { label: 'E-mail blocklisted' }),
  plain('sms_blacklisted', 'boolean', { label: 'SMS blocklisted' }),
  plain('list_ids', 'texts', { label: 'Lists' }),
];

function attributeField({ name, label, type, isReadOnly }: Attribute): Field {
  return plain(name, KINDS[type], { label, ...(isReadOnly && { readOnly: true }) });
}

export function contactsSchema(attributes: readonly Attribute[]): ObjectSchema {
  return {
    object: CONTACTS,
    label: { singular: 'Contact', plural: 'Contacts' },
    fields: [
      ...CONTACT_FIELDS,
      ...attributes
        .filter(({ name }) => !Object.hasOwn(IDENTIFIERS, name.toUpperCase()))
        .map(attributeField),
    ],
    identity: 'email',
    readOnly: null,
  };
}

/** Links of companies and deals, by the object they belong to; the other end of each is its table’s name. */
const CRM_LINKS: Readonly<Record<CrmObject, readonly Field[]>> = {
  [COMPANIES]: [toMany('contacts', COMPANIES), toMany('deals', COMPANIES)],
  [DEALS]: [toMany('contacts', DEALS), toMany('companies', DEALS)],
};

function toMany(name: string, other: string): Field {
  const relationship = { kind: 'many-to-many', object: name, field: other } as const;
  return plain(name, 'references', { relationship });
}

export function crmSchema(object: CrmObject, attributes: readonly Attribute[]): ObjectSchema {
  const links = CRM_LINKS[object];
  const taken = new Set(links.map(({ name }) => name));
  return {
    object,
    label:
      object === COMPANIES
        ? { singular: 'Company', plural: 'Companies' }
        : { singular: 'Deal', plural: 'Deals' },
    fields: [
      ...attributes.filter(({ name }) => !taken.has(name) && name !== 'id').map(attributeField),
      ...links,
    ],
    identity: null,
    readOnly: null,
  };
}

export function customSchema({ object, fields, links }: Declared): ObjectSchema {
  return {
    object,
    label: { singular: object, plural: object },
    fields: [
      plain(EXTERNAL_ID, 'text', { label: 'External id', unique: true }),
      ...[...fields].map(([name, type]) => plain(name, KINDS[DECLARED_WIRE[type]])),
      ...[...links].map(([name, target]) =>
        plain(name, 'references', {
          relationship: { kind: 'many-to-many', object: target, field: null },
        }),
      ),
    ],
    identity: null,
    readOnly: null,
  };
}
