import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import { invalid, notFound } from './api-error.ts';
import { textOf } from './attributes.ts';
import { readEmail } from './contact-body.ts';
import { renderContact } from './contact-render.ts';
import {
  type ContactChange,
  clashes,
  deleteContact,
  insertContact,
  NOBODY,
  taken,
  updateContact,
  withChange,
} from './contacts.ts';
import { deleteItem, exists, insertItem, renderItem, TYPE_OF, updateItem } from './crm-items.ts';
import type { End } from './links.ts';
import { deleteRecord, insertRecord, numberOf, renderRecord, updateRecord } from './records.ts';
import type {
  Contact,
  CrmItem,
  CrmState,
  CustomObject,
  ObjectRecord,
  Workspace,
} from './workspace.ts';

export interface When {
  /** Epoch milliseconds or ISO; default now. */
  readonly at?: number | string | undefined;
}

/** What a record has beside its attributes. */
export interface Beside extends When {
  readonly extId?: string | undefined;
  /** Of a contact: all of the lists it is on. */
  readonly lists?: readonly number[] | undefined;
  readonly emailBlacklisted?: boolean | undefined;
  readonly smsBlacklisted?: boolean | undefined;
  /** Object → ids to link it with. */
  readonly links?: Readonly<Record<string, readonly string[]>> | undefined;
}

/**
 * The workspace without HTTP: what people do in the app. Fields are attributes by name, `EMAIL` among
 * those of a contact; they are taken as they are, also those that the API does not let write, and null
 * clears one. Objects are `contacts`, `companies`, `deals` and the types of custom objects.
 */
export interface Store {
  create(object: string, fields: Fields, beside?: Beside): string;
  update(object: string, id: string, fields: Fields, beside?: Beside): void;
  delete(object: string, ids: string | readonly string[]): void;
  link(object: string, id: string, other: string, ids: readonly string[]): void;
  unlink(object: string, id: string, other: string, ids: readonly string[]): void;
  /** Moves the time of change and nothing else, as automation does. */
  touch(object: string, id: string, when?: When): void;
  objects(): string[];
  /** As the API shows it, with all of its associations; null where there is none. */
  get(object: string, id: string): Fields | null;
  all(object: string): Fields[];
  ids(object: string): string[];
  count(object: string): number;
}

type Shelf =
  | { readonly kind: 'contacts' }
  | { readonly kind: 'crm'; readonly state: CrmState }
  | { readonly kind: 'records'; readonly object: CustomObject };

