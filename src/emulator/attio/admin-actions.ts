import * as z from 'zod';
import { stringifyJson } from '../../domain/json.ts';
import { action } from '../kernel/admin.ts';
import { bodyParts } from '../kernel/admin-body.ts';
import type { AdminAction, Contents } from '../kernel/model.ts';
import type { Token } from './api.ts';
import { renderRecord } from './render.ts';
import type { Store } from './store.ts';
import { objectState, type Workspace } from './workspace.ts';

const { object, id, ids, fields, options } = bodyParts;
const { by, at } = options;
const types = [
  'text',
  'number',
  'checkbox',
  'rating',
  'date',
  'timestamp',
  'currency',
  'select',
  'status',
  'email-address',
  'domain',
  'phone-number',
  'personal-name',
  'location',
  'record-reference',
  'actor-reference',
  'interaction',
] as const;
const attribute = z.strictObject({
  slug: z.string(),
  type: z.enum(types),
  title: z.string().optional(),
  multi: z.boolean().optional(),
  required: z.boolean().optional(),
  unique: z.boolean().optional(),
  readOnly: z.boolean().optional(),
  options: z.array(z.string()).optional(),
  currency: z.string().optional(),
  to: z.array(z.string()).optional(),
});

/** Bodies of `POST /_emulator/{name}`: what people do in the app. */
export const adminBodies = {
  create: z.strictObject({ object, fields, by, at }),
  edit: z.strictObject({ object, id, fields, by, at }),
  delete: z.strictObject({ object, ids, by, at }),
  merge: z.strictObject({ object, primary: id, secondary: id, by, at }),
  hide: z.strictObject({ object, ids }),
  unhide: z.strictObject({ object, ids }),
  'add-object': z.strictObject({
    slug: z.string().nullable(),
    singular: z.string(),
    plural: z.string(),
    attributes: z.array(attribute),
  }),
  'add-attribute': z.strictObject({ object, attribute }),
  'change-attribute': z.strictObject({
    object,
    name: z.string(),
    slug: z.string().optional(),
    title: z.string().optional(),
    multi: z.boolean().optional(),
    required: z.boolean().optional(),
  }),
  'archive-attribute': z.strictObject({
    object,
    name: z.string(),
    archived: z.boolean().default(true),
  }),
  option: z.strictObject({
    object,
    attribute: z.string(),
    title: z.string(),
    rename: z.string().optional(),
    archived: z.boolean().optional(),
  }),
  /** Of every webhook: what days of failures would make of it. */
  webhooks: z.strictObject({ status: z.enum(['active', 'degraded', 'inactive']) }),
  /** The scopes that the token has from now on. */
  scopes: z.strictObject({ scopes: z.array(z.string()) }),
  revoke: z.strictObject({ revoked: z.boolean().default(true) }),
} as const;

const bodies = adminBodies;

export function createActions(workspace: Workspace, store: Store, token: Token) {
  return {
    create: action(bodies.create, (b) => ({ id: store.create(b.object, b.fields, b) })),
    edit: action(bodies.edit, (b) => store.update(b.object, b.id, b.fields, b)),
    delete: action(bodies.delete, (b) => store.delete(b.object, b.ids, b)),
    merge: action(bodies.merge, (b) => ({ id: store.merge(b.object, b.primary, b.secondary, b) })),
    hide: action(bodies.hide, (b) => store.hide(b.object, b.ids)),
    unhide: action(bodies.unhide, (b) => store.unhide(b.object, b.ids)),
    'add-object': action(bodies['add-object'], (b) => store.addObject(b)),
    'add-attribute': action(bodies['add-attribute'], (b) =>
      store.addAttribute(b.object, b.attribute),
    ),
    'change-attribute': action(bodies['change-attribute'], ({ object: of, name, ...change }) =>
      store.changeAttribute(of, name, change),
    ),
    'archive-attribute': action(bodies['archive-attribute'], (b) =>
      store.archiveAttribute(b.object, b.name, b.archived),
    ),
    option: action(bodies.option, (b) =>
      store.setOption(b.object, b.attribute, b.title, { title: b.rename, archived: b.archived }),
    ),
    webhooks: action(bodies.webhooks, ({ status }) => {
      for (const webhook of workspace.webhooks.all.values()) webhook.status = status;
    }),
    scopes: action(bodies.scopes, ({ scopes }) => {
      workspace.scopes.clear();
      for (const scope of scopes) workspace.scopes.add(scope);
    }),
    revoke: action(bodies.revoke, ({ revoked }) => {
      token.revoked = revoked;
    }),
  } satisfies Record<keyof typeof bodies, AdminAction>;
}

export function contentsOf(workspace: Workspace, store: Store): Contents {
  return {
    counts: () => Object.fromEntries(store.objects().map((name) => [name, store.count(name)])),
    rendered(name, { offset, limit }) {
      workspace.settle();
      const state = objectState(workspace, name);
      const shown = [...state.records.values()].slice(offset, offset + limit);
      const texts = function* (): Generator<string> {
        for (const record of shown) yield stringifyJson(renderRecord(workspace, state, record));
      };
      return { total: state.records.size, texts: texts() };
    },
  };
}
