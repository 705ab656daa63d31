import * as z from 'zod';
import { stringifyJson } from '../../domain/json.ts';
import { action } from '../kernel/admin.ts';
import { bodyParts } from '../kernel/admin-body.ts';
import type { AdminAction, Contents } from '../kernel/model.ts';
import type { Key } from './api.ts';
import type { Budgets } from './budgets.ts';
import { changeSchema, schemaBodies } from './schema-changes.ts';
import type { Store } from './store.ts';
import type { Workspace } from './workspace.ts';

const { object, id, ids, fields, options } = bodyParts;
const { at } = options;
const beside = {
  extId: z.string().optional(),
  lists: z.array(z.number().int()).optional(),
  emailBlacklisted: z.boolean().optional(),
  smsBlacklisted: z.boolean().optional(),
  links: z.record(z.string(), z.array(z.string())).optional(),
  at,
};

/** Bodies of `POST /_emulator/{name}`: what people do in the app. */
export const adminBodies = {
  create: z.strictObject({ object, fields, ...beside }),
  edit: z.strictObject({ object, id, fields: fields.default({}), ...beside }),
  delete: z.strictObject({ object, ids }),
  link: z.strictObject({ object, id, with: object, ids }),
  unlink: z.strictObject({ object, id, with: object, ids }),
  touch: z.strictObject({ object, ids, at }),
  ...schemaBodies,
  /** Ends every open job at once. */
  'end-jobs': z.strictObject({ as: z.enum(['completed', 'failed', 'cancelled']) }),
  /** What other integrations ask of the same account. */
  spend: z.strictObject({ path: z.string(), requests: z.number().int().min(1) }),
  account: z.strictObject({
    plan: z.enum(['enterprise', 'professional', 'starter']).optional(),
    credits: z.boolean().optional(),
  }),
  revoke: z.strictObject({ revoked: z.boolean().default(true) }),
} as const;

const bodies = adminBodies;

export interface ActionDeps {
  readonly workspace: Workspace;
  readonly store: Store;
  readonly key: Key;
  readonly budgets: Budgets;
}

export function createActions({ workspace, store, key, budgets }: ActionDeps) {
  return {
    create: action(bodies.create, (b) => ({ id: store.create(b.object, b.fields, b) })),
    edit: action(bodies.edit, (b) => store.update(b.object, b.id, b.fields, b)),
    delete: action(bodies.delete, (b) => store.delete(b.object, b.ids)),
    link: action(bodies.link, (b) => store.link(b.object, b.id, b.with, b.ids)),
    unlink: action(bodies.unlink, (b) => store.unlink(b.object, b.id, b.with, b.ids)),
    touch: action(bodies.touch, (b) => {
      for (const each of b.ids) store.touch(b.object, each, b);
    }),
    ...changeSchema(workspace),
    'end-jobs': action(bodies['end-jobs'], ({ as }) => ({ ids: workspace.jobs.endAll(as) })),
    spend: action(bodies.spend, ({ path, requests }) =>
      budgets.spend(path, `GET ${path}`, requests),
    ),
    account: action(bodies.account, ({ plan, credits }) => {
      workspace.account.plan = plan ?? workspace.account.plan;
      workspace.account.credits = credits ?? workspace.account.credits;
    }),
    revoke: action(bodies.revoke, ({ revoked }) => {
      key.revoked = revoked;
    }),
  } satisfies Record<keyof typeof bodies, AdminAction>;
}

export function contentsOf(store: Store): Contents {
  return {
    counts: () => Object.fromEntries(store.objects().map((name) => [name, store.count(name)])),
    rendered(name, { offset, limit }) {
      const shown = store.ids(name).slice(offset, offset + limit);
      const texts = function* (): Generator<string> {
        for (const each of shown) yield stringifyJson(store.get(name, each));
      };
      return { total: store.count(name), texts: texts() };
    },
  };
}
