import * as z from 'zod';
import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { notFound, refuse } from './api-error.ts';
import { type Attribute, valueKey } from './attribute.ts';
import { type Author, commitValues } from './commit.ts';
import { enrichLater } from './enrich.ts';
import { readShape } from './query-route.ts';
import { createRecord, dataOf, deleteRecord, mergeRecords } from './records.ts';
import { renderRecord, renderValue } from './render.ts';
import { refuseTaken, uniqueOwners } from './unique.ts';
import {
  attributeOf,
  type ObjectState,
  objectState,
  type StoredRecord,
  storedRecord,
  type Workspace,
} from './workspace.ts';
import { readChanges, refuseMissing } from './write-body.ts';

/** `POST /objects/{object}/records`: a value that is taken is refused. */
export function createRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const changes = readChanges(workspace, state, request.body);
  return created(workspace, state, changes);
}

/** `PUT /objects/{object}/records?matching_attribute=`: creates, or updates what has the value. */
export function assertRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const attribute = attributeOf(state, request.query.get('matching_attribute') ?? '');
  if (!attribute.unique) {
    throw refuse(
      400,
      'matching_attribute_definition_not_unique',
      `The attribute with slug "${attribute.slug}" is not unique.`,
    );
  }
  const changes = readChanges(workspace, state, request.body);
  const given = changes.get(attribute) ?? [];
  if (given.length === 0) {
    const message = `A value for the matching attribute "${attribute.slug}" is needed.`;
    throw refuse(400, 'missing_value', message);
  }
  const [matched, another] = uniqueOwners(state, attribute, given);
  if (another !== undefined) {
    throw refuse(400, 'multiple_match_results', 'More than one record matches.');
  }
  if (matched === undefined) return created(workspace, state, changes);
  const record = writable(state, matched);
  if (attribute.multi) {
    changes.set(attribute, distinct(attribute, [...dataOf(record, attribute), ...given]));
  }
  return updated(workspace, state, record, changes);
}

/** `PATCH …/records/{id}`: new values of a multiselect go to the front, and none leaves. */
export function patchRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const record = writable(state, request.param('id'));
  const changes = readChanges(workspace, state, request.body);
  for (const [attribute, given] of changes) {
    if (!attribute.multi) continue;
    const held = dataOf(record, attribute);
    const known = new Set(held.map((data) => valueKey(attribute.type, data)));
    const fresh = given.filter((data) => !known.has(valueKey(attribute.type, data)));
    changes.set(attribute, [...fresh, ...held]);
  }
  return updated(workspace, state, record, changes);
}

/** `PUT …/records/{id}`: what is sent is set to exactly that. */
export function putRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const record = writable(state, request.param('id'));
  return updated(workspace, state, record, readChanges(workspace, state, request.body));
}

/** `DELETE …/records/{id}` */
export function deleteRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const record = writable(state, request.param('id'));
  deleteRecord(workspace, state, record.id, ownAuthor(workspace));
  return { status: 200, text: '{}', recordsWritten: 1 };
}

/** `GET …/records/{id}` */
export function readRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const record = readable(workspace, state, request.param('id'));
  return answer(renderRecord(workspace, state, record), { recordsRead: 1 });
}

/** `GET …/records/{id}/attributes/{attribute}/values`: with `show_historic=true`, oldest first. */
export function valuesRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const record = readable(workspace, state, request.param('id'));
  const attribute = attributeOf(state, request.param('attribute'));
  const historic = request.query.get('show_historic') === 'true';
  if (historic && !attribute.writable) {
    throw refuse(400, 'validation_type', 'This attribute keeps no historic values.');
  }
  const ended = historic ? (state.past.get(record.id)?.get(attribute.id) ?? []) : [];
  const active = record.values.get(attribute.id) ?? [];
  return answer(
    [...ended, ...active].map((value) => renderValue(workspace, state, attribute, value)),
  );
}

const mergeSchema = z.looseObject({
  data: z.looseObject({ primary_record_id: z.string(), secondary_record_id: z.string() }),
});

/** `POST …/records/merge`: 200, or 202 while it is under way. */
export function mergeRoute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const { data } = readShape(mergeSchema, request.body ?? {});
  const pair = [data.primary_record_id, data.secondary_record_id] as const;
  for (const id of pair) writable(state, id);
  const { mergeMs } = workspace.switches;
  if (mergeMs === 0 || pair[0] === pair[1]) {
    const id = mergeRecords(workspace, state, pair, ownAuthor(workspace));
    return answer({ new_record_id: id }, { recordsWritten: 2 });
  }
  const id = workspace.switches.merged === 'primary' ? pair[0] : workspace.newId();
  for (const each of pair) state.merging.add(each);
  workspace.later(workspace.now() + mergeMs, () => {
    for (const each of pair) state.merging.delete(each);
    if (pair.every((each) => state.records.has(each)))
      mergeRecords(workspace, state, pair, ownAuthor(workspace), id);
  });
  return answer({ new_record_id: id }, { status: 202, recordsWritten: 2 });
}

function created(
  workspace: Workspace,
  state: ObjectState,
  changes: ReadonlyMap<Attribute, readonly Fields[]>,
): Answer {
  refuseMissing(state, null, changes);
  refuseTaken(workspace, state, null, changes);
  const id = createRecord(workspace, state, { changes, author: ownAuthor(workspace) });
  enrichLater(workspace, state, id);
  return written(workspace, state, id);
}

function updated(
  workspace: Workspace,
  state: ObjectState,
  record: StoredRecord,
  changes: ReadonlyMap<Attribute, readonly Fields[]>,
): Answer {
  refuseMissing(state, record, changes);
  refuseTaken(workspace, state, record.id, changes);
  commitValues(workspace, state, record.id, changes, ownAuthor(workspace));
  enrichLater(workspace, state, record.id);
  return written(workspace, state, record.id);
}

function written(workspace: Workspace, state: ObjectState, id: string): Answer {
  const record = storedRecord(state, id);
  return answer(renderRecord(workspace, state, record), { recordsWritten: 1 });
}

export function answer(data: unknown, more: Partial<Answer> = {}): Answer {
  return { status: 200, text: stringifyJson({ data }), ...more };
}

/** What is written through the API is the token's. */
function ownAuthor({ tokenId, stamp }: Workspace): Author {
  return { actor: { type: 'api-token', id: tokenId }, at: stamp() };
}

/** @throws ApiError 404, 400 while it is being merged */
function writable(state: ObjectState, id: string): StoredRecord {
  if (state.merging.has(id)) throw refuse(400, 'merge_in_progress', 'The record is being merged.');
  return storedRecord(state, id);
}

/** @throws ApiError 404, also while it is being merged */
function readable({ switches }: Workspace, state: ObjectState, id: string): StoredRecord {
  if (state.merging.has(id)) throw refuse(404, 'merge_in_progress', 'The record is being merged.');
  if (!switches.lateGets) return storedRecord(state, id);
  const listed = state.listed.get(id);
  if (listed === undefined) throw notFound(`Could not find record with ID "${id}".`);
  return listed;
}

function distinct({ type }: Attribute, values: readonly Fields[]): Fields[] {
  return [...new Map(values.map((data) => [valueKey(type, data), data])).values()];
}
