import * as z from 'zod';
import { isObject } from '../../domain/json.ts';
import { BadAnswer } from '../wire/call.ts';

/**
 * How values of an attribute travel:
 *
 * - `option` one of `options`, by its value; `options` several of them
 * - `choices` texts that are their own labels
 * - `day` a date without a time; `instant` an ISO 8601 time
 * - `user` whatever names a user
 */
export type WireType =
  | 'text'
  | 'number'
  | 'boolean'
  | 'day'
  | 'instant'
  | 'option'
  | 'options'
  | 'choices'
  | 'user'
  | 'unknown';

export interface Option {
  /** As texts, to be compared. */
  readonly value: string;
  readonly label: string;
  /** As it goes out. */
  readonly wire: string | number;
}

/** An attribute of contacts, companies or deals. */
export interface Attribute {
  readonly name: string;
  readonly label: string | null;
  readonly type: WireType;
  readonly options: readonly Option[];
  readonly isReadOnly: boolean;
}

const CONTACT_TYPES: Readonly<Record<string, WireType>> = {
  text: 'text',
  date: 'day',
  float: 'number',
  id: 'text',
  boolean: 'boolean',
  'multiple-choice': 'choices',
  user: 'user',
};

const contactAttribute = z.looseObject({
  name: z.string().min(1),
  category: z.string().nullish().catch(undefined),
  type: z.string().nullish().catch(undefined),
  enumeration: z
    .array(
      z.looseObject({
        value: z.union([z.number(), z.string()]).nullish().catch(undefined),
        valueStr: z.union([z.string(), z.number()]).nullish().catch(undefined),
        label: z.string().nullish().catch(undefined),
      }),
    )
    .nullish()
    .catch(undefined),
});

/** Null for one that no contact has. */
export function readContactAttribute(item: unknown): Attribute | null {
  const parsed = contactAttribute.safeParse(item);
  if (!parsed.success) throw new BadAnswer('an attribute of the list cannot be read');
  const { name, category, type, enumeration } = parsed.data;
  if (category === 'transactional') return null;
  const isReadOnly = category === 'calculated' || category === 'global';
  const about = { name, label: null, isReadOnly };
  if (category === 'category') {
    const options = (enumeration ?? []).map(({ value, valueStr, label }) => {
      // A value that is no number is told as 0 beside its text.
      const text = String(valueStr ?? value ?? '');
      return { value: text, label: label ?? text, wire: numberOr(text) };
    });
    return { ...about, type: 'option', options };
  }
  const usual: WireType = isReadOnly ? 'number' : 'unknown';
  return { ...about, type: CONTACT_TYPES[type ?? ''] ?? usual, options: [] };
}

/** A number where the text is exactly how one is written. */
function numberOr(text: string): string | number {
  const number = Number(text);
  return text !== '' && Number.isSafeInteger(number) && String(number) === text ? number : text;
}

const CRM_TYPES: Readonly<Record<string, WireType>> = {
  text: 'text',
  number: 'number',
  date: 'instant',
  boolean: 'boolean',
  user: 'user',
  'single-select': 'option',
  'multi-choice': 'options',
};

/** What Brevo writes itself, whether or not the list of attributes says so. */
const OWN = new Set([
  'created_at',
  'last_updated_at',
  'last_updated_date',
  'stage_updated_at',
  'number_of_contacts',
]);

const crmAttribute = z.looseObject({
  internalName: z.string().min(1),
  label: z.string().nullish().catch(undefined),
  attributeTypeName: z.string().nullish().catch(undefined),
  attributeOptions: z
    .array(
      z.looseObject({
        key: z.union([z.string(), z.number()]),
        value: z.union([z.string(), z.number()]).nullish().catch(undefined),
      }),
    )
    .nullish()
    .catch(undefined),
  isValueReadonly: z.boolean().nullish().catch(undefined),
});

export function readCrmAttribute(item: unknown): Attribute {
  const parsed = crmAttribute.safeParse(item);
  if (!parsed.success) throw new BadAnswer('an attribute of the list cannot be read');
  const { internalName: name, label, attributeTypeName, isValueReadonly } = parsed.data;
  const options = (parsed.data.attributeOptions ?? []).map(({ key, value }) => {
    return { value: String(key), label: String(value ?? key), wire: key };
  });
  const type = CRM_TYPES[attributeTypeName ?? ''] ?? 'unknown';
  // The list may leave its options out: then it is whatever text it is.
  const known = type === 'option' && options.length === 0 ? 'text' : type;
  return {
    name,
    label: label ?? null,
    type: name === 'pipeline' || name === 'deal_stage' ? 'text' : known,
    options,
    isReadOnly: isValueReadonly === true || OWN.has(name),
  };
}

/** The list of attributes, alone or as `attributes` of an answer. */
export function listOf(body: unknown): readonly unknown[] {
  const list = isObject(body) ? body.attributes : body;
  if (!Array.isArray(list)) throw new BadAnswer('it is no list of attributes');
  return list;
}
