import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { type Fields, fieldOf, isObject, withFields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid } from './api-error.ts';
import { type Author, commitDelete, commitUpdate, redirectReferences } from './commit.ts';
import { appendItems } from './field-change.ts';
import type { Difference, Told } from './history.ts';
import { manyToManyFields } from './links.ts';
import type { ObjectState } from './object-state.ts';
import { uniqueKeys } from './object-state.ts';
import { recordFields } from './stored-record.ts';
import { objectState, storedRecord, type Workspace } from './workspace.ts';
import { actorOf } from './write-routes.ts';

/** `POST /objects/{object}/records/{target}/merges` */
export function mergeRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const data = isObject(request.body) ? request.body.data : undefined;
  const attributes = isObject(data) ? data.attributes : undefined;
  const sources = isObject(attributes) ? attributes.sources : undefined;
  const pointer = '/data/attributes/sources';
  if (!Array.isArray(sources) || sources.length === 0) {
    throw invalid([{ pointer, message: 'must be array' }]);
  }
  const target = request.param('id');
  if (sources.includes(target)) throw invalid([{ pointer, message: 'must not have the target' }]);
  mergeRecords(
    workspace,
    state,
    { target, sources: sources.map(String) },
    { actor: actorOf(workspace) },
  );
  return { status: 204, text: '', recordsWritten: 1 };
}

/**
 * The sources vanish, what points at them points at the target, and the target takes over what
 * it had no value for, e-mail addresses and domains besides.
 *
 * @throws ApiError 404, nothing applied
 */
export function mergeRecords(
  workspace: Workspace,
  state: ObjectState,
  { target, sources }: { readonly target: string; readonly sources: readonly string[] },
  by: Author,
): void {
  const { object } = state.definition;
  const { mergesBump } = workspace.switches;
  // All of it happens at one time.
  const { actor, atMs = workspace.now() } = by;
  const author = { ...by, atMs };
  storedRecord(state, target);
  const vanishing = [...new Set(sources)].map((id) => storedRecord(state, id));
  for (const source of vanishing) {
    for (const field of manyToManyFields(state.definition)) {
      for (const other of workspace.links.ids(object, field, source.id)) {
        workspace.links.remove(object, field, source.id, other);
        workspace.links.add(object, field, target, other);
      }
    }
    const bump = author.bump ?? mergesBump === 'all';
    redirectReferences(workspace, object, source.id, target, { ...author, bump });
    commitDelete(workspace, state, state.records.get(source.id) ?? source, author, true);
  }
  const before = storedRecord(state, target);
  const fields = vanishing.reduce(
    (kept, source) => takeOver(state, kept, recordFields(source)),
    recordFields(before),
  );
  const gone = vanishing.flatMap((source) => [...source.mergedIds, source.id]);
  const told = (source: string | undefined, diff: readonly Difference[]): Told => ({
    kind: 'merge',
    origin: { entity: object, id: source ?? target },
    target: { entity: object, id: target },
    diff,
  });
  for (const { id } of vanishing.slice(0, -1)) {
    workspace.history.add(object, target, { ...told(id, []), actor, atMs });
  }
  commitUpdate(workspace, state, before, fields, {
    ...author,
    bump: author.bump ?? mergesBump !== 'none',
    tell: (diff) => told(vanishing.at(-1)?.id, diff),
    mergedIds: [...new Set([...before.mergedIds, ...gone])],
  });
}

function takeOver({ definition }: ObjectState, kept: Fields, source: Fields): Fields {
  const taken: [string, Json][] = [];
  for (const { name, unique, form } of definition.fields) {
    const [own, other] = [fieldOf(kept, name), fieldOf(source, name)];
    if (other === null) continue;
    if (own === null) taken.push([name, other]);
    else if (unique === true && form.kind === 'collection' && uniqueKeys(other).length > 0) {
      taken.push([name, appendItems(own, other)]);
    }
  }
  return withFields(kept, taken);
}
