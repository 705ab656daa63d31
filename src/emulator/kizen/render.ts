import { isExactNumber, type Json, stringifyJson } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import {
  type Business,
  findField,
  type ObjectState,
  type StoredRecord,
  textIn,
} from './business.ts';
import { type Field, idsIn, isStage, isToOne, kindOf, plainText } from './field.ts';

/** Which fields of a record are told. */
export interface Shown {
  readonly picks: (field: Field) => boolean;
  /** Name and value alone, and nothing of the record but its id. */
  readonly thin?: boolean;
}

/** A record as it is read: blank fields are left out. */
export function renderRecord(
  business: Business,
  state: ObjectState,
  record: StoredRecord,
  { picks, thin = false }: Shown,
): Fields {
  const fields: Record<string, Json> = {};
  for (const field of state.fields) {
    if (field.deleted || !field.access.view || !picks(field)) continue;
    const told = renderValue(business, state, record, field);
    if (told === null) continue;
    const { id, name, type: field_type, displayName: display_name } = field;
    fields[id] = thin ? { name, ...told } : { id, name, field_type, display_name, ...told };
  }
  if (thin) return { id: record.id, fields };
  return {
    id: record.id,
    object_type: state.type,
    client_info: state.isContacts ? contactOf(state, record) : null,
    access: { ...state.access },
    fields,
  };
}

/** `value`, or how many there are of them; null where it is blank. */
function renderValue(
  business: Business,
  state: ObjectState,
  record: StoredRecord,
  field: Field,
): Fields | null {
  const { switches } = business;
  if (field.relation !== null && !isToOne(field.relation)) {
    const ids = shownTargets(business, field, record);
    if (ids.length === 0) return null;
    if (ids.length > switches.summaryAbove) return { value_summary: { count: ids.length } };
    return { value: ids.map((id) => renderTarget(business, field, id)) };
  }
  const value = valueOf(business, state, record, field);
  return value === null ? null : { value };
}

function valueOf(business: Business, state: ObjectState, record: StoredRecord, field: Field): Json {
  const { switches, clock, employees, files } = business;
  if (field.isDefault) {
    switch (field.name) {
      case 'created':
        return scalar(business, clock.show(record.createdAt));
      case 'updated':
        return scalar(business, clock.show(record.updatedAt));
      case 'full_name':
        return scalar(business, fullName(state, record));
      case 'display_name':
        return scalar(business, displayName(state, record));
    }
  }
  const value = record.values.get(field.id);
  if (value === undefined || value === null) return null;
  if (isStage(field)) {
    const order = state.stages.findIndex(({ id }) => id === value);
    const stage = state.stages[order];
    return stage === undefined
      ? null
      : { id: stage.id, name: stage.name, status: stage.status, order };
  }
  switch (kindOf(field, switches)) {
    case 'integer':
      return scalar(business, switches.numbers === 'strings' ? plainText(value) : value);
    case 'decimal': {
      const amount = switches.numbers === 'numbers' ? value : digits(value);
      if (field.type !== 'money') return scalar(business, amount);
      return { ...moneyOf(field), amount: scalar(business, amount) };
    }
    case 'rating':
      return switches.ratings === 'number'
        ? scalar(business, value)
        : renderOption(field, ({ code }) => code === plainText(value));
    case 'datetime':
      return scalar(business, clock.show(plainText(value)));
    case 'option':
      return renderOption(field, ({ id }) => id === value);
    case 'options': {
      const told = idsIn(value).map((id) => renderOption(field, (option) => option.id === id));
      return orNull(told.filter((each) => each !== null));
    }
    case 'relation': {
      const [id] = shownTargets(business, field, record);
      return id === undefined ? null : renderTarget(business, field, id);
    }
    case 'employee': {
      const found = employees.find(({ id }) => id === value);
      if (found === undefined) return null;
      const { id, deleted, firstName: first_name, lastName: last_name, email } = found;
      return { id, deleted, first_name, last_name, email };
    }
    case 'files':
      return orNull(
        idsIn(value).flatMap((id) => {
          const file = files.get(id);
          return file === undefined ? [] : [{ ...file, url: `https://files.demo.example/${id}` }];
        }),
      );
    case 'text':
    case 'boolean':
    case 'date':
    case 'zone':
      return scalar(business, value);
    case 'unknown':
      return value;
  }
}

export function moneyOf({ currency }: Field) {
  const symbols: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£' };
  return { currency, symbol: symbols[currency ?? ''] ?? currency };
}

/** As a renderer writes it: two decimals at least, and no exponent. */
function digits(value: Json): string {
  const text = isExactNumber(value) ? value.value : stringifyJson(value);
  if (/e/i.test(text)) return text;
  const [whole = '', fraction = ''] = text.split('.');
  return `${whole}.${fraction.padEnd(2, '0')}`;
}

function renderOption(
  { options }: Field,
  isIt: (option: Field['options'][number]) => boolean,
): Json {
  const found = options.find(isIt);
  return found === undefined ? null : { id: found.id, code: found.code, name: found.name };
}

function orNull(list: readonly Json[]): Json {
  return list.length === 0 ? null : list;
}

/** In an envelope of its own, or as it is. */
function scalar({ switches, random }: Business, value: Json): Json {
  if (value === null || switches.scalars === 'plain') return value;
  return switches.scalars === 'wrapped' || random.next() < 0.5 ? { value } : value;
}

/** The records of a relation that others are told of. */
export function shownTargets(
  { objects, switches }: Business,
  { id: field, relation }: Field,
  { values }: StoredRecord,
): readonly string[] {
  const target = objects.find(({ id }) => id === relation?.object);
  if (target === undefined) return [];
  return idsIn(values.get(field)).filter((id) => {
    const record = target.records.get(id);
    if (record === undefined || target.hidden.has(id)) return false;
    return !record.archived || switches.archivedTargets === 'shown';
  });
}

/** One record, as a relation tells of it. */
export function renderTarget({ objects }: Business, { relation }: Field, id: string): Fields {
  const state = objects.find((each) => each.id === relation?.object);
  const record = state?.records.get(id);
  if (state === undefined || record === undefined) return { id };
  const display_name = displayName(state, record);
  if (!state.isContacts) return { id, name: textIn(record, state.keyField), display_name };
  return { ...contactOf(state, record), display_name };
}

function contactOf(state: ObjectState, record: StoredRecord): Fields {
  const text = (name: string): string | null => textOf(state, record, name);
  return {
    id: record.id,
    first_name: text('first_name'),
    last_name: text('last_name'),
    full_name: fullName(state, record),
    email: text('email'),
  };
}

function textOf(state: ObjectState, record: StoredRecord, name: string): string | null {
  const field = findField(state, name);
  return field === null ? null : textIn(record, field);
}

/** Null where there is no name at all. */
function fullName(state: ObjectState, record: StoredRecord): string | null {
  const parts = ['first_name', 'last_name'].map((name) => textOf(state, record, name) ?? '');
  return parts.join(' ').trim() || null;
}

export function displayName(state: ObjectState, record: StoredRecord): string | null {
  const key = textIn(record, state.keyField);
  return state.isContacts ? (fullName(state, record) ?? key) : key;
}
