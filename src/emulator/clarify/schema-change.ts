import type { Json } from '../../domain/json.ts';
import { type Fields, fieldOf, withFields } from '../kernel/fields.ts';
import { notFound, refuse } from './api-error.ts';
import { type FieldDefinition, type FieldForm, findField, isToMany } from './object-definition.ts';
import { indexFields, type ObjectState } from './object-state.ts';
import {
  keepSample,
  parseFields,
  recordFields,
  recordText,
  serialiseFields,
} from './stored-record.ts';

/** Adds a field, null in every record; no timestamp moves. @throws ApiError 400 for a taken name */
export function addField(state: ObjectState, field: FieldDefinition): void {
  if (findField(state.definition, field.name) !== undefined) {
    throw refuse(400, `${state.definition.object} has a field ${field.name} already`);
  }
  state.definition = { ...state.definition, fields: [...state.definition.fields, field] };
  if (isToMany(field)) return;
  const member = `${JSON.stringify(field.name)}:null}`;
  rewriteTexts(state, (text) => (text === '{}' ? `{${member}` : `${text.slice(0, -1)},${member}`));
}

/** Takes a field and its values away; no timestamp moves. @throws ApiError 404 */
export function removeField(state: ObjectState, name: string): void {
  checkField(state, name);
  const fields = state.definition.fields.filter((field) => field.name !== name);
  state.definition = { ...state.definition, fields };
  state.unique.delete(name);
  state.references.delete(name);
  rewriteTexts(state, (text) => {
    const kept = Object.entries(parseFields(text)).filter(([key]) => key !== name);
    return serialiseFields(Object.fromEntries(kept));
  });
}

/** Gives a field another form; `convert` makes the values of the new form. @throws ApiError 404 */
export function changeFieldType(
  state: ObjectState,
  name: string,
  form: FieldForm,
  convert: (value: Json) => Json,
): void {
  checkField(state, name);
  const fields = state.definition.fields.map((field) =>
    field.name === name ? { ...field, form } : field,
  );
  state.definition = { ...state.definition, fields };
  state.unique.delete(name);
  state.references.delete(name);
  rewriteTexts(state, (text) => {
    const held = parseFields(text);
    return serialiseFields(withFields(held, [[name, convert(fieldOf(held, name))]]));
  });
  for (const record of state.records.values()) {
    const only: Fields = withFields({}, [[name, fieldOf(recordFields(record), name)]]);
    indexFields(state, record.id, null, only);
  }
}

function checkField({ definition }: ObjectState, name: string): void {
  if (findField(definition, name) === undefined) throw notFound(`Field ${name}`);
}

function rewriteTexts(state: ObjectState, rewrite: (text: string) => string): void {
  for (const before of state.records.values()) {
    const after = { ...before, ...keepSample(before), text: rewrite(recordText(before)) };
    state.records.set(before.id, after);
    state.listing.replace(before, after, null);
  }
}
