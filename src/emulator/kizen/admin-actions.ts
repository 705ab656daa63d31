import * as z from 'zod';
import { stringifyJson } from '../../domain/json.ts';
import { action } from '../kernel/admin.ts';
import { bodyParts } from '../kernel/admin-body.ts';
import type { AdminAction, Contents } from '../kernel/model.ts';
import type { Credentials } from './api.ts';
import { anyObject, type Business } from './business.ts';
import { renderRecord } from './render.ts';
import type { Store } from './store.ts';

const { object, id, ids, fields, options } = bodyParts;
const { at } = options;
const name = z.string().min(1);
const flag = z.boolean().optional();
const field = z.strictObject({
  name,
  type: z.string().min(1),
  display: z.string().optional(),
  required: flag,
  readOnly: flag,
  hidden: flag,
  nulls: flag,
  empty: flag,
  options: z.array(z.string()).optional(),
  currency: z.string().optional(),
  markdown: flag,
});
const end = z.strictObject({ object, field: name });

/** Bodies of `POST /_emulator/{name}`: what people do in the app. */
export const adminBodies = {
  create: z.strictObject({ object, fields, at }),
  import: z.strictObject({ object, rows: z.array(fields).min(1), at }),
  edit: z.strictObject({ object, id, fields, at }),
  'bulk-edit': z.strictObject({ object, ids, fields, at }),
  archive: z.strictObject({ object, ids }),
  unarchive: z.strictObject({ object, ids, at }),
  hide: z.strictObject({ object, ids }),
  unhide: z.strictObject({ object, ids }),
  'add-object': z.strictObject({
    name,
    singular: z.string(),
    plural: z.string(),
    fields: z.array(field),
    stages: z
      .array(
        z.tuple([
          z.string(),
          z.enum(['open', 'won', 'lost', 'disqualified']),
          z.number().min(0).max(100),
        ]),
      )
      .default([]),
  }),
  'add-field': z.strictObject({ object, field }),
  'add-relation': z.strictObject({
    one: end,
    other: end,
    cardinality: z.enum(['one_to_one', 'many_to_one', 'one_to_many', 'many_to_many']),
  }),
  'change-field': z.strictObject({
    object,
    name,
    rename: z.string().optional(),
    display: z.string().optional(),
    type: z.string().optional(),
    required: flag,
    deleted: flag,
  }),
  option: z.strictObject({
    object,
    field: name,
    name,
    rename: z.string().optional(),
    removed: flag,
  }),
  access: z.strictObject({ object, field: name.nullable().default(null), view: flag, edit: flag }),
  revoke: z.strictObject({ revoked: z.boolean().default(true) }),
  mails: z.unknown(),
} as const;

const bodies = adminBodies;

export function createActions(business: Business, store: Store, credentials: Credentials) {
  return {
    create: action(bodies.create, (b) => ({ id: store.create(b.object, b.fields, b) })),
    import: action(bodies.import, (b) => ({ ids: store.import(b.object, b.rows, b) })),
    edit: action(bodies.edit, (b) => store.update(b.object, b.id, b.fields, b)),
    'bulk-edit': action(bodies['bulk-edit'], (b) => store.bulkUpdate(b.object, b.ids, b.fields, b)),
    archive: action(bodies.archive, (b) => store.archive(b.object, b.ids)),
    unarchive: action(bodies.unarchive, (b) => store.unarchive(b.object, b.ids, b)),
    hide: action(bodies.hide, (b) => store.hide(b.object, b.ids)),
    unhide: action(bodies.unhide, (b) => store.unhide(b.object, b.ids)),
    'add-object': action(bodies['add-object'], (b) => store.addObject(b)),
    'add-field': action(bodies['add-field'], (b) => store.addField(b.object, b.field)),
    'add-relation': action(bodies['add-relation'], (b) =>
      store.addRelation(b.one, b.other, b.cardinality),
    ),
    'change-field': action(bodies['change-field'], ({ object: of, name: each, ...change }) =>
      store.changeField(of, each, change),
    ),
    option: action(bodies.option, ({ object: of, field: each, name: label, ...change }) =>
      store.setOption(of, each, label, change),
    ),
    access: action(bodies.access, ({ object: of, field: each, view, edit }) =>
      store.setAccess(of, each, {
        ...(view === undefined ? {} : { view }),
        ...(edit === undefined ? {} : { edit }),
      }),
    ),
    revoke: action(bodies.revoke, ({ revoked }) => {
      credentials.revoked = revoked;
    }),
    mails: action(bodies.mails, () => ({ mails: business.mails })),
  } satisfies Record<keyof typeof bodies, AdminAction>;
}

export function contentsOf(business: Business, store: Store): Contents {
  return {
    counts: () => Object.fromEntries(store.objects().map((each) => [each, store.count(each)])),
    rendered(of, { offset, limit }) {
      business.settle();
      const state = anyObject(business, of);
      const live = [...state.records.values()].filter(({ archived }) => !archived);
      const texts = function* (): Generator<string> {
        for (const record of live.slice(offset, offset + limit)) {
          yield stringifyJson(renderRecord(business, state, record, { picks: () => true }));
        }
      };
      return { total: live.length, texts: texts() };
    },
  };
}
