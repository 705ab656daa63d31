import type { Json } from '../../domain/json.ts';
import { type Fields, isList } from '../kernel/fields.ts';
import { notFound, refuse, ValueProblem } from './api-error.ts';
import { anyObject, type Business, type ObjectState, type StoredRecord } from './business.ts';
import { commitValues } from './commit.ts';
import { type Access, type Cardinality, type Field, isStage, kindOf } from './field.ts';
import type { Instant } from './instants.ts';
import { fieldFrom, objectFrom, relate } from './objects.ts';
import { readValue } from './read-value.ts';
import { archiveRecord, createRecord, moveRecord, unarchiveRecord } from './records.ts';
import { renderRecord } from './render.ts';
import type { FieldSketch, ObjectSketch } from './sketches.ts';

/** When; epoch milliseconds or ISO, default now. */
export interface EditOptions {
  readonly at?: number | string | undefined;
}

export interface FieldChange {
  readonly rename?: string | undefined;
  readonly display?: string | undefined;
  readonly type?: string | undefined;
  readonly required?: boolean | undefined;
  readonly deleted?: boolean | undefined;
}

/**
 * The business without HTTP: what people do in the app. Values are given as a write of the API takes
 * them, options also by their label, also of fields that it does not let write; unknown objects and
 * ids throw an ApiError 404, values that fit no field one of 400.
 */
export interface Store {
  create(object: string, fields: Fields, options?: EditOptions): string;
  /** Many at once, with one and the same time. @returns their ids */
  import(object: string, rows: readonly Fields[], options?: EditOptions): string[];
  update(object: string, id: string, fields: Fields, options?: EditOptions): void;
  /** Sets the same in many, with one and the same `updated`. */
  bulkUpdate(object: string, ids: readonly string[], fields: Fields, options?: EditOptions): void;
  archive(object: string, ids: string | readonly string[]): void;
  unarchive(object: string, ids: string | readonly string[], options?: EditOptions): void;
  /** Makes records invisible to the key without archiving them. */
  hide(object: string, ids: readonly string[]): void;
  unhide(object: string, ids: readonly string[]): void;
  addObject(sketch: ObjectSketch): void;
  addField(object: string, sketch: FieldSketch): void;
  /** With its mirror. */
  addRelation(
    one: { readonly object: string; readonly field: string },
    other: { readonly object: string; readonly field: string },
    cardinality: Cardinality,
  ): void;
  changeField(object: string, name: string, change: FieldChange): void;
  /** Makes an option, a tag or a stage, renames or removes it. */
  setOption(
    object: string,
    field: string,
    name: string,
    change: { readonly rename?: string | undefined; readonly removed?: boolean | undefined },
  ): void;
  /** What the key may do with an object, or with one field of it. */
  setAccess(object: string, field: string | null, access: Partial<Access>): void;
  objects(): string[];
  /** A live record as the API shows it; null where there is none. */
  get(object: string, id: string): Fields | null;
  all(object: string): Fields[];
  ids(object: string): string[];
  count(object: string): number;
  /** The id of a field, by API name. */
  fieldId(object: string, name: string): string;
}

export function createStore(business: Business): Store {
  const state = (object: string): ObjectState => {
    business.settle();
    return anyObject(business, object);
  };
  const stamp = ({ at }: EditOptions = {}): Instant =>
    business.stamp(typeof at === 'string' ? Date.parse(at) : at);
  const live = (object: string): StoredRecord[] =>
    [...state(object).records.values()].filter(({ archived }) => !archived);
  const edit = (object: string, id: string, fields: Fields, at: Instant): void =>
    editRecord(business, state(object), anyRecord(state(object), id), fields, at);
  const add = (object: string, fields: Fields, at: Instant): string => {
    const id = createRecord(business, state(object), new Map(), at);
    edit(object, id, fields, at);
    return id;
  };
  return {
    create: (object, fields, options) => add(object, fields, stamp(options)),
    import(object, rows, options) {
      const at = stamp(options);
      return rows.map((fields) => add(object, fields, at));
    },
    update: (object, id, fields, options) => edit(object, id, fields, stamp(options)),
    bulkUpdate(object, ids, fields, options) {
      const at = stamp(options);
      for (const id of ids) edit(object, id, fields, at);
    },
    archive(object, ids) {
      for (const id of [ids].flat()) {
        archiveRecord(business, state(object), anyRecord(state(object), id));
      }
    },
    unarchive(object, ids, options) {
      for (const id of [ids].flat()) {
        unarchiveRecord(business, state(object), anyRecord(state(object), id), stamp(options));
      }
    },
    hide(object, ids) {
      for (const id of ids) state(object).hidden.add(anyRecord(state(object), id).id);
    },
    unhide(object, ids) {
      for (const id of ids) state(object).hidden.delete(id);
    },
    addObject(sketch) {
      const { objects, random } = business;
      if (objects.some(({ name }) => name === sketch.name)) throw taken(sketch.name);
      if (objects.length >= 500) throw refuse(400, 'limit_exceeded', 'there are 500 objects');
      objects.push(objectFrom(random, sketch));
    },
    addField(object, sketch) {
      const { fields } = state(object);
      refuseField(state(object), sketch.name);
      fields.push(fieldFrom(business.random, sketch));
    },
    addRelation(one, other, cardinality) {
      refuseField(state(one.object), one.field);
      refuseField(state(other.object), other.field);
      const ends = [one, other].map(({ object, field }) => [state(object).name, field] as const);
      const [near, far] = ends;
      if (near !== undefined && far !== undefined)
        relate(business.random, business.objects, [near, far], cardinality);
    },
    changeField(object, name, change) {
      const field = anyField(state(object), name);
      field.name = change.rename ?? field.name;
      field.displayName = change.display ?? field.displayName;
      field.required = change.required ?? field.required;
      field.type = change.type ?? field.type;
      field.deleted = change.deleted ?? field.deleted;
    },
    setOption: (object, name, option, change) =>
      setOption(business, state(object), name, option, change),
    setAccess(object, name, access) {
      const given = Object.entries(access).filter(([, may]) => may !== undefined);
      const held = name === null ? state(object).access : anyField(state(object), name).access;
      Object.assign(held, Object.fromEntries(given));
    },
    objects: () => business.objects.map(({ name }) => name),
    get(object, id) {
      const record = state(object).records.get(id);
      if (record === undefined || record.archived) return null;
      return renderRecord(business, state(object), record, { picks: () => true });
    },
    all: (object) =>
      live(object).map((each) =>
        renderRecord(business, state(object), each, { picks: () => true }),
      ),
    ids: (object) => live(object).map(({ id }) => id),
    count: (object) => live(object).length,
    fieldId: (object, name) => anyField(state(object), name).id,
  };
}

