import { isSafeNumber } from 'lossless-json';
import { ExactNumber, isExactNumber, isObject, type Json } from '../../domain/json.ts';
import type { KizenField, Option } from './catalog.ts';
import { isList } from './envelope.ts';
import { toUtc } from './instants.ts';

/** What is read as `{id, name, …}`, one or several. */
const OPTION_TYPES: ReadonlySet<string> = new Set([
  'dropdown',
  'radio',
  'status',
  'selector',
  'yesnomaybe',
]);
export const LIST_TYPES: ReadonlySet<string> = new Set(['checkboxes', 'choices', 'dynamictags']);

/**
 * One value in the shape of its field; what does not have the form of its type is given as it came.
 * A stage is read by the stages' own labels.
 */
export function decodeValue(
  { type, options }: Pick<KizenField, 'type' | 'options'>,
  value: unknown,
): Json {
  const found = value === null || value === undefined ? null : decodeAs(type, options, value);
  return found === undefined ? jsonOf(value) : found;
}

function decodeAs(type: string, options: readonly Option[], value: unknown): Json | undefined {
  if (type === 'stage' || OPTION_TYPES.has(type)) return labelOf(options, value);
  if (LIST_TYPES.has(type)) return labelsOf(options, value);
  switch (type) {
    case 'text':
    case 'longtext':
    case 'email':
    case 'phonenumber':
    case 'timezone': {
      const text = textOf(value);
      return text === '' ? null : text;
    }
    case 'integer':
    case 'decimal':
      return numberOf(value);
    case 'money':
      return numberOf(isObject(value) && !isExactNumber(value) ? unwrap(value.amount) : value);
    case 'rating':
      return ratingOf(value);
    case 'date':
      return textOf(value);
    case 'datetime':
      return typeof value === 'string' ? (toUtc(value) ?? value) : undefined;
    case 'checkbox':
      return typeof value === 'boolean' ? value : undefined;
    case 'team_selector':
    case 'relationship':
      return idOf(value) ?? undefined;
    default:
      return undefined;
  }
}

/** A scalar may come as `x` or as `{value: x}`. */
export function unwrap(value: unknown): unknown {
  if (!isObject(value) || isExactNumber(value)) return value;
  const [key, ...others] = Object.keys(value);
  return key === 'value' && others.length === 0 ? value.value : value;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A number, or a text of one, to the last digit; null where it is a blank. */
function numberOf(value: unknown): Json | undefined {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'number' || isExactNumber(value)) return value;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (!NUMBER.test(text)) return undefined;
  return isSafeNumber(text) ? Number(text) : new ExactNumber(text);
}

function ratingOf(value: unknown): Json | undefined {
  if (!isObject(value) || isExactNumber(value)) return numberOf(value);
  for (const part of [value.code, value.name]) {
    const number = part === null || part === '' ? undefined : numberOf(part);
    if (number !== undefined && number !== null) return number;
  }
  return undefined;
}

/** The label it is told with, or that its option has. */
function labelOf(options: readonly Option[], value: unknown): string | undefined {
  if (typeof value === 'string') {
    return options.find(({ id, code }) => id === value || code === value)?.label ?? value;
  }
  if (!isObject(value)) return undefined;
  const { id, name, code } = value;
  if (typeof name === 'string' && name !== '') return name;
  const known = options.find((option) => option.id === id)?.label;
  return known ?? (typeof code === 'string' && code !== '' ? code : undefined);
}

function labelsOf(options: readonly Option[], value: unknown): Json | undefined {
  const items = isList(value) ? value : [value];
  if (items.length === 0) return null;
  const labels = items.map((item) => labelOf(options, item));
  return labels.every((label) => label !== undefined) ? labels : undefined;
}

/** Of a record or an employee, whole or by its id alone. */
export function idOf(value: unknown): string | null {
  const id = isObject(value) ? value.id : value;
  return typeof id === 'string' && id !== '' ? id : null;
}

/** What came as JSON. */
export function jsonOf(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (isExactNumber(value)) return value;
  if (isList(value)) return value.map(jsonOf);
  if (!isObject(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, jsonOf(part)]));
}
