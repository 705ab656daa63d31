import type { Json } from '../../domain/json.ts';
import { type Fields, isObject, withFields } from '../kernel/fields.ts';
import { notFound, refuse } from './api-error.ts';
import { type Author, commitCreate, commitDelete, commitUpdate, touch } from './commit.ts';
import { differences, SCHEMA } from './history.ts';
import { linkField } from './links.ts';
import { viewOf } from './list-answer.ts';
import { mergeRecords } from './merge.ts';
import type { FieldDefinition, FieldForm, ObjectDefinition } from './object-definition.ts';
import type { ObjectState } from './object-state.ts';
import { type LinkEnd, linkRecords, unlinkRecords } from './relink.ts';
import { addField, changeFieldType, removeField } from './schema-change.ts';
import { schemaProperties } from './schema-document.ts';
import { parseFields, recordFields, renderRecord, type StoredRecord } from './stored-record.ts';
import {
  addObjectState,
  linkedIds,
  objectState,
  storedRecord,
  type Workspace,
} from './workspace.ts';
import { newFields } from './write-routes.ts';

/** A record as the API would show it, system attributes included. */
export interface Snapshot {
  readonly type: string;
  readonly id: string;
  readonly attributes: Fields;
}

/** Who did it (default: somebody in the app), when, and whether `_updated_at` moves. */
export interface EditOptions {
  readonly by?: string | undefined;
  /** Epoch milliseconds or ISO; default now. */
  readonly at?: number | string | undefined;
  readonly bump?: boolean | undefined;
}

/**
 * The workspace without HTTP: what people do in the app, synchronously and unchecked (a value may
 * be of the wrong type). Unknown objects and ids throw an ApiError 404.
 */
export interface Store {
  create(object: string, fields: Fields, options?: EditOptions): string;
  update(object: string, id: string, fields: Fields, options?: EditOptions): void;
  /** An update by the `agent`, moving `_updated_at` as the `enrichmentBump` switch says. */
  enrich(object: string, id: string, fields: Fields): void;
  delete(object: string, ids: string | readonly string[], options?: EditOptions): void;
  merge(object: string, target: string, sources: readonly string[], options?: EditOptions): void;
  link(
    object: string,
    id: string,
    field: string,
    ids: readonly string[],
    options?: EditOptions,
  ): void;
  unlink(
    object: string,
    id: string,
    field: string,
    ids: readonly string[],
    options?: EditOptions,
  ): void;
  /** All ids a to-many field lists. */
  linked(object: string, id: string, field: string): string[];
  /** Gives many records one `_updated_at`, as a bulk call does. */
  stampMany(object: string, ids: readonly string[], at: number | string): void;
  /** Makes records invisible to the key without deleting them. */
  hide(object: string, ids: readonly string[]): void;
  unhide(object: string, ids: readonly string[]): void;
  addField(object: string, field: FieldDefinition): void;
  removeField(object: string, name: string): void;
  /** Values stay as they are, or become what `convert` makes of them. */
  changeFieldType(
    object: string,
    name: string,
    form: FieldForm,
    convert?: (value: Json) => Json,
  ): void;
  addObject(definition: ObjectDefinition): void;
  removeObject(object: string): void;
  objects(): string[];
  get(object: string, id: string): Snapshot | null;
  /** The newest version of every record, in the order of creation. */
  all(object: string): Snapshot[];
  ids(object: string): string[];
  count(object: string): number;
}

