import { action } from '../kernel/admin.ts';
import type { AdminAction, Contents } from '../kernel/model.ts';
import { adminBodies as bodies } from './admin-body.ts';
import type { AuthorizationServer } from './authorization.ts';
import { viewOf } from './list-answer.ts';
import type { Store } from './store.ts';
import { renderRecord } from './stored-record.ts';
import { objectState, type Workspace } from './workspace.ts';

export interface ActionDeps {
  readonly workspace: Workspace;
  readonly store: Store;
  readonly authorization: AuthorizationServer;
}

/** What people do in the app: one for each body in `adminBodies`. */
export function createActions({ workspace, store, authorization }: ActionDeps) {
  return {
    create: action(bodies.create, (b) => ({ id: store.create(b.object, b.fields, b) })),
    edit: action(bodies.edit, (b) => store.update(b.object, b.id, b.fields, b)),
    enrich: action(bodies.enrich, (b) => store.enrich(b.object, b.id, b.fields)),
    delete: action(bodies.delete, (b) => store.delete(b.object, b.ids, b)),
    merge: action(bodies.merge, (b) => store.merge(b.object, b.target, b.sources, b)),
    link: action(bodies.link, (b) => store.link(b.object, b.id, b.field, b.ids, b)),
    unlink: action(bodies.unlink, (b) => store.unlink(b.object, b.id, b.field, b.ids, b)),
    'bulk-touch': action(bodies['bulk-touch'], ({ object, ids, count, at }) => {
      const touched = ids ?? store.ids(object).slice(0, count);
      store.stampMany(object, touched, at ?? workspace.now());
      return { touched: touched.length };
    }),
    hide: action(bodies.hide, (b) => store.hide(b.object, b.ids)),
    unhide: action(bodies.unhide, (b) => store.unhide(b.object, b.ids)),
    'add-field': action(bodies['add-field'], (b) => store.addField(b.object, b.field)),
    'remove-field': action(bodies['remove-field'], (b) => store.removeField(b.object, b.name)),
    'change-field': action(bodies['change-field'], (b) =>
      store.changeFieldType(b.object, b.name, b.form),
    ),
    'add-object': action(bodies['add-object'], (b) => store.addObject(b)),
    'remove-object': action(bodies['remove-object'], (b) => store.removeObject(b.object)),
    revoke: action(bodies.revoke, ({ what }) => authorization.revoke(what)),
  } satisfies Record<keyof typeof bodies, AdminAction>;
}

/** Every record as the API would show it. */
export function contentsOf(workspace: Workspace, store: Store): Contents {
  return {
    counts: () => Object.fromEntries(store.objects().map((name) => [name, store.count(name)])),
    rendered(object, { offset, limit }) {
      const { records } = objectState(workspace, object);
      const shown = [...records.values()].slice(offset, offset + limit);
      const texts = function* (): Generator<string> {
        for (const record of shown) yield renderRecord(object, record, viewOf(workspace));
      };
      return { total: records.size, texts: texts() };
    },
  };
}
