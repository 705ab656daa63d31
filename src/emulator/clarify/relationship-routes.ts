import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { fieldOf, isObject } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, notFound, type Problem, refuse } from './api-error.ts';
import { partsWithLinks } from './linkage.ts';
import { linkField } from './links.ts';
import { listAnswer } from './list-answer.ts';
import { readWindow } from './list-query.ts';
import { type LinkField, linksToMany } from './object-definition.ts';
import type { ObjectState } from './object-state.ts';
import { linkRecords, setToOne, unlinkRecords } from './relink.ts';
import { recordFields, type StoredRecord } from './stored-record.ts';
import { linkedIds, objectState, storedRecord, type Workspace } from './workspace.ts';
import { actorOf, doneAnswer } from './write-routes.ts';

/** `GET …/records/{id}/relationships/{field}`: full records, a page of them, to-one as well. */
export function readRelationship(workspace: Workspace, request: ApiRequest): Answer {
  const { state, record, field } = place(workspace, request);
  const { object } = state.definition;
  const entity = objectState(workspace, field.form.entity);
  const window = readWindow(request.query, workspace.switches);
  const target = fieldOf(recordFields(record), field.name);
  const ids = linksToMany(field.form)
    ? linkedIds(workspace, object, field, record.id)
    : typeof target === 'string'
      ? [target]
      : [];
  const linked: StoredRecord[] = [];
  for (const id of ids) {
    const found = entity.records.get(id);
    if (found !== undefined) linked.push(found);
  }
  linked.sort((a, b) => a.order - b.order);
  const page = linked
    .slice(window.offset, window.offset + window.limit)
    .map((each) => partsWithLinks(workspace, entity.definition.object, each, []));
  return listAnswer(workspace, request, window, page, linked.length);
}

/**
 * `PATCH …/relationships/{field}`: many-to-many replaces the set, one-to-many adds, to-one
 * replaces.
 */
export function changeRelationship(workspace: Workspace, request: ApiRequest): Answer {
  const { state, record, field } = place(workspace, request);
  const ids = readIds(workspace, field, request.body);
  const { object } = state.definition;
  const author = { actor: actorOf(workspace) };
  if (!linksToMany(field.form)) {
    if (ids.length > 1) throw refuse(400, `${field.name} holds one record`);
    setToOne(workspace, object, record.id, field, ids[0] ?? null, author);
    return { ...doneAnswer(workspace), recordsWritten: 1 };
  }
  const wanted = ids.filter((id) => id !== null);
  if (field.form.relation === 'many-to-many') {
    const kept = new Set(wanted);
    const dropped = [...linkedIds(workspace, object, field, record.id)].filter(
      (id) => !kept.has(id),
    );
    unlinkRecords(workspace, { object, id: record.id, field }, dropped, author);
  }
  linkRecords(workspace, { object, id: record.id, field }, wanted, author);
  return { ...doneAnswer(workspace), recordsWritten: 1 };
}

/** `DELETE …/relationships/{field}`: unlinks those named. */
export function removeRelationship(workspace: Workspace, request: ApiRequest): Answer {
  const { state, record, field } = place(workspace, request);
  const { object } = state.definition;
  const ids = readIds(workspace, field, request.body, { known: false }).filter((id) => id !== null);
  const author = { actor: actorOf(workspace) };
  if (linksToMany(field.form)) {
    unlinkRecords(workspace, { object, id: record.id, field }, ids, author);
  } else if (ids.some((id) => id === fieldOf(recordFields(record), field.name))) {
    setToOne(workspace, object, record.id, field, null, author);
  }
  return { ...doneAnswer(workspace), recordsWritten: 1 };
}

interface Place {
  readonly state: ObjectState;
  readonly record: StoredRecord;
  readonly field: LinkField;
}

/** @throws ApiError 404 */
function place(workspace: Workspace, request: ApiRequest): Place {
  const state = objectState(workspace, request.param('object'));
  const record = storedRecord(state, request.param('id'));
  const field = linkField(state.definition, request.param('field'));
  if (field === undefined) throw notFound('Relationship');
  return { state, record, field };
}

/** @throws ApiError 422 for a body of another shape, 404 for an unknown id */
function readIds(
  workspace: Workspace,
  field: LinkField,
  body: unknown,
  { known = true } = {},
): (string | null)[] {
  const data = isObject(body) ? body.data : undefined;
  // Taking nothing for an empty list would empty the set.
  if (!Array.isArray(data)) throw invalid([{ pointer: '/data', message: 'must be array' }]);
  const list: readonly Json[] = data;
  const problems: Problem[] = [];
  const ids = list.map((item, index) => {
    const { type, id } = isObject(item) ? item : {};
    if (type !== field.form.entity) {
      problems.push({ pointer: `/data/${index}/type`, message: `must be ${field.form.entity}` });
    }
    if (typeof id === 'string' || (id === null && !linksToMany(field.form))) return id;
    problems.push({ pointer: `/data/${index}/id`, message: 'must be string' });
    return null;
  });
  if (problems.length > 0) throw invalid(problems);
  const target = objectState(workspace, field.form.entity);
  for (const id of ids) if (known && id !== null) storedRecord(target, id);
  return ids;
}