export function createStore(workspace: Workspace): Store {
  const state = (object: string): ObjectState => objectState(workspace, object);
  const author = ({ by, at, bump }: EditOptions = {}): Author => ({
    actor: by ?? workspace.users[1]?.id ?? 'system',
    ...(bump === undefined ? {} : { bump }),
    ...(at === undefined ? {} : { atMs: typeof at === 'number' ? at : Date.parse(at) }),
  });
  const snapshot = (object: string, record: StoredRecord): Snapshot => {
    const empty = { ...record, text: '{}' };
    const shell = parseFields(renderRecord(object, empty, viewOf(workspace)));
    const system = isObject(shell.attributes) ? shell.attributes : {};
    return { type: object, id: record.id, attributes: { ...system, ...recordFields(record) } };
  };
  const end = (object: string, id: string, name: string): LinkEnd => {
    const field = linkField(state(object).definition, name);
    if (field === undefined) throw notFound('Relationship');
    return { object, id: storedRecord(state(object), id).id, field };
  };
  /** Does it, and tells of it in the feed of the schema. */
  const changingSchema = (object: string, change: () => void): void => {
    const before = schemaProperties(state(object).definition);
    change();
    const diff = differences(before, schemaProperties(state(object).definition), ['properties']);
    const { actor, atMs = workspace.now() } = author();
    workspace.history.add(SCHEMA, object, { kind: 'update', actor, atMs, diff });
  };
  return {
    create(object, fields, options) {
      const id = workspace.newId(workspace.random, object);
      const all = newFields(state(object), new Map(Object.entries(fields)));
      commitCreate(workspace, state(object), id, all, author(options));
      return id;
    },
    update(object, id, fields, options) {
      const before = storedRecord(state(object), id);
      const after = withFields(recordFields(before), Object.entries(fields));
      commitUpdate(workspace, state(object), before, after, author(options));
    },
    enrich(object, id, fields) {
      this.update(object, id, fields, { by: 'agent', bump: workspace.switches.enrichmentBump });
    },
    delete(object, ids, options) {
      const records = [ids].flat().map((id) => storedRecord(state(object), id));
      for (const each of records)
        commitDelete(workspace, state(object), each, author(options), false);
    },
    merge: (object, target, sources, options) =>
      mergeRecords(workspace, state(object), { target, sources }, author(options)),
    link: (object, id, field, ids, options) =>
      linkRecords(workspace, end(object, id, field), ids, author(options)),
    unlink: (object, id, field, ids, options) =>
      unlinkRecords(workspace, end(object, id, field), ids, author(options)),
    linked: (object, id, field) => [
      ...linkedIds(workspace, object, end(object, id, field).field, id),
    ],
    stampMany(object, ids, at) {
      for (const id of ids) {
        touch(workspace, state(object), storedRecord(state(object), id), author({ at }));
      }
    },
    hide(object, ids) {
      const { records, hidden, listing } = state(object);
      for (const id of ids) {
        const record = storedRecord(state(object), id);
        hidden.set(id, record);
        records.delete(id);
        listing.replace(record, null, null);
      }
    },
    unhide(object, ids) {
      const { records, hidden, listing } = state(object);
      for (const id of ids) {
        const record = hidden.get(id);
        if (record === undefined) throw notFound(`Hidden ${object} ${id}`);
        hidden.delete(id);
        records.set(id, record);
        listing.replace(null, record, null);
      }
    },
    addField(object, field) {
      changingSchema(object, () => addField(state(object), field));
    },
    removeField(object, name) {
      changingSchema(object, () => removeField(state(object), name));
    },
    changeFieldType(object, name, form, convert = (value) => value) {
      changingSchema(object, () => changeFieldType(state(object), name, form, convert));
    },
    addObject(definition) {
      const { object } = definition;
      if (workspace.objects.has(object)) throw refuse(400, `there is an object ${object} already`);
      addObjectState(workspace, definition);
      const { actor, atMs = workspace.now() } = author();
      workspace.history.add(SCHEMA, object, { kind: 'create', actor, atMs, data: null });
    },
    removeObject(object) {
      workspace.objects.delete(state(object).definition.object);
    },
    objects: () => [...workspace.objects.keys()],
    get(object, id) {
      const record = state(object).records.get(id);
      return record === undefined ? null : snapshot(object, record);
    },
    all: (object) => [...state(object).records.values()].map((each) => snapshot(object, each)),
    ids: (object) => [...state(object).records.keys()],
    count: (object) => state(object).records.size,
  };
}
