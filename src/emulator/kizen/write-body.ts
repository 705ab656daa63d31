import type { Json } from '../../domain/json.ts';
import { type Fields, isList, isObject } from '../kernel/fields.ts';
import { createProblems, forbidden, type Problems, ValueProblem, wrongKey } from './api-error.ts';
import { type Business, findField, type ObjectState, type StoredRecord } from './business.ts';
import { type Field, isStage, plainText } from './field.ts';
import { readChange, readValue } from './read-value.ts';

/** The fields of a write, read; what is wrong with them is told once all is known. */
export interface WriteRequest {
  readonly changes: Map<Field, Json>;
  readonly problems: Problems;
  /** Where a field stood in what was sent; null where it was not. */
  placeOf(field: Field): number | null;
}

/** A body as the object that it has to be. @throws ApiError 400 */
export function readObject({ switches }: Business, body: unknown): Fields {
  const given = body ?? {};
  if (isObject(given)) return given;
  throw wrongKey(switches, 'non_field_errors', 'Invalid data. Expected a dictionary.');
}

/**
 * `"fields": [{"id" | "name", "value" | "add_values" | "remove_values"}]`
 *
 * @param record what is changed; null for a new one, of which names are taken where they may be
 * @throws ApiError 400, 403
 */
export function readFields(
  business: Business,
  state: ObjectState,
  body: Fields,
  record: StoredRecord | null,
): WriteRequest {
  const { switches } = business;
  const { fields: entries } = body;
  if (entries === undefined)
    throw wrongKey(switches, 'fields', 'This field is required.', 'required');
  if (!isList(entries)) throw wrongKey(switches, 'fields', 'Expected a list of items.');
  const problems = createProblems(switches, entries.length);
  const changes = new Map<Field, Json>();
  const places = new Map<Field, number>();
  for (const [place, entry] of entries.entries()) {
    if (!isObject(entry)) {
      problems.add(place, new ValueProblem('Invalid data. Expected a dictionary.'), 'id');
      continue;
    }
    if (
      record === null &&
      state.isContacts &&
      switches.contactNames === 'refused' &&
      !('id' in entry)
    ) {
      throw forbidden();
    }
    const field = fieldNamed(state, entry);
    if (field === null) {
      const named = plainText(entry['id'] ?? entry['name'] ?? '');
      const message = `Invalid pk "${named}" - object does not exist.`;
      problems.add(place, new ValueProblem(message, 'does_not_exist'), 'id');
      continue;
    }
    places.set(field, place);
    try {
      changes.set(field, readEntry(business, field, entry, record));
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      problems.add(place, error);
    }
  }
  return { changes, problems, placeOf: (field) => places.get(field) ?? null };
}

function fieldNamed(state: ObjectState, { id, name }: Fields): Field | null {
  if (typeof id === 'string')
    return state.fields.find((each) => !each.deleted && each.id === id) ?? null;
  const found = typeof name === 'string' ? findField(state, name) : null;
  return found?.name === name ? found : null;
}

/** @throws ValueProblem */
function readEntry(
  business: Business,
  field: Field,
  entry: Fields,
  record: StoredRecord | null,
): Json {
  if (field.readOnly || isStage(field) || !field.access.edit) {
    throw new ValueProblem('You cannot write to this field.', 'forbidden_field_write');
  }
  const { value, add_values: add, remove_values: remove } = entry;
  if (value !== undefined) {
    const read = readValue(business, field, value);
    if (read === null && field.required) throw required();
    return read;
  }
  if (add === undefined && remove === undefined) throw required();
  const held = record?.values.get(field.id);
  return readChange(business, field, held, { add: add ?? [], remove: remove ?? [] });
}

function required(): ValueProblem {
  return new ValueProblem('This field is required.', 'required');
}

/** What a new record has to bring. */
export function checkRequired({ fields }: ObjectState, { changes, problems }: WriteRequest): void {
  for (const field of fields) {
    if (!field.required || field.deleted || field.readOnly || changes.has(field)) continue;
    const message = `${field.name}: This field is required.`;
    problems.add(null, new ValueProblem(message, 'required'));
  }
}
