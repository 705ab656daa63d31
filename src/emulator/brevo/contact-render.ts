import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ContactAttribute } from './attributes.ts';
import { inZone } from './instants.ts';
import type { Contact, Workspace } from './workspace.ts';

/** A contact as lists show it. */
export function renderContact(workspace: Workspace, contact: Contact): Fields {
  const { switches } = workspace;
  const { id, email, createdMs, updatedMs, listIds } = contact;
  return {
    id,
    ...(email === null ? {} : { email }),
    emailBlacklisted: contact.emailBlacklisted,
    smsBlacklisted: contact.smsBlacklisted,
    whatsappBlacklisted: false,
    createdAt: inZone(createdMs, switches),
    modifiedAt: inZone(updatedMs, switches),
    listIds,
    attributes: shownAttributes(workspace, contact),
  };
}

/** By itself it tells of 90 days as well. */
export function renderContactDetails(workspace: Workspace, contact: Contact): Fields {
  return { ...renderContact(workspace, contact), statistics: { messagesSent: [], opened: [] } };
}

/** Those of its attributes that are its own; transactional ones are not. */
export function shownAttributes(
  { contactAttributes, switches }: Workspace,
  { attributes }: Contact,
): Fields {
  const shown: [string, Json][] = [];
  for (const attribute of contactAttributes) {
    const { name, category } = attribute;
    if (category === 'transactional' || category === 'global') continue;
    const value = attributes[name];
    if (value !== undefined) shown.push([name, shownValue(attribute, value, switches)]);
    else if (switches.noValue === 'null') shown.push([name, null]);
  }
  return Object.fromEntries(shown);
}

function shownValue(
  { category }: ContactAttribute,
  value: Json,
  { categoryForm }: Workspace['switches'],
): Json {
  if (category !== 'category' || categoryForm === 'text') return value;
  return isNumber(value) ? Number(value) : value;
}

/** Categories are texts, of which some are numbers. */
function isNumber(value: Json): boolean {
  return typeof value === 'string' && /^\d+$/.test(value);
}

/** `GET /contacts/attributes` */
export function renderContactAttribute(attribute: ContactAttribute): Fields {
  const { name, category, type, enumeration, options, calculatedValue } = attribute;
  return {
    name,
    category,
    ...(type === null ? {} : { type }),
    ...(category !== 'category'
      ? {}
      : {
          enumeration: enumeration.map(({ value, label }) => ({
            value: isNumber(value) ? Number(value) : 0,
            valueStr: value,
            label,
          })),
        }),
    ...(type === 'multiple-choice' ? { multiCategoryOptions: options } : {}),
    ...(calculatedValue === null ? {} : { calculatedValue }),
  };
}
