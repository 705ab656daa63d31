import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { fieldOf, isObject } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { notFound } from './api-error.ts';
import type { RecordList } from './extras.ts';
import { listAnswer, viewOf } from './list-answer.ts';
import { filterParameters, readWindow } from './list-query.ts';
import { isToMany } from './object-definition.ts';
import { answerRecords } from './read-routes.ts';
import { parseFields, recordFields, renderRecord, type StoredRecord } from './stored-record.ts';
import { objectState, type Workspace } from './workspace.ts';

/** `GET /lists`: dynamic ones only where they are asked for. */
export function listLists(workspace: Workspace, request: ApiRequest): Answer {
  const wanted = filterParameters(request.query).find(({ field }) => field === 'type');
  const type = wanted?.value ?? 'static';
  const found = workspace.extras.lists.filter(({ members }) => members.type === type);
  return answerLists(workspace, request, found);
}

/** `GET /objects/{object}/lists` */
export function listObjectLists(workspace: Workspace, request: ApiRequest): Answer {
  const { object } = objectState(workspace, request.param('object')).definition;
  const found = workspace.extras.lists.filter((list) => list.object === object);
  return answerLists(workspace, request, found);
}

/** `GET /objects/{object}/lists/{list}` */
export function readList(workspace: Workspace, request: ApiRequest): Answer {
  return { status: 200, text: JSON.stringify({ data: resource(listOf(workspace, request)) }) };
}

/** `GET /objects/{object}/lists/{list}/resources`: the members, as the object's own list has them. */
export function listMembers(workspace: Workspace, request: ApiRequest): Answer {
  const list = listOf(workspace, request);
  return answerRecords(workspace, request, [(record) => hasMember(list, record)]);
}

/** `POST /objects/{object}/lists/{list}/rows/csv` */
export function exportMembers(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const list = listOf(workspace, request);
  const names = [
    '_id',
    ...state.definition.fields.filter((field) => !isToMany(field)).map(({ name }) => name),
  ];
  const rows = [...state.records.values()]
    .filter((record) => hasMember(list, record))
    .map((record) => {
      const whole = parseFields(renderRecord(list.object, record, viewOf(workspace)));
      const attributes = isObject(whole.attributes) ? whole.attributes : {};
      return names.map((name) => csvCell(fieldOf(attributes, name))).join(',');
    });
  const text = [names.map(csvCell).join(','), ...rows].map((row) => `${row}\r\n`).join('');
  return { status: 200, text, contentType: 'text/csv; charset=utf-8', recordsRead: rows.length };
}

function csvCell(value: Json): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function answerLists(
  workspace: Workspace,
  request: ApiRequest,
  found: readonly RecordList[],
): Answer {
  const window = readWindow(request.query, workspace.switches);
  const page = found.slice(window.offset, window.offset + window.limit);
  const rendered = page.map((list) => JSON.stringify(resource(list)));
  return listAnswer(workspace, request, window, rendered, found.length);
}

/** @throws ApiError 404 */
function listOf(workspace: Workspace, request: ApiRequest): RecordList {
  const { object } = objectState(workspace, request.param('object')).definition;
  const found = workspace.extras.lists.find(
    (list) => list.id === request.param('list') && list.object === object,
  );
  if (found === undefined) throw notFound('List');
  return found;
}

function hasMember({ members }: RecordList, record: StoredRecord): boolean {
  if (members.type === 'static') return members.ids.has(record.id);
  return fieldOf(recordFields(record), members.field) === members.value;
}

function resource({ id, object, title, createdMs, members }: RecordList) {
  const createdAt = new Date(createdMs).toISOString();
  return {
    type: 'list',
    id,
    attributes: {
      _id: id,
      title,
      description: null,
      entity: object,
      type: members.type,
      _created_at: createdAt,
      _updated_at: createdAt,
    },
  };
}