export function createStore(workspace: Workspace): Store {
  const shelfOf = (name: string): Shelf => {
    workspace.jobs.settle();
    if (name === 'contacts') return { kind: 'contacts' };
    if (name === 'companies' || name === 'deals')
      return { kind: 'crm', state: workspace.crm[name] };
    const object = workspace.objects.get(name);
    if (object === undefined) throw notFound(`There is no object ${name}`);
    return { kind: 'records', object };
  };
  const timeOf = ({ at }: When = {}): number =>
    at === undefined ? workspace.now() : typeof at === 'number' ? at : Date.parse(at);
  const itemsOf = (
    name: string,
  ): ReadonlyMap<string | number, Contact | CrmItem | ObjectRecord> => {
    const shelf = shelfOf(name);
    if (shelf.kind === 'contacts') return workspace.contacts.items;
    return shelf.kind === 'crm' ? shelf.state.shelf.items : shelf.object.shelf.items;
  };
  const endOf = (name: string, id: string): End => ({ type: typeOf(name), id });
  const linkAll = (own: End, other: string, ids: readonly string[]): void => {
    for (const id of ids) {
      const end = endOf(other, id);
      if (!exists(workspace, end)) throw notFound(`There is no ${other} ${id}`);
      workspace.links.link(own, end);
    }
  };
  const render = (name: string, id: string): Fields | null => {
    const shelf = shelfOf(name);
    if (shelf.kind === 'contacts') {
      const contact = workspace.contacts.items.get(Number(id));
      return contact === undefined ? null : renderContact(workspace, contact);
    }
    if (shelf.kind === 'crm') {
      const item = shelf.state.shelf.items.get(id);
      return item === undefined ? null : renderItem(workspace, shelf.state, item);
    }
    const record = shelf.object.shelf.items.get(Number(id));
    return record === undefined ? null : renderWhole(workspace, shelf.object, record);
  };
  const update = (name: string, id: string, fields: Fields, beside: Beside = {}): void => {
    const shelf = shelfOf(name);
    const atMs = timeOf(beside);
    const changes = new Map(Object.entries(fields));
    switch (shelf.kind) {
      case 'contacts': {
        const contact = found(workspace.contacts.items.get(Number(id)), name, id);
        const kept = beside.lists === undefined ? {} : { listIds: [] };
        const wanted = wantedContact(workspace, { ...contact, ...kept }, fields, beside);
        const others = clashes(workspace, wanted, contact.id);
        if (others.size > 0) throw taken(others.keys(), 'update');
        updateContact(workspace, contact, wanted, atMs);
        break;
      }
      case 'crm':
        updateItem(shelf.state, found(shelf.state.shelf.items.get(id), name, id), changes, atMs);
        break;
      case 'records': {
        const record = found(shelf.object.shelf.items.get(Number(id)), name, id);
        updateRecord(shelf.object, record, changes, atMs);
        break;
      }
    }
    for (const [other, ids] of Object.entries(beside.links ?? {}))
      linkAll(endOf(name, id), other, ids);
  };
  return {
    create(name, fields, beside = {}) {
      const shelf = shelfOf(name);
      const createdMs = timeOf(beside);
      const id = insert(workspace, shelf, fields, beside, createdMs);
      for (const [other, ids] of Object.entries(beside.links ?? {})) {
        linkAll(endOf(name, id), other, ids);
      }
      return id;
    },
    update,
    delete(name, ids) {
      const shelf = shelfOf(name);
      for (const id of [ids].flat()) {
        if (shelf.kind === 'contacts') deleteContact(workspace, Number(id));
        else if (shelf.kind === 'crm') deleteItem(workspace, shelf.state, id);
        else deleteRecord(workspace, shelf.object, Number(id));
      }
    },
    link: (name, id, other, ids) => linkAll(endOf(name, id), other, ids),
    unlink(name, id, other, ids) {
      for (const each of ids) workspace.links.unlink(endOf(name, id), endOf(other, each));
    },
    touch: (name, id, when) => update(name, id, {}, when),
    objects: () => ['contacts', 'companies', 'deals', ...workspace.objects.keys()],
    get: render,
    all: (name) =>
      [...itemsOf(name).keys()]
        .map((id) => render(name, String(id)))
        .filter((each) => each !== null),
    ids: (name) => [...itemsOf(name).keys()].map(String),
    count: (name) => itemsOf(name).size,
  };
}

function typeOf(object: string): string {
  if (object === 'contacts') return 'contact';
  return object === 'companies' || object === 'deals' ? TYPE_OF[object] : object;
}

function insert(
  workspace: Workspace,
  shelf: Shelf,
  fields: Fields,
  beside: Beside,
  createdMs: number,
): string {
  const attributes = new Map(Object.entries(fields));
  switch (shelf.kind) {
    case 'contacts': {
      const wanted = wantedContact(workspace, NOBODY, fields, beside);
      const others = clashes(workspace, wanted, null);
      if (others.size > 0) throw taken(others.keys(), 'create');
      return String(insertContact(workspace, wanted, createdMs));
    }
    case 'crm':
      return insertItem(workspace, shelf.state, attributes, createdMs);
    case 'records': {
      const { extId = null } = beside;
      if (extId !== null && shelf.object.byExtId.has(extId)) throw invalid('ext_id is taken');
      return String(insertRecord(workspace, shelf.object, { extId, attributes, createdMs }).id);
    }
  }
}

function wantedContact(
  workspace: Workspace,
  before: Parameters<typeof withChange>[1],
  { EMAIL, ...fields }: Fields,
  { extId, lists, emailBlacklisted, smsBlacklisted }: Beside,
) {
  const attributes = new Map<string, Json>(Object.entries(fields));
  if (extId !== undefined) attributes.set('EXT_ID', extId);
  const email = EMAIL === undefined || EMAIL === null ? EMAIL : readEmail(workspace, textOf(EMAIL));
  const change: ContactChange = {
    attributes,
    listIds: lists,
    emailBlacklisted,
    smsBlacklisted,
    ...(email === undefined ? {} : { email }),
  };
  return withChange(workspace, before, change);
}

function renderWhole(workspace: Workspace, object: CustomObject, record: ObjectRecord): Fields {
  const links = workspace.links.of({ type: object.type, id: String(record.id) });
  const associations = links.map((link) => ({
    object_type: link.type,
    id: numberOf(workspace, link),
    ...(link.type === 'company' || link.type === 'deal' ? { ext_id: link.id } : {}),
  }));
  return { ...renderRecord(workspace, object, record), associations };
}

function found<T>(item: T | undefined, object: string, id: string): T {
  if (item === undefined) throw notFound(`There is no ${object} ${id}`);
  return item;
}
