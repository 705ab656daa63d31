import { type Random, uuid } from '../kernel/random.ts';
import { defaultField, type ObjectState } from './business.ts';
import type { Cardinality, Field, FieldOption } from './field.ts';
import {
  allButContacts,
  contactFields,
  everyObject,
  type FieldSketch,
  type ObjectSketch,
  pipelineFields,
  standardObjects,
  standardRelations,
} from './sketches.ts';

export const CONTACTS = 'client_client';

export function objectFrom(random: Random, sketch: ObjectSketch): ObjectState {
  const { name, singular, plural, stages = [] } = sketch;
  const isContacts = name === CONTACTS;
  const defaults = [
    ...(isContacts ? contactFields : allButContacts),
    ...everyObject,
    ...(stages.length > 0 ? pipelineFields : []),
  ];
  const id = uuid(random);
  const fields = [
    ...defaults.map((each) => fieldFrom(random, each, true)),
    ...sketch.fields.map((each) => fieldFrom(random, each)),
  ];
  return {
    id,
    name,
    singular,
    plural,
    type: stages.length > 0 ? 'pipeline' : 'standard',
    isContacts,
    fields,
    stages: stages.map(([stage, status, percentage]) => ({
      id: uuid(random),
      name: stage,
      status,
      percentage,
    })),
    access: { view: true, edit: true },
    keyField: defaultField(fields, isContacts ? 'email' : 'name'),
    records: new Map(),
    listed: new Map(),
    waiting: [],
    keys: new Map(),
    hidden: new Set(),
    lockedUntil: new Map(),
    nextOrder: 0,
    changes: 0,
    searches: 0,
    sorted: null,
  };
}

const TEXTS = ['text', 'longtext', 'email', 'phonenumber'];
const LISTS = ['checkboxes', 'dynamictags', 'files'];
const ANSWERS = ['Yes', 'No', 'Maybe'];

export function fieldFrom(random: Random, sketch: FieldSketch, isDefault = false): Field {
  const { name, type } = sketch;
  const words = name.replaceAll('_', ' ');
  const isWysiwyg = type === 'wysiwyg';
  return {
    id: uuid(random),
    name,
    displayName: sketch.display ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`,
    type: isWysiwyg ? 'longtext' : type,
    required: sketch.required ?? false,
    readOnly: sketch.readOnly ?? false,
    hidden: sketch.hidden ?? false,
    isDefault,
    allowsNulls: sketch.nulls ?? !LISTS.includes(type),
    allowsEmpty: sketch.empty ?? TEXTS.includes(type),
    deleted: false,
    options: optionsOf(type, sketch.options ?? []).map((each) => ({ id: uuid(random), ...each })),
    relation: null,
    currency: type === 'money' ? (sketch.currency ?? 'USD') : null,
    markdown: isWysiwyg || (sketch.markdown ?? false),
    access: { view: true, edit: true },
  };
}

/** Ratings and answers have codes; others mostly none. */
function optionsOf(type: string, names: readonly string[]): Omit<FieldOption, 'id'>[] {
  if (type === 'yesnomaybe') return ANSWERS.map((name) => ({ name, code: name.toLowerCase() }));
  return names.map((name) => ({ name, code: type === 'rating' ? name : '' }));
}

type End = readonly [object: string, field: string];

const MIRRORED: Readonly<Record<Cardinality, Cardinality>> = {
  one_to_one: 'one_to_one',
  many_to_one: 'one_to_many',
  one_to_many: 'many_to_one',
  many_to_many: 'many_to_many',
};

/** Adds the fields at both ends. @throws Error for an object that there is not */
export function relate(
  random: Random,
  objects: readonly ObjectState[],
  [[object, name], [otherObject, otherName]]: readonly [End, End],
  cardinality: Cardinality,
): void {
  const state = objects.find((each) => each.name === object);
  const other = objects.find((each) => each.name === otherObject);
  if (state === undefined || other === undefined) throw new Error(`no object ${object}`);
  const isOne = (end: Cardinality): boolean => end.endsWith('_to_one');
  const mirrored = MIRRORED[cardinality];
  const type = 'relationship';
  const near = fieldFrom(random, { name, type, nulls: isOne(cardinality) });
  const far = fieldFrom(random, { name: otherName, type, nulls: isOne(mirrored) });
  near.relation = { object: other.id, field: far.id, cardinality };
  far.relation = { object: state.id, field: near.id, cardinality: mirrored };
  state.fields.push(near);
  other.fields.push(far);
}

/** Makes them all, with what refers from one to another. */
export function createObjects(random: Random): ObjectState[] {
  const objects = standardObjects.map((sketch) => objectFrom(random, sketch));
  for (const [one, other, cardinality] of standardRelations) {
    relate(random, objects, [one, other], cardinality);
  }
  return objects;
}
