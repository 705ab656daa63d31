import type { Json } from '../../domain/json.ts';
import { type Fields, fieldOf, isObject } from '../kernel/fields.ts';
import { refuse } from './api-error.ts';
import { type DateMode, dateTest, epochMs, type MsRange } from './date-filter.ts';
import type { TimeColumn } from './listing.ts';
import { type FieldForm, findField, isToMany, type ObjectDefinition } from './object-definition.ts';
import { recordFields, type StoredRecord } from './stored-record.ts';

/** What remains of a query's filters: spans of a timestamp, and tests of a record. */
export interface Filters {
  /** Half-open, in epoch milliseconds. */
  readonly spans: ReadonlyMap<TimeColumn, MsRange>;
  readonly tests: readonly ((record: StoredRecord) => boolean)[];
}

export interface FilterParameter {
  readonly field: string;
  /** Null for the short form, `filter[field]=value`. */
  readonly operator: string | null;
  readonly value: string;
}

export interface FilterMode extends DateMode {
  /** What a bare value means for a collection. */
  readonly bareCollection: 'contains' | 'is';
}

const SHORTHAND: readonly (readonly [prefix: string, date: string, number: string])[] = [
  ['>=', 'Is on or after', 'Greater than or equal'],
  ['<=', 'Is on or before', 'Less than or equal'],
  ['>', 'Is after', 'Greater than'],
  ['<', 'Is before', 'Less than'],
  ['!=', 'Is not', 'Is not'],
];
const OPERATORS: Record<string, readonly string[]> = {
  date: [
    'Is',
    'Is not',
    'Is before',
    'Is on or before',
    'Is after',
    'Is on or after',
    'Is empty',
    'Is not empty',
  ],
  number: ['Greater than', 'Greater than or equal', 'Less than', 'Less than or equal'],
  text: ['Is', 'Is not', 'Contains', 'Does not contain', 'Starts with', 'Ends with'],
  collection: ['Contains', 'Does not contain'],
  id: ['Is', 'Is not'],
  select: ['One of', 'Not one of'],
  boolean: ['Is', 'Is not'],
};

/** @throws ApiError 400 for an unknown field or operator, or a value the field cannot have */
export function compileFilters(
  definition: ObjectDefinition,
  parameters: readonly FilterParameter[],
  mode: FilterMode,
): Filters {
  const spans = new Map<TimeColumn, MsRange>();
  const tests: ((record: StoredRecord) => boolean)[] = [];
  const parsed = fieldsReader();
  for (const parameter of parameters) {
    const { field } = parameter;
    const family = familyOf(definition, field);
    const { operator, value } = resolveOperator(family, parameter, mode);
    if (field === '_created_at' || field === '_updated_at') {
      const { span, test } = dateTest(operator, value, mode);
      if (span === null) tests.push((record) => test(timestamp(field, record, mode)));
      else spans.set(field, intersect(spans.get(field), span));
    } else if (field === '_id') {
      tests.push((record) => (record.id === value) === (operator === 'Is'));
    } else if (field === '_created_by' || field === '_updated_by') {
      const test = textTest(operator, value);
      tests.push((record) => test(field === '_created_by' ? record.createdBy : record.updatedBy));
    } else {
      const test = valueTest(family, operator, value, mode);
      tests.push((record) => test(fieldOf(parsed(record), field)));
    }
  }
  return { spans, tests };
}

/** One record is tested by several filters in a row: it is parsed once. */
function fieldsReader(): (record: StoredRecord) => Fields {
  let last: { readonly record: StoredRecord; readonly fields: Fields } | null = null;
  return (record) => {
    if (last?.record !== record) last = { record, fields: recordFields(record) };
    return last.fields;
  };
}

function timestamp(column: TimeColumn, record: StoredRecord, mode: DateMode): number | null {
  if (column === '_created_at') return record.createdMs;
  return mode.nullUntilEdit && !record.edited ? null : record.updatedMs;
}

function intersect(known: MsRange | undefined, span: MsRange): MsRange {
  if (known === undefined) return span;
  return { from: Math.max(known.from, span.from), to: Math.min(known.to, span.to) };
}

function familyOf(definition: ObjectDefinition, name: string): string {
  if (name === '_id') return 'id';
  if (name === '_created_at' || name === '_updated_at') return 'date';
  if (name === '_created_by' || name === '_updated_by') return 'text';
  const field = findField(definition, name);
  if (field === undefined || isToMany(field)) throw refuse(400, `Cannot filter by ${name}`);
  return familyOfForm(field.form);
}

