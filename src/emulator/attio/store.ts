import type { Json } from '../../domain/json.ts';
import { type Fields, isObject } from '../kernel/fields.ts';
import { notFound, refuse } from './api-error.ts';
import type { Actor, Attribute } from './attribute.ts';
import { type Author, type Changes, commitValues, place } from './commit.ts';
import { enrichLater } from './enrich.ts';
import { readValues } from './read-value.ts';
import { createRecord, deleteRecord, draftedAt, mergeRecords } from './records.ts';
import { renderRecord } from './render.ts';
import {
  type AttributeSketch,
  attributeFrom,
  type ObjectSketch,
  objectOf,
} from './standard-objects.ts';
import {
  anyMember,
  attributeOf,
  findAttribute,
  type ObjectState,
  objectState,
  storedRecord,
  type Workspace,
} from './workspace.ts';

/** Who did it (default: somebody in the app; `system` is Attio itself), and when. */
export interface EditOptions {
  readonly by?: string | undefined;
  /** Epoch milliseconds or ISO; default now. */
  readonly at?: number | string | undefined;
}

export interface AttributeChange {
  readonly slug?: string | undefined;
  readonly title?: string | undefined;
  readonly multi?: boolean | undefined;
  readonly required?: boolean | undefined;
}

/**
 * The workspace without HTTP: what people do in the app. Values are given as a write of the API takes
 * them, also of attributes that it does not let write; unknown objects and ids throw an ApiError 404.
 */
export interface Store {
  create(object: string, fields: Fields, options?: EditOptions): string;
  /** Lists replace what stands, as `PUT` does. */
  update(object: string, id: string, fields: Fields, options?: EditOptions): void;
  delete(object: string, ids: string | readonly string[], options?: EditOptions): void;
  /** @returns the id of what both become */
  merge(object: string, primary: string, secondary: string, options?: EditOptions): string;
  /** Makes records invisible to the token without deleting them. */
  hide(object: string, ids: readonly string[]): void;
  unhide(object: string, ids: readonly string[]): void;
  addObject(sketch: ObjectSketch): void;
  addAttribute(object: string, sketch: AttributeSketch): void;
  /** Attributes are never deleted. */
  archiveAttribute(object: string, name: string, archived: boolean): void;
  /** A slug, a title, or one that more values fit into. */
  changeAttribute(object: string, name: string, change: AttributeChange): void;
  /** An option or a status: made, renamed or archived. */
  setOption(
    object: string,
    attribute: string,
    title: string,
    change: { readonly title?: string | undefined; readonly archived?: boolean | undefined },
  ): void;
  objects(): string[];
  /** A record as the API shows it; null where there is none. */
  get(object: string, id: string): Fields | null;
  all(object: string): Fields[];
  ids(object: string): string[];
  count(object: string): number;
}

export function createStore(workspace: Workspace): Store {
  const state = (object: string): ObjectState => {
    workspace.settle();
    return objectState(workspace, object);
  };
  const author = ({ by, at }: EditOptions = {}): Author => {
    const ms = at === undefined ? undefined : typeof at === 'number' ? at : Date.parse(at);
    const actor: Actor =
      by === 'system'
        ? { type: 'system', id: null }
        : { type: 'workspace-member', id: by ?? anyMember(workspace).id };
    return { actor, at: workspace.stamp(ms) };
  };
  const changes = (object: string, fields: Fields): Changes =>
    new Map(
      Object.entries(fields).map(([name, given]) => {
        const attribute = attributeOf(state(object), name);
        return [attribute, inAppValues(workspace, attribute, given)] as const;
      }),
    );
  return {
    create(object, fields, options) {
      const given = author(options);
      const id = createRecord(workspace, state(object), {
        changes: changes(object, fields),
        author: given,
        createdAt: draftedAt(workspace, workspace.random, given.at),
      });
      enrichLater(workspace, state(object), id);
      return id;
    },
    update(object, id, fields, options) {
      storedRecord(state(object), id);
      commitValues(workspace, state(object), id, changes(object, fields), author(options));
      enrichLater(workspace, state(object), id);
    },
    delete(object, ids, options) {
      for (const id of [ids].flat()) deleteRecord(workspace, state(object), id, author(options));
    },
    merge: (object, primary, secondary, options) =>
      mergeRecords(workspace, state(object), [primary, secondary], author(options)),
    hide(object, ids) {
      for (const id of ids) {
        const record = storedRecord(state(object), id);
        state(object).hidden.set(id, record);
        place(workspace, state(object), id, null);
      }
    },
    unhide(object, ids) {
      for (const id of ids) {
        const record = state(object).hidden.get(id);
        if (record === undefined) throw notFound(`Hidden record "${id}" is not there.`);
        state(object).hidden.delete(id);
        place(workspace, state(object), id, record);
      }
    },
    addObject(sketch) {
      const { objects, random } = workspace;
      if (objects.some(({ slug }) => slug !== null && slug === sketch.slug))
        throw refuse(400, 'slug_conflict', `there is an object ${sketch.slug} already`);
      objects.push(objectOf(random, sketch, workspace.stamp(), objects));
    },
    addAttribute(object, sketch) {
      const { random, objects } = workspace;
      if (findAttribute(state(object), sketch.slug) !== null)
        throw refuse(400, 'slug_conflict', `${object} has an attribute ${sketch.slug} already`);
      const attribute = attributeFrom(
        random,
        { system: false, ...sketch },
        workspace.stamp(),
        objects,
      );
      state(object).attributes.push(attribute);
    },
    archiveAttribute(object, name, archived) {
      anyAttribute(state(object), name).archived = archived;
    },
    changeAttribute(object, name, change) {
      const attribute = anyAttribute(state(object), name);
      attribute.slug = change.slug ?? attribute.slug;
      attribute.title = change.title ?? attribute.title;
      attribute.multi = change.multi ?? attribute.multi;
      attribute.required = change.required ?? attribute.required;
    },
    setOption(object, name, title, change) {
      const { options } = anyAttribute(state(object), name);
      const found = options.find((each) => each.title === title);
      if (found === undefined) options.push({ id: workspace.newId(), title, archived: false });
      else {
        found.title = change.title ?? found.title;
        found.archived = change.archived ?? found.archived;
      }
    },
    objects: () => workspace.objects.map(({ slug, id }) => slug ?? id),
    get(object, id) {
      const record = state(object).records.get(id);
      return record === undefined ? null : renderRecord(workspace, state(object), record);
    },
    all: (object) =>
      [...state(object).records.values()].map((each) =>
        renderRecord(workspace, state(object), each),
      ),
    ids: (object) => [...state(object).records.keys()],
    count: (object) => state(object).records.size,
  };
}

/** Interactions come from nowhere else. */
function inAppValues(workspace: Workspace, attribute: Attribute, given: Json): Fields[] {
  if (attribute.type !== 'interaction') return readValues(workspace, attribute, given);
  return isObject(given) ? [given] : [];
}

/** Archived ones as well. @throws ApiError 404 */
function anyAttribute(state: ObjectState, name: string): Attribute {
  const found = findAttribute(state, name);
  if (found === null) throw notFound(`Could not find attribute with slug/ID "${name}".`);
  return found;
}
