import { type Json, stringifyJson } from '../../domain/json.ts';
import { isList, isObject } from '../kernel/fields.ts';
import { isDate } from './instants.ts';

export type ContactCategory = 'normal' | 'category' | 'transactional' | 'calculated' | 'global';
export type ContactType = 'text' | 'date' | 'float' | 'id' | 'boolean' | 'multiple-choice' | 'user';

export interface Category {
  /** As contacts hold it. */
  readonly value: string;
  label: string;
}

/** An attribute of contacts. */
export interface ContactAttribute {
  /** Upper case. */
  readonly name: string;
  readonly category: ContactCategory;
  /** Null for a category. */
  readonly type: ContactType | null;
  readonly enumeration: Category[];
  /** Of a multiple choice. */
  readonly options: string[];
  readonly calculatedValue: string | null;
}

export type CrmType =
  | 'text'
  | 'number'
  | 'date'
  | 'boolean'
  | 'user'
  | 'single-select'
  | 'multi-choice';

export interface Option {
  readonly key: string;
  label: string;
}

/** An attribute of companies or of deals. */
export interface CrmAttribute {
  /** The internal name. */
  readonly name: string;
  label: string;
  readonly type: CrmType;
  readonly options: Option[];
  readonly required: boolean;
  readonly readOnly: boolean;
}

export type RecordType =
  | 'text'
  | 'number'
  | 'boolean'
  | 'date'
  | 'category'
  | 'multiple_category'
  | 'multiple_choice'
  | 'json';

/** An attribute of a custom object. */
export interface RecordAttribute {
  readonly key: string;
  label: string;
  readonly type: RecordType;
  readonly options: Option[];
}

/** What an attribute of a contact keeps of a value; undefined where it does not fit. */
export function contactValue(attribute: ContactAttribute, value: Json): Json | undefined {
  const { type, category, enumeration, options } = attribute;
  if (category === 'category') {
    const known = enumeration.find((each) => each.value === textOf(value));
    return typeof value === 'object' || typeof value === 'boolean' ? undefined : known?.value;
  }
  switch (type) {
    case 'text':
    case 'user':
      return fitting(value, typeof value === 'string');
    case 'id':
      return fitting(value, typeof value === 'string' || Number.isInteger(value));
    case 'float':
      return fitting(value, typeof value === 'number');
    case 'boolean':
      return fitting(value, typeof value === 'boolean');
    case 'date':
      return fitting(value, typeof value === 'string' && isDate(value));
    case 'multiple-choice':
      return keysAmong(value, (each) => options.includes(each));
    case null:
      return undefined;
  }
}

/** What an attribute of a company or deal keeps of a value; undefined where it does not fit. */
export function crmValue({ type, options }: CrmAttribute, value: Json): Json | undefined {
  switch (type) {
    case 'text':
    case 'user':
      return fitting(value, typeof value === 'string');
    case 'number':
      return fitting(value, typeof value === 'number');
    case 'boolean':
      return fitting(value, typeof value === 'boolean');
    case 'date': {
      if (typeof value !== 'string' || !isDate(value.slice(0, 10))) return undefined;
      const ms = Date.parse(value);
      return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
    }
    case 'single-select':
      return fitting(
        value,
        options.some(({ key }) => key === value),
      );
    case 'multi-choice':
      return keysAmong(value, (each) => options.some(({ key }) => key === each));
  }
}

const WITH_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

/** What an attribute of a record keeps of a value; undefined where it does not fit. */
export function recordValue(
  { type, options }: RecordAttribute,
  value: Json,
  { bareDates }: { readonly bareDates: 'drop' | 'take' },
): Json | undefined {
  switch (type) {
    case 'text':
      return fitting(value, typeof value === 'string');
    case 'number':
      return fitting(value, typeof value === 'number');
    case 'boolean':
      return fitting(value, typeof value === 'boolean');
    case 'date': {
      if (typeof value !== 'string' || !isDate(value.slice(0, 10))) return undefined;
      if (!WITH_TIME.test(value) && (bareDates === 'drop' || !isDate(value))) return undefined;
      const ms = Date.parse(value);
      return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z');
    }
    case 'category':
      return fitting(
        value,
        options.some(({ key }) => key === value),
      );
    case 'multiple_category':
    case 'multiple_choice':
      return keysAmong(value, (each) => options.some(({ key }) => key === each));
    case 'json':
      return fitting(value, isObject(value) || isList(value));
  }
}

/** A scalar as text; what it looks like in JSON of anything else. */
export function textOf(value: Json): string {
  return typeof value === 'string' ? value : stringifyJson(value);
}

function fitting(value: Json, fits: boolean): Json | undefined {
  return fits ? value : undefined;
}

function keysAmong(value: Json, isKey: (key: string) => boolean): Json | undefined {
  if (!isList(value)) return undefined;
  return value.every((each) => typeof each === 'string' && isKey(each)) ? value : undefined;
}