function familyOfForm(form: FieldForm): string {
  switch (form.kind) {
    case 'date':
    case 'datetime':
      return 'date';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
    case 'select':
      return form.kind;
    case 'collection':
    case 'multi-select':
    case 'array':
      return 'collection';
    case 'link':
      return 'id';
    case 'text':
    case 'value':
    case 'object':
      return 'text';
  }
}

function resolveOperator(
  family: string,
  { operator, value }: FilterParameter,
  { bareCollection }: FilterMode,
): { operator: string; value: string } {
  if (operator !== null) {
    if (OPERATORS[family]?.includes(operator) === true) return { operator, value };
    throw refuse(400, `Unknown operator ${JSON.stringify(operator)}`);
  }
  if (value === 'null') return { operator: 'Is empty', value };
  if (value === '!null') return { operator: 'Is not empty', value };
  for (const [prefix, date, number] of SHORTHAND) {
    if (!value.startsWith(prefix)) continue;
    if (family !== 'date' && family !== 'number' && prefix !== '!=') {
      throw refuse(400, `Unknown operator ${JSON.stringify(prefix)}`);
    }
    return { operator: family === 'number' ? number : date, value: value.slice(prefix.length) };
  }
  const contains = /^\*(.*)\*$/s.exec(value)?.[1];
  if (contains !== undefined) return { operator: 'Contains', value: contains };
  const contained = family === 'collection' && bareCollection === 'contains';
  return { operator: contained ? 'Contains' : 'Is', value };
}

type ValueTest = (value: Json) => boolean;

function valueTest(family: string, operator: string, value: string, mode: DateMode): ValueTest {
  if (operator === 'Is empty') return isEmpty;
  if (operator === 'Is not empty') return (held) => !isEmpty(held);
  switch (family) {
    case 'date': {
      const { test } = dateTest(operator, value, mode);
      return (held) => test(typeof held === 'string' ? epochMs(held) : null);
    }
    case 'number':
      return numberTest(operator, value);
    case 'boolean':
      if (value !== 'true' && value !== 'false') throw refuse(400, 'Not true or false in a filter');
      return (held) => (held === (value === 'true')) === (operator !== 'Is not');
    case 'collection': {
      const wanted = value.toLowerCase();
      const isWanted = (text: string): boolean => text.toLowerCase() === wanted;
      if (operator === 'Is')
        return (held) => textsOf(held).length === 1 && textsOf(held).every(isWanted);
      const has = (held: Json): boolean => textsOf(held).some(isWanted);
      return operator === 'Contains' ? has : (held) => !has(held);
    }
    case 'select': {
      const options = value.split(',');
      const among = (held: Json): boolean => typeof held === 'string' && options.includes(held);
      return operator === 'One of' || operator === 'Is' ? among : (held) => !among(held);
    }
    default: {
      const test = textTest(operator, value);
      return (held) => test(textOf(held));
    }
  }
}

export function numberTest(operator: string, value: string): (held: Json) => boolean {
  const wanted = Number(value);
  if (value.trim() === '' || Number.isNaN(wanted)) throw refuse(400, 'Not a number in a filter');
  return (held) => {
    if (held === null) return operator === 'Is not';
    const number = Number(held);
    switch (operator) {
      case 'Greater than':
        return number > wanted;
      case 'Greater than or equal':
        return number >= wanted;
      case 'Less than':
        return number < wanted;
      case 'Less than or equal':
        return number <= wanted;
      default:
        return (number === wanted) === (operator !== 'Is not');
    }
  };
}

function textTest(operator: string, value: string): (held: string | null) => boolean {
  const wanted = value.toLowerCase();
  return (held) => {
    const text = held?.toLowerCase() ?? '';
    switch (operator) {
      case 'Contains':
        return text.includes(wanted);
      case 'Does not contain':
        return !text.includes(wanted);
      case 'Starts with':
        return text.startsWith(wanted);
      case 'Ends with':
        return text.endsWith(wanted);
      case 'Is not':
        return held !== value;
      default:
        return held === value;
    }
  };
}

function textOf(value: Json): string | null {
  if (value === null) return null;
  if (typeof value === 'object' && 'full_name' in value) return textOf(value.full_name);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Items of a collection; of participants, their e-mail addresses. */
function textsOf(value: Json): string[] {
  const items = isObject(value) ? (value.items ?? null) : value;
  if (!Array.isArray(items)) return [];
  const list: readonly Json[] = items;
  return list
    .map((item) => (isObject(item) ? (item.email ?? null) : item))
    .filter((item) => typeof item === 'string');
}

function isEmpty(value: Json): boolean {
  return value === null || value === '' || (typeof value === 'object' && isEmptyCollection(value));
}

function isEmptyCollection(value: object): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return 'items' in value && Array.isArray(value.items) && value.items.length === 0;
}
