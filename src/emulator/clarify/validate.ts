import { isExactNumber, type Json } from '../../domain/json.ts';
import { type Fields, isObject } from '../kernel/fields.ts';
import { type Problem, refuse } from './api-error.ts';
import { fixedNumber } from './fixed-number.ts';
import {
  type CollectionType,
  type FieldDefinition,
  findField,
  isToMany,
  isToOne,
  type ObjectDefinition,
} from './object-definition.ts';
import type { Switches } from './switches.ts';

/** A field's value as it will be stored, or why it cannot be. */
type Checked = { readonly value: Json } | { readonly problem: string };

export interface ValidateDeps {
  readonly definition: ObjectDefinition;
  readonly normalises: Switches['normalises'];
  /** Whether a record of this object exists. */
  readonly linkable: (object: string, id: string) => boolean;
}

/**
 * Checks attributes of one record and brings them into the form in which the server keeps them.
 * Problems are added to `problems`, under `pointer`.
 *
 * @throws ApiError 400 for a number beyond DECIMAL(16,4)
 */
export function validateAttributes(
  deps: ValidateDeps,
  attributes: Fields,
  pointer: string,
  problems: Problem[],
): Map<string, Json> {
  const checked = new Map<string, Json>();
  for (const [name, value] of Object.entries(attributes)) {
    const result = checkField(deps, name, value);
    if ('value' in result) checked.set(name, result.value);
    else problems.push({ pointer: `${pointer}/${pointerToken(name)}`, message: result.problem });
  }
  return checked;
}

function pointerToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function checkField(deps: ValidateDeps, name: string, value: Json): Checked {
  if (name.startsWith('_')) return { problem: 'system attributes cannot be written' };
  const field = findField(deps.definition, name);
  if (field === undefined) return { problem: 'unknown attribute' };
  if (isToMany(field)) return { problem: 'a to-many relationship cannot be set as an attribute' };
  if (value === null) return { value };
  if (isToOne(field)) return checkLink(deps, field.form.entity, value);
  return checkForm(deps, field, value);
}

function checkLink(deps: ValidateDeps, entity: string, value: Json): Checked {
  if (typeof value !== 'string') return { problem: 'must be string' };
  return deps.linkable(entity, value) ? { value } : { problem: `no such ${entity}` };
}

function checkForm(
  { normalises }: ValidateDeps,
  { name, form }: FieldDefinition,
  value: Json,
): Checked {
  const trim = (text: string): string => (normalises === 'trim' ? text.trim() : text);
  switch (form.kind) {
    case 'text':
      return typeof value === 'string' ? { value: trim(value) } : { problem: 'must be string' };
    case 'number':
    case 'integer':
      return checkNumber(name, value, form.kind === 'integer');
    case 'boolean':
      return typeof value === 'boolean' ? { value } : { problem: 'must be boolean' };
    case 'date':
      return isDate(value) ? { value } : { problem: 'must match format "date"' };
    case 'datetime':
      return checkInstant(value);
    case 'select':
      return typeof value === 'string' && form.options.includes(value)
        ? { value }
        : { problem: 'must be equal to one of the allowed values' };
    case 'multi-select':
      return checkItems(value, (item) => (form.options.includes(item) ? item : null));
    case 'collection':
      if (form.of === 'participants') return checkParticipants(value);
      return checkItems(value, (item) => collectionItem(form.of, trim(item), normalises));
    case 'array':
      return isTextArray(value) ? { value } : { problem: 'must be array' };
    case 'value':
      if (!isObject(value)) return { problem: 'must be object' };
      if (form.of === 'richText' && !Array.isArray(value.text)) {
        return { problem: 'must be object with text, an array of blocks' };
      }
      return { value: form.of === 'personName' ? withFullName(value) : value };
    case 'object':
      return isObject(value) ? { value } : { problem: 'must be object' };
    case 'link':
      return { value };
  }
}

/** @throws ApiError 400 where the number is beyond DECIMAL(16,4) */
function checkNumber(name: string, value: Json, integer: boolean): Checked {
  if (typeof value !== 'number' && !isExactNumber(value)) return { problem: 'must be number' };
  const fixed = fixedNumber(String(value));
  if (fixed === null) throw refuse(400, `${name}: numeric field overflow, DECIMAL(16,4)`);
  const whole = integer && String(fixed).includes('.');
  return whole ? { problem: 'must be integer' } : { value: fixed };
}

function checkInstant(value: Json): Checked {
  const ms =
    typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) return { problem: 'must match format "date-time"' };
  return { value: new Date(ms).toISOString() };
}

function checkItems(value: Json, check: (item: string) => string | null): Checked {
  if (!isObject(value) || !('items' in value)) return { problem: 'must be object with items' };
  const { items } = value;
  if (items === null) return { value: { items: [] } };
  if (!isTextArray(items)) return { problem: 'items must be array of strings' };
  const kept = items.map(check);
  if (kept.includes(null)) return { problem: 'has an invalid item' };
  return { value: { items: [...new Set(kept)] } };
}

function checkParticipants(value: Json): Checked {
  if (!isObject(value) || !('items' in value)) return { problem: 'must be object with items' };
  const items: readonly Json[] = Array.isArray(value.items) ? value.items : [value.items ?? []];
  return items.flat().every(isObject) ? { value } : { problem: 'items must be array of objects' };
}

function collectionItem(
  of: CollectionType,
  item: string,
  normalises: Switches['normalises'],
): string | null {
  const lower = normalises === 'nothing' ? item : item.toLowerCase();
  if (of === 'emailAddresses') return /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(item) ? lower : null;
  if (of === 'domains') return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(item) ? lower : null;
  return item;
}

/** Fills `full_name` in from its parts where it was not given. */
export function withFullName(name: Fields): Fields {
  const { first_name: first = null, last_name: last = null } = name;
  const given = [first, last].filter((part) => typeof part === 'string');
  const joined = given.filter((part) => part !== '').join(' ');
  const full = name.full_name ?? (joined === '' ? null : joined);
  return { first_name: first, last_name: last, full_name: full };
}

function isDate(value: Json): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const ms = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value);
}

function isTextArray(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