/** In the app nobody asks for a form of relations, and anything can be emptied. */
function editRecord(
  business: Business,
  state: ObjectState,
  record: StoredRecord,
  fields: Fields,
  at: Instant,
): void {
  const switches = { ...business.switches, relationWrites: 'either', clearing: 'flags' } as const;
  const lenient: Business = { ...business, switches };
  const changes = new Map<Field, Json>();
  let stage: string | null = null;
  for (const [name, given] of Object.entries(fields)) {
    const field = anyField(state, name);
    if (isStage(field)) stage = typeof given === 'string' ? given : null;
    else changes.set(field, inAppValue(lenient, field, given));
  }
  commitValues(business, state, record.id, changes, at);
  if (stage === null) return;
  const found = state.stages.find(({ id, name }) => id === stage || name === stage);
  if (found === undefined) throw refuse(400, 'invalid', `no stage ${stage}`);
  moveRecord(business, state, anyRecord(state, record.id), found, at);
}

/** @throws ApiError 400 */
export function inAppValue(business: Business, field: Field, given: Json): Json {
  if (given === null || given === '') return null;
  const byLabel = (each: Json): Json =>
    field.type === 'dynamictags' || field.options.some(({ name }) => name === each)
      ? { name: each }
      : each;
  const kind = kindOf(field, business.switches);
  try {
    if (kind === 'option') return readValue(business, field, byLabel(given));
    if (kind === 'options' && isList(given))
      return readValue(
        business,
        field,
        given.map((each) => (typeof each === 'string' ? byLabel(each) : each)),
      );
    return readValue(business, field, given);
  } catch (error) {
    if (error instanceof ValueProblem)
      throw refuse(400, error.code, `${field.name}: ${error.message}`);
    throw error;
  }
}

function setOption(
  business: Business,
  state: ObjectState,
  fieldName: string,
  name: string,
  {
    rename,
    removed = false,
  }: { readonly rename?: string | undefined; readonly removed?: boolean | undefined },
): void {
  const field = anyField(state, fieldName);
  const options = isStage(field) ? state.stages : field.options;
  const found = options.find((each) => each.name === name);
  if (found === undefined) {
    const id = business.newId();
    if (isStage(field)) state.stages.push({ id, name, status: 'open', percentage: 50 });
    else field.options.push({ id, name, code: '' });
  } else if (removed)
    options.splice(
      options.findIndex(({ id }) => id === found.id),
      1,
    );
  else found.name = rename ?? found.name;
}

/** Archived or hidden as well. @throws ApiError 404 */
function anyRecord({ records }: ObjectState, id: string): StoredRecord {
  const record = records.get(id);
  if (record === undefined) throw notFound();
  return record;
}

/** Deleted ones as well, where no other has the name. @throws ApiError 404 */
export function anyField({ fields }: ObjectState, name: string): Field {
  const found = fields
    .filter((each) => each.name === name || each.id === name)
    .toSorted((a, b) => Number(a.deleted) - Number(b.deleted))[0];
  if (found === undefined) throw notFound();
  return found;
}

function refuseField({ fields }: ObjectState, name: string): void {
  if (fields.some((each) => !each.deleted && each.name === name)) throw taken(name);
  if (fields.length >= 500) throw refuse(400, 'limit_exceeded', 'there are 500 fields');
}

function taken(name: string) {
  return refuse(400, 'unique', `there is one called ${name} already`);
}
